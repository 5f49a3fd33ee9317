"""Organizations, connections and members: made, changed, ended."""

from typing import Any

from tests.support.model import roles
from tests.support.model.nouns import Connection, Member, Organization, Refused, Session, World
from vestibule.clock import DAY


def require(organization: Organization) -> None:
    if not organization.exists:
        raise Refused("organization_not_found")


def require_living(member: Member) -> None:
    require(member.organization)
    if not member.lives:
        raise Refused("member_not_found")


def delete_organization(world: World, organization: Organization) -> None:
    require(organization)
    sever(world, [each for each in world.connections if each.organization is organization])
    organization.exists = False
    for token in world.sso_tokens:
        token.spent = token.spent or token.connection.organization is organization


def share(world: World, organization: Organization, owned: Connection) -> Connection:
    """Refer to another organization's connection."""
    require(organization)
    if not owned.organization.exists:
        raise Refused("external_connection_id_not_found")
    if owned.organization is organization:
        raise Refused("external_organization_id_same_as_organization_id")
    if not owned.exists or owned.owned is not None:
        raise Refused("external_connection_id_not_found")
    if any(each.owned is owned for each in world.connections_of(organization)):
        raise Refused("duplicate_external_sso_connection")
    return add_connection(world, organization, owned)


def add_connection(
    world: World, organization: Organization, owned: Connection | None = None
) -> Connection:
    name = f"connection-{len(world.connections)}"
    made = Connection(name=name, organization=organization, owned=owned)
    world.connections.append(made)
    organization.default = organization.default or made
    return made


def delete_connection(world: World, connection: Connection) -> None:
    organization = connection.organization
    require(organization)
    if not connection.kept:
        raise Refused("sso_connection_not_found")
    active = [each for each in world.connections_of(organization) if each.active]
    if organization.default is connection and len(active) > 1:
        raise Refused("cannot_delete_default_sso_connection")
    sever(world, [connection])
    connection.kept = False
    _forget(world, connection)
    for member in world.members_of(organization):
        member.registrations.pop(connection, None)
    if organization.default is connection:
        organization.default = None


def sever(world: World, owned: list[Connection]) -> None:
    """Let the external connections to these lead nowhere, for good."""
    for connection in world.connections:
        if connection.owned in owned:
            connection.active = False
            _forget(world, connection)


def _forget(world: World, connection: Connection) -> None:
    """Nothing counts any more that was proven through a connection."""
    for token in world.sso_tokens:
        token.spent = token.spent or token.connection is connection
    for session in world.sessions:
        if connection in session.connections:
            session.factors = [
                each for each in session.factors if each.connection is not connection
            ]
            session.ended = session.ended or not session.connections


def add_member(
    world: World, organization: Organization, address: str, *, pending: bool, breakglass: bool
) -> Member:
    require(organization)
    take(world, organization, address)
    return make(world, organization, address, pending=pending, breakglass=breakglass)


def make(
    world: World,
    organization: Organization,
    address: str,
    *,
    pending: bool = False,
    breakglass: bool = False,
) -> Member:
    made = Member(
        name=f"member-{len(world.members)}",
        organization=organization,
        address=address,
        status="pending" if pending else "active",
        breakglass=breakglass,
    )
    world.members.append(made)
    return made


def by_address(world: World, organization: Organization, address: str) -> Member | None:
    here = world.members_of(organization)
    return next((each for each in here if each.address == address), None)


def take(
    world: World, organization: Organization, address: str, *, by: Member | None = None
) -> None:
    """An address is one member's, also when that member has another one now."""
    for member in world.members_of(organization):
        if member is not by and address == member.address:
            raise Refused("duplicate_member_email")
        if member is not by and address in member.retired:
            raise Refused("retired_member_email")


def move(member: Member, address: str, *, verified: bool, unlink: bool = False) -> None:
    """Give a member an address that it may have."""
    if address != member.address:
        if not unlink:
            member.retired.add(member.address)
        member.retired.discard(address)
        member.address, member.verified = address, verified


def change_address(world: World, member: Member, address: str, *, unlink: bool) -> None:
    require_living(member)
    take(world, member.organization, address, by=member)
    move(member, address, verified=False, unlink=unlink)


def set_roles(world: World, member: Member, wanted: set[str], *, keep_sessions: bool) -> None:
    """A role that is taken away, and that SSO gives too, takes the sessions of that SSO along."""
    require_living(member)
    require_assignable(member.organization, wanted)
    lost = member.roles - wanted
    through = {grant.connection for grant in roles.grants(member) if grant.role_id in lost}
    member.roles = wanted
    for session in sessions_of(world, member):
        if not keep_sessions and session.connections & through:
            session.ended = True


def delete_member(world: World, member: Member) -> None:
    require_living(member)
    for session in sessions_of(world, member):
        session.ended = True
    member.status = "deleted"
    member.retired.clear()
    member.roles = set()
    member.registrations.clear()
    lose_authenticator(member)


def lose_authenticator(member: Member) -> None:
    member.authenticator = None
    member.default_method = ""


def reactivate(world: World, member: Member) -> None:
    require(member.organization)
    if member.lives:
        raise Refused("no_deleted_member_found_for_reactivation")
    if not member.verified:
        raise Refused("email_unverified_for_reactivation")
    try:
        take(world, member.organization, member.address)
    except Refused:
        raise Refused("reactivation_email_belongs_to_another_member") from None
    member.status = "active"


def revoke(world: World, session: Session, *, all_: bool) -> None:
    """End a session, whether or not it lives, or all of its member; what waits goes on waiting."""
    if not all_:
        session.ended = True
        return
    if not session.member.organization.exists:
        raise Refused("member_not_found")
    for each in sessions_of(world, session.member):
        each.ended = each.ended or not each.intermediate


def change(organization: Organization, **settings: Any) -> None:
    require(organization)
    for name, value in settings.items():
        setattr(organization, name, value)


def set_roles_of_domain(organization: Organization, domain: str, wanted: set[str]) -> None:
    require(organization)
    if not wanted <= roles.known(organization):
        raise Refused("invalid_role")
    organization.email_roles = {(domain, each) for each in wanted}


def require_assignable(organization: Organization, wanted: set[str]) -> None:
    if not wanted <= roles.known(organization):
        raise Refused("invalid_rbac_role_assignment")


def set_roles_of_connection(
    connection: Connection, wanted: set[str], of_groups: set[tuple[str, str]]
) -> None:
    organization = connection.organization
    require(organization)
    if not connection.kept:
        raise Refused(f"{'sso' if connection.owned else 'saml'}_connection_not_found")
    require_assignable(organization, wanted | {role_id for _, role_id in of_groups})
    if of_groups and connection.owned is not None and not connection.owned.exists:
        raise Refused("external_connection_not_active")
    connection.roles, connection.group_roles = wanted, of_groups


def forget_old(world: World) -> None:
    """What removes old rows is noticed only where an authenticator waited for days."""
    for member in world.members:
        held = member.authenticator
        if held is not None and not held.proven and held.expires_at + DAY <= world.now:
            member.authenticator = None


def sessions_of(world: World, member: Member) -> list[Session]:
    return [each for each in world.sessions if each.member is member]
