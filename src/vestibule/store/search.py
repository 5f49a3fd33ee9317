"""Searches of organizations and members: the predicates by name, and one page at a time.

A filter is a list of alternatives, each a `Term`: the name of a predicate below and its values.
`$1` is always the project. `{all}` stands for all values of a term, `{0}` and `{1}` for the first
two, `{organizations}` for those that are searched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from vestibule.records import Member, Organization, Record
from vestibule.store.interface import Transaction
from vestibule.store.table import Rows

R = TypeVar("R", bound=Record)
Operator = Literal["AND", "OR"]


@dataclass(frozen=True)
class Term:
    """A predicate by name, with its values. Those of a LIKE come from `containing`."""

    name: str
    values: tuple[object, ...] = ()


Filter = Sequence[Term]


@dataclass(frozen=True)
class Page(Generic[R]):
    """Some of the rows that fit, in the order of their ids; `total` counts all that fit."""

    rows: list[R]
    more: bool
    total: int


_ORGANIZATION_TERMS: Final[Mapping[str, str]] = {
    "id": "organization_id IN ({all})",
    "slug": "organization_slug IN ({all})",
    "name_like": "LOWER(organization_name) LIKE LOWER({0}) ESCAPE '!'",
    "slug_like": "LOWER(organization_slug) LIKE LOWER({0}) ESCAPE '!'",
    "email": "organization_id IN (SELECT organization_id FROM member_emails "
    "WHERE project_id = $1 AND NOT retired AND email_key IN ({all}))",
    "email_like": "organization_id IN (SELECT organization_id FROM member_emails "
    "WHERE project_id = $1 AND NOT retired AND LOWER(email_address) LIKE LOWER({0}) ESCAPE '!')",
    "allowed_domain": "organization_id IN (SELECT organization_id FROM organization_domains "
    "WHERE project_id = $1 AND kind = 'allowed' AND domain IN ({all}))",
    "allowed_domain_like": "organization_id IN (SELECT organization_id FROM organization_domains "
    "WHERE project_id = $1 AND kind = 'allowed' AND domain LIKE LOWER({0}) ESCAPE '!')",
    "claimed_domain": "organization_id IN (SELECT organization_id FROM organization_domains "
    "WHERE project_id = $1 AND kind = 'claimed' AND domain IN ({all}))",
    "active_connection": "organization_id IN (SELECT organization_id FROM connections "
    "WHERE project_id = $1 AND status = 'active')",
    "no_active_connection": "organization_id NOT IN (SELECT organization_id FROM connections "
    "WHERE project_id = $1 AND status = 'active')",
    "connection": "organization_id IN (SELECT organization_id FROM connections "
    "WHERE project_id = $1 AND connection_id = {0})",
}

_MEMBER_TERMS: Final[Mapping[str, str]] = {
    "id": "member_id IN ({all})",
    "external_id": "external_id IN ({all})",
    # A deleted member's address is nobody's any more, but such members are looked for by it.
    "email": "(member_id IN (SELECT member_id FROM member_emails WHERE project_id = $1 "
    "AND organization_id IN ({organizations}) AND NOT retired AND email_key IN ({all})) "
    "OR (status = 'deleted' AND LOWER(email_address) IN ({all})))",
    "email_like": "LOWER(email_address) LIKE LOWER({0}) ESCAPE '!'",
    "breakglass": "is_breakglass",
    "no_breakglass": "NOT is_breakglass",
    "status": "status IN ({all})",
    "phone": "mfa_phone_number IN ({all})",
    "phone_like": "mfa_phone_number LIKE {0} ESCAPE '!'",
    "all": "1 = 1",
    "none": "1 = 0",
    "direct_role": "member_id IN (SELECT member_id FROM member_roles WHERE project_id = $1 "
    "AND organization_id IN ({organizations}) AND role_id IN ({all}))",
    "email_domain": "member_id IN (SELECT member_id FROM member_emails WHERE project_id = $1 "
    "AND organization_id = {0} AND NOT retired AND email_key LIKE {1} ESCAPE '!')",
    "registered": "member_id IN (SELECT member_id FROM registrations WHERE project_id = $1 "
    "AND connection_id IN ({all}))",
    # `groups` is a JSON list without spaces; a text without what it contains is shorter.
    "in_group": "member_id IN (SELECT member_id FROM registrations WHERE project_id = $1 "
    "AND connection_id = {0} AND (REPLACE(groups, '[' || {1}, '') <> groups "
    "OR REPLACE(groups, ',' || {1}, '') <> groups))",
}


def containing(text: str) -> str:
    """Return the LIKE pattern of everything that has `text` in it."""
    return f"%{_escaped(text)}%"


def ending_with(text: str) -> str:
    """Return the LIKE pattern of everything that ends with `text`."""
    return f"%{_escaped(text)}"


async def organizations(
    tx: Transaction,
    project_id: str,
    *,
    filters: Sequence[Filter],
    operator: Operator,
    after: str,
    limit: int,
) -> Page[Organization]:
    """Return up to `limit` organizations that fit, those whose id comes after `after`."""
    values = _Values(project_id)
    where = "project_id = $1" + values.predicate(filters, _ORGANIZATION_TERMS, operator)
    total = await _count(tx, "organizations", where, values)
    tail = f"WHERE {where} AND organization_id > {values.mark(after)} ORDER BY organization_id"
    return await _page(tx.organizations, tail, values, limit=limit, total=total)


async def members(
    tx: Transaction,
    project_id: str,
    organization_ids: Sequence[str],
    *,
    filters: Sequence[Filter],
    operator: Operator,
    with_deleted: bool,
    after: tuple[str, str],
    limit: int,
) -> Page[Member]:
    """Return up to `limit` members that fit, those whose organization and id come after `after`."""
    values = _Values(project_id)
    searched = values.marks(organization_ids)
    where = f"project_id = $1 AND organization_id IN ({searched})"
    if not with_deleted:
        where += " AND status <> 'deleted'"
    where += values.predicate(filters, _MEMBER_TERMS, operator, organizations=searched)
    total = await _count(tx, "members", where, values)
    start = values.marks(after)
    tail = (
        f"WHERE {where} AND (organization_id, member_id) > ({start}) "
        "ORDER BY organization_id, member_id"
    )
    return await _page(tx.members, tail, values, limit=limit, total=total)


class _Values:
    """The values of one statement, numbered in the order in which they were asked for."""

    def __init__(self, project_id: str) -> None:
        self.given: list[object] = [project_id]

    def mark(self, value: object) -> str:
        self.given.append(value)
        return f"${len(self.given)}"

    def marks(self, values: Sequence[object]) -> str:
        # Nothing is equal to NULL: an empty list finds nothing.
        return ", ".join([self.mark(value) for value in values]) or "NULL"

    def predicate(
        self,
        filters: Sequence[Filter],
        terms: Mapping[str, str],
        operator: Operator,
        *,
        organizations: str = "",
    ) -> str:
        """Return ` AND (…)` for the filters, or '' when there are none."""
        texts = []
        for alternatives in filters:
            parts = [self._text(term, terms[term.name], organizations) for term in alternatives]
            texts.append("(" + " OR ".join(parts) + ")")
        return f" AND ({f' {operator} '.join(texts)})" if texts else ""

    def _text(self, term: Term, template: str, organizations: str) -> str:
        marks = [self.mark(value) for value in term.values]
        together = ", ".join(marks) or "NULL"
        return template.format(*marks, all=together, organizations=organizations)


async def _count(tx: Transaction, table: str, where: str, values: _Values) -> int:
    sql = f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608 - text of this file, no values
    return int((await tx.fetch(sql, *values.given))[0][0])


async def _page(rows: Rows[R], tail: str, values: _Values, *, limit: int, total: int) -> Page[R]:
    found = await rows.select(f"{tail} LIMIT {values.mark(limit + 1)}", *values.given)
    return Page(rows=found[:limit], more=len(found) > limit, total=total)


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
