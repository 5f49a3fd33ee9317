"""Which roles a member holds, where each comes from, and which of them count in a session."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from vestibule.domain.email import domain_of
from vestibule.domain.policy import MEMBER_ROLE, Policy, roles_of
from vestibule.records import Connection, Factor, Member, Organization, Registration

DIRECT: Final = "direct_assignment"
EMAIL: Final = "email_assignment"
CONNECTION: Final = "sso_connection"
GROUP: Final = "sso_connection_group"


@dataclass(frozen=True)
class Source:
    """One reason why a member holds a role (semantics 5.4); `details` is the wire's object."""

    type: str
    details: Mapping[str, str]

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
    direct: Sequence[str],
    registrations: Sequence[Registration],
    connections: Sequence[Connection],
    *,
    policy: Policy,
) -> tuple[Grant, ...]:
    """Return every role that `member` could hold, `stytch_member` first, then in order of name.

    `connections` are those of the registrations. A role that the policy does not know (any more)
    grants nothing, wherever it is still assigned.
    """
    known = roles_of(policy, organization)
    found: dict[str, list[Source]] = {MEMBER_ROLE: [Source(DIRECT, {})]}
    pairs = (
        *((role_id, Source(DIRECT, {})) for role_id in direct),
        *_by_email(organization, member),
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


def _by_email(organization: Organization, member: Member) -> Iterator[tuple[str, Source]]:
    assignments = organization.rbac_email_implicit_role_assignments
    domain = domain_of(member.email_address) if assignments else ""
    for assignment in assignments:
        if assignment.domain == domain:
            yield assignment.role_id, Source(EMAIL, {"email_domain": domain})


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
            yield role_id, Source(CONNECTION, details)
        for assignment in configuration.group_roles:
            if assignment.group in (registration.groups or ()):
                source = Source(GROUP, {**details, "group": assignment.group})
                yield assignment.role_id, source
