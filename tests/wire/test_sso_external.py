"""The `sso.external` group through both SDKs."""

from typing import Any

import pytest

from tests.support.browsing import Door
from tests.wire import connections, expected
from tests.wire.sdk import Sdk

ADMIN = [{"role_id": "stytch_admin"}]
STAFF = [{"role_id": "stytch_admin", "group": "IT & Co"}]


@pytest.fixture
def user_id(sdk: Sdk, unique: str) -> str:
    """Return an organization that may use the connection of another one."""
    made = sdk.call("organizations.create", organization_name=f"User {unique}")
    return str(made["organization"]["organization_id"])


@pytest.fixture
def owned(active_connection: dict[str, Any]) -> dict[str, Any]:
    """Return what names the other organization's connection."""
    return connections.named(active_connection)


@pytest.mark.drives("sso.external.create_connection")
def test_created_connection_is_active(sdk: Sdk, user_id: str, owned: dict[str, Any]) -> None:
    made = sdk.call(
        "sso.external.create_connection",
        organization_id=user_id,
        **owned,
        display_name="Größe & Söhne",
        connection_implicit_role_assignments=ADMIN,
        group_implicit_role_assignments=STAFF,
    )
    whole = expected.external_connection(
        organization_id=user_id,
        **owned,
        display_name="Größe & Söhne",
        external_connection_implicit_role_assignments=ADMIN,
        external_group_implicit_role_assignments=STAFF,
    )
    assert made == {**expected.ENVELOPE, "connection": whole}
    again = sdk.refused("sso.external.create_connection", organization_id=user_id, **owned)
    assert again == (400, "duplicate_external_sso_connection")


@pytest.mark.drives("sso.external.update_connection")
def test_updated_connection_has_what_was_sent(
    sdk: Sdk, user_id: str, owned: dict[str, Any]
) -> None:
    made = sdk.call("sso.external.create_connection", organization_id=user_id, **owned)
    assert made["connection"] == expected.external_connection(organization_id=user_id, **owned)
    where = {"organization_id": user_id, "connection_id": made["connection"]["connection_id"]}
    sent = {
        "display_name": "Größe & Söhne",
        "external_connection_implicit_role_assignments": ADMIN,
        "external_group_implicit_role_assignments": STAFF,
    }
    changed = sdk.call("sso.external.update_connection", **where, **sent)
    whole = {**expected.ENVELOPE, "connection": {**made["connection"], **sent}}
    assert changed == whole

    # What is left out stays.
    whole["connection"]["display_name"] = "New"
    again = sdk.call("sso.external.update_connection", **where, display_name="New")
    assert again == whole
    listed = sdk.call("sso.get_connections", organization_id=user_id)
    assert listed["external_connections"] == [whole["connection"]]
    gone = sdk.call("sso.delete_connection", **where)
    assert gone == {**expected.ENVELOPE, "connection_id": where["connection_id"]}
    listed = sdk.call("sso.get_connections", organization_id=user_id)
    assert listed["external_connections"] == []


@pytest.mark.parametrize(
    ("named", "refusal"),
    [
        (
            {"external_connection_id": "saml-connection-test-unknown"},
            (404, "external_connection_id_not_found"),
        ),
        (
            {"external_organization_id": "organization-test-unknown"},
            (404, "external_connection_id_not_found"),
        ),
        ({}, (400, "external_organization_id_same_as_organization_id")),
    ],
    ids=["connection", "organization", "own"],
)
def test_wrong_owner_is_refused(
    sdk: Sdk, owned: dict[str, Any], named: dict[str, Any], refusal: tuple[int, str], user_id: str
) -> None:
    organization_id = user_id if named else owned["external_organization_id"]
    refused = sdk.refused(
        "sso.external.create_connection", organization_id=organization_id, **{**owned, **named}
    )
    assert refused == refusal


async def test_login_enters_the_organization_that_refers(
    sdk: Sdk, user_id: str, owned: dict[str, Any], door: Door
) -> None:
    made = sdk.call(
        "sso.external.create_connection",
        organization_id=user_id,
        **owned,
        group_implicit_role_assignments=[{"role_id": "stytch_admin", "group": "engineering"}],
    )
    connection_id = made["connection"]["connection_id"]
    answer = sdk.call("sso.authenticate", sso_token=await door.sign_in(connection_id))
    assert answer["organization_id"] == user_id
    (registration,) = answer["member"]["sso_registrations"]
    assert registration["connection_id"] == connection_id
    (factor,) = answer["member_session"]["authentication_factors"]
    assert factor["delivery_method"] == "sso_saml"
    assert factor["saml_sso_factor"]["provider_id"] == connection_id
    assert sorted(answer["member_session"]["roles"]) == ["stytch_admin", "stytch_member"]
