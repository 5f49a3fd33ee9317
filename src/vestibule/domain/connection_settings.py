"""Vestibule's own settings of a connection, which the Stytch objects have no fields for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import connections, organizations
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.log import logger
from vestibule.records import Connection, Project, SamlConfiguration, SamlPolicy

_MAX_AUTHN_CONTEXTS: Final = 10
_MAX_AUTHN_CONTEXT_CHARS: Final = 256
_PROTOCOLS: Final = {"saml": "SAML", "oidc": "OpenID Connect", "external": "external"}


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
        after = replace(_apply(before, changes), updated_at=context.clock.now())
        await tx.connections.update(after)
    if before.saml is not None and after.saml is not None:
        _warn(connection_id, before.saml.policy, after.saml.policy)
    return after


def _apply(connection: Connection, changes: Mapping[str, Any]) -> Connection:
    """Return the connection with the settings that were sent, each checked."""
    known = SamlPolicy.__struct_fields__ if connection.saml is not None else ()
    for name in changes:
        if name not in known:
            protocol = _PROTOCOLS[connection.protocol]
            raise Failure(
                errors.bad_request, f"{name}: no setting of this connection, which is {protocol}."
            )
    if connection.saml is None:
        return connection
    return replace(connection, saml=_with_policy(connection.saml, changes))


def _with_policy(saml: SamlConfiguration, changes: Mapping[str, Any]) -> SamlConfiguration:
    values = {name: _READERS.get(name, _as_sent)(value) for name, value in changes.items()}
    return replace(saml, policy=replace(saml.policy, **values))


def _as_sent(value: Any) -> Any:
    return value


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
}


def _warn(connection_id: str, before: SamlPolicy, after: SamlPolicy) -> None:
    """Say in the log which tolerances have been switched on."""
    for name in after.__struct_fields__:
        if name.startswith("allow_") and getattr(after, name) and not getattr(before, name):
            logger().warning("tolerance switched on", connection_id=connection_id, setting=name)
