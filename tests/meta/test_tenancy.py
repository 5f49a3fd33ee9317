"""Each query names the tenant whose rows it is about; one that lost it is found here (MT-25)."""

import re
from pathlib import Path

import pytest

from tests.meta.queries import Query, queries, queries_of
from tests.meta.source_tree import PACKAGE

# Columns that find one row which only its owner can name: what is in them was drawn at random, or
# is of a connection, which belongs to one organization.
OWN_ROW = frozenset(
    {
        "assertion_id",
        "logout_id",
        "message_id",
        "sign_in_id",
        "token_id",
        "update_id",
    }
)
# Queries that look beyond one organization of the project, each with why that is right.
ACROSS_ORGANIZATIONS = {
    "domain/discovery.py _by_address": "asks where an address is a member",
    "domain/connections.py sever": "those that share the connection that is deleted",
    "domain/logouts.py _owner": "the provider's owner may be another organization (external)",
    "domain/member_changes.py get_anywhere": "dangerously_get finds a member by its id alone",
    "domain/logouts.py _id_token": "by the registration in a session's own factor",
    "domain/members.py _connections": "by the ids in members' registrations",
    "domain/members.py require_unclaimed": "asks whether another one claims the domain",
    "domain/named_sessions.py places_of": "those that share the provider that logs out",
    "domain/oidc_refresh.py _configurations": "by the ids in one member's registrations",
    "domain/organizations.py _free_slug": "slugs are unique in the project",
    "domain/organizations.py get_all": "finds organizations by their names",
    "domain/organizations.py load": "finds an organization by one of its names",
    "domain/projects.py holdings": "counts what the whole project holds",
    "domain/session_revocation.py _of_member_id": "the answer says of which organization it is",
    "domain/session_revocation.py find": "the answer says of which organization it is",
    "domain/sign_in/start.py _connection": "a connection id is all that a start has",
    "domain/sso_discovery.py _memberships": "asks where an address is a member",
    "domain/sso_discovery.py _named_by_domain": "asks who names the domain",
}
# Queries that look beyond one project.
ACROSS_PROJECTS = {
    "domain/email_updates.py _of_link": "a link has a token alone",
    "domain/projects.py of_public_token": "the token says of which project it is",
    "domain/sign_in/callback.py target": "a callback's URL has the connection's id alone",
    "domain/upkeep/certificate_warnings.py _due": "upkeep looks after everybody's certificates",
    "domain/upkeep/feeds.py claim_due": "upkeep reads everybody's metadata",
    "store/cleanup.py": "what has expired goes, whoever's it was",
    "store/eligibility.py organizations": "hand-written SQL, looked at below",
    "store/origins.py redirect_urls": "a preflight names no project",
    "store/sharing.py members": "hand-written SQL, looked at below",
}


def unguarded(query: Query) -> set[str]:
    """Return the tenant columns that a query should name and does not."""
    lacking = {"project_id"} if query.lacks("project_id") else set()
    if query.lacks("organization_id") and not query.named & OWN_ROW:
        lacking.add("organization_id")
    return lacking


@pytest.mark.case("MT-25")
def test_every_query_names_its_tenant() -> None:
    found = queries()
    assert len(found) > 150
    beyond = {
        column: {query.place for query in found if column in unguarded(query)}
        for column in ("project_id", "organization_id")
    }
    assert beyond["project_id"] == ACROSS_PROJECTS.keys()
    assert beyond["organization_id"] - beyond["project_id"] == ACROSS_ORGANIZATIONS.keys()


@pytest.mark.case("MT-25")
def test_hand_written_sql_stands_in_few_places_that_name_the_tenant() -> None:
    by_hand = re.compile(r"\btx\.fetch\(|\.select\(")
    written = {
        path.relative_to(PACKAGE).as_posix(): path.read_text()
        for path in sorted(PACKAGE.rglob("*.py"))
        if by_hand.search(path.read_text())
    }
    assert written.keys() == {
        *("store/eligibility.py", "store/outbox.py", "store/search.py", "store/sharing.py"),
        *("store/audit_chains.py", "store/origins.py", "store/sms_counts.py"),
    }
    # The outbox is emptied for everybody, and an operator verifies everybody's audit log.
    of_tenants = ("eligibility", "search", "sharing")
    assert all("project_id = $1" in written[f"store/{name}.py"] for name in of_tenants)
    assert "ON CONFLICT (project_id, " in written["store/sms_counts.py"]


CODE = """
from vestibule.domain import logouts

def _within(organization):
    return {"project_id": 1, "organization_id": 2}

async def it(tx, found, where):
    own = {"project_id": 1}
    more: dict = {**own, "organization_id": 2}
    await tx.members.%s
"""


@pytest.mark.case("MT-25")
@pytest.mark.parametrize(
    ("query", "lacking"),
    [
        ("find(project_id=1, organization_id=2, member_id=3)", set()),
        ("all(**_within(1), order='created_at')", set()),
        ("all(**more)", set()),
        ("count(**logouts.at(found))", set()),
        ("change({'organization_id': 2}, **_within(1), member_id=3)", set()),
        ("find(project_id=1, member_id=3)", {"organization_id"}),
        ("all(**own, member_id=3)", {"organization_id"}),
        ("find(organization_id=2, member_id=3)", {"project_id"}),
        ("delete(member_id=3)", {"project_id", "organization_id"}),
        ("change({'organization_id': 2}, **own)", {"organization_id"}),
        ("all(**where)", {"project_id", "organization_id"}),
        ("select('WHERE member_id = $1', 3)", {"project_id", "organization_id"}),
    ],
)
def test_a_query_that_names_no_tenant_is_found(
    tmp_path: Path, query: str, lacking: set[str]
) -> None:
    file = tmp_path / "it.py"
    file.write_text(CODE % query)
    (found,) = queries_of(file)
    assert unguarded(found) == lacking
