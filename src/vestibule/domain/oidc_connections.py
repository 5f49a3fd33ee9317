"""OpenID Connect connections: created and configured, with discovery (semantics 1.4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import (
    audit,
    connection_fields,
    connection_lifecycle,
    connections,
    oidc_metadata,
    oidc_warnings,
    organizations,
)
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.domain.context import Context
from vestibule.domain.upkeep import feeds
from vestibule.domain.upkeep.readings import Reading
from vestibule.errors import ErrorType, Failure
from vestibule.fetch import FetchError, acting_for
from vestibule.identity_providers.microsoft_entra import is_of_no_tenant
from vestibule.oidc.discovery import Discovery, discovery_url, issuer_of, parse_discovery
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.request import authorization_url
from vestibule.oidc.token import client_authentication
from vestibule.oidc.urls import check_url
from vestibule.records import Connection, OidcConfiguration, Project
from vestibule.settings import Settings

_NOT_FOUND: Final = errors.oidc_connection_not_found
_URLS: Final[Mapping[str, ErrorType]] = {
    "issuer": errors.oidc_connection_issuer_url_invalid_format,
    "authorization_url": errors.oidc_connection_authorization_url_invalid_format,
    "token_url": errors.oidc_connection_token_url_invalid_format,
    "userinfo_url": errors.oidc_connection_userinfo_url_invalid_format,
    "jwks_url": errors.oidc_connection_jwks_url_invalid_format,
}
_NO_TENANT: Final = (
    "issuer: this one of Microsoft Entra ID is shared by all tenants, and no token names it; "
    "expected https://login.microsoftonline.com/<Directory (tenant) ID>/v2.0."
)
# Less than a login may ask for: the start URL adds its own.
_MAX_SCOPES: Final = 512
# What a form shows in the place of a secret, and sends back with the rest.
_MASKED: Final = re.compile(r"[*\u2022\u25cf]{4}")


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
        organization = await organizations.load(tx, project, locator, lock=True)
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
        await audit.record(tx, context, "connection.create", connection, connection.connection_id)
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
    while True:
        updated = await _update(context, project, locator, connection_id, changes)
        if updated is not None:
            return updated


async def _update(
    context: Context,
    project: Project,
    locator: str,
    connection_id: str,
    changes: Mapping[str, Any],
) -> Updated | None:
    """Do what `update` does; None, and nothing done, when another update changed the issuer.

    No transaction is open while the provider is asked. Whoever saw no reason to ask would put this
    issuer over the endpoints of the other one.
    """
    sent = dict(changes)
    warnings: list[str] = []
    pasted = issuer_of(sent.get("issuer", ""))
    if pasted is not None:
        sent["issuer"] = pasted
        warnings.append(oidc_warnings.DISCOVERY_URL)
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        before = await connections.load(tx, organization, connection_id, error=_NOT_FOUND)
    changed = _apply(context, before, sent)
    found: Discovery | None = None
    asked = _wants_discovery(_oidc(before), _oidc(changed), sent)
    if asked:
        try:
            issuer = _oidc(changed).issuer
            with acting_for(organization.organization_id):
                found = await _discover(context, issuer, own_word=pasted is not None)
            sent["issuer"] = found.issuer
        except (OidcError, FetchError) as error:
            warnings.append(oidc_warnings.unusable(error))
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        current = await connections.load(tx, organization, connection_id, error=_NOT_FOUND)
        changed = _apply(context, current, sent)
        if not asked and _wants_discovery(_oidc(current), _oidc(changed), sent):
            return None
        changed = _discovered(changed, _oidc(current), found, sent)
        view = await connection_lifecycle.settle(tx, context, organization, changed)
        if found is not None:
            reading = Reading(published=oidc_metadata.published(found))
            await feeds.start(tx, context, current, discovery_url(found.issuer), reading)
        elif _oidc(changed).issuer != _oidc(current).issuer:
            await feeds.stop(tx, current)
        names = audit.differing(current, view.connection)
        await audit.record(tx, context, "connection.update", current, connection_id, changed=names)
    warnings += [
        oidc_warnings.endpoints_left(_oidc(current), _oidc(changed), found),
        oidc_warnings.methods(found),
        oidc_warnings.userinfo_missing(_oidc(changed)),
        oidc_warnings.secret_moves(_oidc(current), _oidc(changed), sent),
        oidc_warnings.secret_missing(view.connection),
    ]
    return Updated(view, " ".join(filter(None, warnings)))


def _wants_discovery(
    before: OidcConfiguration, after: OidcConfiguration, sent: Mapping[str, Any]
) -> bool:
    """True for a new issuer; also for the same one sent again while an endpoint is missing.

    So what a failed discovery left empty can be filled by trying again.
    """
    if not after.issuer or "issuer" not in sent:
        return False
    return after.issuer != before.issuer or not all(
        getattr(after, name) for name in oidc_warnings.ENDPOINTS
    )


def _discovered(
    connection: Connection,
    before: OidcConfiguration,
    found: Discovery | None,
    sent: Mapping[str, Any],
) -> Connection:
    """Return the connection with what discovery says; what was sent along wins.

    Under an issuer that stays the same only what is empty is filled. What an old issuer's document
    said of its protocol does not hold for a new one.
    """
    oidc = _oidc(connection)
    same = oidc.issuer == before.issuer
    if found is None:
        if not same:
            oidc = replace(
                oidc, token_auth_method="", iss_parameter_supported=False, end_session_url=""
            )
        return replace(connection, oidc=oidc)
    kept = {
        name for name in oidc_warnings.ENDPOINTS if sent.get(name) or (same and getattr(oidc, name))
    }
    endpoints = {
        name: getattr(found, name) or "" for name in oidc_warnings.ENDPOINTS if name not in kept
    }
    return replace(
        connection,
        oidc=replace(
            oidc,
            **endpoints,
            token_auth_method=client_authentication(found.token_auth_methods).value,
            iss_parameter_supported=found.iss_parameter_supported,
            end_session_url=(same and oidc.end_session_url) or found.end_session_url or "",
        ),
    )


async def _discover(context: Context, issuer: str, *, own_word: bool) -> Discovery:
    """Return what `issuer` publishes; with `own_word` it may add the slash to its own name."""
    answer = await context.fetch.request("GET", discovery_url(issuer), redirects=1)
    if answer.status != 200:
        raise OidcError(Reason.DISCOVERY, expected="status 200", received=f"status {answer.status}")
    try:
        return parse_discovery(answer.body, issuer=issuer)
    except OidcError as error:
        # The slash at the end is where most pasted issuers are off; the document's word counts.
        other = issuer.removesuffix("/") if issuer.endswith("/") else f"{issuer}/"
        if error.received == f"issuer {other}":
            if own_word:
                return parse_discovery(answer.body, issuer=other)
            raise OidcError(
                Reason.DISCOVERY,
                expected=f"issuer {issuer}",
                received=f"issuer {other}, which differs by the slash at its end: enter that one",
            ) from error
        raise


def _apply(context: Context, connection: Connection, sent: Mapping[str, Any]) -> Connection:
    """Return the connection with the fields that were sent, each checked."""
    values: dict[str, Any] = {
        name: _url(context.settings, name, sent[name]) for name in _URLS if name in sent
    }
    if "client_id" in sent:
        values["client_id"] = connection_fields.text(sent["client_id"], errors.invalid_client_id)
    if "client_secret" in sent:
        secret = _client_secret(sent["client_secret"])
        sealed = context.sealer.seal(secret.encode(), purpose=connections.CLIENT_SECRET_PURPOSE)
        values["client_secret"] = sealed if secret else b""
    if "custom_scopes" in sent:
        values["custom_scopes"] = sent["custom_scopes"]
    if "attribute_mapping" in sent:
        values["attribute_mapping"] = connection_fields.attribute_mapping(sent["attribute_mapping"])
    common = {}
    if "display_name" in sent:
        common["display_name"] = connection_fields.display_name(sent["display_name"])
    if "identity_provider" in sent:
        common["identity_provider"] = connection_fields.identity_provider(sent["identity_provider"])
    oidc = replace(_oidc(connection), **values)
    if sent.keys() & {"authorization_url", "custom_scopes"}:
        _require_askable(oidc)
    return replace(connection, oidc=oidc, **common)


def _require_askable(oidc: OidcConfiguration) -> None:
    """Pass when a login can be asked for with these scopes at this authorization endpoint."""
    if len(oidc.custom_scopes) > _MAX_SCOPES:
        raise Failure(
            errors.bad_request, f"custom_scopes: expected at most {_MAX_SCOPES} characters."
        )
    try:
        authorization_url(
            endpoint=oidc.authorization_url or "https://op.invalid/",
            client_id=oidc.client_id,
            redirect_url="",
            scopes=oidc.custom_scopes.split(),
            state="",
            nonce="",
            code_challenge="",
        )
    except OidcError as error:
        if error.reason is Reason.SCOPE:
            raise Failure(
                errors.bad_request, f"custom_scopes: expected {error.expected}."
            ) from error
        raise Failure(
            errors.oidc_connection_authorization_url_invalid_format,
            f"authorization_url: expected {error.expected}.",
        ) from error


def _oidc(connection: Connection) -> OidcConfiguration:
    if connection.oidc is None:
        raise Failure(_NOT_FOUND)
    return connection.oidc


def _client_secret(value: str) -> str:
    if _MASKED.search(value):
        raise Failure(
            errors.bad_request, "client_secret: expected the secret itself, got one that is masked."
        )
    return connection_fields.text(value, errors.client_secret_too_long)


def _url(settings: Settings, name: str, value: str) -> str:
    """Return an https URL (or http to a host that the operator lists); '' clears the field."""
    if not value:
        return ""
    if name == "issuer" and is_of_no_tenant(value):
        raise Failure(_URLS[name], _NO_TENANT)
    try:
        url = check_url(value, reason=Reason.URL, secure=False)
    except OidcError as error:
        raise Failure(_URLS[name]) from error
    if not connection_fields.is_https_or_listed(settings, url):
        raise Failure(_URLS[name])
    return url
