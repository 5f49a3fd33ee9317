"""Search for organizations (semantics 1.2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vestibule import errors
from vestibule.domain import cursor, organizations
from vestibule.domain.context import Context
from vestibule.domain.email import key_of
from vestibule.domain.organizations import OrganizationView
from vestibule.domain.search_filters import Kind, SearchErrors, read_filters
from vestibule.records import Project
from vestibule.store import search
from vestibule.store.search import Filter, Operator, Term


@dataclass(frozen=True)
class Found:
    """One page; `next_cursor` is None on the last."""

    organizations: list[OrganizationView]
    total: int
    next_cursor: str | None


async def run(
    context: Context,
    project: Project,
    *,
    operands: Sequence[Mapping[str, Any]],
    operator: Operator,
    after: str,
    limit: int,
) -> Found:
    """Return a page of the organizations that fit, oldest first; `after` is a cursor or ''.

    Raises Failure bad_request for a cursor that is not of this very search, or
    organization_search_….
    """
    filters = read_filters(operands, FILTERS, _ERRORS)
    search_name = cursor.named("organizations", operator, filters)
    (start,) = cursor.read(context, project, search_name, after) if after else ("",)
    async with context.store.read() as tx:
        page = await search.organizations(
            tx, project.project_id, filters=filters, operator=operator, after=start, limit=limit
        )
        views = await organizations.views(tx, project, page.rows)
    following = None
    if page.more:
        position = (page.rows[-1].organization_id,)
        following = cursor.write(context, project, search_name, position)
    return Found(organizations=views, total=page.total, next_cursor=following)


def _any_of(name: str) -> Callable[[list[str]], Filter]:
    return lambda values: [Term(name, tuple(values))]


def _any_of_lower(name: str) -> Callable[[list[str]], Filter]:
    return lambda values: [Term(name, tuple(value.lower() for value in values))]


def _like(name: str) -> Callable[[str], Filter]:
    return lambda text: [Term(name, (search.containing(text),))]


def _emails(values: list[str]) -> Filter:
    return [Term("email", tuple(filter(None, map(key_of, values))))]


def _has_active_connection(wanted: bool) -> Filter:  # noqa: FBT001 - the value of a filter
    return [Term("active_connection" if wanted else "no_active_connection")]


_ERRORS: Final = SearchErrors(
    missing_name=errors.organization_search_missing_filter_name,
    name_not_string=errors.organization_search_filter_name_must_be_string,
    name_unknown=errors.organization_search_filter_name_not_recognized,
    missing_value=errors.organization_search_missing_filter_value,
    expected_strings=errors.organization_search_expected_array_of_strings,
    expected_string=errors.organization_search_expected_string,
    expected_boolean=errors.organization_search_expected_boolean,
)
FILTERS: Final[Mapping[str, Kind]] = {
    "organization_ids": Kind("strings", _any_of("id")),
    "organization_slugs": Kind("strings", _any_of("slug")),
    "organization_name_fuzzy": Kind(
        "string",
        _like("name_like"),
        errors.organization_search_organization_name_fuzzy_too_short,
    ),
    "organization_slug_fuzzy": Kind(
        "string",
        _like("slug_like"),
        errors.organization_search_organization_slug_fuzzy_too_short,
    ),
    "member_emails": Kind("strings", _emails),
    "member_email_fuzzy": Kind(
        "string", _like("email_like"), errors.organization_search_member_email_fuzzy_too_short
    ),
    "allowed_domains": Kind("strings", _any_of_lower("allowed_domain")),
    "allowed_domain_fuzzy": Kind(
        "string",
        _like("allowed_domain_like"),
        errors.organization_search_allowed_domain_fuzzy_too_short,
    ),
    "claimed_email_domains": Kind("strings", _any_of_lower("claimed_domain")),
    "has_active_sso_connection": Kind("boolean", _has_active_connection),
    "sso_connection_id": Kind("string", lambda value: [Term("connection", (value,))]),
}
