"""Which roles a member holds, where each comes from, and which of them count in a session."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from vestibule.domain.email import domain_of
from vestibule.domain.policy import MEMBER_ROLE, Policy, roles_of
from vestibule.records import (
    Connection,
    Factor,
    Given,
    Member,
    MemberRole,
    Organization,
    Registration,
)

DIRECT: Final = "direct_assignment"
EMAIL: Final = "email_assignment"
CONNECTION: Final = "sso_connection"
GROUP: Final = "sso_connection_group"


@dataclass(frozen=True)
class Source:
    """One reason why a member holds a role (semantics 5.4); `details` is the wire's object.

    `given` says who made the assignment, and `since` when the member came to hold the role by it:
    0 where that is not known. Two sources that differ in these alone are one.
    """

    type: str
    details: Mapping[str, str]
    given: Given = field(default=Given(), compare=False)
    since: int = field(default=0, compare=False)

    @property
    def connection_id(self) -> str:
        """The connection that a session must have a factor of, or '' when none is needed."""
        return self.details.get("connection_id", "")


@dataclass(frozen=True)
class Grant:
    """A role and every source it comes from."""

    role_id: str
    sources: tuple[Source, ...]


def member_grants(
    organization: Organization,
    member: Member,
    direct: Sequence[MemberRole],
    registrations: Sequence[Registration],
    connections: Sequence[Connection],
    *,
    policy: Policy,
    address_since: int = 0,
) -> tuple[Grant, ...]:
    """Return every role that `member` could hold, `stytch_member` first, then in order of name.

    `connections` are those of the registrations, and `address_since` is when the member's address
    became the primary one. A role that the policy does not know (any more)
    grants nothing, wherever it is still assigned.
    """
    known = roles_of(policy, organization)
    found = {MEMBER_ROLE: [Source(DIRECT, {}, since=member.created_at)]}
    pairs = (
        *((row.role_id, Source(DIRECT, {}, row.given, row.given.given_at)) for row in direct),
        *_by_email(organization, member, address_since),
        *_by_connection(registrations, connections),
    )
    for role_id, source in pairs:
        sources = found.setdefault(role_id, [])
        if source not in sources:
            sources.append(source)
    ordered = sorted(found.items(), key=lambda item: (item[0] != MEMBER_ROLE, item[0]))
    return tuple(Grant(role_id, tuple(each)) for role_id, each in ordered if role_id in known)


def session_roles(grants: Iterable[Grant], factors: Iterable[Factor]) -> tuple[str, ...]:
    """Return the ids of those of a member's roles that count in a session with these factors.

    A role that only comes from SSO counts only with a factor of that connection.
    """
    proven = {"", *(str(factor.details.get("provider_id", "")) for factor in factors)}
    return tuple(
        grant.role_id
        for grant in grants
        if any(source.connection_id in proven for source in grant.sources)
    )


def _latest(*times: int) -> int:
    """Return when the last of several things came to be, 0 when that of one is not known."""
    return max(times) if all(times) else 0


def _by_email(
    organization: Organization, member: Member, address_since: int
) -> Iterator[tuple[str, Source]]:
    assignments = organization.rbac_email_implicit_role_assignments
    domain = domain_of(member.email_address) if assignments else ""
    for assignment in assignments:
        if assignment.domain == domain:
            since = _latest(assignment.given.given_at, address_since)
            details = {"email_domain": domain}
            yield assignment.role_id, Source(EMAIL, details, assignment.given, since)


def _by_connection(
    registrations: Sequence[Registration], connections: Sequence[Connection]
) -> Iterator[tuple[str, Source]]:
    by_id = {connection.connection_id: connection for connection in connections}
    for registration in registrations:
        connection = by_id.get(registration.connection_id)
        if connection is None:
            continue
        configuration = connection.saml or connection.oidc or connection.external
        if configuration is None:
            continue
        details = {"connection_id": connection.connection_id}
        for role_id in configuration.connection_roles:
            given = configuration.connection_roles_given.get(role_id, Given())
            since = _latest(given.given_at, registration.created_at)
            yield role_id, Source(CONNECTION, details, given, since)
        for assignment in configuration.group_roles:
            group = assignment.group
            if group in (registration.groups or ()):
                sent = registration.groups_since.get(group, 0)
                since = _latest(assignment.given.given_at, sent)
                yield (
                    assignment.role_id,
                    Source(GROUP, {**details, "group": group}, assignment.given, since),
                )
