"""Stories of people who come in: through an identity provider, or from another organization."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.support.model import roles, sign_in
from tests.support.model.nouns import Connection, Member, Organization, Person, Session, SsoToken
from tests.support.model.servers import both
from tests.support.model.story import (
    MINUTES,
    SESSIONS,
    Story,
    has,
    named,
    some,
    with_fields,
)
from tests.support.scenario import Scenario

PEOPLE = st.sampled_from(
    [
        Person("ada", "ada@acme.test"),
        Person("ada", "ada@acme.test"),
        Person("bob", "bob@acme.test"),
        Person("cyd", "cyd@globex.test"),
        Person("ada", "cyd@globex.test"),
    ]
)
GROUPS = st.none() | st.sets(st.sampled_from(["red", "blue"]))


class SignIns(Story):
    @precondition(has("connections"))
    @rule(connection=some("connections"), person=PEOPLE, groups=GROUPS, minutes=MINUTES)
    def sign_in(
        self, connection: Connection, person: Person, groups: set[str] | None, minutes: int | None
    ) -> None:
        self.come_in(connection, person, groups, minutes)

    @precondition(has("connections"))
    @rule(connection=some("connections"), person=PEOPLE, groups=GROUPS)
    def begin_sign_in(
        self, connection: Connection, person: Person, groups: set[str] | None
    ) -> None:
        self._token(connection, person, groups)

    @precondition(has("sso_tokens"))
    @rule(token=some("sso_tokens"), minutes=MINUTES)
    def redeem(self, token: SsoToken, minutes: int | None) -> None:
        self._redeem(token, None, minutes)

    @precondition(has("sessions"))
    @rule(beside=some("sessions"), connection=some("connections"), person=PEOPLE, minutes=MINUTES)
    def sign_in_beside_session(
        self, beside: Session, connection: Connection, person: Person, minutes: int | None
    ) -> None:
        token = self._token(connection, person, None)
        if token is not None:
            self._redeem(token, beside, minutes)

    @precondition(has("sessions"))
    @rule(
        session=some("sessions"),
        there=some("organizations"),
        minutes=MINUTES,
        by_jwt=st.booleans(),
    )
    def exchange(
        self, session: Session, there: Organization, minutes: int | None, by_jwt: bool
    ) -> None:
        if session.intermediate:
            return
        bodies = with_fields(named(session, by_jwt=by_jwt), organization_id=there.ids)
        answers = self.servers.ask("POST", f"{SESSIONS}/exchange", lasting(bodies, minutes))
        told = self.told(
            answers, lambda: sign_in.exchange(self.world, session, there, minutes=minutes)
        )
        if told:
            self._keep(*told)

    @precondition(has("sessions"))
    @rule(session=some("sessions"), minutes=st.sampled_from([5, 90]), by_jwt=st.booleans())
    def prolong_session(self, session: Session, minutes: int, by_jwt: bool) -> None:
        if not session.intermediate:
            bodies = lasting(named(session, by_jwt=by_jwt), minutes)
            answers = self.servers.ask("POST", f"{SESSIONS}/authenticate", bodies)
            self.told(answers, lambda: sign_in.extend(self.world, session, minutes))

    @precondition(has("sessions"))
    @rule(session=some("sessions"), permission=st.sampled_from([roles.READS, roles.CHANGES]))
    def check_permission(self, session: Session, permission: tuple[str, str]) -> None:
        if session.intermediate:
            return
        resource, action = permission
        first, second = (
            {"organization_id": each, "resource_id": resource, "action": action}
            for each in session.member.organization.ids
        )
        bodies = with_fields(named(session), authorization_check=(first, second))
        answers = self.servers.ask("POST", f"{SESSIONS}/authenticate", bodies)
        told = self.told(answers, lambda: sign_in.allowing(self.world, session, permission))
        if told:
            assert set(told[1][0]["verdict"]["granting_roles"]) == told[0]

    @precondition(has("connections", "members"))
    @rule(member=some("members"), connection=some("connections"), groups=GROUPS, minutes=MINUTES)
    def sign_in_as_member(
        self,
        member: Member,
        connection: Connection,
        groups: set[str] | None,
        minutes: int | None,
    ) -> None:
        self.come_in(*self.way_of(member, connection), groups, minutes)

    def way_of(self, member: Member, otherwise: Connection) -> tuple[Connection, Person]:
        """Return where a member can come in, and as whom; `otherwise` where there is no way."""
        for connection, known in member.registrations.items():
            return connection, Person(known.subject, member.address)
        here = [each for each in self.world.connections_of(member.organization) if each.active]
        subject = member.address.partition("@")[0]
        return (here or [otherwise])[0], Person(subject, member.address)

    def come_in(
        self, connection: Connection, person: Person, groups: set[str] | None, minutes: int | None
    ) -> Session | None:
        """Sign in, and return what came of it."""
        token = self._token(connection, person, groups)
        return None if token is None else self._redeem(token, None, minutes)

    def _token(
        self, connection: Connection, person: Person, groups: set[str] | None
    ) -> SsoToken | None:
        """Go to the identity provider and come back with a token; None where nobody is sent."""
        attributes = {"email": [person.address], "firstName": ["A"], "lastName": ["B"]}
        if groups is not None:
            attributes["groups"] = sorted(groups)
        owned = connection.underlying

        async def come_back(side: Scenario, at: int) -> tuple[int, str]:
            browser = side.browser()
            started = await side.start(browser, connection_id=connection.ids[at])
            if started.status != 302:
                return started.status, ""
            base = f"https://sso.example.test/v1/b2b/sso/callback/{owned.ids[at]}"
            known = {
                "connection_id": connection.ids[at],
                "acs_url": base,
                "audience_uri": base,
            }
            text = await side.saml_token(
                known,
                browser=browser,
                email=person.address,
                subject=person.subject,
                attributes=attributes,
            )
            return started.status, text

        came = self.servers.each(come_back)
        assert came[0][0] == came[1][0]
        if not sign_in.leads_somewhere(connection):
            assert {status for status, _ in came} <= {400, 404}
            return None
        token = sign_in.asserted(self.world, connection, person, groups)
        assert {status for status, _ in came} == {302}
        token.texts = both(came, 1)
        return token

    def _redeem(
        self, token: SsoToken, beside: Session | None, minutes: int | None
    ) -> Session | None:
        bodies = named(beside) if beside else ({}, {})
        bodies = lasting(with_fields(bodies, sso_token=token.texts), minutes)
        answers = self.servers.ask("POST", "/v1/b2b/sso/authenticate", bodies)
        told = self.told(
            answers,
            lambda: sign_in.redeem(self.world, token, beside=beside, minutes=minutes),
        )
        if told is None:
            return None
        self._keep(*told)
        return told[0]

    def _keep(self, session: Session, told: tuple[Any, Any]) -> None:
        """Compare how a login ended, and keep the names of what came of it."""
        member = session.member
        member.ids = member.ids if member.ids[0] else both(told, "member_id")
        assert both(told, "member_id") == member.ids
        assert told[0]["member_authenticated"] is not session.intermediate
        keep(session, told)


def keep(session: Session, told: tuple[Any, Any]) -> None:
    """Keep the names of a session that an answer shows; they never change."""
    kind = "intermediate_session_token" if session.intermediate else "session_token"
    tokens = both(told, kind)
    assert session.tokens in {("", ""), tokens}
    assert all(tokens)
    session.tokens = tokens
    if session.intermediate:
        assert told[0]["member_session"] is None
        assert both(told, "session_token") == both(told, "session_jwt") == ("", "")
    else:
        session.jwts = both(told, "session_jwt")
        session.ids = both(told, "member_session", "member_session_id")


def lasting(bodies: tuple[Any, Any], minutes: int | None) -> tuple[Any, Any]:
    """Ask for a session of that length; None leaves it to the server."""
    return bodies if minutes is None else with_fields(bodies, session_duration_minutes=minutes)
