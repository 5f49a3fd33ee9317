"""Signing in through SAML with a response of each vendor, and the mapping that its guide offers."""

from typing import Any

import pytest

from tests.support import vendor_responses
from tests.support.pitfalls import change, vendor_door
from tests.support.refusals import traces
from tests.support.saml_keys import signer
from tests.support.scenario import Scenario, token_of
from tests.support.vendor_responses import EMAIL, RIPPLING, SHAPES, Shape
from vestibule.identity_providers.catalogue import CATALOGUE
from vestibule.saml.keys import private_key_pem


async def connected(scenario: Scenario, shape: Shape) -> dict[str, Any]:
    """Return a connection set up as the vendor's guide says, with a role for one group."""
    guide = CATALOGUE[shape.vendor].saml
    assert guide is not None
    door = await vendor_door(
        scenario,
        "saml",
        shape.vendor,
        idp_entity_id=shape.issuer,
        attribute_mapping=dict(guide.attribute_mapping),
    )
    changes: dict[str, Any] = {
        "saml_group_implicit_role_assignments": [{"role_id": "stytch_admin", "group": shape.group}]
    }
    if shape.encrypted:
        changes["saml_encryption_private_key"] = private_key_pem(signer("sp").key)
    return dict((await change(door, **changes))["connection"])


def test_every_vendor_has_a_response() -> None:
    assert {shape.vendor for shape in SHAPES} == CATALOGUE.keys()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.vendor)
async def test_the_vendors_response_logs_its_person_in(scenario: Scenario, shape: Shape) -> None:
    connection = await connected(scenario, shape)
    browser = scenario.browser()
    request_id, relay_state = await scenario.saml_request(browser, connection)
    response = vendor_responses.build(
        shape,
        acs=connection["acs_url"],
        audience=connection["audience_uri"],
        request_id=request_id,
        now=scenario.clock.now(),
    )
    fields = {"SAMLResponse": response, "RelayState": relay_state}
    result = await scenario.authenticate(
        token_of(await scenario.post_callback(browser, connection, fields))
    )
    member = result["member"]
    assert (member["email_address"], member["name"]) == (EMAIL, "Ada Lovelace")
    (registration,) = member["sso_registrations"]
    assert registration["external_id"] == shape.external_id
    sent = {attribute.name: list(attribute.values) for attribute in shape.attributes}
    assert registration["sso_attributes"] == sent
    (admin,) = (role for role in member["roles"] if role["role_id"] == "stytch_admin")
    details = {"connection_id": connection["connection_id"], "group": shape.group}
    assert admin["sources"] == [{"type": "sso_connection_group", "details": details}]
    assert "stytch_admin" in result["member_session"]["roles"]
    (trace,) = await traces(scenario)
    assert (trace.outcome, {step.pitfall for step in trace.steps}) == ("succeeded", {""})


async def test_rippling_can_begin_the_sign_in_itself(scenario: Scenario) -> None:
    connection = await connected(scenario, RIPPLING)
    response = vendor_responses.build(
        RIPPLING,
        acs=connection["acs_url"],
        audience=connection["audience_uri"],
        request_id=None,
        now=scenario.clock.now(),
    )
    answer = await scenario.post_callback(
        scenario.browser(), connection, {"SAMLResponse": response}
    )
    result = await scenario.authenticate(token_of(answer))
    assert result["member"]["email_address"] == EMAIL
