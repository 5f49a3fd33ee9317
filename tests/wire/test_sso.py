"""The `sso` group through both SDKs; logins go through the server's test identity provider."""

import base64
import hashlib
from typing import Any

import pytest

from tests.support.browsing import Door
from tests.wire import connections, expected
from tests.wire.expected import MEMBER_ROLE, In
from tests.wire.sdk import Sdk

VERIFIER = "wire-test-verifier.~_0123456789-0123456789-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()[:43]
ZOE = {"person": "zoe", "groups": "IT & Co, größe", "decision": "allow"}
SAML_ATTRIBUTES = {
    "email": ["zoe@example.com"],
    "firstName": ["Zoë"],
    "lastName": ["Müller & <Söhne>"],
    "id": ["user-zoe"],
    "groups": ["IT & Co", "größe"],
}
OIDC_ATTRIBUTES = {
    "sub": "user-zoe",
    "email": "zoe@example.com",
    "email_verified": True,
    "given_name": "Zoë",
    "family_name": "Müller & <Söhne>",
    "name": "Zoë Müller & <Söhne>",
    "groups": ["IT & Co", "größe"],
}
NO_SESSION = {
    "session_token": "",
    "session_jwt": "",
    "member_session": None,
    "member_authenticated": False,
    "intermediate_session_token": expected.TOKEN,
    "intermediate_session_token_expires_at": In(10),
    "mfa_required": {"member_options": None, "secondary_auth_initiated": None},
}


def answered(
    sdk: Sdk, connection: dict[str, Any], member: dict[str, Any], **known: Any
) -> dict[str, Any]:
    """Return a login through `connection` that was a full one, changed by `known`."""
    organization_id = connection["organization_id"]
    organization = sdk.call("organizations.get", organization_id=organization_id)["organization"]
    slug = organization["organization_slug"]
    session = known.pop("session", {})
    return {
        **expected.ENVELOPE,
        "member_id": expected.new_id("member"),
        "organization_id": organization_id,
        "member": expected.member(organization_id=organization_id, **member),
        "organization": organization,
        "member_authenticated": True,
        "session_token": expected.TOKEN,
        "session_jwt": expected.JWT,
        "reset_session": False,
        "intermediate_session_token": "",
        "intermediate_session_token_expires_at": None,
        "member_session": expected.session(
            organization_id=organization_id, organization_slug=slug, **session
        ),
        "mfa_required": None,
        "primary_required": None,
        "member_device": None,
        **known,
    }


def zoe(*registrations: dict[str, Any]) -> dict[str, Any]:
    """Return what is known about the member Zoë after she has signed in."""
    return {
        "email_address": "zoe@example.com",
        "email_address_verified": True,
        "name": "Zoë Müller & <Söhne>",
        "sso_registrations": list(registrations),
    }


def registration(connection: dict[str, Any], attributes: Any) -> dict[str, Any]:
    connection_id = connection["connection_id"]
    protocol = connection_id.partition("-")[0]
    return {
        "connection_id": connection_id,
        "external_id": "user-zoe",
        "registration_id": expected.new_id(f"{protocol}-member-registration"),
        "sso_attributes": attributes,
    }


def factor(sdk: Sdk, connection: dict[str, Any]) -> dict[str, Any]:
    return expected.factor(sdk.name, connection["connection_id"], "user-zoe")


@pytest.mark.drives("sso.authenticate")
async def test_login_gives_member_and_session(
    sdk: Sdk, organization_id: str, active_connection: dict[str, Any], door: Door
) -> None:
    saml, oidc = active_connection, connections.oidc(sdk, organization_id, door.base_url)
    token = await door.sign_in(saml["connection_id"], answers=ZOE, pkce_code_challenge=CHALLENGE)
    first = sdk.call(
        "sso.authenticate",
        sso_token=token,
        pkce_code_verifier=VERIFIER,
        session_duration_minutes=30,
        session_custom_claims={"tenant": {"größe": 1}, "sub": "reserved"},
        locale="pt-br",
        telemetry_id="telemetry-1",
    )
    by_saml = registration(saml, SAML_ATTRIBUTES)
    session = {
        "expires_at": In(30),
        "authentication_factors": [factor(sdk, saml)],
        "custom_claims": {"tenant": {"größe": 1}},
    }
    assert first == answered(sdk, saml, zoe(by_saml), session=session)
    _is_one_member(first)

    # The other connection, linked to the session once by its token and once by its JWT.
    links = [{"session_token": first["session_token"]}, {"session_jwt": first["session_jwt"]}]
    for link in links:
        token = await door.sign_in(oidc["connection_id"], answers=ZOE)
        linked = sdk.call("sso.authenticate", sso_token=token, **link)
        by_oidc = registration(oidc, OIDC_ATTRIBUTES)
        session |= {
            "expires_at": In(60),
            "authentication_factors": [factor(sdk, saml), factor(sdk, oidc)],
        }
        whole = answered(sdk, oidc, zoe(by_saml, by_oidc), session=session)
        assert linked == {**whole, "session_token": first["session_token"]}
        assert (
            linked["member_session"]["member_session_id"]
            == (first["member_session"]["member_session_id"])
        )

    # A second factor is asked for from now on: there is no session before it.
    sdk.call("organizations.update", organization_id=organization_id, mfa_policy="REQUIRED_FOR_ALL")
    token = await door.sign_in(oidc["connection_id"], answers=ZOE)
    begun = sdk.call("sso.authenticate", sso_token=token)
    by_oidc = registration(oidc, OIDC_ATTRIBUTES)
    whole = answered(sdk, oidc, zoe(by_saml, by_oidc), **NO_SESSION)
    assert begun == whole
    token = await door.sign_in(saml["connection_id"], answers=ZOE)
    intermediate = {"intermediate_session_token": begun["intermediate_session_token"]}
    assert sdk.call("sso.authenticate", sso_token=token, **intermediate) == {
        **whole,
        **intermediate,
    }


def _is_one_member(answer: dict[str, Any]) -> None:
    """The member is the same one wherever the answer names it."""
    member_id = answer["member_id"]
    assert answer["member"]["member_id"] == member_id
    assert answer["member_session"]["member_id"] == member_id
    (shown,) = answer["member"]["sso_registrations"]
    (used,) = answer["member_session"]["authentication_factors"]
    assert used["saml_sso_factor"]["id"] == shown["registration_id"]


async def test_roles_come_from_groups(
    sdk: Sdk, active_connection: dict[str, Any], door: Door
) -> None:
    connection_id = active_connection["connection_id"]
    sdk.call(
        "sso.saml.update_connection",
        organization_id=active_connection["organization_id"],
        connection_id=connection_id,
        saml_group_implicit_role_assignments=[{"role_id": "stytch_admin", "group": "IT & Co"}],
    )
    token = await door.sign_in(connection_id, answers=ZOE)
    answer = sdk.call("sso.authenticate", sso_token=token)
    source = {
        "type": "sso_connection_group",
        "details": {"connection_id": connection_id, "group": "IT & Co"},
    }
    assert answer["member"]["roles"] == [
        MEMBER_ROLE,
        {"role_id": "stytch_admin", "sources": [source]},
    ]
    assert answer["member"]["is_admin"] is True
    assert sorted(answer["member_session"]["roles"]) == ["stytch_admin", "stytch_member"]


async def test_token_is_refused_without_its_verifier_and_the_second_time(
    sdk: Sdk, active_connection: dict[str, Any], door: Door
) -> None:
    token = await door.sign_in(active_connection["connection_id"], pkce_code_challenge=CHALLENGE)
    without = sdk.refused("sso.authenticate", sso_token=token)
    wrong = sdk.refused("sso.authenticate", sso_token=token, pkce_code_verifier=VERIFIER[1:])
    assert sdk.call("sso.authenticate", sso_token=token, pkce_code_verifier=VERIFIER)
    again = sdk.refused("sso.authenticate", sso_token=token, pkce_code_verifier=VERIFIER)
    assert [without, wrong, again] == [
        (400, "pkce_expected_code_verifier"),
        (400, "pkce_mismatch"),
        (404, "sso_token_not_found"),
    ]


@pytest.mark.drives("sso.get_connections", "sso.delete_connection")
def test_connections_are_listed_until_they_are_deleted(
    sdk: Sdk, organization_id: str, active_connection: dict[str, Any], door: Door
) -> None:
    where = {"organization_id": organization_id}
    saml, oidc = active_connection, connections.oidc(sdk, organization_id, door.base_url)
    listed = sdk.call("sso.get_connections", **where)
    whole = {
        **expected.ENVELOPE,
        "saml_connections": [saml],
        "oidc_connections": [oidc],
        "external_connections": [],
    }
    assert listed == whole
    default = {"connection_id": saml["connection_id"]}
    kept = sdk.refused("sso.delete_connection", **where, **default)
    assert kept == (400, "cannot_delete_default_sso_connection")
    other = {"connection_id": oidc["connection_id"]}
    gone = sdk.call("sso.delete_connection", **where, **other)
    assert gone == {**expected.ENVELOPE, **other}
    assert sdk.call("sso.get_connections", **where) == {**whole, "oidc_connections": []}
    assert sdk.refused("sso.delete_connection", **where, **other) == (
        404,
        "sso_connection_not_found",
    )
    assert sdk.call("sso.delete_connection", **where, **default) == {**expected.ENVELOPE, **default}
