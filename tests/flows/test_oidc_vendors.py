"""Signing in through OpenID Connect with a token of each vendor, set up as its guide says."""

import pytest

from tests.support.doors import Door
from tests.support.pitfalls import change, vendor_door
from tests.support.refusals import traces
from tests.support.scenario import Scenario
from tests.support.vendor_tokens import EMAIL, SHAPES, Shape
from vestibule.identity_providers.catalogue import CATALOGUE


async def connected(scenario: Scenario, shape: Shape) -> Door:
    """Return a connection to the vendor with the mapping that its guide offers."""
    guide = CATALOGUE[shape.vendor].oidc
    assert guide is not None
    door = await vendor_door(scenario, "oidc", shape.vendor)
    scenario.publish(shape.issuer)
    changed = await change(
        door, issuer=shape.issuer, attribute_mapping=dict(guide.attribute_mapping)
    )
    assert changed["warning"] == ""
    return door


def test_every_vendor_with_a_guide_has_a_token() -> None:
    with_guide = {key for key, provider in CATALOGUE.items() if provider.oidc is not None}
    assert {shape.vendor for shape in SHAPES} == with_guide


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.vendor)
async def test_the_vendors_token_logs_its_person_in(scenario: Scenario, shape: Shape) -> None:
    door = await connected(scenario, shape)
    if shape.group:
        settings = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}/settings"
        assignment = {"role_id": "stytch_admin", "group": shape.group, "display_name": "Engines"}
        await scenario.api.good("PUT", settings, {"group_implicit_role_assignments": [assignment]})
    scenario.provider.userinfo = shape.userinfo
    token = await scenario.oidc_token(door.connection, **shape.claims)
    result = await scenario.authenticate(token)
    member = result["member"]
    assert (member["email_address"], member["name"]) == (EMAIL, "Ada Lovelace")
    (registration,) = member["sso_registrations"]
    assert registration["external_id"] == shape.subject
    received = registration["sso_attributes"]
    assert received["sub"] == shape.subject
    assert not received.keys() & {"iss", "aud", "azp", "exp", "iat", "nonce", "sid", "jti"}
    admins = [role for role in member["roles"] if role["role_id"] == "stytch_admin"]
    details = {"connection_id": door.connection_id, "group": shape.group}
    expected = [{"type": "sso_connection_group", "details": details}] if shape.group else []
    assert [source for role in admins for source in role["sources"]] == expected
    assert ("stytch_admin" in result["member_session"]["roles"]) is bool(shape.group)
    (trace,) = await traces(scenario)
    assert (trace.outcome, {step.pitfall for step in trace.steps}) == ("succeeded", {""})
