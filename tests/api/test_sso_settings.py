from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.doors import open_door, open_external
from tests.support.member_session import sign_in
from tests.support.saml_keys import signer, weak_certificate
from tests.support.scenario import Scenario

SAFE: dict[str, Any] = {
    "protocol": "saml",
    "force_authn": False,
    "requested_authn_contexts": [],
    "require_signed_response": False,
    "require_signed_assertion": False,
    "require_encryption": False,
    "refuse_expired_certificates": False,
    "allow_cbc": False,
    "allow_inclusive_c14n": False,
    "allow_missing_authn_statement": False,
    "idp_initiated_roundtrip": False,
    "trust_metadata_certificates": False,
    "metadata_certificate": "",
    "cap_sessions": False,
    "absent_groups_mean_none": False,
    "idp_slo_url": "",
    "idp_slo_response_url": "",
    "idp_slo_binding": "redirect",
    "implicit_role_assignments": [],
    "group_implicit_role_assignments": [],
}
NO_ROLES: dict[str, Any] = {
    "implicit_role_assignments": [],
    "group_implicit_role_assignments": [],
}
OIDC: dict[str, Any] = {
    "protocol": "oidc",
    "end_session_url": "",
    "client_authentication": "",
    "absent_groups_mean_none": False,
    **NO_ROLES,
}
SLO = "https://idp.example.com/slo"
TOLERANCES = (
    "allow_cbc",
    "allow_inclusive_c14n",
    "allow_missing_authn_statement",
    "trust_metadata_certificates",
)


def path_of(connection: dict[str, Any]) -> str:
    return f"/v1/b2b/sso/acme/connections/{connection['connection_id']}/settings"


async def saml(scenario: Scenario) -> str:
    """Return the path of the settings of a new SAML connection."""
    organization = await scenario.organization()
    return path_of(await scenario.saml_connection(organization["organization_id"]))


async def refused(scenario: Scenario, path: str, changes: dict[str, Any]) -> str:
    """Send changes that must be refused; see that nothing changed and return the message."""
    before = await scenario.api.good("GET", path)
    answer = await scenario.api.call("PUT", path, changes)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    after = await scenario.api.good("GET", path)
    assert after["settings"] == before["settings"]
    return str(answer.json["error_message"])


async def test_settings_of_a_new_saml_connection_are_the_safe_ones(scenario: Scenario) -> None:
    path = await saml(scenario)
    answer = await scenario.api.good("GET", path)
    assert answer["settings"] == SAFE
    assert answer["connection_id"] == path.split("/")[-2]


async def test_only_what_is_sent_changes(scenario: Scenario) -> None:
    path, expected = await saml(scenario), dict(SAFE)
    for name, safe in SAFE.items():
        if safe is False:
            expected[name] = True
            answer = await scenario.api.good("PUT", path, {name: True})
            assert answer["settings"] == expected
    assert (await scenario.api.good("PUT", path, {}))["settings"] == expected
    assert (await scenario.api.good("GET", path))["settings"] == expected


async def test_authn_contexts_are_kept_once_each(scenario: Scenario) -> None:
    path = await saml(scenario)
    answer = await scenario.api.good("PUT", path, {"requested_authn_contexts": ["a:b", "c", "a:b"]})
    assert answer["settings"]["requested_authn_contexts"] == ["a:b", "c"]


@pytest.mark.parametrize("given", [[""], ["a b"], ["a\nb"], ["a" * 257], ["a"] * 11])
async def test_authn_context_that_is_no_uri_is_refused(
    scenario: Scenario, given: list[str]
) -> None:
    said = await refused(scenario, await saml(scenario), {"requested_authn_contexts": given})
    assert said.startswith("requested_authn_contexts: expected at most 10 URIs")


async def test_unknown_setting_is_refused_by_its_name(scenario: Scenario) -> None:
    said = await refused(scenario, await saml(scenario), {"allow_sha1": True})
    assert "`allow_sha1`" in said


@pytest.mark.parametrize("value", ["true", 1, None, []])
async def test_wrong_type_is_refused_by_the_name_of_the_setting(
    scenario: Scenario, value: Any
) -> None:
    said = await refused(scenario, await saml(scenario), {"allow_cbc": value})
    assert said.startswith("allow_cbc: expected `bool`")


async def test_setting_of_the_other_protocol_is_refused(scenario: Scenario) -> None:
    organization = await scenario.organization()
    path = path_of(await scenario.oidc_connection(organization["organization_id"]))
    settings = (await scenario.api.good("GET", path))["settings"]
    assert settings == {**OIDC}
    said = await refused(scenario, path, {"force_authn": True})
    assert said == "force_authn: no setting of this connection, which is OpenID Connect."


async def test_connection_of_another_organization_is_not_found(scenario: Scenario) -> None:
    path = await saml(scenario)
    await scenario.organization("Other")
    for method, body in (("GET", None), ("PUT", {"force_authn": True})):
        bad = await scenario.api.bad(method, path.replace("/acme/", "/other/"), body)
        assert bad == (404, "sso_connection_not_found")


@pytest.mark.parametrize("name", TOLERANCES)
async def test_tolerance_is_logged_once_it_is_switched_on(scenario: Scenario, name: str) -> None:
    path = await saml(scenario)
    with capture_logs() as logged:
        for value in (False, True, True, False):
            await scenario.api.good("PUT", path, {name: value, "force_authn": value})
    assert [line for line in logged if line["log_level"] == "warning"] == [
        {
            "event": "tolerance switched on",
            "log_level": "warning",
            "connection_id": path.split("/")[-2],
            "setting": name,
        }
    ]


# Addresses and certificates ----------------------------------------------------------------------


async def test_answers_go_where_requests_go_unless_they_have_a_place(scenario: Scenario) -> None:
    path = await saml(scenario)
    names = ("idp_slo_url", "idp_slo_response_url")

    async def change(**sent: str) -> tuple[str, ...]:
        settings = (await scenario.api.good("PUT", path, sent))["settings"]
        return tuple(settings[name] for name in names)

    assert await change(idp_slo_url=SLO) == (SLO, SLO)
    assert await change(idp_slo_response_url=f"{SLO}/answer") == (SLO, f"{SLO}/answer")
    both = {"idp_slo_url": f"{SLO}/2", "idp_slo_response_url": SLO}
    assert await change(**both) == (f"{SLO}/2", SLO)
    assert await change(idp_slo_url="") == ("", "")


@pytest.mark.parametrize(
    ("name", "protocol"),
    [("idp_slo_url", "saml"), ("idp_slo_response_url", "saml"), ("end_session_url", "oidc")],
)
@pytest.mark.parametrize(
    "url",
    ["http://idp.example.com/slo", "javascript:alert(1)", "/slo", "https://idp/\nx", "https:"],
)
async def test_address_that_browsers_are_not_sent_to_is_refused(
    scenario: Scenario, name: str, protocol: str, url: str
) -> None:
    organization = await scenario.organization()
    make = scenario.saml_connection if protocol == "saml" else scenario.oidc_connection
    path = path_of(await make(organization["organization_id"]))
    assert (await refused(scenario, path, {name: url})).startswith(f"{name}: expected an https ")


async def test_end_of_sessions_at_an_openid_provider_can_be_set(scenario: Scenario) -> None:
    organization = await scenario.organization()
    path = path_of(await scenario.oidc_connection(organization["organization_id"]))
    for url in (SLO, ""):
        answer = await scenario.api.good("PUT", path, {"end_session_url": url})
        assert answer["settings"] == {**OIDC, "end_session_url": url}


async def test_metadata_certificate_is_kept_as_pem(scenario: Scenario) -> None:
    path, pem = await saml(scenario), signer("metadata").pem
    for sent, kept in (("".join(pem.splitlines()[1:-1]), pem), ("", "")):
        answer = await scenario.api.good("PUT", path, {"metadata_certificate": sent})
        assert answer["settings"]["metadata_certificate"] == kept
    for bad in ("x", weak_certificate()):
        said = await refused(scenario, path, {"metadata_certificate": bad})
        assert said.startswith("metadata_certificate: expected ")


async def test_external_connection_has_no_settings(scenario: Scenario) -> None:
    user = await open_external(await open_door(scenario, "saml", "Owner"), "Acme")
    path = path_of(user.connection)
    assert (await scenario.api.good("GET", path))["settings"] == {"protocol": "external"}
    assert (await scenario.api.good("PUT", path, {}))["settings"] == {"protocol": "external"}
    for name, value in (("force_authn", True), ("implicit_role_assignments", [])):
        said = await refused(scenario, path, {name: value})
        assert said == f"{name}: no setting of this connection, which is external."


# Roles -------------------------------------------------------------------------------------------


async def for_roles(scenario: Scenario, protocol: str) -> str:
    """Return the path of the settings of a connection whose groups are known."""
    organization = await scenario.organization()
    make = scenario.saml_connection if protocol == "saml" else scenario.oidc_connection
    return path_of(await make(organization["organization_id"]))


def group(name: str, called: str | None = None) -> dict[str, Any]:
    sent = {"role_id": "stytch_admin", "group": name}
    return sent if called is None else {**sent, "display_name": called}


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
async def test_roles_are_given_by_connection_and_by_group(
    scenario: Scenario, protocol: str
) -> None:
    path = await for_roles(scenario, protocol)
    everybody = [{"role_id": "stytch_admin"}]

    async def change(**sent: Any) -> tuple[Any, Any]:
        settings = (await scenario.api.good("PUT", path, sent))["settings"]
        assert (await scenario.api.good("GET", path))["settings"] == settings
        return settings["implicit_role_assignments"], settings["group_implicit_role_assignments"]

    assert await change(implicit_role_assignments=everybody) == (everybody, [])
    named = [group("0d1f", "Engineering"), group("/staff", "")]
    sent = [group("0d1f", "Engineering"), group("/staff"), group("0d1f")]
    assert await change(group_implicit_role_assignments=sent) == (everybody, named)
    # What a group is called stays until another name is sent, or the group goes.
    assert await change(group_implicit_role_assignments=[group("0d1f")]) == (everybody, named[:1])
    renamed = [group("0d1f", "Eng")]
    assert await change(group_implicit_role_assignments=renamed) == (everybody, renamed)
    assert await change(implicit_role_assignments=[], group_implicit_role_assignments=[]) == (
        [],
        [],
    )


async def test_what_a_group_is_called_outlives_the_wires_own_update(scenario: Scenario) -> None:
    path = await for_roles(scenario, "saml")
    named = [group("0d1f", "Engineering")]
    await scenario.api.good("PUT", path, {"group_implicit_role_assignments": named})
    connection_id = path.split("/")[-2]
    wire = f"/v1/b2b/sso/saml/acme/connections/{connection_id}"
    both = [group("0d1f"), group("ops")]
    answer = await scenario.api.good("PUT", wire, {"saml_group_implicit_role_assignments": both})
    assert answer["connection"]["saml_group_implicit_role_assignments"] == both
    settings = (await scenario.api.good("GET", path))["settings"]
    assert settings["group_implicit_role_assignments"] == [*named, group("ops", "")]


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"implicit_role_assignments": [{"role_id": "no"}]}, "invalid_rbac_role_assignment"),
        (
            {"implicit_role_assignments": [{"role_id": "stytch_member"}]},
            "cannot_assign_default_rbac_role_id",
        ),
        (
            {"group_implicit_role_assignments": [{"role_id": "no", "group": "g"}]},
            "invalid_rbac_role_assignment",
        ),
        (
            {"group_implicit_role_assignments": [group("")]},
            "saml_group_role_assignment_does_not_contain_member_group",
        ),
        (
            {"group_implicit_role_assignments": [{"role_id": "stytch_admin"}]},
            "saml_group_role_assignment_does_not_contain_member_group",
        ),
        ({"group_implicit_role_assignments": [group("g", "a\nb")]}, "bad_request"),
        ({"group_implicit_role_assignments": [group("g", "x" * 257)]}, "bad_request"),
        ({"group_implicit_role_assignments": [{"role_id": 7, "group": "g"}]}, "bad_request"),
        ({"group_implicit_role_assignments": {}}, "bad_request"),
        ({"implicit_role_assignments": "stytch_admin"}, "bad_request"),
    ],
)
async def test_role_that_cannot_be_given_is_refused(
    scenario: Scenario, protocol: str, changes: dict[str, Any], error: str
) -> None:
    path = await for_roles(scenario, protocol)
    before = await scenario.api.good("GET", path)
    assert await scenario.api.bad("PUT", path, changes) == (400, error)
    assert (await scenario.api.good("GET", path))["settings"] == before["settings"]


@pytest.mark.case("AD-06")
async def test_member_needs_a_permission_of_its_own_for_roles(scenario: Scenario) -> None:
    organization = await scenario.organization()
    ada = await sign_in(scenario, organization)
    await ada.hold_permission("stytch.sso", ["get", "update"])
    path = path_of(await scenario.oidc_connection(organization["organization_id"]))
    await ada.good("PUT", path, {"end_session_url": SLO})
    bodies: list[dict[str, Any]] = [
        {"implicit_role_assignments": []},
        {"group_implicit_role_assignments": [group("g")]},
        {"end_session_url": "", "implicit_role_assignments": [{"role_id": "stytch_admin"}]},
    ]
    for changes in bodies:
        assert await ada.bad("PUT", path, changes) == (403, "session_authorization_error")
    settings = (await ada.good("GET", path))["settings"]
    assert settings == {**OIDC, "end_session_url": SLO}


async def test_groups_of_saml_have_to_be_mapped_first(scenario: Scenario) -> None:
    organization = await scenario.organization()
    mapping = {"email": "email", "full_name": "name"}
    path = path_of(
        await scenario.saml_connection(organization["organization_id"], attribute_mapping=mapping)
    )
    assert await scenario.api.bad(
        "PUT", path, {"group_implicit_role_assignments": [group("g")]}
    ) == (400, "saml_connection_attribute_mapping_missing_groups_key")
