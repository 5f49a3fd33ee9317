"""Single Logout by the identity provider, through the whole server."""

from base64 import b64decode
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from lxml import etree

from tests.support.counting import CountingStore
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import Door, open_external
from tests.support.refusals import traces
from tests.support.saml_encryption import AES_CBC, Encryption, encrypt_name_id
from tests.support.saml_keys import signer
from tests.support.scenario import BASE_URL, MAPPING, Scenario, open_scenario
from tests.support.second_opinions import xmlsec_accepts, xmlsec_accepts_query
from tests.support.single_logout import (
    ADA,
    POST,
    SLO_RESPONSE,
    Provider,
    answered,
    codes,
    provider,
)
from vestibule.clock import HOUR
from vestibule.records import Trace
from vestibule.saml.keys import private_key_pem
from vestibule.store.interface import Store

BOB = "bob@acme.test"


async def lives(scenario: Scenario, session: dict[str, Any]) -> bool:
    """Tell whether the session of a login can still be used."""
    answer = await scenario.api.call(
        "POST", "/v1/b2b/sessions/authenticate", {"session_token": session["session_token"]}
    )
    return answer.status == 200


async def last_trace(scenario: Scenario) -> Trace:
    return (await traces(scenario))[-1]


@pytest.fixture
async def idp(scenario: Scenario) -> Provider:
    return await provider(scenario)


async def test_a_logout_request_ends_every_session_of_its_name(
    scenario: Scenario, idp: Provider
) -> None:
    mine = [await idp.sign_in(), await idp.sign_in(session_index="_session-2")]
    other = await idp.sign_in(email=BOB)
    scenario.clock.advance(1_000)
    answer = await idp.redirect(idp.request(request_id="_logout-a"), relay_state="state 1")
    response, relay_state = answered(answer)
    assert codes(response) == ["Success"]
    assert (response.get("InResponseTo"), relay_state) == ("_logout-a", "state 1")
    assert response.get("Destination") == SLO_RESPONSE
    assert [await lives(scenario, each) for each in (*mine, other)] == [False, False, True]
    trace = await last_trace(scenario)
    assert (trace.outcome, trace.reason) == ("succeeded", "")
    assert (trace.steps[-1].name, trace.steps[-1].received) == ("logout", "2 ended")


@pytest.mark.case("SP-62")
async def test_sp_62_a_session_index_ends_its_session_alone(
    scenario: Scenario, idp: Provider
) -> None:
    first, second = await idp.sign_in(), await idp.sign_in(session_index="_session-2")
    answer = await idp.redirect(idp.request(session_indexes=["_session-2"]))
    assert codes(answered(answer)[0]) == ["Success"]
    assert (await lives(scenario, first), await lives(scenario, second)) == (True, False)


@pytest.mark.case("SP-62")
async def test_sp_62_an_unknown_session_index_ends_nothing_and_is_told_as_partial(
    scenario: Scenario, idp: Provider
) -> None:
    session = await idp.sign_in()
    answer = await idp.redirect(idp.request(session_indexes=["_session-9"]))
    assert codes(answered(answer)[0]) == ["Success", "PartialLogout"]
    assert await lives(scenario, session)


@pytest.mark.case("SP-62")
async def test_sp_62_without_an_index_only_this_connection_is_meant(scenario: Scenario) -> None:
    first, second = await provider(scenario), await provider(scenario, organization="Beta")
    here, there = await first.sign_in(), await second.sign_in()
    await first.redirect(first.request())
    assert (await lives(scenario, here), await lives(scenario, there)) == (False, True)


@pytest.mark.case("SP-62")
async def test_sp_62_a_session_of_the_member_at_another_provider_goes_on(
    scenario: Scenario, idp: Provider
) -> None:
    issuer = "https://second-idp.example.com"
    connection = await scenario.saml_connection(
        idp.connection["organization_id"], idp="idp-2", idp_entity_id=issuer
    )
    second = Provider(scenario, connection, key="idp-2", issuer=issuer)
    here, there = await idp.sign_in(), await second.sign_in()
    assert here["member_id"] == there["member_id"]
    await idp.redirect(idp.request())
    assert (await lives(scenario, here), await lives(scenario, there)) == (False, True)


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_name_is_decrypted_with_the_connections_key_as_its_settings_allow(
    scenario: Scenario, idp: Provider, allowed: bool
) -> None:
    organization_id = idp.connection["organization_id"]
    connection_id = idp.connection["connection_id"]
    path = f"/v1/b2b/sso/saml/{organization_id}/connections/{connection_id}"
    ours = {"saml_encryption_private_key": private_key_pem(signer("sp").key)}
    await scenario.api.good("PUT", path, ours)
    settings = f"/v1/b2b/sso/{organization_id}/connections/{connection_id}/settings"
    await scenario.api.good("PUT", settings, {"allow_cbc": allowed})
    session = await idp.sign_in()
    scenario.clock.advance(1)  # traces are in the order of time
    message = etree.fromstring(idp.request())
    encrypt_name_id(message, Encryption(cipher=AES_CBC))
    answer = await idp.redirect(etree.tostring(message))
    assert await lives(scenario, session) is not allowed
    if allowed:
        assert codes(answered(answer)[0]) == ["Success"]
    else:
        assert (answer.status, (await last_trace(scenario)).reason) == (400, "enc.alg")


async def test_a_name_with_no_session_left_is_logged_out(idp: Provider) -> None:
    await idp.sign_in()
    idp.scenario.clock.advance(2 * HOUR)
    assert codes(answered(await idp.redirect(idp.request()))[0]) == ["Success"]


async def test_a_name_that_nobody_has_is_an_unknown_principal(
    scenario: Scenario, idp: Provider
) -> None:
    session = await idp.sign_in()
    answer = await idp.redirect(idp.request(name_id="eve@acme.test"))
    assert codes(answered(answer)[0]) == ["Requester", "UnknownPrincipal"]
    assert await lives(scenario, session)
    trace = await last_trace(scenario)
    assert (trace.outcome, trace.reason) == ("failed", "logout.unknown")
    assert trace.side == "identity_provider"


async def test_a_posted_request_is_answered_by_the_binding_of_the_provider(
    scenario: Scenario,
) -> None:
    idp = await provider(scenario, binding=POST)
    session = await idp.sign_in()
    answer = await idp.post(idp.request(), relay_state='"><script>')
    assert not await lives(scenario, session)
    assert answer.status == 200
    assert f'action="{SLO_RESPONSE}"' in answer.text
    assert "<script>" not in answer.text
    form = etree.HTML(answer.text)
    fields = {each.get("name"): each.get("value") for each in form.iter("input")}
    assert fields["RelayState"] == '"><script>'
    root = etree.fromstring(b64decode(fields["SAMLResponse"] or ""))
    assert codes(root) == ["Success"]
    keys = (await _connection(idp))["signing_certificates"]
    assert xmlsec_accepts(root, keys[0]["certificate"])


async def _connection(idp: Provider) -> dict[str, Any]:
    organization_id = idp.connection["organization_id"]
    answer = await idp.scenario.api.good("GET", f"/v1/b2b/sso/{organization_id}")
    (found,) = answer["saml_connections"]
    return dict(found)


async def test_a_provider_without_an_address_for_answers_ends_on_a_plain_page(
    scenario: Scenario,
) -> None:
    idp = await provider(scenario, logout=False)
    session = await idp.sign_in()
    answer = await idp.redirect(idp.request())
    assert (answer.status, "location" in answer.headers) == (200, False)
    assert "close this page" in answer.text
    assert not await lives(scenario, session)


async def test_members_are_found_by_their_name_where_the_connection_maps_an_id(
    scenario: Scenario,
) -> None:
    idp = await provider(scenario)
    await _map_id(idp)
    mine = await idp.sign_in(attributes=_attributes(ADA, "id-1"))
    # Bob's id is what Ada is called by the identity provider.
    other = await idp.sign_in(email=BOB, attributes=_attributes(BOB, ADA))
    answer = await idp.redirect(idp.request())
    assert codes(answered(answer)[0]) == ["Success"]
    assert (await lives(scenario, mine), await lives(scenario, other)) == (False, True)


async def _map_id(idp: Provider) -> None:
    organization_id, connection_id = (
        idp.connection["organization_id"],
        idp.connection["connection_id"],
    )
    path = f"/v1/b2b/sso/saml/{organization_id}/connections/{connection_id}"
    mapping = {**MAPPING, "idp_user_id": "id"}
    await idp.scenario.api.good("PUT", path, {"attribute_mapping": mapping})


def _attributes(email: str, user_id: str) -> dict[str, list[str]]:
    return {"email": [email], "firstName": ["A"], "lastName": ["B"], "id": [user_id]}


async def test_a_token_that_waits_to_be_redeemed_is_used_up(
    scenario: Scenario, idp: Provider
) -> None:
    await idp.sign_in()
    mine, kept = await idp.token(session_index="_s-2"), await idp.token(session_index="_s-3")
    other = await idp.token(email=BOB, session_index="_s-2")
    await idp.redirect(idp.request(session_indexes=["_s-2"]))
    refused = await scenario.api.bad("POST", "/v1/b2b/sso/authenticate", {"sso_token": mine})
    assert refused == (404, "sso_token_not_found")
    await scenario.authenticate(kept)
    await scenario.authenticate(other)


async def test_an_intermediate_session_ends_too(scenario: Scenario) -> None:
    idp = await provider(scenario)
    path = f"/v1/b2b/organizations/{idp.connection['organization_id']}"
    await scenario.api.good("PUT", path, {"mfa_policy": "REQUIRED_FOR_ALL"})
    unfinished = await idp.sign_in()
    assert unfinished["intermediate_session_token"]
    await idp.redirect(idp.request())
    async with scenario.context.store.read() as tx:
        assert await tx.intermediate_sessions.count(project_id=scenario.project.project_id) == 0


async def test_metadata_offers_single_logout_by_both_bindings(idp: Provider) -> None:
    connection_id = idp.connection["connection_id"]
    answer = await idp.scenario.browser().get(f"/v1/public/sso/metadata/{connection_id}")
    services = etree.fromstring(answer.body).iter("{*}SingleLogoutService")
    assert [each.get("Location") for each in services] == [
        f"{BASE_URL}/v1/public/sso/logout/{connection_id}"
    ] * 2


async def test_another_identity_provider_gets_no_answers_meant_for_the_old_one(
    idp: Provider,
) -> None:
    path = (
        f"/v1/b2b/sso/saml/{idp.connection['organization_id']}/connections/"
        f"{idp.connection['connection_id']}"
    )
    new = "https://other-idp.example.com"
    await idp.scenario.api.good("PUT", path, {"idp_entity_id": new})
    answer = await idp.redirect(idp.request(issuer=new))
    assert (answer.status, "location" in answer.headers) == (200, False)


async def test_a_logout_address_without_tls_is_not_used(scenario: Scenario) -> None:
    idp = await provider(scenario, slo="http://idp.example.com/slo")
    session = await idp.sign_in()
    answer = await idp.redirect(idp.request())
    assert (answer.status, "location" in answer.headers) == (200, False)
    assert not await lives(scenario, session)


async def test_our_answer_is_signed_with_the_connections_key(idp: Provider) -> None:
    answer = await idp.redirect(idp.request())
    query = urlsplit(answer.headers["location"]).query
    signed, _, signature = query.partition("&Signature=")
    pem = (await _connection(idp))["signing_certificates"][0]["certificate"]
    assert xmlsec_accepts_query(signed, pem, b64decode(unquote(signature)))


async def test_cost_does_not_grow_with_the_organizations_that_share_the_connection(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    counting = CountingStore(store)
    scenario = await open_scenario(counting, clock=clock, entropy=entropy)
    idp = await provider(scenario)
    costs = []
    for number in range(3):
        await open_external(Door(scenario, "saml", idp.connection), f"User {number}")
        counting.taken()
        await idp.redirect(idp.request(name_id=f"{number}@acme.test"))
        costs.append(counting.taken())
    assert costs[0] == costs[1] == costs[2] > 0
