"""Vestibule's own settings of a connection, which the Stytch objects have no fields for."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import audit, connection_fields, connections, organizations, role_ledger
from vestibule.domain.context import Context
from vestibule.domain.policy import project_policy, roles_of
from vestibule.errors import Failure
from vestibule.log import logger
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.urls import check_url
from vestibule.records import (
    Connection,
    OidcConfiguration,
    Project,
    SamlConfiguration,
    SamlPolicy,
)
from vestibule.saml.errors import SamlError
from vestibule.saml.keys import read_certificate
from vestibule.settings import Settings

_POLICY: Final = SamlPolicy.__struct_fields__
# Role assignments under the names of our records, with those of the wire.
_ROLES: Final = {
    "connection_roles": "implicit_role_assignments",
    "group_roles": "group_implicit_role_assignments",
}
_SAML: Final = (*_POLICY, *_ROLES, "idp_slo_url", "idp_slo_response_url", "idp_slo_binding")
_OIDC: Final = (
    *_ROLES,
    "end_session_url",
    "client_authentication",
    "absent_groups_mean_none",
)
_URLS: Final = ("idp_slo_url", "idp_slo_response_url", "end_session_url")
# What is asked of an answer, and called the same where it is verified.
_DEMANDS: Final = (
    "require_signed_response",
    "require_signed_assertion",
    "require_encryption",
    "refuse_expired_certificates",
    "allow_cbc",
    "allow_inclusive_c14n",
    "allow_missing_authn_statement",
)
_TOLERANCES: Final = ("allow_", "trust_")
_MAX_AUTHN_CONTEXTS: Final = 10
_MAX_AUTHN_CONTEXT_CHARS: Final = 256
_PROTOCOLS: Final = {"saml": "SAML", "oidc": "OpenID Connect", "external": "external"}


def demands(policy: SamlPolicy) -> dict[str, Any]:
    """Return what a policy asks of an answer, as the fields of a saml Expectation."""
    asked = {name: getattr(policy, name) for name in _DEMANDS}
    return {**asked, "authn_contexts": policy.requested_authn_contexts}


async def get(context: Context, project: Project, locator: str, connection_id: str) -> Connection:
    """Return the connection whose settings are asked for. Raises Failure."""
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        return await connections.load(tx, organization, connection_id)


async def update(
    context: Context,
    project: Project,
    locator: str,
    connection_id: str,
    changes: Mapping[str, Any],
) -> Connection:
    """Change the settings that were sent and return the connection as it now is.

    Raises Failure bad_request naming the field and, where it is a setting of another protocol,
    the protocol.
    """
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        before = await connections.load(tx, organization, connection_id)
        known_roles = roles_of(project_policy(project), organization)
        after = _apply(context.settings, known_roles, before, changes)
        after = role_ledger.of_connection(context, before, after)
        after = replace(after, updated_at=context.clock.now())
        await tx.connections.update(after)
        tolerated = _newly_tolerated(before, after)
        await audit.record(
            tx,
            context,
            "connection.update_settings",
            after,
            connection_id,
            changed=audit.differing(before, after),
            reason=f"tolerance switched on: {', '.join(tolerated)}" if tolerated else "",
        )
    for name in tolerated:
        logger().warning("tolerance switched on", connection_id=connection_id, setting=name)
    return after


def _apply(
    settings: Settings,
    known_roles: Collection[str],
    connection: Connection,
    changes: Mapping[str, Any],
) -> Connection:
    """Return the connection with the settings that were sent, each checked."""
    known = {"saml": _SAML, "oidc": _OIDC, "external": ()}[connection.protocol]
    for name in changes:
        if name not in known:
            protocol = _PROTOCOLS[connection.protocol]
            raise Failure(
                errors.bad_request,
                f"{_ROLES.get(name, name)}: no setting of this connection, which is {protocol}.",
            )
    values = {
        name: _read(settings, name, value) for name, value in changes.items() if name not in _ROLES
    }
    configuration = connection.saml or connection.oidc
    if configuration is not None:
        values |= connection_fields.role_assignments(known_roles, configuration, changes)
    return replace(
        connection,
        saml=connection.saml and _with_saml(connection.saml, values),
        oidc=connection.oidc and _with_oidc(connection.oidc, values),
    )


def _with_saml(saml: SamlConfiguration, values: Mapping[str, Any]) -> SamlConfiguration:
    policy = {name: value for name, value in values.items() if name in _POLICY}
    others = {name: value for name, value in values.items() if name not in _POLICY}
    if "idp_slo_url" in others:
        # An answer goes where requests go, unless it has a place of its own (Metadata 2.2.2).
        others.setdefault("idp_slo_response_url", others["idp_slo_url"])
    changed = replace(saml, policy=replace(saml.policy, **policy), **others)
    if changed.group_roles:
        connection_fields.require_groups_mapped(changed)
    return changed


def _with_oidc(oidc: OidcConfiguration, values: Mapping[str, Any]) -> OidcConfiguration:
    return replace(oidc, **values)


def _read(settings: Settings, name: str, value: Any) -> Any:
    """Return a setting as it is kept. Raises Failure bad_request naming it."""
    if name in _URLS:
        return _url(settings, name, value)
    reader = _READERS.get(name)
    return value if reader is None else reader(value)


def _url(settings: Settings, name: str, value: str) -> str:
    """Return an address that browsers are sent to, https or listed; '' is none."""
    if not value:
        return ""
    try:
        url = check_url(value, reason=Reason.URL, secure=False)
    except OidcError as error:
        raise Failure(errors.bad_request, f"{name}: expected {error.expected}.") from error
    if not connection_fields.is_https_or_listed(settings, url):
        raise Failure(errors.bad_request, f"{name}: expected an https URL.")
    return url


def _certificate(value: str) -> str:
    """Return a certificate as PEM; '' is none."""
    if not value:
        return ""
    try:
        return read_certificate(value).pem
    except SamlError as error:
        raise Failure(
            errors.bad_request, f"metadata_certificate: expected {error.expected}."
        ) from error


def _authn_contexts(given: Sequence[str]) -> tuple[str, ...]:
    """Return context class references, each once; they are URIs (SAML Core 2.7.2.2)."""
    fits = len(given) <= _MAX_AUTHN_CONTEXTS and all(
        0 < len(each) <= _MAX_AUTHN_CONTEXT_CHARS and each.isprintable() and " " not in each
        for each in given
    )
    if not fits:
        raise Failure(
            errors.bad_request,
            f"requested_authn_contexts: expected at most {_MAX_AUTHN_CONTEXTS} URIs of at most "
            f"{_MAX_AUTHN_CONTEXT_CHARS} characters.",
        )
    return tuple(dict.fromkeys(given))


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "requested_authn_contexts": _authn_contexts,
    "metadata_certificate": _certificate,
}


def _newly_tolerated(before: Connection, after: Connection) -> list[str]:
    """Return the names of the tolerances that have been switched on."""
    if before.saml is None or after.saml is None:
        return []
    old, new = before.saml.policy, after.saml.policy
    return [
        name
        for name in _POLICY
        if name.startswith(_TOLERANCES) and getattr(new, name) and not getattr(old, name)
    ]
