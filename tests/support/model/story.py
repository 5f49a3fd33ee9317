"""What every story has: the model, both servers, and that they agree after each step."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from hypothesis.strategies import SearchStrategy

from tests.support.asgi import Answer
from tests.support.model import roles
from tests.support.model.nouns import (
    Connection,
    Member,
    Organization,
    Pair,
    Refused,
    Session,
    World,
)
from tests.support.model.servers import Servers, both
from vestibule.clock import SECOND, rfc3339

T = TypeVar("T")
Answers = tuple[Answer, Answer]

ORGANIZATIONS: Final = "/v1/b2b/organizations"
_A_MOMENT: Final = SECOND // 1000
"""What a call takes; so one session is older than another."""
SESSIONS: Final = "/v1/b2b/sessions"
MEMBER: Final = ORGANIZATIONS + "/{}/members/{}"
_STATUSES: Final = ["active", "pending", "deleted"]
_LATELY: Final = 3
"""So many sessions that are over are asked for after each step, and all of them in the end."""
MINUTES: Final = st.sampled_from([None, 5, 20, 90])


def some(nouns: str) -> SearchStrategy[Any]:
    """Draw one of the world's `nouns`, mostly one of those that are of use; None of none."""

    def of(world: World) -> SearchStrategy[Any]:
        known = getattr(world, nouns)
        if not known:
            return st.none()
        useful = [each for each in known if world.is_useful(each)] or known
        newest, any_ = st.sampled_from(useful[-2:]), st.sampled_from(known)
        return st.one_of(newest, st.sampled_from(useful), st.sampled_from(useful), any_)

    return st.runner().flatmap(lambda story: of(story.world))


def has(*nouns: str) -> Callable[[Any], bool]:
    """A step can be told as soon as there is one of each of the world's `nouns`."""
    return lambda story: all(getattr(story.world, name) for name in nouns)


def useful(story: Any, nouns: str) -> int:
    return sum(story.world.is_useful(each) for each in getattr(story.world, nouns))


class Story(RuleBasedStateMachine):
    """The machine that hypothesis drives; `servers` is set by `agrees`."""

    servers: Servers

    def __init__(self) -> None:
        super().__init__()
        self.world = World(now=self.servers.begin())

    def pass_time(self, microseconds: int) -> None:
        self.world.now += microseconds
        self.servers.pass_time(microseconds)

    def told(self, answers: Answers, model: Callable[[], T]) -> tuple[T, Any] | None:
        """Return what the model says and both answers' JSON; None where both say no, and why."""
        refusal, said = "", None
        try:
            said = model()
        except Refused as refused:
            refusal = str(refused)
        for answer in answers:
            assert (answer.status != 200) is bool(refusal), (refusal, answer.text)
            assert answer.json.get("error_type", "") == refusal, answer.text
        self.pass_time(_A_MOMENT)
        return None if said is None else (said, (answers[0].json, answers[1].json))

    @invariant()
    def all_that_can_be_seen_is_as_the_model_says(self) -> None:
        over = [each for each in self.world.sessions if not self.world.alive(each)]
        self._members()
        self._sessions([each for each in self.world.sessions if each not in over])
        self._sessions(over[-_LATELY:])
        self._listed_sessions()
        self._recovery_codes()

    def teardown(self) -> None:
        self._sessions(self.world.sessions)

    def _members(self) -> None:
        """All members of all organizations, deleted ones too; and nobody else."""
        there = [each for each in self.world.organizations if each.exists]
        statuses = {"filter_name": "statuses", "filter_value": _STATUSES}
        first, second = (
            {
                "organization_ids": [each.ids[at] for each in there],
                "query": {"operator": "AND", "operands": [statuses]},
            }
            for at in (0, 1)
        )
        answers = self.servers.ask("POST", f"{ORGANIZATIONS}/members/search", (first, second))
        found = {each["member_id"]: shown(each) for each in answers[0].json["members"]}
        assert found == {
            each.ids[0]: expected(each, now=self.world.now)
            for each in self.world.members
            if each.organization.exists
        }

    def _sessions(self, sessions: list[Session]) -> None:
        for session in sessions:
            if session.intermediate:
                self._intermediate(session)
                continue
            answers = self.servers.ask("POST", f"{SESSIONS}/authenticate", named(session))
            if not self.world.alive(session):
                assert answers[0].json["error_type"] == "session_not_found"
            elif session.member.organization.suspended:
                assert answers[0].json["error_type"] == "organization_suspended"
            else:
                assert session_shown(answers[0].json["member_session"]) == session_expected(session)

    def _intermediate(self, session: Session) -> None:
        answers = self.servers.ask("POST", "/v1/b2b/discovery/organizations", named(session))
        over = answers[0].json.get("error_type") == "intermediate_session_not_found"
        assert over is not self.world.alive(session)

    def _listed_sessions(self) -> None:
        for member in {each.member for each in self.world.sessions if each.member.lives}:
            first, second = (
                f"{SESSIONS}?organization_id={where}&member_id={who}"
                for where, who in zip(member.organization.ids, member.ids, strict=True)
            )
            listed = self.servers.ask("GET", (first, second))[0].json["member_sessions"]
            living = [
                session_expected(each)
                for each in self.world.sessions
                if each.member is member and not each.intermediate and self.world.alive(each)
            ]
            assert [session_shown(each) for each in listed] == living

    def _recovery_codes(self) -> None:
        for member in self.world.members:
            if member.lives and member.authenticator is not None:
                paths = at_member("/v1/b2b/recovery_codes/{}/{}", member)
                answers = self.servers.ask("GET", paths)
                if member.authenticator.proven:
                    codes = both((answers[0].json, answers[1].json), "recovery_codes")
                    assert list(zip(*codes, strict=True)) == member.authenticator.codes
                else:
                    assert answers[0].json["error_type"] == "recovery_codes_not_found"


def at(form: str, ids: Pair) -> Pair:
    """Write both ids into a path."""
    return form.format(ids[0]), form.format(ids[1])


def at_organization(organization: Organization, rest: str = "") -> Pair:
    return at(f"{ORGANIZATIONS}/{{}}{rest}", organization.ids)


def at_member(form: str, member: Member) -> Pair:
    first, second = zip(member.organization.ids, member.ids, strict=True)
    return form.format(*first), form.format(*second)


def named(session: Session, *, by_jwt: bool = False) -> tuple[dict[str, str], dict[str, str]]:
    """Return how requests name a session."""
    if session.intermediate:
        first, second = ({"intermediate_session_token": each} for each in session.tokens)
    elif by_jwt:
        first, second = ({"session_jwt": each} for each in session.jwts)
    else:
        first, second = ({"session_token": each} for each in session.tokens)
    return first, second


def with_fields(bodies: tuple[Any, Any], **fields: Any) -> tuple[Any, Any]:
    """Add fields to both bodies: a pair is one for each."""
    first, second = bodies
    for name, value in fields.items():
        each = value if isinstance(value, tuple) else (value, value)
        first, second = {**first, name: each[0]}, {**second, name: each[1]}
    return first, second


def id_of(connection: Connection | None) -> str:
    return connection.ids[0] if connection else ""


def shown(member: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a member as the server shows it what the model speaks of."""
    plain = "status", "email_address", "email_address_verified", "is_admin", "is_breakglass"
    more = "mfa_enrolled", "default_mfa_method", "is_locked", "lock_expires_at"
    return {
        **{name: member[name] for name in (*plain, *more)},
        "retired": {each["email_address"] for each in member["retired_email_addresses"]},
        "totp": bool(member["totp_registration_id"]),
        "accounts": {
            (each["connection_id"], each["external_id"]) for each in member["sso_registrations"]
        },
        "roles": {
            (
                role["role_id"],
                source["type"],
                source["details"].get("connection_id", ""),
                source["details"].get("group") or source["details"].get("email_domain", ""),
            )
            for role in member["roles"]
            for source in role["sources"]
        },
    }


def expected(member: Member, *, now: int) -> dict[str, Any]:
    """Return what the model says of a member."""
    granted = roles.grants(member)
    locked = now < member.locked_until
    return {
        "status": member.status,
        "email_address": member.address,
        "email_address_verified": member.verified,
        "is_admin": any(each.role_id == "stytch_admin" for each in granted),
        "is_breakglass": member.breakglass,
        "mfa_enrolled": member.enrolled,
        "default_mfa_method": member.default_method,
        "is_locked": locked,
        "lock_expires_at": rfc3339(member.locked_until) if locked else None,
        "retired": member.retired,
        "totp": member.proven_authenticator is not None,
        "accounts": {(id_of(at), known.subject) for at, known in member.registrations.items()},
        "roles": {
            (each.role_id, each.source, id_of(each.connection), each.condition) for each in granted
        },
    }


def session_shown(session: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a session as the server shows it what the model speaks of."""
    return {
        "member": session["member_id"],
        "expires_at": session["expires_at"],
        "roles": set(session["roles"]),
        "factors": [
            (each["type"], each.get("saml_sso_factor", {}).get("provider_id", ""))
            for each in session["authentication_factors"]
        ],
    }


def session_expected(session: Session) -> dict[str, Any]:
    """Return what the model says of a session."""
    return {
        "member": session.member.ids[0],
        "expires_at": rfc3339(session.expires_at),
        "roles": roles.of_session(session),
        "factors": [(each.kind, id_of(each.connection)) for each in session.factors],
    }
