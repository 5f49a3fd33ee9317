"""SSO connections: what is common to all kinds (semantics 1.4)."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from vestibule import errors
from vestibule.domain import connection_factors
from vestibule.errors import ErrorType, Failure
from vestibule.records import Connection, ExternalConfiguration, Organization, Protocol
from vestibule.settings import Settings
from vestibule.store.interface import Transaction

PRIVATE_KEY_PURPOSE: Final = "connection-private-key"
CLIENT_SECRET_PURPOSE: Final = "oidc-client-secret"  # noqa: S105 - a name, not a secret


def service_provider_url(settings: Settings, connection_id: str) -> str:
    """Return the one URL of a connection: ACS and audience for SAML, redirect URL for OIDC."""
    return f"{settings.base_url}/v1/b2b/sso/callback/{connection_id}"


def logout_url(settings: Settings, connection_id: str) -> str:
    """Return where the identity provider of a SAML connection sends its logout messages."""
    return f"{settings.base_url}/v1/public/sso/logout/{connection_id}"


def logout_start_url(settings: Settings, connection_id: str, token: str) -> str:
    """Return where a browser begins the logout that an application's backend has prepared."""
    return f"{logout_url(settings, connection_id)}/start?token={token}"


def start_url(settings: Settings, connection_id: str, public_token: str) -> str:
    """Return where a sign-in at a connection begins, to end at the project's default URLs."""
    query = urlencode({"connection_id": connection_id, "public_token": public_token})
    return f"{settings.base_url}/v1/public/sso/start?{query}"


async def load(
    tx: Transaction,
    organization: Organization,
    connection_id: str,
    *,
    error: ErrorType = errors.sso_connection_not_found,
    lock: bool = False,
) -> Connection:
    """Return a connection of `organization`. Raises Failure `error` when it has none of this id.

    With `lock` it stays as it is until the transaction ends.
    """
    found = await tx.connections.find(
        lock=lock,
        project_id=organization.project_id,
        organization_id=organization.organization_id,
        connection_id=connection_id,
    )
    if found is None:
        raise Failure(error)
    return found


async def usable(tx: Transaction, connection: Connection) -> Connection:
    """Return the connection whose identity provider is asked: an external one refers to another's.

    Raises Failure requires_active_sso_connection, or for an external one
    external_connection_not_active: the other is deleted, or its organization is suspended.
    """
    if connection.external is None:
        if connection.status != "active":
            certified = await _is_certified(tx, connection)
            names = ", ".join(missing(connection, has_certificate=certified))
            raise Failure(
                errors.requires_active_sso_connection,
                f"This SSO connection is not set up completely yet: {names} missing."
                if names
                else "",
            )
        return connection
    owned = await underlying(tx, connection.external, project_id=connection.project_id)
    if owned is None or connection.status != "active":
        raise Failure(errors.external_connection_not_active)
    owner = await tx.organizations.find(
        project_id=owned.project_id, organization_id=owned.organization_id
    )
    if owner is None or owner.suspended_at:
        raise Failure(errors.external_connection_not_active)
    return owned


async def _is_certified(tx: Transaction, connection: Connection) -> bool:
    certificates = await tx.connection_keys.count(
        project_id=connection.project_id,
        organization_id=connection.organization_id,
        connection_id=connection.connection_id,
        purpose="verification",
    )
    return certificates > 0


async def underlying(
    tx: Transaction, external: ExternalConfiguration, *, project_id: str
) -> Connection | None:
    """Return the connection that an external one refers to; None when it is deleted."""
    return await tx.connections.find(
        project_id=project_id,
        organization_id=external.external_organization_id,
        connection_id=external.external_connection_id,
    )


def protocol_of(connection: Connection) -> Protocol:
    """Return the protocol that people sign in by: an external connection's is the other's."""
    return connection.external.protocol if connection.external else connection.protocol


async def sever(tx: Transaction, owned: Sequence[Connection], *, now: int) -> Sequence[Connection]:
    """Let the external connections that refer to `owned`, which is locked, lead nowhere (MT-08).

    They stay what their own organizations made of them, but are no longer active, and no session
    keeps a factor of theirs. To be called before the factors of `owned` itself are removed. Returns
    them.
    """
    if not owned:
        return ()
    severed = await tx.connections.change(
        {"status": "pending", "updated_at": now},
        project_id=owned[0].project_id,
        external_connection_id=tuple(item.connection_id for item in owned),
    )
    # A login that is under way holds its token: it is waited for, and its session seen.
    await tx.sso_tokens.delete(
        project_id=owned[0].project_id,
        connection_id=tuple(item.connection_id for item in severed),
    )
    for connection in severed:
        await connection_factors.remove(tx, connection)
    return severed


def missing(connection: Connection, *, has_certificate: bool) -> tuple[str, ...]:
    """Return the names of the fields that are still needed before the connection is active."""
    if connection.saml is not None:
        saml = connection.saml
        needed = {
            "idp_sso_url": saml.idp_sso_url,
            "idp_entity_id": saml.idp_entity_id,
            "x509_certificate": has_certificate,
            "attribute_mapping": saml.attribute_mapping,
        }
    elif connection.oidc is not None:
        oidc = connection.oidc
        needed = {
            "issuer": oidc.issuer,
            "client_id": oidc.client_id,
            "client_secret": oidc.client_secret,
            "authorization_url": oidc.authorization_url,
            "token_url": oidc.token_url,
            "userinfo_url": oidc.userinfo_url,
            "jwks_url": oidc.jwks_url,
        }
    else:
        return ()
    return tuple(name for name, value in needed.items() if not value)
