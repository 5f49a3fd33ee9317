"""A member's phone: what is sent to it, and who holds it at the second factor over HTTP."""

import re
from dataclasses import replace

from tests.support.authenticators import AtSecondFactor
from vestibule.domain import text_messages
from vestibule.domain.context import Context
from vestibule.sms import MemorySms, NoSms, TextMessage

SEND = "/v1/b2b/otps/sms/send"
AUTHENTICATE = "/v1/b2b/otps/sms/authenticate"
PHONE = "+12025550162"
OTHER_PHONE = "+12025550199"


async def texts(context: Context) -> list[TextMessage]:
    """Return every text that has left, once all that is due has."""
    assert isinstance(context.sms, MemorySms)
    await text_messages.deliver(context)
    return context.sms.messages


def code_in(text: TextMessage) -> str:
    """Return the code of a text, in any language."""
    [code] = re.findall(r"\b\d{6}\b", text.text)
    return str(code)


async def newest_code(context: Context, phone: str = PHONE) -> str:
    """Return the code of the newest text, which must have gone to `phone`."""
    text = (await texts(context))[-1]
    assert text.to == phone
    return code_in(text)


async def with_phone(ada: AtSecondFactor, **proof: str) -> dict[str, str]:
    """Link and prove her phone, in a new session unless `proof` names one; return what names it."""
    used = proof or await ada.session()
    await ada.good(SEND, mfa_phone_number=PHONE, **used)
    code = await newest_code(ada.door.scenario.context)
    await ada.good(AUTHENTICATE, code=code, **used)
    return used


def without_sms(context: Context) -> Context:
    """Return the same server without an SMS service."""
    return replace(context, sms=NoSms())


def phone_path(ada: AtSecondFactor) -> str:
    organization_id = ada.door.organization_id
    return f"/v1/b2b/organizations/{organization_id}/members/mfa_phone_numbers/{ada.member_id}"
