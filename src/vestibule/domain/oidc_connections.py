"""OpenID Connect connections: created and configured, with discovery (semantics 1.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import (
    connection_fields,
    connection_lifecycle,
    connections,
    organizations,
)
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.domain.context import Context
from vestibule.errors import ErrorType, Failure
from vestibule.fetch import FetchError
from vestibule.oidc.discovery import Discovery, discovery_url, parse_discovery
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.token import client_authentication
from vestibule.oidc.urls import check_url
from vestibule.records import Connection, OidcConfiguration, Project
from vestibule.settings import Settings

_NOT_FOUND: Final = errors.oidc_connection_not_found
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_URLS: Final[Mapping[str, ErrorType]] = {
    "issuer": errors.oidc_connection_issuer_url_invalid_format,
    "authorization_url": errors.oidc_connection_authorization_url_invalid_format,
    "token_url": errors.oidc_connection_token_url_invalid_format,
    "userinfo_url": errors.oidc_connection_userinfo_url_invalid_format,
    "jwks_url": errors.oidc_connection_jwks_url_invalid_format,
}
_ENDPOINTS: Final = ("authorization_url", "token_url", "userinfo_url", "jwks_url")


@dataclass(frozen=True)
class Updated:
    """A changed connection; `warning` says in words what was odd about it, or is ''."""

    view: ConnectionView
    warning: str


async def create(
    context: Context, project: Project, locator: str, changes: Mapping[str, Any]
) -> ConnectionView:
    """Make a pending connection. Raises Failure."""
    now = context.clock.now()
    name = connection_fields.display_name(changes.get("display_name", ""))
    vendor = connection_fields.identity_provider(changes.get("identity_provider", "generic"))
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator)
        await connection_lifecycle.require_room(tx, organization)
        connection = Connection(
            connection_id=context.new_id("oidc-connection", project),
            project_id=project.project_id,
            organization_id=organization.organization_id,
            protocol="oidc",
            display_name=name,
            identity_provider=vendor,
            oidc=OidcConfiguration(),
            created_at=now,
            updated_at=now,
        )
        await tx.connections.insert(connection)
    return ConnectionView(connection, ())


async def update(
    context: Context,
    project: Project,
    locator: str,
    connection_id: str,
    changes: Mapping[str, Any],
) -> Updated:
    """Change the fields that were sent; a new issuer fills in the endpoints that were not.

    When the discovery document cannot be used that is a warning, no error. A discovery URL given
    as issuer is turned into the issuer. Raises Failure naming the field.
    """
    sent = dict(changes)
    warnings: list[str] = []
    if sent.get("issuer", "").endswith(_WELL_KNOWN):
        sent["issuer"] = sent["issuer"].removesuffix(_WELL_KNOWN)
        warnings.append("issuer: this was the address of a discovery document; its issuer is used.")
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        before = await connections.load(tx, organization, connection_id, error=_NOT_FOUND)
    changed = _apply(context, before, sent)
    issuer = _oidc(changed).issuer
    found: Discovery | None = None
    if issuer and issuer != _oidc(before).issuer:
        try:
            found = await _discover(context, issuer)
        except (OidcError, FetchError) as error:
            warnings.append(_explain(error))
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        current = await connections.load(tx, organization, connection_id, error=_NOT_FOUND)
        changed = _apply(context, current, sent)
        if found is not None:
            changed = replace(changed, oidc=_filled(_oidc(changed), found, sent))
        view = await connection_lifecycle.settle(tx, context, organization, changed)
    return Updated(view, " ".join(warnings))


async def _discover(context: Context, issuer: str) -> Discovery:
    answer = await context.fetch.request("GET", discovery_url(issuer), redirects=1)
    if answer.status != 200:
        raise OidcError(Reason.DISCOVERY, expected="status 200", received=f"status {answer.status}")
    try:
        return parse_discovery(answer.body, issuer=issuer)
    except OidcError as error:
        # The slash at the end is where most pasted issuers are off; the document's word counts.
        other = issuer.removesuffix("/") if issuer.endswith("/") else f"{issuer}/"
        if error.received == f"issuer {other}":
            raise OidcError(
                Reason.DISCOVERY,
                expected=f"issuer {issuer}",
                received=f"issuer {other}, which differs by the slash at its end: enter that one",
            ) from error
        raise


def _explain(error: OidcError | FetchError) -> str:
    if isinstance(error, OidcError):
        said = f"expected {error.expected}, received {error.received}"
    else:
        said = "it could not be fetched"
    return (
        f"The discovery document of this issuer could not be used ({said}); check the issuer, or "
        "give authorization_url, token_url, userinfo_url and jwks_url yourself."
    )


def _filled(
    oidc: OidcConfiguration, found: Discovery, sent: Mapping[str, Any]
) -> OidcConfiguration:
    """Return the configuration with what discovery says, except for what was sent along."""
    endpoints = {name: getattr(found, name) or "" for name in _ENDPOINTS if not sent.get(name)}
    return replace(
        oidc,
        **endpoints,
        token_auth_method=client_authentication(found.token_auth_methods).value,
        iss_parameter_supported=found.iss_parameter_supported,
    )


def _apply(context: Context, connection: Connection, sent: Mapping[str, Any]) -> Connection:
    """Return the connection with the fields that were sent, each checked."""
    values: dict[str, Any] = {
        name: _url(context.settings, name, sent[name]) for name in _URLS if name in sent
    }
    if "client_id" in sent:
        values["client_id"] = connection_fields.text(sent["client_id"], errors.invalid_client_id)
    if "client_secret" in sent:
        secret = connection_fields.text(sent["client_secret"], errors.client_secret_too_long)
        sealed = context.sealer.seal(secret.encode(), purpose=connections.CLIENT_SECRET_PURPOSE)
        values["client_secret"] = sealed if secret else b""
    if "custom_scopes" in sent:
        values["custom_scopes"] = connection_fields.text(sent["custom_scopes"], errors.bad_request)
    if "attribute_mapping" in sent:
        values["attribute_mapping"] = connection_fields.attribute_mapping(sent["attribute_mapping"])
    common = {}
    if "display_name" in sent:
        common["display_name"] = connection_fields.display_name(sent["display_name"])
    if "identity_provider" in sent:
        common["identity_provider"] = connection_fields.identity_provider(sent["identity_provider"])
    return replace(connection, oidc=replace(_oidc(connection), **values), **common)


def _oidc(connection: Connection) -> OidcConfiguration:
    if connection.oidc is None:
        raise Failure(_NOT_FOUND)
    return connection.oidc


def _url(settings: Settings, name: str, value: str) -> str:
    """Return an https URL (or http to a host that the operator lists); '' clears the field."""
    if not value:
        return ""
    try:
        url = check_url(value, reason=Reason.URL, secure=False)
    except OidcError as error:
        raise Failure(_URLS[name]) from error
    if not connection_fields.is_https_or_listed(settings, url):
        raise Failure(_URLS[name])
    return url
