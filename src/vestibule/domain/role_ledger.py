"""When and by whom roles were given: kept beside each assignment, from the moment that it is new.

An assignment that is taken away and made again was given again. Who comes to hold a role without
a change of any assignment, by a login, holds it since then (`roles.Source.since`).
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from vestibule.domain.context import Context
from vestibule.records import Configuration, Connection, Given, Organization

UNKNOWN: Final = Given()


def given(context: Context) -> Given:
    """Return what is to be said of a role that is given now."""
    return Given(
        given_at=context.clock.now(),
        actor_type=context.origin.actor_type,
        actor_id=context.origin.actor_id,
        request_id=context.origin.request_id,
    )


def said(*, gained: Iterable[str], lost: Iterable[str]) -> str:
    """Return which roles were given and taken away, as the reason of an event; '' for none."""
    parts = (("given", sorted(gained)), ("taken away", sorted(lost)))
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names)


def of_organization(context: Context, before: Organization, after: Organization) -> Organization:
    """Return `after` with the giving of each of its e-mail assignments."""
    known = {
        (each.domain, each.role_id): each.given
        for each in before.rbac_email_implicit_role_assignments
    }
    assignments = tuple(
        replace(each, given=known.get((each.domain, each.role_id)) or given(context))
        for each in after.rbac_email_implicit_role_assignments
    )
    return replace(after, rbac_email_implicit_role_assignments=assignments)


def of_connection(context: Context, before: Connection, after: Connection) -> Connection:
    """Return `after` with the giving of each of its assignments."""
    old, new = _configuration(before), _configuration(after)
    known = {(each.role_id, each.group): each.given for each in old.group_roles}
    by_group = tuple(
        replace(each, given=known.get((each.role_id, each.group)) or given(context))
        for each in new.group_roles
    )
    to_all = {
        role_id: old.connection_roles_given.get(role_id, UNKNOWN)
        if role_id in old.connection_roles
        else given(context)
        for role_id in new.connection_roles
    }
    changed = replace(new, group_roles=by_group, connection_roles_given=to_all)
    return replace(after, **{after.protocol: changed})


def _configuration(connection: Connection) -> Configuration:
    found = connection.saml or connection.oidc or connection.external
    if found is None:
        raise TypeError(f"{connection.connection_id} has no configuration")
    return found
