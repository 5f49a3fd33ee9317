import base64
from typing import Any

import pytest
from stytch.b2b.models.sso_saml import CreateConnectionResponse, UpdateConnectionResponse

from tests.support import saml_metadata
from tests.support.determinism import NOW, HandClock, SeededEntropy
from tests.support.hooked_store import HookedStore
from tests.support.member_session import sign_in
from tests.support.saml_key_kinds import curve_certificate, edwards_certificate
from tests.support.saml_keys import certificate, signer, weak_certificate
from tests.support.scenario import (
    IDP_ENTITY,
    IDP_SSO,
    MAPPING,
    Scenario,
    open_scenario,
)
from vestibule.clock import DAY, SECOND
from vestibule.fetch import FetchResponse, GuardedFetch
from vestibule.saml.keys import private_key_pem, read_certificate
from vestibule.settings import Settings
from vestibule.store.interface import Store

BASE = "/v1/b2b/sso/saml/acme"
METADATA_URL = "https://idp.example.com/metadata.xml"
ESSENTIALS: dict[str, Any] = {
    "idp_entity_id": IDP_ENTITY,
    "idp_sso_url": IDP_SSO,
    "x509_certificate": signer("idp").pem,
    "attribute_mapping": MAPPING,
}


async def create(scenario: Scenario, **fields: Any) -> dict[str, Any]:
    return dict((await scenario.api.good("POST", BASE, fields))["connection"])


def path_of(connection: dict[str, Any]) -> str:
    return f"{BASE}/connections/{connection['connection_id']}"


async def update(scenario: Scenario, connection: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return dict((await scenario.api.good("PUT", path_of(connection), changes))["connection"])


async def refuse(scenario: Scenario, connection: dict[str, Any], **changes: Any) -> tuple[str, str]:
    """Send changes that must be refused with 400, see that nothing changed, return the reason."""
    before = await shown(scenario)
    answer = await scenario.api.call("PUT", path_of(connection), changes)
    assert answer.status == 400, answer.body
    assert await shown(scenario) == before
    return answer.json["error_type"], answer.json["error_message"]


async def shown(scenario: Scenario) -> list[dict[str, Any]]:
    return list((await scenario.api.good("GET", "/v1/b2b/sso/acme"))["saml_connections"])


# Life ------------------------------------------------------------------------------------------


async def test_new_connection_is_pending_and_complete(scenario: Scenario) -> None:
    organization = await scenario.organization()
    answer = await scenario.api.good("POST", BASE, {"display_name": "Okta"})
    CreateConnectionResponse.model_validate(answer)
    connection = answer["connection"]
    (signing,) = connection.pop("signing_certificates")
    connection_id = connection.pop("connection_id")
    assert connection_id.startswith("saml-connection-test-")
    url = f"https://sso.example.test/v1/b2b/sso/callback/{connection_id}"
    assert connection == {
        "organization_id": organization["organization_id"],
        "status": "pending",
        "display_name": "Okta",
        "identity_provider": "generic",
        "idp_entity_id": "",
        "idp_sso_url": "",
        "acs_url": url,
        "audience_uri": url,
        "verification_certificates": [],
        "encryption_private_keys": [],
        "saml_connection_implicit_role_assignments": [],
        "saml_group_implicit_role_assignments": [],
        "alternative_audience_uri": "",
        "alternative_acs_url": "",
        "nameid_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
        "idp_initiated_auth_disabled": False,
        "allow_gateway_callback": False,
        "attribute_mapping": {},
    }
    assert signing["issuer"] == "Stytch"
    made = read_certificate(signing["certificate"])
    assert made.not_after == (NOW + 3650 * DAY) // 1_000_000 * 1_000_000
    assert await shown(scenario) == [
        {**connection, "connection_id": connection_id} | {"signing_certificates": [signing]}
    ]


@pytest.mark.parametrize("last", sorted(ESSENTIALS))
async def test_connection_is_active_once_nothing_is_missing(scenario: Scenario, last: str) -> None:
    await scenario.organization()
    connection = await create(scenario)
    for name in sorted(ESSENTIALS, key=lambda each: each == last):
        assert connection["status"] == "pending"
        connection = await update(scenario, connection, **{name: ESSENTIALS[name]})
    assert connection["status"] == "active"
    assert (await update(scenario, connection, display_name="New"))["status"] == "active"


async def test_first_active_connection_becomes_the_default_and_stays_it(scenario: Scenario) -> None:
    await scenario.organization()

    async def default() -> Any:
        got = await scenario.api.good("GET", "/v1/b2b/organizations/acme")
        return got["organization"]["sso_default_connection_id"]

    first, second = await create(scenario), await create(scenario)
    assert await default() is None
    await update(scenario, second, **ESSENTIALS)
    assert await default() == second["connection_id"]
    await update(scenario, first, **{**ESSENTIALS, "idp_entity_id": "https://two.example.com"})
    await update(scenario, first, display_name="still")
    assert await default() == second["connection_id"]


CHANGES: dict[str, Any] = {
    "display_name": 'Zoë\'s "IdP" 🛂',
    "identity_provider": "microsoft-entra",
    "idp_entity_id": "urn:example:idp",
    "idp_sso_url": "https://idp.example.com:8443/sso?tenant=a%20b&x=",
    "attribute_mapping": {"email": "NameID", "full_name": "n", "groups": "g", "team": "t"},
    "saml_connection_implicit_role_assignments": [{"role_id": "stytch_admin"}],
    "saml_group_implicit_role_assignments": [{"role_id": "stytch_admin", "group": "a,b"}],
    "alternative_audience_uri": "urn:old:audience",
    "alternative_acs_url": "https://old.example.com/acs?a=b",
    "nameid_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "idp_initiated_auth_disabled": True,
    "allow_gateway_callback": True,
}


async def test_every_field_can_be_set_and_what_is_absent_stays(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    answer = await scenario.api.good("PUT", path_of(connection), CHANGES)
    UpdateConnectionResponse.model_validate(answer)
    changed = answer["connection"]
    assert {name: changed[name] for name in CHANGES} == CHANGES
    assert changed["status"] == "pending"
    assert await update(scenario, connection) == changed
    assert await shown(scenario) == [changed]


async def test_null_is_refused_by_name_and_empty_lists_clear(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    for name in [*CHANGES, "x509_certificate", "signing_private_key"]:
        kind, message = await refuse(scenario, connection, **{name: None})
        assert kind == "bad_request"
        assert message.startswith(f"{name}: expected ")
    await update(scenario, connection, **CHANGES)
    cleared = await update(
        scenario,
        connection,
        saml_connection_implicit_role_assignments=[],
        saml_group_implicit_role_assignments=[],
        alternative_acs_url="",
        alternative_audience_uri="",
        nameid_format="",
    )
    assert cleared["saml_connection_implicit_role_assignments"] == []
    assert cleared["saml_group_implicit_role_assignments"] == []
    assert cleared["alternative_acs_url"] == cleared["alternative_audience_uri"] == ""
    assert cleared["nameid_format"].endswith("1.1:nameid-format:emailAddress")


# Refused values --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"display_name": "x" * 257}, "invalid_display_name"),
        ({"identity_provider": "oktaa"}, "invalid_sso_idp"),
        ({"idp_entity_id": ""}, "invalid_idp_entity_id"),
        ({"idp_entity_id": "a b"}, "invalid_idp_entity_id"),
        ({"idp_entity_id": "a\nb"}, "invalid_idp_entity_id"),
        ({"idp_entity_id": "x" * 1025}, "invalid_idp_entity_id"),
        ({"attribute_mapping": {}}, "saml_connection_attribute_mapping_required"),
        ({"attribute_mapping": {"full_name": "n"}}, "saml_connection_email_mapping_required"),
        (
            {"attribute_mapping": {"email": "e", "first_name": "f"}},
            "saml_connection_name_mapping_required",
        ),
        (
            {"attribute_mapping": {"email": "e", "last_name": "f"}},
            "saml_connection_name_mapping_required",
        ),
        (
            {"attribute_mapping": {**MAPPING, "x": {"y": "z"}}},
            "saml_connection_no_nested_keys_in_attribute_mapping",
        ),
        (
            {"attribute_mapping": {**MAPPING, "x": ["z"]}},
            "saml_connection_no_nested_keys_in_attribute_mapping",
        ),
        (
            {"attribute_mapping": {**MAPPING, **{str(n): "x" for n in range(50)}}},
            "saml_connection_no_nested_keys_in_attribute_mapping",
        ),
        (
            {"saml_connection_implicit_role_assignments": [{"role_id": "nobody"}]},
            "invalid_rbac_role_assignment",
        ),
        (
            {"saml_connection_implicit_role_assignments": [{"role_id": "stytch_member"}]},
            "cannot_assign_default_rbac_role_id",
        ),
        (
            {"saml_connection_implicit_role_assignments": [{"role_id": "stytch_admin"}] * 1001},
            "invalid_rbac_role_assignment",
        ),
        (
            {"saml_group_implicit_role_assignments": [{"role_id": "stytch_admin", "group": "x"}]},
            "saml_connection_attribute_mapping_missing_groups_key",
        ),
        (
            {
                "attribute_mapping": MAPPING,
                "saml_group_implicit_role_assignments": [{"role_id": "stytch_admin"}],
            },
            "saml_group_role_assignment_does_not_contain_member_group",
        ),
        (
            {
                "attribute_mapping": MAPPING,
                "saml_group_implicit_role_assignments": [{"role_id": "nobody", "group": "g"}],
            },
            "invalid_rbac_role_assignment",
        ),
    ],
)
async def test_bad_value_is_refused_and_changes_nothing(
    scenario: Scenario, changes: dict[str, Any], error: str
) -> None:
    await scenario.organization()
    kind, message = await refuse(
        scenario, await create(scenario), **{"display_name": "New", **changes}
    )
    assert kind == error
    assert len(message) < 500


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_bad_name_or_vendor_is_refused_at_creation_too(
    scenario: Scenario, method: str
) -> None:
    await scenario.organization()
    target = BASE if method == "POST" else path_of(await create(scenario))
    for body, error in (
        ({"display_name": "x" * 257}, "invalid_display_name"),
        ({"identity_provider": "Okta"}, "invalid_sso_idp"),
    ):
        assert await scenario.api.bad(method, target, body) == (400, error)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nameid_format", "emailAddress"),
        ("nameid_format", "urn:oasis:names:tc:SAML:2.0:nameid-format:a\nb"),
        ("nameid_format", "urn:oasis:names:tc:SAML:2.0:nameid-format:" + "x" * 101),
        ("alternative_audience_uri", "a b"),
        ("alternative_audience_uri", "a\u2028b"),
        ("alternative_audience_uri", "x" * 1025),
        ("alternative_acs_url", "javascript:alert(1)"),
        ("alternative_acs_url", "http://old.example.com/acs"),
        ("alternative_acs_url", "https://a@old.example.com/acs"),
        ("alternative_acs_url", "/acs"),
    ],
)
async def test_bad_value_without_an_error_of_its_own_is_refused_by_name(
    scenario: Scenario, name: str, value: str
) -> None:
    await scenario.organization()
    kind, message = await refuse(scenario, await create(scenario), **{name: value})
    assert kind == "bad_request"
    assert message.startswith(f"{name}: expected ")


async def test_mapping_cannot_lose_groups_while_roles_hang_on_them(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    await update(scenario, connection, **CHANGES)
    mapping = {"email": "NameID", "full_name": "n"}
    kind, _ = await refuse(scenario, connection, attribute_mapping=mapping)
    assert kind == "saml_connection_attribute_mapping_missing_groups_key"
    await update(
        scenario, connection, attribute_mapping=mapping, saml_group_implicit_role_assignments=[]
    )


async def test_equal_assignments_are_kept_once(scenario: Scenario) -> None:
    await scenario.organization()
    admin = {"role_id": "stytch_admin"}
    changed = await update(
        scenario,
        await create(scenario),
        attribute_mapping=MAPPING,
        saml_connection_implicit_role_assignments=[admin, admin],
        saml_group_implicit_role_assignments=[{**admin, "group": "a"}] * 2
        + [{**admin, "group": "b"}],
    )
    assert changed["saml_connection_implicit_role_assignments"] == [admin]
    groups = changed["saml_group_implicit_role_assignments"]
    assert groups == [{**admin, "group": "a"}, {**admin, "group": "b"}]


@pytest.mark.case("SP-58")
async def test_query_of_the_sso_url_is_kept_through_the_start(scenario: Scenario) -> None:
    organization = await scenario.organization()
    url = "https://idp.example.com/sso?tenant=a%20b&x="
    connection = await scenario.saml_connection(organization["organization_id"], idp_sso_url=url)
    assert connection["idp_sso_url"] == url
    started = await scenario.start(scenario.browser(), connection_id=connection["connection_id"])
    assert started.headers["location"].startswith(f"{url}&SAMLRequest=")


@pytest.mark.case("SP-58")
@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("", "saml_connection_idp_sso_url_required"),
        ("http://idp.example.com/sso", "saml_connection_idp_sso_url_not_https"),
        ("https://idp.example.com/sso#top", "saml_connection_idp_sso_url_invalid_format"),
        ("javascript:alert(1)//https://x", "saml_connection_idp_sso_url_invalid_format"),
        ("data:text/html,x", "saml_connection_idp_sso_url_invalid_format"),
        ("//idp.example.com/sso", "saml_connection_idp_sso_url_invalid_format"),
        ("/sso", "saml_connection_idp_sso_url_invalid_format"),
        ("https://", "saml_connection_idp_sso_url_invalid_format"),
        ("https:///sso", "saml_connection_idp_sso_url_invalid_format"),
        ("https://u:p@idp.example.com/", "saml_connection_idp_sso_url_invalid_format"),
        (
            "https://idp.example.com/\r\nset-cookie: a=b",
            "saml_connection_idp_sso_url_invalid_format",
        ),
        ('https://idp.example.com/"><script>', "saml_connection_idp_sso_url_invalid_format"),
        ("https://idp.example.com/?SAMLRequest=x", "saml_connection_idp_sso_url_invalid_format"),
        ("https://idp.example.com/?x=1&RelayState=", "saml_connection_idp_sso_url_invalid_format"),
        ("https://idp.example.com:0/", "saml_connection_idp_sso_url_invalid_format"),
        ("https://idp.example.com:99999/", "saml_connection_idp_sso_url_invalid_format"),
        ("https://[::1/", "saml_connection_idp_sso_url_invalid_format"),
        ("https://bücher.example/", "saml_connection_idp_sso_url_invalid_format"),
        ("https://idp.example.com/" + "x" * 3000, "saml_connection_idp_sso_url_invalid_format"),
        (" https://idp.example.com/", "saml_connection_idp_sso_url_invalid_format"),
    ],
)
async def test_sso_url_that_no_browser_should_be_sent_to_is_refused(
    scenario: Scenario, url: str, error: str
) -> None:
    await scenario.organization()
    kind, message = await refuse(scenario, await create(scenario), idp_sso_url=url)
    assert kind == error
    assert message.startswith("idp_sso_url: ")


@pytest.mark.case("SP-58")
async def test_plain_http_is_for_hosts_that_the_operator_lists(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    settings = Settings(
        base_url="https://sso.example.test", outbound_hosts="idp.internal, 10.0.0.1:8080"
    )
    scenario = await open_scenario(store, clock=clock, entropy=entropy, settings=settings)
    await scenario.organization()
    connection = await create(scenario)
    for url in ("http://idp.internal/sso", "http://IDP.internal:81/sso", "http://10.0.0.1:8080/"):
        await update(scenario, connection, idp_sso_url=url, alternative_acs_url=url)
    for url in ("http://10.0.0.1/", "http://10.0.0.1:80/", "http://x.idp.internal/"):
        kind, _ = await refuse(scenario, connection, idp_sso_url=url)
        assert kind == "saml_connection_idp_sso_url_not_https"


@pytest.mark.case("SP-72")
async def test_entity_id_stands_for_one_connection_of_an_organization(scenario: Scenario) -> None:
    await scenario.organization()
    first, second = await create(scenario), await create(scenario)
    await update(scenario, first, idp_entity_id=IDP_ENTITY)
    kind, _ = await refuse(scenario, second, idp_entity_id=IDP_ENTITY)
    assert kind == "duplicate_saml_connection"
    await update(scenario, first, idp_entity_id=IDP_ENTITY)
    # Entity ids are compared as they are written (SAML Core 8.3.6), and per organization.
    await update(scenario, second, idp_entity_id=IDP_ENTITY.upper())
    other = await scenario.organization("Other")
    await scenario.saml_connection(other["organization_id"])


@pytest.mark.case("SP-72")
async def test_metadata_of_a_known_identity_provider_is_refused(scenario: Scenario) -> None:
    organization = await scenario.organization()
    await scenario.saml_connection(organization["organization_id"])
    second = await create(scenario)
    publish(scenario, metadata(signer("two").pem))
    answer = await scenario.api.bad("PUT", f"{path_of(second)}/url", {"metadata_url": METADATA_URL})
    assert answer == (400, "duplicate_saml_connection")
    assert (await shown(scenario))[1] == second


# Certificates and keys -------------------------------------------------------------------------


def bare(pem: str) -> str:
    return "".join(pem.strip().splitlines()[1:-1])


@pytest.mark.case("XS-62")
@pytest.mark.parametrize(
    "write",
    [
        lambda pem: pem,
        lambda pem: pem.replace("\n", "\r\n"),
        lambda pem: f"\n  {pem}\n\n",
        bare,
        lambda pem: "\n".join(bare(pem)[i : i + 50] for i in range(0, len(bare(pem)), 50)),
        lambda pem: f"-----BEGIN CERTIFICATE-----{bare(pem)}-----END CERTIFICATE-----",
        lambda pem: base64.b64encode(read_certificate(pem).der).decode(),
    ],
)
async def test_certificate_is_taken_in_any_form_and_kept_once(
    scenario: Scenario, write: Any
) -> None:
    await scenario.organization()
    connection = await create(scenario)
    pem = signer("idp").pem
    for text in (write(pem), pem, write(pem)):
        changed = await update(scenario, connection, x509_certificate=text)
        (kept,) = changed["verification_certificates"]
        assert kept["certificate"] == pem
        assert kept["certificate_id"].startswith("saml-verification-key-test-")
        assert kept["issuer"] == "CN=idp"
        assert kept["expires_at"] == "2100-01-01T00:00:00Z"


@pytest.mark.case("XS-57", "AD-30")
@pytest.mark.parametrize(
    ("pem", "received"),
    [
        (weak_certificate(), "RSA 1024"),
        (curve_certificate("P-192"), "EC secp192r1"),
        (curve_certificate("K-256"), "EC secp256k1"),
        (edwards_certificate(), "Ed25519"),
        (signer("idp").pem * 2, "other text"),
        (private_key_pem(signer("idp").key), "other text"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "other data"),
        ("not one", "other"),
        (" ", "other"),
        ("x" * 70_000, "70000 bytes"),
    ],
)
async def test_certificate_of_a_weak_key_or_none_is_refused_at_upload(
    scenario: Scenario, pem: str, received: str
) -> None:
    await scenario.organization()
    kind, message = await refuse(scenario, await create(scenario), x509_certificate=pem)
    assert kind == "invalid_x509_certificate"
    assert message.startswith("x509_certificate: ")
    assert received in message
    assert len(message) < 300


@pytest.mark.case("XS-59")
@pytest.mark.parametrize(("begins", "ends"), [(-20, -10), (10, 20)])
async def test_certificate_outside_its_years_is_taken_and_verifies(
    scenario: Scenario, begins: int, ends: int
) -> None:
    organization = await scenario.organization()
    pem = certificate(
        "idp", not_before=NOW + begins * DAY, not_after=NOW + ends * DAY, key=signer("idp").key
    )
    connection = await scenario.saml_connection(
        organization["organization_id"], x509_certificate=pem
    )
    assert connection["status"] == "active"
    await scenario.authenticate(await scenario.saml_token(connection))


async def test_five_certificates_are_the_most(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    pems = [
        certificate(f"c{n}", not_before=0, not_after=DAY, key=signer("idp").key) for n in range(6)
    ]
    for pem in pems[:5]:
        scenario.clock.advance(SECOND)
        changed = await update(scenario, connection, x509_certificate=pem)
    kept = changed["verification_certificates"]
    assert [each["certificate"] for each in kept] == pems[:5]
    kind, _ = await refuse(scenario, connection, x509_certificate=pems[5])
    assert kind == "too_many_sso_verification_certificates"
    await update(scenario, connection, x509_certificate=pems[0])
    await scenario.api.good("DELETE", certificate_path(connection, kept[0]["certificate_id"]))
    scenario.clock.advance(SECOND)
    changed = await update(scenario, connection, x509_certificate=pems[5])
    assert [e["certificate"] for e in changed["verification_certificates"]] == pems[1:]


def certificate_path(connection: dict[str, Any], certificate_id: str) -> str:
    return f"{path_of(connection)}/verification_certificates/{certificate_id}"


@pytest.mark.case("AD-32")
async def test_last_certificate_of_an_active_connection_stays(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    pending = await update(scenario, connection, x509_certificate=signer("idp").pem)
    (only,) = pending["verification_certificates"]
    path = certificate_path(connection, only["certificate_id"])
    gone = await scenario.api.good("DELETE", path)
    assert gone["certificate_id"] == only["certificate_id"]
    assert await scenario.api.bad("DELETE", path) == (404, "sso_verification_key_not_found")
    active = await update(scenario, connection, **ESSENTIALS)
    (only,) = active["verification_certificates"]
    refused = await scenario.api.bad("DELETE", certificate_path(connection, only["certificate_id"]))
    assert refused == (400, "cannot_delete_last_sso_verification_key")
    assert await shown(scenario) == [active]


async def test_deleted_certificate_verifies_nothing_from_then_on(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    await update(scenario, connection, x509_certificate=signer("two").pem)
    old = connection["verification_certificates"][0]["certificate_id"]
    await scenario.api.good("DELETE", certificate_path(connection, old))
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    assert (await scenario.post_callback(browser, connection, fields)).status == 400
    await scenario.authenticate(await scenario.saml_token(connection, idp="two"))


async def test_our_own_keys_cannot_be_deleted_as_certificates(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    signing = connection["signing_certificates"][0]["certificate_id"]
    refused = await scenario.api.bad("DELETE", certificate_path(connection, signing))
    assert refused == (404, "sso_verification_key_not_found")
    path = f"{path_of(connection)}/encryption_private_keys/{signing}"
    refused = await scenario.api.bad("DELETE", path)
    assert refused == (404, "sso_encryption_private_key_not_found")


async def test_signing_key_takes_the_place_of_the_old_one(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    key = signer("mine").key
    changed = await update(scenario, connection, signing_private_key=private_key_pem(key))
    (certificate_,) = changed["signing_certificates"]
    numbers = read_certificate(certificate_["certificate"]).public_key.public_numbers()
    assert numbers == key.public_key().public_numbers()
    assert certificate_ != connection["signing_certificates"][0]
    assert await shown(scenario) == [changed]


@pytest.mark.case("AD-31")
async def test_decryption_key_is_kept_once_and_never_shown(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    pem = private_key_pem(signer("mine").key)
    for _ in range(2):
        answer = await scenario.api.call(
            "PUT", path_of(connection), {"saml_encryption_private_key": pem}
        )
        assert bare(pem)[40:80] not in answer.text.replace("\\n", "")
        (key,) = answer.json["connection"]["encryption_private_keys"]
        assert key["private_key"] == ""
    path = f"{path_of(connection)}/encryption_private_keys/{key['private_key_id']}"
    assert (await scenario.api.good("DELETE", path))["private_key_id"] == key["private_key_id"]
    refused = await scenario.api.bad("DELETE", path)
    assert refused == (404, "sso_encryption_private_key_not_found")
    assert await shown(scenario) == [connection]


@pytest.mark.case("AD-31")
async def test_private_keys_are_sealed_in_the_database(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    pem = private_key_pem(signer("mine").key)
    await update(scenario, connection, signing_private_key=pem, saml_encryption_private_key=pem)
    async with scenario.context.store.read() as tx:
        stored = await tx.connection_keys.all(project_id=scenario.project.project_id)
    assert sorted(key.purpose for key in stored) == ["encryption", "signing"]
    for key in stored:
        assert b"PRIVATE KEY" not in key.private_key
        opened = scenario.context.sealer.unseal(key.private_key, purpose="connection-private-key")
        assert opened.decode() == pem
        assert "PRIVATE" not in key.certificate


PKCS8 = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"


@pytest.mark.case("AD-31")
@pytest.mark.parametrize("name", ["signing_private_key", "saml_encryption_private_key"])
@pytest.mark.parametrize(
    ("text", "error"),
    [
        (PKCS8, "saml_signing_private_key_format_not_supported"),
        (signer("idp").pem, "saml_signing_private_key_format_not_supported"),
        ("x", "saml_signing_private_key_format_not_supported"),
        (PKCS8.replace("PRIVATE", "RSA PRIVATE"), "saml_signing_private_key_invalid"),
        ("x" * 16_385, "private_key_too_long"),
    ],
)
async def test_private_key_of_another_form_is_refused_by_name(
    scenario: Scenario, name: str, text: str, error: str
) -> None:
    await scenario.organization()
    kind, message = await refuse(scenario, await create(scenario), **{name: text})
    assert kind == error
    assert message.startswith(f"{name}: ")
    assert "MIIB" not in message


# Metadata --------------------------------------------------------------------------------------


def metadata(*pems: str, **more: Any) -> bytes:
    keys = [saml_metadata.key(pem) for pem in pems]
    return saml_metadata.entity(saml_metadata.role(keys=keys, **more)).encode()


def publish(scenario: Scenario, body: bytes, *, status: int = 200, url: str = METADATA_URL) -> None:
    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        return FetchResponse(status=status, headers={}, body=body, url=url)

    scenario.fetch.answers[url] = answer


async def by_url(scenario: Scenario, connection: dict[str, Any]) -> dict[str, Any]:
    answer = await scenario.api.good(
        "PUT", f"{path_of(connection)}/url", {"metadata_url": METADATA_URL}
    )
    return dict(answer["connection"])


async def test_metadata_fills_all_but_the_mapping(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    publish(scenario, metadata(signer("idp").pem, signer("two").pem))
    changed = await by_url(scenario, connection)
    assert changed["idp_entity_id"] == saml_metadata.ENTITY_ID
    assert changed["idp_sso_url"] == saml_metadata.REDIRECT_SSO
    kept = {each["certificate"] for each in changed["verification_certificates"]}
    assert kept == {signer("idp").pem, signer("two").pem}
    assert changed["status"] == "pending"
    assert await by_url(scenario, connection) == changed
    assert (await update(scenario, connection, attribute_mapping=MAPPING))["status"] == "active"


async def test_metadata_with_post_alone_starts_with_a_form(scenario: Scenario) -> None:
    await scenario.organization()
    connection = await create(scenario)
    service = saml_metadata.service(saml_metadata.POST, saml_metadata.POST_SSO)
    publish(scenario, metadata(signer("idp").pem, services=[service]))
    await by_url(scenario, connection)
    await update(scenario, connection, attribute_mapping=MAPPING)
    started = await scenario.start(scenario.browser(), connection_id=connection["connection_id"])
    assert started.status == 200
    assert f'action="{saml_metadata.POST_SSO}"' in started.text


@pytest.mark.case("SR-12")
@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "invalid_xml_from_saml_metadata_url"),
        (b"<html><body>Log in</body>", "invalid_xml_from_saml_metadata_url"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "invalid_xml_from_saml_metadata_url"),
        (b"<html/>", "saml_connection_metadata_invalid_format"),
        (metadata(weak_certificate()), "saml_connection_metadata_invalid_format"),
        (metadata(services=[]), "saml_connection_metadata_invalid_format"),
        (
            metadata(services=[saml_metadata.service(saml_metadata.REDIRECT, "http://idp.test/")]),
            "saml_connection_idp_sso_url_not_https",
        ),
    ],
)
async def test_metadata_that_is_no_good_is_refused_and_changes_nothing(
    scenario: Scenario, body: bytes, error: str
) -> None:
    await scenario.organization()
    connection = await create(scenario)
    publish(scenario, body)
    answer = await scenario.api.call(
        "PUT", f"{path_of(connection)}/url", {"metadata_url": METADATA_URL}
    )
    assert (answer.status, answer.json["error_type"]) == (400, error)
    assert "Log in" not in answer.text
    assert await shown(scenario) == [connection]


@pytest.mark.parametrize("status", [204, 301, 404, 500])
async def test_metadata_url_that_answers_otherwise_is_refused(
    scenario: Scenario, status: int
) -> None:
    await scenario.organization()
    connection = await create(scenario)
    publish(scenario, metadata(signer("idp").pem), status=status)
    answer = await scenario.api.call(
        "PUT", f"{path_of(connection)}/url", {"metadata_url": METADATA_URL}
    )
    assert (answer.status, answer.json["error_type"]) == (400, "invalid_saml_metadata_url")
    assert str(status) in answer.json["error_message"]


@pytest.mark.case("SR-01", "SR-02", "SR-07")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "metadata",
        "http://idp.example.com/",
        "file:///etc/passwd",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/",
        "https://a@b:c@d/",
        "https://[::1/",
        "https://\u2024/",
        "https://x/\r\n",
        "https://idp.example.com:22/",
        "https://" + "x" * 3000,
    ],
)
async def test_metadata_url_that_must_not_be_fetched_is_refused(
    scenario: Scenario, url: str
) -> None:
    await scenario.organization()
    connection = await create(scenario)
    guarded = GuardedFetch()
    object.__setattr__(scenario.context, "fetch", guarded)
    answer = await scenario.api.call("PUT", f"{path_of(connection)}/url", {"metadata_url": url})
    await guarded.close()
    assert (answer.status, answer.json["error_type"]) == (400, "invalid_saml_metadata_url")


async def test_nothing_is_fetched_for_what_is_no_saml_connection(scenario: Scenario) -> None:
    organization = await scenario.organization()
    oidc = await scenario.oidc_connection(organization["organization_id"])
    before = len(scenario.fetch.requests)
    for target in (oidc, {"connection_id": "saml-connection-test-none"}):
        path = path_of(target)
        for method, more, body in (
            ("PUT", "/url", {"metadata_url": METADATA_URL}),
            ("PUT", "", {"display_name": "New"}),
            ("DELETE", "/verification_certificates/x", None),
            ("DELETE", "/encryption_private_keys/x", None),
        ):
            refused = await scenario.api.bad(method, f"{path}{more}", body)
            assert refused == (404, "saml_connection_not_found"), (method, more)
    assert len(scenario.fetch.requests) == before


# At the same time ------------------------------------------------------------------------------


async def test_organization_deleted_meanwhile_gets_no_connection(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    hooked = HookedStore(store)
    scenario = await open_scenario(hooked, clock=clock, entropy=entropy)
    for kind, nth in (("saml", 3), ("oidc", 2)):
        await scenario.organization()

        async def remove() -> None:
            await scenario.api.good("DELETE", "/v1/b2b/organizations/acme")

        hooked.arm(nth, remove)
        refused = await scenario.api.bad("POST", f"/v1/b2b/sso/{kind}/acme", {})
        assert hooked.fired
        assert refused == (404, "organization_not_found")


# On behalf of a member -------------------------------------------------------------------------


@pytest.mark.case("AD-06")
async def test_member_assigns_roles_only_with_the_permission_for_them(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    await caller.hold_permission("stytch.sso", ["update", "create"])
    connection = (await caller.good("POST", BASE, {}))["connection"]
    await caller.good("PUT", path_of(connection), {"attribute_mapping": MAPPING})
    bodies: list[dict[str, Any]] = [
        {"saml_connection_implicit_role_assignments": [{"role_id": "stytch_admin"}]},
        {"saml_group_implicit_role_assignments": [{"role_id": "stytch_admin", "group": "a"}]},
        {"saml_connection_implicit_role_assignments": []},
    ]
    for body in bodies:
        refused = await caller.bad("PUT", path_of(connection), body)
        assert refused == (403, "session_authorization_error")
    await caller.hold("stytch_admin")
    for body in bodies:
        await caller.good("PUT", path_of(connection), body)
