"""The pages of single sign-on that no flow visits: the form to post, metadata, faults."""

from base64 import b64decode
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from lxml import etree
from msgspec.structs import replace

from tests.support.asgi import Answer, call
from tests.support.doors import open_door
from tests.support.refusals import assert_page, assert_safe
from tests.support.saml_keys import signer
from tests.support.scenario import IDP_ENTITY, IDP_SSO, LOGIN_URL, MAPPING, Scenario
from vestibule import errors
from vestibule.domain import projects
from vestibule.saml.keys import private_key_pem
from vestibule.saml.xml import DS, MD, SAMLP

Connection = dict[str, Any]


@pytest.fixture
async def connection(scenario: Scenario) -> Connection:
    organization = await scenario.organization()
    return await scenario.saml_connection(organization["organization_id"])


async def change(scenario: Scenario, connection: Connection, **fields: Any) -> Connection:
    path = (
        f"/v1/b2b/sso/saml/{connection['organization_id']}/connections/"
        f"{connection['connection_id']}"
    )
    return dict((await scenario.api.good("PUT", path, fields))["connection"])


async def by_post(scenario: Scenario, connection: Connection) -> None:
    """Let the identity provider take its requests by POST, as its metadata would say."""
    async with scenario.context.store.write() as tx:
        stored = await tx.connections.find(connection_id=connection["connection_id"])
        assert stored is not None
        assert stored.saml is not None
        saml = replace(stored.saml, idp_sso_binding="post")
        await tx.connections.update(replace(stored, saml=saml))


def form_of(answer: Answer) -> tuple[str, dict[str, str]]:
    page = etree.fromstring(answer.body, etree.HTMLParser())
    (form,) = page.iter("form")
    fields = {str(each.get("name")): str(each.get("value")) for each in form.iter("input")}
    assert form.get("method") == "post"
    return str(form.get("action")), fields


async def test_a_request_by_post_is_a_form_that_sends_itself(
    scenario: Scenario, connection: Connection
) -> None:
    await by_post(scenario, connection)
    browser = scenario.browser()
    answer = await scenario.start(browser, connection_id=connection["connection_id"])
    assert answer.status == 200
    assert_safe(answer)
    assert len(answer.set_cookies) == 1
    action, fields = form_of(answer)
    assert action == IDP_SSO
    assert fields.keys() == {"SAMLRequest", "RelayState"}
    request = etree.fromstring(b64decode(fields["SAMLRequest"]))
    assert request.tag == f"{{{SAMLP}}}AuthnRequest"
    assert request.find(f"{{{DS}}}Signature") is not None
    assert "data-submit" in answer.text
    assert '<button type="submit">' in answer.text
    # And it is answered like any other.
    response = scenario.saml_response(connection, in_response_to=request.get("ID"))
    answered = {"SAMLResponse": response, "RelayState": fields["RelayState"]}
    assert (await scenario.post_callback(browser, connection, answered)).status == 303


async def metadata(scenario: Scenario, connection_id: str) -> Answer:
    return await call(scenario.app, "GET", f"/v1/public/sso/metadata/{connection_id}")


@pytest.mark.parametrize("suffix", ["", ".xml"])
async def test_metadata_says_who_this_service_provider_is(
    scenario: Scenario, connection: Connection, suffix: str
) -> None:
    key = private_key_pem(signer("service").key)
    changed = await change(scenario, connection, saml_encryption_private_key=key)
    answer = await metadata(scenario, connection["connection_id"] + suffix)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/samlmetadata+xml"
    assert_safe(answer)
    root = etree.fromstring(answer.body)
    assert root.get("entityID") == connection["audience_uri"]
    (service,) = root.iter(f"{{{MD}}}AssertionConsumerService")
    assert service.get("Location") == connection["acs_url"]
    signing = [
        "".join(str(each.text).split())
        for descriptor in root.iter(f"{{{MD}}}KeyDescriptor")
        if descriptor.get("use") == "signing"
        for each in descriptor.iter(f"{{{DS}}}X509Certificate")
    ]
    shown = [each["certificate"] for each in changed["signing_certificates"]]
    assert signing == ["".join(pem.strip().splitlines()[1:-1]) for pem in shown] != []
    assert b"PRIVATE" not in answer.body


async def test_metadata_names_the_acs_of_a_migration(
    scenario: Scenario, connection: Connection
) -> None:
    old = "https://old.example.test/acs"
    await change(scenario, connection, alternative_acs_url=old)
    answer = await metadata(scenario, connection["connection_id"])
    (service,) = etree.fromstring(answer.body).iter(f"{{{MD}}}AssertionConsumerService")
    assert service.get("Location") == old


async def test_metadata_names_aes_cbc_only_where_it_is_tolerated(
    scenario: Scenario, connection: Connection
) -> None:
    key = private_key_pem(signer("service").key)
    await change(scenario, connection, saml_encryption_private_key=key)
    connection_id = connection["connection_id"]
    path = f"/v1/b2b/sso/acme/connections/{connection_id}/settings"
    for tolerated in (False, True, False):
        await scenario.api.good("PUT", path, {"allow_cbc": tolerated})
        assert (b"-cbc" in (await metadata(scenario, connection_id)).body) == tolerated


async def test_metadata_is_there_before_the_connection_is_active(scenario: Scenario) -> None:
    organization = await scenario.organization()
    path = f"/v1/b2b/sso/saml/{organization['organization_id']}"
    made = (await scenario.api.good("POST", path, {}))["connection"]
    assert made["status"] == "pending"
    assert (await metadata(scenario, made["connection_id"])).status == 200


async def test_only_saml_connections_have_metadata(scenario: Scenario) -> None:
    organization = await scenario.organization()
    oidc = await scenario.oidc_connection(organization["organization_id"])
    assert_page(await metadata(scenario, oidc["connection_id"]), errors.saml_connection_not_found)
    for unknown in ("x", "%00", "%ff", ".xml"):
        assert_page(await metadata(scenario, unknown), errors.sso_connection_not_found)


async def test_what_a_pending_connection_lacks_is_said_by_name(scenario: Scenario) -> None:
    organization = await scenario.organization()
    path = f"/v1/b2b/sso/saml/{organization['organization_id']}"
    made = (await scenario.api.good("POST", path, {}))["connection"]
    given = {"idp_entity_id": IDP_ENTITY, "idp_sso_url": IDP_SSO, "attribute_mapping": MAPPING}
    await change(scenario, made, **given)
    page = await scenario.start(scenario.browser(), connection_id=made["connection_id"])
    assert_page(
        page,
        errors.requires_active_sso_connection,
        "This SSO connection is not set up completely yet: x509_certificate missing.",
    )


async def test_a_pending_connection_cannot_be_started_or_answered(scenario: Scenario) -> None:
    organization = await scenario.organization()
    path = f"/v1/b2b/sso/saml/{organization['organization_id']}"
    made = (await scenario.api.good("POST", path, {}))["connection"]
    answer = await scenario.start(scenario.browser(), connection_id=made["connection_id"])
    assert answer.status == 400
    assert "requires_active_sso_connection" in answer.text
    for field in ("idp_sso_url", "idp_entity_id", "attribute_mapping"):
        assert field in answer.text
    response = scenario.saml_response(made, in_response_to=None)
    answer = await scenario.post_callback(scenario.browser(), made, {"SAMLResponse": response})
    assert_page(answer, errors.requires_active_sso_connection)


@pytest.mark.case("AD-20")
async def test_a_fault_of_ours_shows_nothing_of_itself(
    scenario: Scenario, connection: Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    async with scenario.context.store.write() as tx:
        await tx.connection_keys.delete(
            connection_id=connection["connection_id"], purpose="signing"
        )
    answer = await scenario.start(scenario.browser(), connection_id=connection["connection_id"])
    assert_page(answer, errors.internal_server_error)
    assert "signing key" not in answer.text
    assert not answer.set_cookies
    assert "has no signing key" in "".join(capfd.readouterr())


async def test_nothing_is_found_below_a_callback(
    scenario: Scenario, connection: Connection
) -> None:
    base = f"/v1/b2b/sso/callback/{connection['connection_id']}"
    for path in (f"{base}/", f"{base}/x", f"{base}%2Fx", "/v1/b2b/sso/callback/", f"/{base}"):
        body = urlencode({"SAMLResponse": "x"}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await call(scenario.app, "POST", path, headers=headers, body=body)
        assert answer.status in {404, 405}


NATIVE = "com.example.app://callback"


async def test_who_is_refused_finds_the_way_back_to_the_application(scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")
    answer = await door.come_back(email_verified=False)
    assert_page(answer, errors.oidc_response_unverified_email)
    origin = LOGIN_URL.removesuffix(urlsplit(LOGIN_URL).path)
    assert f'application, <a href="{origin}">{urlsplit(LOGIN_URL).netloc}</a>.' in answer.text


async def test_page_has_no_way_back_to_a_device_or_to_nowhere(scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")
    await projects.add_redirect_url(
        scenario.context, scenario.project, NATIVE, login=True, signup=True
    )
    start = {"login_redirect_url": NATIVE, "pkce_code_challenge": "c" * 43}
    on_a_device = await door.come_back(start=start, email_verified=False)
    callback = urlsplit(door.connection["redirect_url"]).path
    of_no_sign_in = await scenario.browser().get(f"{callback}?code=x&state=made-up")
    for answer in (on_a_device, of_no_sign_in):
        assert answer.status == 400
        assert "<a " not in answer.text
