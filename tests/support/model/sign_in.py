"""Sign-ins: from a token of the identity provider, or a session elsewhere, to a session here."""

from tests.support.model import people, roles
from tests.support.model.nouns import (
    Connection,
    Factor,
    Member,
    Organization,
    Person,
    Refused,
    Registration,
    Session,
    SsoToken,
    World,
    with_factor,
)
from vestibule.clock import MINUTE

DEFAULT_LIFE = 60 * MINUTE
INTERMEDIATE_LIFE = 10 * MINUTE
TOKEN_LIFE = 5 * MINUTE


def leads_somewhere(connection: Connection) -> bool:
    """Tell whether people are sent to its identity provider."""
    if connection.owned is None:
        return connection.exists
    return connection.exists and connection.active and not connection.owned.organization.suspended


def asserted(
    world: World, connection: Connection, person: Person, groups: set[str] | None
) -> SsoToken:
    """Somebody comes back from the identity provider."""
    made = SsoToken(
        name=f"token-{len(world.sso_tokens)}",
        connection=connection,
        person=person,
        groups=groups,
        texts=("", ""),
        expires_at=world.now + TOKEN_LIFE,
    )
    world.sso_tokens.append(made)
    return made


def redeem(
    world: World, token: SsoToken, *, beside: Session | None, minutes: int | None
) -> Session:
    """Sign in; `beside` is a session, or an intermediate one, that there is already."""
    connection, person = token.connection, token.person
    organization = connection.organization
    if token.spent or world.now >= token.expires_at:
        raise Refused("sso_token_not_found")
    if not leads_somewhere(connection):
        raise Refused("external_connection_not_active")
    found = find(world, connection, person)
    require_standing(world, organization, found)
    if beside is not None and beside.intermediate:
        require_waiting(world, organization, beside)
        if beside.member is not found:
            raise Refused("invalid_intermediate_session_token_for_organization")
    if found is None or found.address != person.address:
        people.take(world, organization, person.address, by=found)
    if beside is not None and not world.alive(beside):
        raise Refused("session_not_found")
    token.spent = True
    member = found or people.make(world, organization, person.address)
    people.move(member, person.address, verified=True)
    member.status, member.verified = "active", True
    register(member, connection, person.subject, token.groups)
    proven = Factor("sso", connection, person.address)
    if beside is not None and not beside.intermediate and beside.member is member:
        beside.factors = with_factor(beside.factors, proven)
        prolong(world, beside, minutes)
        return beside
    waiting = beside if beside is not None and beside.intermediate else None
    factors = with_factor(waiting.factors if waiting else [], proven)
    return conclude(world, member, factors, waiting=waiting, minutes=minutes)


def exchange(
    world: World, session: Session, target: Organization, *, minutes: int | None
) -> Session:
    """What was proven through a connection counts wherever that connection is shared."""
    require_counting(world, session)
    people.require(target)
    offers = []
    for factor in session.factors:
        there = _counterpart(world, factor.connection, target)
        if factor.connection is not None and there is not None:
            registration = session.member.registrations[factor.connection]
            person = Person(registration.subject, factor.address)
            offers.append((there, person, registration.groups, find(world, there, person)))
    if not offers:
        raise Refused("insufficient_factors_for_session_exchange")
    named = [found for there, _, _, found in offers if found and there in found.registrations]
    named += [found for _, _, _, found in offers if found]
    if not named:
        raise Refused("member_not_found")
    member = named[0]
    require_standing(world, target, member)
    factors: list[Factor] = []
    for there, person, groups, found in offers:
        if found is member:
            register(member, there, person.subject, groups)
            factors.append(Factor("sso", there, person.address))
            member.verified = member.verified or member.address == person.address
    member.status = "active"
    return conclude(world, member, factors, waiting=None, minutes=minutes)


def _counterpart(
    world: World, connection: Connection | None, target: Organization
) -> Connection | None:
    """Return the connection of `target` to the same identity provider, if there is one."""
    if connection is None or not leads_somewhere(connection):
        return None
    shared = [
        each
        for each in world.connections_of(target)
        if each.active and each.underlying is connection.underlying
    ]
    return shared[0] if shared else None


def find(world: World, connection: Connection, person: Person) -> Member | None:
    """Who has been here by that account; else who has the address, and no other account here."""
    for member in world.members_of(connection.organization):
        known = member.registrations.get(connection)
        if known is not None and known.subject == person.subject:
            return member
    found = people.by_address(world, connection.organization, person.address)
    if found is not None and connection in found.registrations:
        raise Refused("duplicate_member_email")
    return found


def register(member: Member, connection: Connection, subject: str, groups: set[str] | None) -> None:
    """Groups that the identity provider does not speak of stay as they were."""
    known = member.registrations.setdefault(connection, Registration(subject))
    if groups is not None:
        known.groups = groups


def conclude(
    world: World,
    member: Member,
    factors: list[Factor],
    *,
    waiting: Session | None,
    minutes: int | None,
) -> Session:
    """Begin a session, or wait for the second factor that is needed."""
    if member.organization.everybody_needs_second or member.enrolled:
        if waiting is not None:
            waiting.factors = factors
            return waiting
        return _begin(world, member, factors, life=INTERMEDIATE_LIFE, intermediate=True)
    return complete(world, member, factors, waiting=waiting, minutes=minutes)


def complete(
    world: World,
    member: Member,
    factors: list[Factor],
    *,
    waiting: Session | None,
    minutes: int | None,
) -> Session:
    if waiting is not None:
        waiting.ended = True
    return _begin(world, member, factors, life=life_of(minutes))


def _begin(
    world: World, member: Member, factors: list[Factor], *, life: int, intermediate: bool = False
) -> Session:
    made = Session(
        name=f"{'intermediate-' if intermediate else ''}session-{len(world.sessions)}",
        member=member,
        factors=factors,
        expires_at=world.now + life,
        intermediate=intermediate,
    )
    world.sessions.append(made)
    return made


def extend(world: World, session: Session, minutes: int) -> None:
    require_counting(world, session)
    session.expires_at = world.now + life_of(minutes)


def allowing(world: World, session: Session, permission: tuple[str, str]) -> set[str]:
    """Return the roles that allow it."""
    require_counting(world, session)
    found = roles.allowing(session, permission)
    if not found:
        raise Refused("session_authorization_error")
    return found


def require_counting(world: World, session: Session) -> None:
    if not world.alive(session):
        raise Refused("session_not_found")
    if session.member.organization.suspended:
        raise Refused("organization_suspended")


def life_of(minutes: int | None) -> int:
    return DEFAULT_LIFE if minutes is None else minutes * MINUTE


def prolong(world: World, session: Session, minutes: int | None) -> None:
    """A session that gains a factor lasts as long as is asked for, or at least the usual time."""
    end = world.now + life_of(minutes)
    session.expires_at = end if minutes is not None else max(end, session.expires_at)


def require_standing(world: World, organization: Organization, member: Member | None) -> None:
    if organization.suspended:
        raise Refused("organization_suspended")
    if member is not None and world.now < member.locked_until:
        raise Refused("user_lock_limit_reached")


def require_waiting(world: World, organization: Organization, waiting: Session) -> None:
    if not world.alive(waiting):
        raise Refused("intermediate_session_not_found")
    if waiting.member.organization is not organization:
        raise Refused("invalid_intermediate_session_token_for_organization")
