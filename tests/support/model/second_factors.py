"""Authenticator apps and recovery codes: who may have one, what a code is worth, lock-out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.support.model import people
from tests.support.model.nouns import (
    LOCK_AFTER,
    LOCKED_FOR,
    Authenticator,
    Factor,
    Member,
    Pair,
    Refused,
    Session,
    World,
    with_factor,
)
from tests.support.model.sign_in import (
    complete,
    prolong,
    require_counting,
    require_standing,
    require_waiting,
)
from vestibule.clock import SECOND

STEP = 30 * SECOND
UNPROVEN_LIFE = 60 * 60 * SECOND
Guess = Literal["right", "wrong", "recovery code", "garbled"]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is asked along with a code; `held` is the session that gains by it."""

    member: Member
    held: Session
    minutes: int | None = None
    enrolment: str = ""
    """`enroll`, `unenroll`, or ''."""
    make_default: bool = False


class WrongCode(Refused):
    """A guess: it counts."""


def register(world: World, member: Member, held: Session | None) -> Authenticator:
    """Make an authenticator that waits for its first code."""
    _require_none(world, member)
    if held is not None:
        _require_held(world, member, held)
    member.authenticator = Authenticator(expires_at=world.now + UNPROVEN_LIFE)
    return member.authenticator


def take_over(world: World, member: Member) -> Authenticator:
    """Make an authenticator that was proven elsewhere."""
    _require_none(world, member)
    member.authenticator = Authenticator(expires_at=0, proven=True)
    return member.authenticator


def enrol(member: Member, *, enrolled: bool, make_default: bool) -> None:
    people.require_living(member)
    if make_default and member.proven_authenticator is None:
        raise Refused("default_mfa_member_missing_factor")
    member.enrolled = enrolled
    if make_default:
        member.default_method = "totp"


def give_up(world: World, member: Member, by: Session | None) -> None:
    """Who does so without the application has to have proven it."""
    if by is not None:
        require_counting(world, by)
    people.require_living(member)
    if by is not None and member.proven_authenticator is not None:
        held = member.authenticator
        if not any(each.kind == "recovery_codes" or each.of is held for each in by.factors):
            raise Refused("insufficient_factors")
    if member.authenticator is None:
        raise Refused("totp_not_found")
    people.lose_authenticator(member)


def prove(world: World, ask: Ask, guess: Guess, step: int) -> Session:
    """Use the authenticator's code of `step`, or something else in its place."""

    def judge() -> Factor:
        held = ask.member.authenticator
        if held is None:
            raise Refused("totp_not_found")
        if not held.proven and world.now >= held.expires_at:
            raise Refused("expired_totp")
        if guess == "recovery code" and held.codes:
            raise WrongCode("recovery_code_used_as_totp_code")
        if guess in {"garbled", "recovery code"}:
            raise WrongCode("invalid_totp_code")
        if guess == "wrong" or abs(step - world.now // STEP) > 1:
            raise WrongCode("unable_to_authenticate_totp")
        if step <= held.last_step:
            raise WrongCode("totp_code_already_authenticated")
        held.last_step, held.proven = step, True
        return Factor("totp", of=held)

    return _use(world, ask, judge)


def recover(world: World, ask: Ask, code: Pair) -> Session:
    """Use a recovery code, or what is none."""

    def judge() -> Factor:
        if code[0].isdigit():
            raise Refused("totp_code_used_as_recovery_code")
        held = ask.member.proven_authenticator
        if held is None or not held.codes:
            raise Refused("recovery_codes_not_found")
        if code not in held.codes:
            raise WrongCode("unable_to_authenticate_recovery_code")
        held.codes.remove(code)
        held.used_codes.append(code)
        return Factor("recovery_codes", of=code)

    return _use(world, ask, judge)


def rotate(member: Member) -> Authenticator:
    """Take all codes away; others take their place."""
    people.require_living(member)
    held = member.proven_authenticator
    if held is None:
        raise Refused("no_active_recovery_code_backed_factor")
    held.used_codes += held.codes
    return held


def _use(world: World, ask: Ask, judge: Callable[[], Factor]) -> Session:
    member, held = ask.member, ask.held
    people.require_living(member)
    _require_held(world, member, held)
    _require_usable(world, member)
    try:
        proven = judge()
    except WrongCode:
        _count(world, member)
        raise
    member.wrong_codes = 0
    if ask.enrolment:
        member.enrolled = ask.enrolment == "enroll"
    if member.organization.everybody_needs_second:
        member.enrolled = True
    if ask.make_default or not member.default_method:
        member.default_method = "totp"
    factors = with_factor(held.factors, proven)
    if held.intermediate:
        return complete(world, member, factors, waiting=held, minutes=ask.minutes)
    held.factors = factors
    prolong(world, held, ask.minutes)
    return held


def _count(world: World, member: Member) -> None:
    member.wrong_codes += 1
    if member.wrong_codes == LOCK_AFTER:
        member.wrong_codes, member.locked_until = 0, world.now + LOCKED_FOR


def _require_none(world: World, member: Member) -> None:
    people.require_living(member)
    _require_usable(world, member)
    if member.proven_authenticator is not None:
        raise Refused("active_totp_exists")


def _require_held(world: World, member: Member, held: Session) -> None:
    """A session has to live, and to be the member's."""
    if held.intermediate:
        require_waiting(world, member.organization, held)
    elif not world.alive(held):
        raise Refused("session_not_found")
    if held.member is not member:
        raise Refused("member_session_member_id_mismatch")


def _require_usable(world: World, member: Member) -> None:
    organization = member.organization
    require_standing(world, organization, member)
    if member.status != "active":
        raise Refused("action_available_only_for_active_members")
    if not organization.allows_totp and not member.breakglass:
        raise Refused("operation_restricted_by_organization_mfa_methods")
