"""A code on its way to a member's phone (semantics 4.3).

A member has one code at most: a new one takes the place of the former. How many are sent is counted
in the transaction that sends them, so that nodes, restarts and rollbacks neither add nor lose any.
"""

from typing import Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.clock import MINUTE, SECOND
from vestibule.domain import phone_numbers, requirements, tenancy, text_messages
from vestibule.domain.context import Context
from vestibule.domain.limits import (
    SMS_OF_ORGANIZATION,
    SMS_TO_MEMBER,
    SMS_TO_PHONE,
    SMS_TO_PHONE_DAILY,
    Limit,
)
from vestibule.errors import Failure
from vestibule.ids import new_code
from vestibule.log import logger
from vestibule.records import Member, Organization, Project, SmsCode, SmsCount
from vestibule.store import sms_counts
from vestibule.store.interface import Transaction

LIFE: Final = 2 * MINUTE
_PROJECT_CHARS: Final = 40
# For a locale that is not here, English.
_TEXTS: Final = {
    "en": "{code} is your code for {project}. It works for 2 minutes. Share it with nobody.",
    "es": "{code} es tu código para {project}. Vale 2 minutos. No lo compartas con nadie.",
    "pt-br": "{code} é o seu código para {project}. Vale por 2 minutos. Não o passe a ninguém.",
    "fr": "{code} est votre code pour {project}. Il vaut 2 minutes. Ne le donnez à personne.",
}


async def send(
    tx: Transaction, context: Context, project: Project, member: Member, *, locale: str
) -> None:
    """Send a code to the phone of a member, whom the caller has locked.

    Nothing leaves for the sandbox number, whose code is known. Raises Failure unavailable_endpoint
    on a server without an SMS service, too_many_requests, and those of
    `phone_numbers.require_textable`.
    """
    number, now = member.mfa_phone_number, context.clock.now()
    phone_numbers.require_number(project, number)
    in_sandbox = number == phone_numbers.SANDBOX
    code = phone_numbers.SANDBOX_CODE if in_sandbox else new_code(entropy=context.entropy)
    if not in_sandbox:
        if not context.sms.ready:
            raise Failure(errors.unavailable_endpoint)
        phone_numbers.require_textable(number, countries=context.settings.countries_of_sms)
        await _count(tx, context, member, now=now)
        text = _TEXTS.get(locale, _TEXTS["en"])
        text = text.format(code=code, project=project.name[:_PROJECT_CHARS])
        await text_messages.write(tx, context, project, member, text, until=now + LIFE)
    await tx.sms_codes.delete(**tenancy.of_member(member))
    await tx.sms_codes.insert(
        SmsCode(
            **tenancy.of_member(member),
            phone_number=number,
            code=context.sealer.seal(code.encode(), purpose=purpose(member)),
            created_at=now,
            expires_at=now + LIFE,
        )
    )


async def send_unasked(  # noqa: PLR0917 - who is to prove the phone where, and in which words
    tx: Transaction,
    context: Context,
    project: Project,
    organization: Organization,
    member: Member,
    locale: str,
) -> bool:
    """Send a code to a member whose next step it is to type one; return whether one was sent.

    That is who has proven the phone, and proves it by default. What keeps a code from being sent
    keeps nobody from the login: there may be another second factor.
    """
    if not (
        member.mfa_phone_number_verified
        and member.default_mfa_method == "sms_otp"
        and member.status == "active"
        and requirements.allows_second(organization, member, "sms_otp")
    ):
        return False
    try:
        await send(tx, context, project, member, locale=locale)
    except Failure as failure:
        logger().info("no code was sent", member_id=member.member_id, detail=str(failure))
        return False
    return True


def purpose(member: Member) -> str:
    """Return what the member's code is sealed for: this member and this number."""
    return f"sms_codes.code:{member.member_id}:{member.mfa_phone_number}"


async def _count(tx: Transaction, context: Context, member: Member, *, now: int) -> None:
    """Count a text against every limit of texts, always in this order: each is held meanwhile.

    Who has not proven a phone does not use up what is sent to those who have: it may be theirs.
    """
    phone = member.mfa_phone_number
    if not member.mfa_phone_number_verified:
        phone = f"unproven {phone}"
    factor = context.settings.limits_factor
    counted: list[SmsCount] = []
    for limit, subject, most in (
        (SMS_TO_PHONE, phone, SMS_TO_PHONE.requests),
        (SMS_TO_PHONE_DAILY, phone, SMS_TO_PHONE_DAILY.requests),
        (SMS_TO_MEMBER, member.member_id, SMS_TO_MEMBER.requests),
        (SMS_OF_ORGANIZATION, member.organization_id, SMS_OF_ORGANIZATION.requests * factor),
    ):
        counted.append(_one(member, limit, subject, now=now))
        if await sms_counts.add(tx, counted[-1]) > most:
            # A login goes on without its text, and what is not sent does not count.
            for each in counted:
                await sms_counts.add(tx, replace(each, sent=-1))
            raise _too_many(limit, counted[-1].ends_at - now)


def _one(member: Member, limit: Limit, subject: str, *, now: int) -> SmsCount:
    """Return one text in the window of `limit` that it falls into."""
    window = limit.seconds * SECOND
    return SmsCount(
        project_id=member.project_id,
        limit_name=limit.name,
        subject=subject,
        ends_at=(now // window + 1) * window,
        sent=1,
    )


def _too_many(limit: Limit, left: int) -> Failure:
    return Failure(
        errors.too_many_requests,
        f"Too many SMS ({limit.name}) for one {' and '.join(limit.per)}.",
        retry_after=-(-left // SECOND),
    )
