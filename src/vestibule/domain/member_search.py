"""Search for members of one or several organizations (semantics 1.3)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from vestibule import errors
from vestibule.domain import cursor, members, organizations
from vestibule.domain.context import Context
from vestibule.domain.email import key_of
from vestibule.domain.members import ID_FORM, MemberView
from vestibule.domain.organizations import OrganizationView
from vestibule.domain.policy import MEMBER_ROLE, Policy, project_policy, roles_of
from vestibule.domain.search_filters import Kind, SearchErrors, read_filters
from vestibule.errors import Failure
from vestibule.records import Connection, Organization, Project
from vestibule.store import search
from vestibule.store.interface import Transaction
from vestibule.store.search import Filter, Operator, Term

# A database takes expressions up to a depth of 1,000 (SQLite).
_MAX_TERMS: Final = 300
_STATUSES: Final = frozenset({"pending", "invited", "active", "deleted"})


@dataclass(frozen=True)
class Found:
    """One page with the organizations its members are in; `next_cursor` is None on the last."""

    members: list[MemberView]
    organizations: list[OrganizationView]
    total: int
    next_cursor: str | None


async def run(
    context: Context,
    project: Project,
    *,
    within: Sequence[Organization],
    operands: Sequence[Mapping[str, Any]],
    operator: Operator,
    after: str,
    limit: int,
) -> Found:
    """Return a page of the members of `within` that fit, oldest first; `after` is a cursor or ''.

    Deleted members are found only by a `statuses` filter that names them. Raises Failure
    bad_request for a cursor that is not of this very search, search_invalid_status_filter or
    member_search_….
    """
    filters = read_filters(operands, FILTERS, _ERRORS)
    by_id = {organization.organization_id: organization for organization in within}
    search_name = cursor.named("members", sorted(by_id), operator, filters)
    first, second = cursor.read(context, project, search_name, after) if after else ("", "")
    async with context.store.read() as tx:
        page = await search.members(
            tx,
            project.project_id,
            tuple(by_id),
            filters=[
                await _with_roles(tx, project_policy(project), within, each) for each in filters
            ],
            operator=operator,
            with_deleted=any(_names_deleted(each) for each in filters),
            after=(first, second),
            limit=limit,
        )
        views = await members.views_across(tx, project, by_id, page.rows)
        ids = dict.fromkeys(member.organization_id for member in page.rows)
        shown = await organizations.views(tx, project, [by_id[each] for each in ids])
    following = None
    if page.more:
        last = page.rows[-1]
        position = (last.organization_id, last.member_id)
        following = cursor.write(context, project, search_name, position)
    return Found(members=views, organizations=shown, total=page.total, next_cursor=following)


def _names_deleted(condition: Filter) -> bool:
    return any(term.name == "status" and "deleted" in term.values for term in condition)


async def _with_roles(
    tx: Transaction, policy: Policy, within: Sequence[Organization], condition: Filter
) -> Filter:
    """Return `condition`, or when it asks for roles all the ways in which one can be held."""
    if condition[0].name != "roles":
        return condition
    wanted = set(condition[0].values)
    if MEMBER_ROLE in wanted:
        return [Term("all")]
    known = wanted & {
        role_id for organization in within for role_id in roles_of(policy, organization)
    }
    connections = await tx.connections.all(
        project_id=within[0].project_id,
        organization_id=tuple(organization.organization_id for organization in within),
        status="active",
    )
    terms = [Term("direct_role", tuple(sorted(map(str, known))))]
    for organization in within:
        terms += _by_email(organization, known)
    for connection in connections:
        terms += _by_connection(connection, known)
    if len(terms) > _MAX_TERMS:
        raise Failure(
            errors.bad_request,
            "member_roles: too many settings grant these roles; name fewer Organizations.",
        )
    return terms


def _by_email(organization: Organization, wanted: Collection[object]) -> Iterator[Term]:
    for assignment in organization.rbac_email_implicit_role_assignments:
        if assignment.role_id in wanted:
            pattern = search.ending_with(f"@{assignment.domain}")
            yield Term("email_domain", (organization.organization_id, pattern))


def _by_connection(connection: Connection, wanted: Collection[object]) -> Iterator[Term]:
    configuration = connection.saml or connection.oidc or connection.external
    if configuration is None:
        return
    if any(role_id in wanted for role_id in configuration.connection_roles):
        yield Term("registered", (connection.connection_id,))
    for assignment in configuration.group_roles:
        if assignment.role_id in wanted:
            group = msgspec.json.encode(assignment.group).decode()
            yield Term("in_group", (connection.connection_id, group))


def _ids(values: list[str]) -> Filter:
    internal = [bool(ID_FORM.fullmatch(value)) for value in values]
    if any(internal) and not all(internal):
        raise Failure(errors.member_search_cannot_mix_internal_and_external_member_ids)
    return [Term("id" if all(internal) else "external_id", tuple(values))]


def _emails(values: list[str]) -> Filter:
    return [Term("email", tuple(filter(None, map(key_of, values))))]


def _email_like(text: str) -> Filter:
    return [Term("email_like", (search.containing(text),))]


def _breakglass(wanted: bool) -> Filter:  # noqa: FBT001 - the value of a filter
    return [Term("breakglass" if wanted else "no_breakglass")]


def _statuses(values: list[str]) -> Filter:
    if not _STATUSES.issuperset(values):
        raise Failure(errors.search_invalid_status_filter)
    return [Term("status", tuple(values))]


def _phones(values: list[str]) -> Filter:
    return [Term("phone", tuple(values))]


def _phone_like(text: str) -> Filter:
    return [Term("phone_like", (search.containing(text),))]


def _password_exists(wanted: bool) -> Filter:  # noqa: FBT001 - the value of a filter
    # Nobody can have a password yet.
    return [Term("none" if wanted else "all")]


def _roles(values: list[str]) -> Filter:
    return [Term("roles", tuple(values))]


_ERRORS: Final = SearchErrors(
    missing_name=errors.member_search_missing_filter_name,
    name_not_string=errors.member_search_filter_name_must_be_string,
    name_unknown=errors.member_search_filter_name_not_recognized,
    missing_value=errors.member_search_missing_filter_value,
    expected_strings=errors.member_search_expected_array_of_strings,
    expected_string=errors.member_search_expected_string,
    expected_boolean=errors.member_search_expected_boolean,
)
_PHONES: Final = Kind("strings", _phones)
_PHONE_FUZZY: Final = Kind(
    "string", _phone_like, errors.member_search_member_mfa_phone_number_fuzzy_too_short
)
FILTERS: Final[Mapping[str, Kind]] = {
    "member_ids": Kind("strings", _ids),
    "member_emails": Kind("strings", _emails),
    "member_email_fuzzy": Kind(
        "string", _email_like, errors.member_search_member_email_fuzzy_too_short
    ),
    "member_is_breakglass": Kind("boolean", _breakglass),
    "statuses": Kind("strings", _statuses),
    "member_mfa_phone_numbers": _PHONES,
    "member_mfa_phone_number_fuzzy": _PHONE_FUZZY,
    # The back-end SDKs say it without mfa.
    "member_phone_numbers": _PHONES,
    "member_phone_number_fuzzy": _PHONE_FUZZY,
    "member_password_exists": Kind("boolean", _password_exists),
    "member_roles": Kind("strings", _roles),
}
