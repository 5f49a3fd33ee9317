"""A member's authenticator app: registered, taken over, proven, given up (semantics 4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from msgspec.structs import replace

from vestibule import errors, totp
from vestibule.clock import MINUTE
from vestibule.domain import audit, tenancy
from vestibule.domain.caller import Caller
from vestibule.domain.context import Context
from vestibule.domain.members import MemberView
from vestibule.domain.mfa import completion, enrolment, recovery_codes
from vestibule.domain.mfa.completion import Completion, Proven, Tokens, Wrong
from vestibule.domain.organizations import OrganizationView
from vestibule.domain.outcome import Party, shown
from vestibule.domain.sessions import SessionView
from vestibule.errors import ErrorType, Failure
from vestibule.log import logger
from vestibule.records import Factor, Member, Project, Totp
from vestibule.store.interface import Transaction
from vestibule.totp import Reason, TotpError

DEFAULT_MINUTES: Final = 60
_SHORTEST: Final = 5
_LONGEST: Final = 1440
_REFUSALS: Final[dict[Reason, ErrorType]] = {
    Reason.FORM: errors.invalid_totp_code,
    Reason.CODE: errors.unable_to_authenticate_totp,
    Reason.REPLAY: errors.totp_code_already_authenticated,
}


@dataclass(frozen=True)
class Registered:
    """An authenticator that has been made or taken over; `qr_code` is a data URL."""

    member: MemberView
    organization: OrganizationView
    registration_id: str
    secret: str
    qr_code: str
    recovery_codes: tuple[str, ...]


async def create(  # noqa: PLR0917 - whose it is, what is proven, and until when
    context: Context,
    project: Project,
    locator: str,
    member_locator: str,
    tokens: Tokens,
    minutes: int | None,
) -> Registered:
    """Make a secret for an authenticator app; it counts once a code of it has been proven.

    One that was made before and never proven is replaced. Raises Failure: what may be wrong with
    `tokens`, with the member (completion.require_second), invalid_expiration unless it is to be
    proven within 5 to 1440 `minutes`, active_totp_exists.
    """
    life = DEFAULT_MINUTES if minutes is None else minutes
    if not _SHORTEST <= life <= _LONGEST:
        raise Failure(errors.invalid_expiration)
    secret = totp.new_secret(context.entropy.token_bytes(totp.SECRET_BYTES))
    codes = recovery_codes.mint(context)
    async with context.store.write() as tx:
        party = await completion.party_of(tx, project, locator, member_locator)
        now = context.clock.now()
        completion.require_second(party, "totp", now=now)
        _require_none(party.member)
        await enrolment.require_may_add(tx, context, party, tokens)
        made = await _register(tx, context, party, secret, codes, until=now + life * MINUTE)
        views = await shown(tx, party)
        await audit.record(tx, context, "member.add_totp", party.member, made.totp_registration_id)
    address = totp.uri(secret, issuer=project.name, account=party.member.email_address)
    picture = totp.picture(address)
    return Registered(*views, made.totp_registration_id, secret, picture, tuple(codes))


async def migrate(  # noqa: PLR0917 - whose it is, and what it is
    context: Context,
    project: Project,
    locator: str,
    member_locator: str,
    secret: str,
    codes: Sequence[str],
) -> Registered:
    """Take over an authenticator that the member has used elsewhere: it is active at once.

    Without `codes`, recovery codes are made. Raises Failure: what may be wrong with the member,
    bad_request for a secret that is none or too short, invalid_recovery_code, active_totp_exists.
    """
    try:
        read = totp.read_secret(secret)
    except TotpError as error:
        text = f"secret: expected {error.expected}, received {error.received}."
        raise Failure(errors.bad_request, text) from None
    kept = recovery_codes.read_all(codes) or recovery_codes.mint(context)
    async with context.store.write() as tx:
        party = await completion.party_of(tx, project, locator, member_locator)
        completion.require_second(party, "totp", now=context.clock.now())
        _require_none(party.member)
        made = await _register(tx, context, party, read, kept, until=0)
        member = replace(
            party.member,
            totp_registration_id=made.totp_registration_id,
            updated_at=context.clock.now(),
        )
        await tx.members.update(member)
        views = await shown(tx, replace_member(party, member))
        await audit.record(tx, context, "member.add_totp", member, made.totp_registration_id)
    return Registered(*views, made.totp_registration_id, read, "", tuple(kept))


async def authenticate(
    context: Context, project: Project, request: Completion, code: str
) -> SessionView:
    """Prove the authenticator by the code that it shows; the first proof activates it.

    Each step's code counts once, and none after a later one. Raises Failure: those of
    `completion.complete`, totp_not_found, expired_totp, and those of a wrong code.
    """
    return await completion.complete(
        context, project, request, method="totp", prove=partial(_prove, context=context, text=code)
    )


async def delete(
    context: Context, project: Project, locator: str, member_locator: str, caller: Caller | None
) -> tuple[MemberView, OrganizationView]:
    """Give up a member's authenticator and its recovery codes; sessions go on.

    A member who does this needs a session that holds the second factor. Raises Failure
    organization_not_found, member_not_found, totp_not_found or insufficient_factors.
    """
    async with context.store.write() as tx:
        party = await completion.party_of(tx, project, locator, member_locator)
        member = party.member
        if caller is not None and caller.session.member_id == member.member_id:
            enrolment.require_proven(member, caller.session.factors)
        if not await tx.totps.delete(**tenancy.of_member(member)):
            raise Failure(errors.totp_not_found)
        left = without(member)
        if left != member:
            left = replace(left, updated_at=context.clock.now())
            await tx.members.update(left)
        await audit.record(tx, context, "member.delete_totp", member, member.member_id)
        return await shown(tx, replace_member(party, left))


def without(member: Member) -> Member:
    """Return the member without an authenticator; a phone that is verified becomes the default."""
    default = member.default_mfa_method
    if default == "totp":
        default = "sms_otp" if member.mfa_phone_number_verified else ""
    return replace(member, totp_registration_id="", default_mfa_method=default)


def replace_member(party: Party, member: Member) -> Party:
    """Return `party` with its member as it now is."""
    return Party(party.project, party.organization, member)


def _require_none(member: Member) -> None:
    if member.totp_registration_id:
        raise Failure(errors.active_totp_exists)


async def _register(
    tx: Transaction,
    context: Context,
    party: Party,
    secret: str,
    codes: Sequence[str],
    *,
    until: int,
) -> Totp:
    """Write a registration in the place of one that waits; `until` 0 is one that is active."""
    now = context.clock.now()
    made_id = context.new_id("totp", party.project)
    key = context.entropy.token_bytes(recovery_codes.KEY_BYTES)
    made = Totp(
        totp_registration_id=made_id,
        **tenancy.of_member(party.member),
        secret=context.sealer.seal(secret.encode(), purpose=_purpose(made_id)),
        recovery_key=context.sealer.seal(key, purpose=recovery_codes.key_purpose(made_id)),
        activated_at=0 if until else now,
        created_at=now,
        expires_at=until,
    )
    await tx.totps.delete(**tenancy.of_member(party.member))
    await tx.totps.insert(made)
    await recovery_codes.keep(tx, context, party.project, made, codes)
    return made


async def _prove(tx: Transaction, party: Party, *, context: Context, text: str) -> Proven:
    now, member = context.clock.now(), party.member
    known = await tx.totps.find(**tenancy.of_member(member))
    if known is None:
        raise Failure(errors.totp_not_found)
    if not known.activated_at and known.expires_at <= now:
        raise Failure(errors.expired_totp)
    step = await _step(tx, context, known, text, now=now)
    if not await tx.totps.change(
        {"last_step": step, "activated_at": known.activated_at or now},
        **tenancy.of_member(member),
        totp_registration_id=known.totp_registration_id,
        last_step__lt=step,
    ):
        raise Wrong(Failure(errors.totp_code_already_authenticated))
    factor = Factor(
        type="totp",
        delivery_method="authenticator_app",
        details_name="authenticator_app_factor",
        details={"totp_id": known.totp_registration_id},
        sequence_order="SECONDARY",
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )
    return Proven(factor, replace(member, totp_registration_id=known.totp_registration_id))


async def _step(tx: Transaction, context: Context, known: Totp, text: str, *, now: int) -> int:
    """Return the step of a code. Raises Wrong, and tells operators of a clock that seems wrong."""
    purpose = _purpose(known.totp_registration_id)
    secret = context.sealer.unseal(known.secret, purpose=purpose).decode()
    try:
        return totp.accept(secret, text, now=now, after=known.last_step)
    except TotpError as error:
        if error.reason is Reason.FORM and await recovery_codes.is_one(tx, context, known, text):
            raise Wrong(Failure(errors.recovery_code_used_as_totp_code)) from None
        if error.reason is Reason.CODE:
            _tell_of_clock(secret, text, known, now=now)
        raise Wrong(Failure(_REFUSALS[error.reason])) from None


def _tell_of_clock(secret: str, text: str, known: Totp, *, now: int) -> None:
    seconds = totp.seconds_off(secret, text, now=now)
    if seconds is not None:
        logger().warning(
            "a code of another time: is a clock wrong, or NTP not running?",
            member_id=known.member_id,
            seconds=seconds,
        )


def _purpose(registration_id: str) -> str:
    return f"totps.secret:{registration_id}"
