"""The `sso.oidc` group through both SDKs."""

from typing import Any

import pytest

from tests.support.browsing import Door
from tests.wire import connections, expected
from tests.wire.sdk import Sdk


@pytest.fixture
def where(sdk: Sdk, organization_id: str) -> dict[str, Any]:
    """Return the locators of an OIDC connection that was just made."""
    made = sdk.call("sso.oidc.create_connection", organization_id=organization_id)
    return {
        "organization_id": organization_id,
        "connection_id": made["connection"]["connection_id"],
    }


@pytest.mark.drives("sso.oidc.create_connection")
def test_created_connection_is_pending(sdk: Sdk, organization_id: str, door: Door) -> None:
    sent = {
        "organization_id": organization_id,
        "display_name": "Größe & Söhne",
        "identity_provider": "keycloak",
    }
    made = sdk.call("sso.oidc.create_connection", **sent)
    whole = expected.oidc_connection(door.base_url, **sent)
    assert made == {**expected.ENVELOPE, "connection": whole}
    connection = made["connection"]
    assert connection["redirect_url"].endswith(f"/{connection['connection_id']}")


@pytest.mark.drives("sso.oidc.update_connection")
def test_updated_connection_has_what_was_sent(sdk: Sdk, where: dict[str, Any], door: Door) -> None:
    issuer = connections.issuer(door.base_url)
    sent = {
        "display_name": "Größe & Söhne",
        "client_id": "client & Söhne",
        "client_secret": "sécret: +/%&=",
        "issuer": issuer,
        "authorization_url": "https://idp.example.com/authorize?tenant=1",
        "token_url": "https://idp.example.com/token",
        "userinfo_url": "https://idp.example.com/userinfo",
        "jwks_url": "https://idp.example.com/jwks",
        "identity_provider": "okta",
        "custom_scopes": "openid email groups",
        "attribute_mapping": {"department": "dept"},
    }
    changed = sdk.call("sso.oidc.update_connection", **where, **sent)
    whole = expected.oidc_connection(door.base_url, **where, **sent, status="active")
    assert changed == {**expected.ENVELOPE, "connection": whole, "warning": ""}

    # What is left out stays; the issuer is the same, so nothing is discovered anew.
    again = sdk.call("sso.oidc.update_connection", **where, issuer=issuer, display_name="New")
    whole["display_name"] = "New"
    assert again == {**expected.ENVELOPE, "connection": whole, "warning": ""}


def test_new_issuer_fills_in_the_endpoints(sdk: Sdk, where: dict[str, Any], door: Door) -> None:
    issuer = connections.issuer(door.base_url)
    changed = sdk.call(
        "sso.oidc.update_connection",
        **where,
        issuer=issuer,
        userinfo_url="https://idp.example.com/mine",
    )
    whole = expected.oidc_connection(
        door.base_url,
        **where,
        issuer=issuer,
        authorization_url=f"{issuer}/authorize",
        token_url=f"{issuer}/token",
        userinfo_url="https://idp.example.com/mine",
        jwks_url=f"{issuer}/jwks",
    )
    assert changed == {**expected.ENVELOPE, "connection": whole, "warning": ""}


def test_issuer_without_discovery_is_stored_with_a_warning(
    sdk: Sdk, where: dict[str, Any], door: Door
) -> None:
    issuer = f"{door.base_url}/dev/nowhere"
    changed = sdk.call("sso.oidc.update_connection", **where, issuer=issuer)
    whole = expected.oidc_connection(door.base_url, **where, issuer=issuer)
    warning = expected.Like(".*discovery document.*status 404.*")
    assert changed == {**expected.ENVELOPE, "connection": whole, "warning": warning}
