"""A member's phone as a second factor: linked, proven by a code, given up (semantics 4.3)."""

from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors, totp
from vestibule.domain import audit, members, phone_numbers, tenancy
from vestibule.domain.caller import Caller
from vestibule.domain.context import Context
from vestibule.domain.members import MemberView
from vestibule.domain.mfa import completion, enrolment, sms_sending
from vestibule.domain.mfa.completion import Completion, Proven, Tokens, Wrong
from vestibule.domain.organizations import OrganizationView
from vestibule.domain.outcome import Party
from vestibule.domain.sessions import SessionView
from vestibule.errors import Failure
from vestibule.ids import same_secret
from vestibule.records import Factor, Member, Project, SmsCode
from vestibule.store.interface import Transaction
from vestibule.totp import TotpError

_MOST_ATTEMPTS: Final = 5

Views = tuple[MemberView, OrganizationView]


async def send(  # noqa: PLR0917 - who, with what proof, and where to
    context: Context,
    project: Project,
    locator: str,
    member_locator: str,
    tokens: Tokens,
    number: str,
    *,
    locale: str,
) -> Views:
    """Send a code to the member's phone; `number` becomes that of a member who has none.

    Until its first code is proven it is no second factor. Who has another one already has to have
    proven that in the session that `tokens` name. Raises Failure: what may be wrong with the
    number, with the member (completion.require_second), with `tokens` (enrolment.require_may_add),
    missing_sms_parameter, duplicate_member_phone_number_for_member, those of `sms_sending.send`.
    """
    if number:
        phone_numbers.require_number(project, number)
    async with context.store.write() as tx:
        party = await completion.party_of(tx, project, locator, member_locator)
        completion.require_second(party, "sms_otp", now=context.clock.now())
        await _require_may_send(tx, context, party, tokens)
        member = _with_number(party.member, number)
        if member != party.member:
            member = replace(member, updated_at=context.clock.now())
            await tx.members.update(member)
        await sms_sending.send(tx, context, project, member, locale=locale)
        changed = audit.differing(party.member, member)
        await audit.record(
            tx, context, "member.send_sms_code", member, member.member_id, changed=changed
        )
        return await members.shown(tx, project, party.organization, member)


async def authenticate(
    context: Context, project: Project, request: Completion, code: str
) -> SessionView:
    """Prove the phone by the code that was sent to it last; the first proof makes it verified.

    A code counts once and for that number alone, and not after five wrong ones. Raises Failure:
    those of `completion.complete`, otp_code_not_found when there is no code that could be proven,
    unable_to_auth_otp_code.
    """
    return await completion.complete(
        context,
        project,
        request,
        method="sms_otp",
        prove=partial(_prove, context=context, text=code),
    )


async def delete_phone_number(
    context: Context, project: Project, locator: str, member_locator: str, caller: Caller | None
) -> Views:
    """Give up a member's phone number; sessions go on.

    A member who does this needs a session that holds a second factor, where there is one. Raises
    Failure organization_not_found, member_not_found, member_phone_number_not_found or
    insufficient_factors.
    """
    async with context.store.write() as tx:
        party = await completion.party_of(tx, project, locator, member_locator)
        member = party.member
        if caller is not None and caller.session.member_id == member.member_id:
            enrolment.require_proven(member, caller.session.factors)
        if not member.mfa_phone_number:
            raise Failure(errors.member_phone_number_not_found)
        await tx.sms_codes.delete(**tenancy.of_member(member))
        left = replace(without_phone(member), updated_at=context.clock.now())
        await tx.members.update(left)
        await audit.record(tx, context, "member.delete_phone_number", member, member.member_id)
        return await members.shown(tx, project, party.organization, left)


def without_phone(member: Member) -> Member:
    """Return the member without a phone; an active authenticator becomes the default."""
    default = member.default_mfa_method
    if default == "sms_otp":
        default = "totp" if member.totp_registration_id else ""
    return replace(
        member,
        mfa_phone_number="",
        mfa_phone_number_verified=False,
        mfa_phone_id="",
        default_mfa_method=default,
    )


async def _require_may_send(
    tx: Transaction, context: Context, party: Party, tokens: Tokens
) -> None:
    if not party.member.mfa_phone_number_verified:
        await enrolment.require_may_add(tx, context, party, tokens)
        return
    completion.require_one_at_most(tokens)
    if tokens.count():
        await completion.held_by(tx, context, party, tokens)


def _with_number(member: Member, number: str) -> Member:
    """Return the member with a number. Raises Failure when there is none, or another one."""
    if not number and not member.mfa_phone_number:
        raise Failure(errors.missing_sms_parameter)
    if number and member.mfa_phone_number not in {"", number}:
        raise Failure(errors.duplicate_member_phone_number_for_member)
    return replace(member, mfa_phone_number=number or member.mfa_phone_number)


async def _prove(tx: Transaction, party: Party, *, context: Context, text: str) -> Proven:
    member, now = party.member, context.clock.now()
    live: dict[str, Any] = {
        **tenancy.of_member(member),
        "phone_number": member.mfa_phone_number,
        "expires_at__gt": now,
        "attempts__lt": _MOST_ATTEMPTS,
    }
    known = await tx.sms_codes.find(**live)
    if known is None:
        raise Failure(errors.otp_code_not_found)
    if not _is_right(context, member, known, text):
        await tx.sms_codes.change({"attempts": known.attempts + 1}, **tenancy.of_member(member))
        raise Wrong(Failure(errors.unable_to_auth_otp_code))
    if not await tx.sms_codes.delete(**live):
        raise Failure(errors.otp_code_not_found)
    phone_id = member.mfa_phone_id or context.new_id("phone-number", party.project)
    factor = Factor(
        type="otp",
        delivery_method="sms",
        details_name="phone_number_factor",
        details={"phone_id": phone_id, "phone_number": member.mfa_phone_number},
        sequence_order="SECONDARY",
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )
    return Proven(factor, replace(member, mfa_phone_number_verified=True, mfa_phone_id=phone_id))


def _is_right(context: Context, member: Member, known: SmsCode, text: str) -> bool:
    """True for the code that was sent, also in other digits and with spaces."""
    try:
        code = totp.read_code(text)
    except TotpError:
        return False
    sent = context.sealer.unseal(known.code, purpose=sms_sending.purpose(member))
    return same_secret(sent, code.encode())
