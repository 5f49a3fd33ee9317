from typing import Any

import pytest
from structlog.testing import capture_logs

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
}
TOLERANCES = ("allow_cbc", "allow_inclusive_c14n", "allow_missing_authn_statement")


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
    assert (await scenario.api.good("GET", path))["settings"] == {"protocol": "oidc"}
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
