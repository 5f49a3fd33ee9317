"""A small model of organizations, members, roles and sessions, and the server on both databases.

What hypothesis thinks of is done to the model and to two servers, on SQLite and on PostgreSQL. Both
answer the same, and what they show afterwards is what the model says.
"""

import asyncio
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.support.asgi import Answer
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.scenario import Scenario, open_scenario
from vestibule.clock import SECOND
from vestibule.store.interface import Store
from vestibule.store.open import open_store

_MINUTE: Final = 60 * SECOND
_ID: Final = re.compile(rb"[a-z][a-z-]*-test-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECRET: Final = re.compile(
    rb'"(session_token|session_jwt|request_id|[a-z_]*session_token)":"[^"]*"'
)
_ROLES: Final = st.sets(st.sampled_from(["stytch_admin"]))
_PEOPLE: Final = st.sampled_from(["ada", "bob", "cyd"])


@dataclass(eq=False)
class Organization:
    """One organization, in both servers; what belongs to a server is a pair."""

    ids: tuple[str, str]
    connections: tuple[dict[str, Any], dict[str, Any]]
    exists: bool = True
    second_factor: bool = False


@dataclass(eq=False)
class Member:
    """A member: whether it is active, proven by a sign-in, and with which direct roles."""

    organization: Organization
    ids: tuple[str, str]
    email: str
    active: bool = True
    proven: bool = False
    roles: set[str] = field(default_factory=set)

    @property
    def exists(self) -> bool:
        return self.organization.exists


@dataclass(eq=False)
class Session:
    """A session: until when it lives, unless it is ended before."""

    member: Member
    tokens: tuple[str, str]
    expires_at: int
    ended: bool = False


class Servers:
    """Two servers that are asked the same; a project of its own for each run of the machine."""

    def __init__(self, urls: tuple[str, str], runner: asyncio.Runner) -> None:
        self._runner = runner
        self._numbers = itertools.count(1000)
        self.stores: list[Store] = [runner.run(open_store(url, connections=2)) for url in urls]
        self.sides: tuple[Scenario, Scenario]
        self.clocks: tuple[HandClock, HandClock]

    def begin(self) -> None:
        """Give both servers a new project and the same time."""
        number = next(self._numbers)
        self.clocks = (HandClock(), HandClock())
        first, second = (
            self._runner.run(
                open_scenario(store, clock=clock, entropy=SeededEntropy(number), name=f"{number}")
            )
            for store, clock in zip(self.stores, self.clocks, strict=True)
        )
        self.sides = (first, second)

    @property
    def now(self) -> int:
        return self.clocks[0].now()

    def pass_time(self, microseconds: int) -> None:
        for clock in self.clocks:
            clock.advance(microseconds)

    def ask(
        self, method: str, paths: tuple[str, str], bodies: tuple[Any, Any] = (None, None)
    ) -> tuple[Answer, Answer]:
        """Ask both servers; they have to say the same but for ids and secrets."""
        first, second = (
            self._runner.run(side.api.call(method, path, body))
            for side, path, body in zip(self.sides, paths, bodies, strict=True)
        )
        assert first.status < 500, first.text
        assert comparable(first) == comparable(second)
        return first, second

    def connect(self, ids: tuple[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Make a SAML connection in an organization of each."""
        first, second = (
            self._runner.run(side.saml_connection(each))
            for side, each in zip(self.sides, ids, strict=True)
        )
        return first, second

    def sso_tokens(self, member: Member) -> tuple[str, str]:
        """Take a member through its organization's identity provider."""
        first, second = (
            self._runner.run(side.saml_token(connection, email=member.email))
            for side, connection in zip(self.sides, member.organization.connections, strict=True)
        )
        return first, second

    def close(self) -> None:
        for store in self.stores:
            self._runner.run(store.close())


def comparable(answer: Answer) -> tuple[int, bytes]:
    """Return an answer with each id replaced by its place among them, and without secrets."""
    places: dict[bytes, int] = {}
    text = _SECRET.sub(rb'"\1":""', answer.body)
    return answer.status, _ID.sub(
        lambda found: b"id-%d" % places.setdefault(found[0], len(places)), text
    )


def pair(answers: tuple[Answer, Answer], *names: str) -> tuple[Any, Any]:
    """Return what stands below `names` in both answers, which have to be good."""
    found = []
    for answer in answers:
        assert answer.status == 200, answer.text
        value = answer.json
        for name in names:
            value = value[name]
        found.append(value)
    return found[0], found[1]


class IdentityCore(RuleBasedStateMachine):
    """The machine; `servers` is set by `agrees`."""

    servers: Servers
    organizations = Bundle("organizations")
    members = Bundle("members")
    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.servers.begin()
        self.all_organizations: list[Organization] = []
        self.all_members: list[Member] = []
        self.all_sessions: list[Session] = []

    def _of(self, organization: Organization, rest: str = "") -> tuple[str, str]:
        first, second = (f"/v1/b2b/organizations/{each}{rest}" for each in organization.ids)
        return first, second

    def _at(self, member: Member, rest: str = "") -> tuple[str, str]:
        here = zip(self._of(member.organization), member.ids, strict=True)
        first, second = (f"{path}/members/{each}{rest}" for path, each in here)
        return first, second

    def _refused(self, answers: tuple[Answer, Answer], *errors: str) -> None:
        assert answers[0].json.get("error_type") in errors, answers[0].text

    def _end_sessions(self, member: Member) -> None:
        for session in self.all_sessions:
            session.ended = session.ended or session.member is member

    @rule(target=organizations)
    def add_organization(self) -> Organization:
        body = {"organization_name": f"Organization {len(self.all_organizations)}"}
        made = self.servers.ask("POST", ("/v1/b2b/organizations",) * 2, (body, body))
        ids = pair(made, "organization", "organization_id")
        organization = Organization(ids, self.servers.connect(ids))
        self.all_organizations.append(organization)
        return organization

    @rule(organization=consumes(organizations))
    def delete_organization(self, organization: Organization) -> None:
        pair(self.servers.ask("DELETE", self._of(organization)))
        organization.exists = False
        self._refused(self.servers.ask("GET", self._of(organization)), "organization_not_found")

    @rule(organization=organizations, wanted=st.booleans())
    def ask_for_second_factor(self, organization: Organization, wanted: bool) -> None:
        body = {"mfa_policy": "REQUIRED_FOR_ALL" if wanted else "OPTIONAL"}
        pair(self.servers.ask("PUT", self._of(organization), (body, body)))
        organization.second_factor = wanted

    @rule(target=members, organization=organizations, person=_PEOPLE)
    def add_member(self, organization: Organization, person: str) -> Any:
        email = f"{person}@acme.test"
        body = {"email_address": email}
        made = self.servers.ask("POST", self._of(organization, "/members"), (body, body))
        if self._taken(organization, email):
            self._refused(made, "duplicate_member_email")
            return multiple()
        member = Member(organization, pair(made, "member_id"), email)
        self.all_members.append(member)
        return member

    def _taken(self, organization: Organization, email: str) -> bool:
        return any(
            each.active and each.email == email and each.organization is organization
            for each in self.all_members
        )

    @rule(member=members)
    def delete_member(self, member: Member) -> None:
        answers = self.servers.ask("DELETE", self._at(member))
        if not member.exists:
            self._refused(answers, "organization_not_found")
        elif not member.active:
            self._refused(answers, "member_not_found")
        else:
            pair(answers)
            member.active = False
            self._end_sessions(member)

    @rule(member=members)
    def reactivate_member(self, member: Member) -> None:
        answers = self.servers.ask("PUT", self._at(member, "/reactivate"), ({}, {}))
        if not member.exists:
            self._refused(answers, "organization_not_found")
        elif member.active:
            self._refused(answers, "no_deleted_member_found_for_reactivation")
        elif not member.proven or self._taken(member.organization, member.email):
            assert answers[0].status == 400, answers[0].text
        else:
            pair(answers)
            member.active = True

    @rule(member=members, roles=_ROLES)
    def set_roles(self, member: Member, roles: set[str]) -> None:
        body = {"roles": sorted(roles)}
        answers = self.servers.ask("PUT", self._at(member), (body, body))
        if member.exists and member.active:
            pair(answers)
            member.roles = roles
        else:
            self._refused(answers, "organization_not_found", "member_not_found")

    @rule(target=sessions, member=members, minutes=st.sampled_from([5, 60]))
    def sign_in(self, member: Member, minutes: int) -> Any:
        if not (member.exists and member.active):
            return multiple()
        first, second = (
            {"sso_token": token, "session_duration_minutes": minutes}
            for token in self.servers.sso_tokens(member)
        )
        path = "/v1/b2b/sso/authenticate"
        answers = self.servers.ask("POST", (path, path), (first, second))
        assert pair(answers, "member_id") == member.ids
        member.proven = True
        if member.organization.second_factor:
            assert pair(answers, "member_session") == (None, None)
            assert pair(answers, "session_token") == ("", "")
            return multiple()
        session = Session(
            member, pair(answers, "session_token"), self.servers.now + minutes * _MINUTE
        )
        self.all_sessions.append(session)
        return session

    @rule(session=sessions)
    def revoke_session(self, session: Session) -> None:
        first, second = ({"session_token": token} for token in session.tokens)
        pair(self.servers.ask("POST", ("/v1/b2b/sessions/revoke",) * 2, (first, second)))
        session.ended = True

    @rule(member=members)
    def revoke_all_sessions(self, member: Member) -> None:
        first, second = ({"member_id": each} for each in member.ids)
        answers = self.servers.ask("POST", ("/v1/b2b/sessions/revoke",) * 2, (first, second))
        if member.exists:  # also where it is deleted: ending what has ended is no error
            pair(answers)
            self._end_sessions(member)
        else:
            self._refused(answers, "member_not_found")

    @rule(minutes=st.integers(1, 40))
    def wait(self, minutes: int) -> None:
        self.servers.pass_time(minutes * _MINUTE)

    @invariant()
    def members_are_as_the_model_says(self) -> None:
        for member in self.all_members:
            base = "/v1/b2b/organizations/members/dangerously_get"
            first, second = (f"{base}/{each}?include_deleted=true" for each in member.ids)
            answers = self.servers.ask("GET", (first, second))
            if not member.exists:
                self._refused(answers, "member_not_found")
                continue
            shown: Mapping[str, Any] = pair(answers, "member")[0]
            assert shown["status"] == ("active" if member.active else "deleted")
            if member.active:
                direct = {each["role_id"] for each in shown["roles"]}
                assert direct == {"stytch_member", *member.roles}
                assert shown["is_admin"] == ("stytch_admin" in member.roles)

    @invariant()
    def sessions_are_as_the_model_says(self) -> None:
        path = "/v1/b2b/sessions/authenticate"
        for session in self.all_sessions:
            first, second = ({"session_token": token} for token in session.tokens)
            answers = self.servers.ask("POST", (path, path), (first, second))
            member = session.member
            alive = not session.ended and self.servers.now < session.expires_at
            if alive and member.exists:
                shown = pair(answers, "member_session")[0]
                assert set(shown["roles"]) == {"stytch_member", *member.roles}
                assert shown["member_id"] == member.ids[0]
            else:
                self._refused(answers, "session_not_found")

    @invariant()
    def living_sessions_are_listed(self) -> None:
        for member in self.all_members:
            if not (member.exists and member.active):
                continue
            query = zip(member.organization.ids, member.ids, strict=True)
            first, second = (
                f"/v1/b2b/sessions?organization_id={where}&member_id={who}" for where, who in query
            )
            listed = pair(self.servers.ask("GET", (first, second)), "member_sessions")[0]
            living = [
                each
                for each in self.all_sessions
                if each.member is member and not each.ended and self.servers.now < each.expires_at
            ]
            assert len(listed) == len(living)


def agrees(
    sqlite_url: str, postgres_url: str, *, examples: int, steps: int, seed_number: int
) -> None:
    """Let both servers be driven beside the model. AssertionError with the steps that part them."""
    with asyncio.Runner() as runner:
        servers = Servers((sqlite_url, postgres_url), runner)
        machine = seed(seed_number)(type("Machine", (IdentityCore,), {"servers": servers}))
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=steps,
                    deadline=None,
                    database=None,
                    # A failure takes as long to make smaller as all the rest; it is told as it is.
                    phases=[Phase.generate],
                    report_multiple_bugs=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            servers.close()
