"""What of an identity reaches the member, and how it gets there (semantics 2.5)."""

from typing import Any

import pytest

from tests.support import saml_documents as documents
from tests.support.asgi import Answer
from tests.support.doors import Door, open_door
from tests.support.refusals import assert_refused
from tests.support.scenario import IDP_ENTITY, Scenario, token_of
from vestibule import errors

MAPPING = {"email": "email", "first_name": "firstName", "last_name": "lastName"}
CONNECTION = "/v1/b2b/sso/{protocol}/{organization}/connections/{connection}"


async def mapped(scenario: Scenario, **mapping: str) -> Door:
    """Open a SAML door with this attribute mapping."""
    organization = await scenario.organization()
    connection = await scenario.saml_connection(
        organization["organization_id"], attribute_mapping=mapping
    )
    return Door(scenario, "saml", connection)


async def unsolicited_answer(door: Door, subject: str, **attributes: list[str]) -> Answer:
    """Sign in with exactly these attributes, up to the callback's answer."""
    response = door.scenario.saml_response(
        door.connection, in_response_to=None, subject=subject, attributes=attributes
    )
    return await door.scenario.post_callback(
        door.scenario.browser(), door.connection, {"SAMLResponse": response}
    )


async def unsolicited(door: Door, subject: str, **attributes: list[str]) -> dict[str, Any]:
    """Sign in with exactly these attributes."""
    answer = await unsolicited_answer(door, subject, **attributes)
    return await door.scenario.authenticate(token_of(answer))


async def test_the_name_id_can_be_the_address(scenario: Scenario) -> None:
    door = await mapped(scenario, email="NameID", full_name="displayName")
    result = await unsolicited(door, "ada@acme.test", displayName=[" Ada Lovelace "])
    assert result["member"]["email_address"] == "ada@acme.test"
    assert result["member"]["name"] == "Ada Lovelace"


async def test_the_full_name_wins_over_its_parts(scenario: Scenario) -> None:
    door = await mapped(scenario, **MAPPING, full_name="displayName")
    parts = {"firstName": ["Ada"], "lastName": ["Lovelace"]}
    result = await unsolicited(door, "a", email=["a@acme.test"], displayName=["Countess"], **parts)
    assert result["member"]["name"] == "Countess"
    result = await unsolicited(door, "b", email=["b@acme.test"], **parts)
    assert result["member"]["name"] == "Ada Lovelace"
    result = await unsolicited(door, "c", email=["c@acme.test"], lastName=["Lovelace"])
    assert result["member"]["name"] == "Lovelace"
    result = await unsolicited(door, "d", email=["d@acme.test"])
    assert result["member"]["name"] == ""


async def test_the_mapped_id_is_the_external_id(scenario: Scenario) -> None:
    door = await mapped(scenario, **MAPPING, idp_user_id="id")
    first = await unsolicited(door, "old-name", email=["ada@acme.test"], id=["00u1"])
    (registration,) = first["member"]["sso_registrations"]
    assert registration["external_id"] == "00u1"
    (factor,) = first["member_session"]["authentication_factors"]
    assert factor["saml_sso_factor"]["external_id"] == "00u1"
    second = await unsolicited(door, "new-name", email=["ada@acme.test"], id=["00u1"])
    assert second["member_id"] == first["member_id"]
    # Where none comes, the NameID is the id.
    third = await unsolicited(door, "bob", email=["bob@acme.test"])
    (registration,) = third["member"]["sso_registrations"]
    assert registration["external_id"] == "bob"


async def test_a_raw_attribute_is_kept_as_it_came(scenario: Scenario) -> None:
    door = await mapped(scenario, **MAPPING)
    sent = {"email": ["a@acme.test"], "groups": ["x", "y"], "empty": [], "urn:oid:1": ["\u00e9"]}
    result = await unsolicited(door, "a", **sent)
    (registration,) = result["member"]["sso_registrations"]
    assert registration["sso_attributes"] == sent
    result = await unsolicited(door, "a", email=["a@acme.test"])
    (registration,) = result["member"]["sso_registrations"]
    assert registration["sso_attributes"] == {"email": ["a@acme.test"]}


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    made = await open_door(scenario, request.param)
    mapping = {"team": "team", "site": "office", "absent": "nothing"}
    if made.protocol == "saml":
        mapping |= MAPPING
    path = CONNECTION.format(
        protocol=made.protocol, organization=made.organization_id, connection=made.connection_id
    )
    await scenario.api.good("PUT", path, {"attribute_mapping": mapping})
    return made


async def test_other_keys_are_copied_at_every_login(door: Door) -> None:
    added = await door.add_member(trusted_metadata={"plan": "gold", "team": "none"})
    result = await door.log_in(team="engines", office=["London", "Paris"])
    assert result["member_id"] == added["member_id"]
    both = ["London", "Paris"]
    assert result["member"]["trusted_metadata"] == {
        "plan": "gold",
        "team": "engines",
        "site": both,
    }
    # What is no longer sent stays; what is sent anew wins.
    result = await door.log_in(team="poetry")
    assert result["member"]["trusted_metadata"] == {"plan": "gold", "team": "poetry", "site": both}


async def test_what_does_not_fit_is_left_out_and_the_login_goes_on(door: Door) -> None:
    result = await door.log_in(team="x" * 5000, office="London")
    assert result["member"]["trusted_metadata"] == {"site": "London"}
    full = {f"key{number}": number for number in range(19)}
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{result['member_id']}"
    await door.scenario.api.good("PUT", path, {"trusted_metadata": full})
    result = await door.log_in(team="one too many", office="Paris")
    assert result["member"]["trusted_metadata"] == {**full, "site": "Paris"}


async def test_groups_are_kept_until_others_are_sent(scenario: Scenario) -> None:
    door = await mapped(scenario, **MAPPING, groups="groups")
    path = CONNECTION.format(
        protocol="saml", organization=door.organization_id, connection=door.connection_id
    )
    role = {"role_id": "stytch_admin", "group": "admins"}
    await scenario.api.good("PUT", path, {"saml_group_implicit_role_assignments": [role]})
    both = ["stytch_member", "stytch_admin"]
    for groups, roles in (
        ({"groups": ["staff"]}, ["stytch_member"]),
        ({"groups": ["Admins", "/admins", "admins "]}, ["stytch_member"]),
        ({"groups": ["staff", "admins"]}, both),
        ({}, both),  # no groups sent is not zero groups
        ({"groups": []}, ["stytch_member"]),
    ):
        result = await unsolicited(door, "ada", email=["ada@acme.test"], **groups)
        assert sorted(result["member_session"]["roles"]) == sorted(roles)


BAD_ADDRESSES = [
    "",
    "ada",
    "ada@",
    "@acme.test",
    "ada@@acme.test",
    "ada@acme.test, eve@evil.test",
    '"Ada" <ada@acme.test>',
    "ada@acme.test\nbcc: eve@evil.test",
    "a" * 65 + "@acme.test",
    "a@" + "b" * 400 + ".test",
    "ada@\u212aelvin.test",
    "\uff41da@acme.test",
    "ada@acme..test",
    "ada @acme.test",
]


@pytest.mark.case("SP-46", "SP-47")
async def test_what_is_no_address_is_refused(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    for number, address in enumerate(BAD_ADDRESSES):
        answer = await door.come_back(email=address)
        trace = await assert_refused(
            scenario,
            answer,
            error=errors.invalid_saml_response_email,
            reason="invalid_saml_response_email",
            traces_before=number,
        )
        assert repr(address)[:50] in trace.steps[-1].received


@pytest.mark.case("SP-45", "SP-46")
async def test_two_values_where_one_is_meant_are_refused(scenario: Scenario) -> None:
    door = await mapped(scenario, **MAPPING, idp_user_id="id")
    two = ["ada@acme.test", "eve@acme.test"]
    for number, (name, error, reason) in enumerate(
        (
            ("email", errors.invalid_saml_response_email, "invalid_saml_response_email"),
            ("id", errors.invalid_saml_response, "saml.attr"),
            ("firstName", errors.invalid_saml_response, "saml.attr"),
        )
    ):
        sent = {"email": ["x@acme.test"], "firstName": ["Ada"], "lastName": ["King"], name: two}
        answer = await unsolicited_answer(door, "ada", **sent)
        await assert_refused(scenario, answer, error=error, reason=reason, traces_before=number)


@pytest.mark.case("SP-45")
async def test_the_same_value_twice_is_one_value(scenario: Scenario) -> None:
    door = await mapped(scenario, **MAPPING, idp_user_id="id")
    result = await unsolicited(
        door,
        "ada",
        email=["ada@acme.test"] * 2,
        firstName=["Ada"] * 2,
        lastName=["King"],
        id=["00u1"] * 2,
    )
    assert result["member"]["name"] == "Ada King"
    (registration,) = result["member"]["sso_registrations"]
    assert registration["external_id"] == "00u1"


@pytest.mark.case("SP-42")
async def test_an_id_that_names_nobody_is_refused(scenario: Scenario) -> None:
    door = await mapped(scenario, **MAPPING, idp_user_id="id")
    for number, ids in enumerate(([" "], ["\t"], ["x" * 1025], ["\U0001f6c2" * 257])):
        answer = await unsolicited_answer(door, "ada", email=["ada@acme.test"], id=ids)
        await assert_refused(
            scenario,
            answer,
            error=errors.invalid_saml_response,
            reason="invalid_saml_response",
            traces_before=number,
        )


async def test_a_long_id_in_any_alphabet_is_kept(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    subject = "".join(chr(0x20000 + number * 7919 % 40_000) for number in range(256))
    first = await door.log_in(subject=subject)
    assert (await door.log_in(subject=subject))["member_id"] == first["member_id"]


@pytest.mark.case("SP-49")
async def test_too_many_groups_are_refused_with_the_way_out(scenario: Scenario) -> None:
    door = await mapped(scenario, **MAPPING, groups="groups")
    answer = await door.come_back(groups=[f"g{number}" for number in range(1001)])
    trace = await assert_refused(
        scenario,
        answer,
        error=errors.invalid_saml_response_groups,
        reason="invalid_saml_response_groups",
    )
    assert "1001 groups were sent" in trace.steps[-1].received
    await door.log_in(groups=[f"g{number}" for number in range(1000)])


async def test_oidc_takes_the_standard_claims_unless_they_are_mapped(scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")
    result = await door.scenario.authenticate(
        await scenario.oidc_token(door.connection, name=None, given_name="Ada", family_name="King")
    )
    assert result["member"]["name"] == "Ada King"
    path = CONNECTION.format(
        protocol="oidc", organization=door.organization_id, connection=door.connection_id
    )
    mapping = {"email": "upn", "full_name": "nickname"}
    await scenario.api.good("PUT", path, {"attribute_mapping": mapping})
    result = await door.log_in(subject="eve", upn="eve@acme.test", nickname="Eve")
    assert result["member"]["email_address"] == "eve@acme.test"
    assert result["member"]["name"] == "Eve"


async def test_oidc_without_an_address_is_refused(scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")
    for email in (None, "", "ada", 'a"b'):
        answer = await scenario.oidc_callback(scenario.browser(), door.connection, email=email)
        assert answer.status == 400
    async with scenario.context.store.read() as tx:
        reasons = {trace.reason for trace in await tx.traces.all()}
    assert reasons == {"oidc_response_email_missing", "oidc.email"}


async def test_userinfo_is_fresher_than_the_id_token(scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")
    scenario.provider.userinfo = {"email": "new@acme.test", "name": "New Name"}
    result = await door.log_in(email="old@acme.test")
    assert result["member"]["email_address"] == "new@acme.test"
    assert result["member"]["name"] == "New Name"
    (registration,) = result["member"]["sso_registrations"]
    assert registration["sso_attributes"]["email"] == "new@acme.test"


@pytest.mark.case("SP-44")
async def test_a_transient_name_id_is_refused_unless_an_id_is_mapped(scenario: Scenario) -> None:
    door = await mapped(scenario, **MAPPING, idp_user_id="id")

    async def come(**attributes: list[str]) -> int:
        response = transient(door, attributes={"email": ["ada@acme.test"], **attributes})
        answer = await scenario.post_callback(
            scenario.browser(), door.connection, {"SAMLResponse": response}
        )
        return answer.status

    assert await come() == 400
    async with scenario.context.store.read() as tx:
        (trace,) = await tx.traces.all()
    assert trace.error_type == "invalid_saml_response"
    assert trace.steps[-1].pitfall == "nameid-changes"
    assert "Map idp_user_id to an attribute that stays the same" in trace.steps[-1].fix
    assert "nameid-format:transient" in trace.steps[-1].received
    assert await come(id=["00u1"]) == 303


def transient(door: Door, *, attributes: dict[str, list[str]]) -> str:
    root = documents.response_element(
        issuer=IDP_ENTITY,
        acs=door.connection["acs_url"],
        audience=door.connection["audience_uri"],
        in_response_to=None,
        now=door.scenario.clock.now(),
        attributes=attributes,
    )
    name_id = documents.find(root, "saml:NameID")
    name_id.set("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient")
    return documents.form_field(documents.document(root=root))
