"""Stories of authenticator apps and recovery codes."""

from base64 import b32encode
from itertools import count
from typing import Any

import pyotp
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from hypothesis.strategies import SearchStrategy

from tests.support.model import second_factors
from tests.support.model.nouns import Connection, Member, Pair, Session
from tests.support.model.second_factors import STEP, Ask, Guess
from tests.support.model.servers import both
from tests.support.model.stories_of_sign_ins import GROUPS, SignIns, keep, lasting
from tests.support.model.story import (
    MEMBER,
    MINUTES,
    at_member,
    has,
    named,
    some,
    with_fields,
)
from vestibule.clock import SECOND

_TYPING = 4 * SECOND
"""What a code takes; so there are never more guesses in a minute than one may make."""
_GUESSES: SearchStrategy[Guess] = st.sampled_from(
    ["right", "right", "right", "right", "wrong", "recovery code", "garbled"]
)
_STEPS = st.sampled_from([0, 0, 0, -1, 1, -2, 2])
_TIMES = st.sampled_from([1, 1, 1, 2, 4])
_ENROLMENTS = st.sampled_from(["", "", "enroll", "unenroll"])
_STRANGER = st.one_of(st.none(), st.none(), st.none(), some("members"))
"""Whose code it is, where it is not that of the session's member."""


def has_authenticator(story: Any) -> bool:
    return any(each.authenticator for each in story.world.members)


class SecondFactors(SignIns):
    def __init__(self) -> None:
        super().__init__()
        self._taken_over = count()

    @precondition(has("members"))
    @rule(member=some("members"), held=st.none() | some("sessions"))
    def make_authenticator(self, member: Member, held: Session | None) -> None:
        self._make_authenticator(member, held)

    @precondition(has("connections", "members"))
    @rule(member=some("members"), connection=some("connections"), groups=GROUPS, minutes=MINUTES)
    def sign_in_with_authenticator(
        self,
        member: Member,
        connection: Connection,
        groups: set[str] | None,
        minutes: int | None,
    ) -> None:
        """Sign in and prove an authenticator, a new one where there is none."""
        held = self.come_in(*self.way_of(member, connection), groups, minutes)
        if held is not None:
            if held.member.authenticator is None:
                self._make_authenticator(held.member, held)
            self.pass_time(STEP)
            self._prove(Ask(member=held.member, held=held, minutes=minutes), "right", 0)

    def _make_authenticator(self, member: Member, held: Session | None) -> None:
        bodies = with_fields(named(held) if held else ({}, {}), **who(member))
        answers = self.servers.ask("POST", "/v1/b2b/totp", bodies)
        told = self.told(answers, lambda: second_factors.register(self.world, member, held))
        if told:
            made, answered = told
            made.secrets = both(answered, "secret")
            made.codes = codes_of(answered)
            assert len(made.codes) == 10

    @precondition(has("members"))
    @rule(member=some("members"))
    def take_over_authenticator(self, member: Member) -> None:
        number = next(self._taken_over)
        secret = b32encode(f"{number:020}".encode()).decode()
        codes = [f"code-{number:04}-one", f"code-{number:04}-two"]
        bodies = with_fields(({}, {}), **who(member), secret=secret, recovery_codes=codes)
        answers = self.servers.ask("POST", "/v1/b2b/totp/migrate", bodies)
        told = self.told(answers, lambda: second_factors.take_over(self.world, member))
        if told:
            made, answered = told
            made.secrets = (secret, secret)
            made.codes = codes_of(answered)
            assert made.codes == [(each, each) for each in codes]

    @precondition(has("sessions"))
    @rule(
        held=some("sessions"),
        stranger=_STRANGER,
        guess=_GUESSES,
        step=_STEPS,
        times=_TIMES,
        minutes=MINUTES,
        enrolment=_ENROLMENTS,
        make_default=st.booleans(),
    )
    def prove_authenticator(  # noqa: PLR0917 - all that can be asked along with a code
        self,
        held: Session,
        stranger: Member | None,
        guess: Guess,
        step: int,
        times: int,
        minutes: int | None,
        enrolment: str,
        make_default: bool,
    ) -> None:
        ask = Ask(
            member=stranger or held.member,
            held=held,
            minutes=minutes,
            enrolment=enrolment,
            make_default=make_default,
        )
        for _ in range(times):
            self._prove(ask, guess, step)

    def _prove(self, ask: Ask, guess: Guess, away: int) -> None:
        self.pass_time(_TYPING)
        step = self.world.now // STEP + away
        bodies = with_fields(
            named(ask.held),
            **who(ask.member),
            code=code_of(ask.member, guess, step),
            set_default_mfa=ask.make_default,
            set_mfa_enrollment=ask.enrolment or None,
        )
        answers = self.servers.ask(
            "POST", "/v1/b2b/totp/authenticate", lasting(bodies, ask.minutes)
        )
        told = self.told(answers, lambda: second_factors.prove(self.world, ask, guess, step))
        if told:
            keep(*told)

    @precondition(has("sessions"))
    @rule(
        held=some("sessions"),
        stranger=_STRANGER,
        which=st.sampled_from(["unused", "unused", "used", "unknown", "digits"]),
        times=_TIMES,
        minutes=MINUTES,
    )
    def recover(
        self,
        held: Session,
        stranger: Member | None,
        which: str,
        times: int,
        minutes: int | None,
    ) -> None:
        ask = Ask(member=stranger or held.member, held=held, minutes=minutes)
        code = recovery_code_of(ask.member, which)
        for _ in range(times):
            self._recover(ask, code)

    def _recover(self, ask: Ask, code: Pair) -> None:
        self.pass_time(_TYPING)
        bodies = with_fields(named(ask.held), **who(ask.member), recovery_code=code)
        answers = self.servers.ask(
            "POST", "/v1/b2b/recovery_codes/recover", lasting(bodies, ask.minutes)
        )
        told = self.told(answers, lambda: second_factors.recover(self.world, ask, code))
        if told:
            keep(*told)
            left = ask.member.authenticator.codes if ask.member.authenticator else []
            assert told[1][0]["recovery_codes_remaining"] == len(left)

    @precondition(has_authenticator)
    @rule(member=some("members"))
    def rotate_recovery_codes(self, member: Member) -> None:
        bodies = with_fields(({}, {}), **who(member))
        answers = self.servers.ask("POST", "/v1/b2b/recovery_codes/rotate", bodies)
        told = self.told(answers, lambda: second_factors.rotate(member))
        if told:
            told[0].codes = codes_of(told[1])

    @precondition(has_authenticator)
    @rule(member=some("members"))
    def delete_authenticator(self, member: Member) -> None:
        self._delete_authenticator(member, None)

    @precondition(has_authenticator)
    @rule(by=some("sessions"))
    def give_up_authenticator(self, by: Session | None) -> None:
        if by is not None and not by.intermediate:
            self._delete_authenticator(by.member, by)

    def _delete_authenticator(self, member: Member, by: Session | None) -> None:
        paths = at_member(f"{MEMBER}/totp", member)
        answers = self.servers.ask("DELETE", paths, on_behalf_of=by.tokens if by else None)
        self.told(answers, lambda: second_factors.give_up(self.world, member, by))

    @precondition(has("members"))
    @rule(member=some("members"), enrolled=st.booleans(), default=st.booleans())
    def set_second_factor_of_member(self, member: Member, enrolled: bool, default: bool) -> None:
        body: dict[str, Any] = {"mfa_enrolled": enrolled}
        if default:
            body["default_mfa_method"] = "totp"
        answers = self.servers.ask("PUT", at_member(MEMBER, member), body)
        self.told(
            answers,
            lambda: second_factors.enrol(member, enrolled=enrolled, make_default=default),
        )


def who(member: Member) -> dict[str, Pair]:
    """Return how requests name a member."""
    return {"organization_id": member.organization.ids, "member_id": member.ids}


def codes_of(answered: tuple[Any, Any]) -> list[Pair]:
    return list(zip(*both(answered, "recovery_codes"), strict=True))


def code_of(member: Member, guess: Guess, step: int) -> Pair:
    """Return the code of that step, or something else that could be typed."""
    held = member.authenticator
    if held is None or guess == "garbled":
        return ("12345", "12345")
    if guess == "recovery code":
        return held.codes[0] if held.codes else ("none-left", "none-left")
    apps = [pyotp.HOTP(secret) for secret in held.secrets]
    if guess == "right":
        return apps[0].at(step), apps[1].at(step)
    near = {app.at(step + by) for app in apps for by in range(-4, 5)}
    wrong = next(code for code in map("{:06}".format, range(100)) if code not in near)
    return wrong, wrong


def recovery_code_of(member: Member, which: str) -> Pair:
    held = member.authenticator
    known = {"unused": held.codes, "used": held.used_codes} if held else {}
    if which == "digits":
        return ("123456", "123456")
    return known[which][-1] if known.get(which) else ("none-such-code", "none-such-code")
