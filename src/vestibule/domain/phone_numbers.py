"""Phone numbers: which are some at all, and which of them texts are sent to."""

from collections.abc import Collection
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

from vestibule import errors
from vestibule.errors import Failure
from vestibule.records import Project

SANDBOX: Final = "+10000000000"
"""In test projects alone: nothing is sent to it, and its code is SANDBOX_CODE (semantics 10)."""
SANDBOX_CODE: Final = "000000"
# Who is called at the caller's cost earns from every text, too (toll fraud, MF-15): those kinds of
# numbers are not here, nor the numbers that no network has given out.
_TEXTABLE: Final = frozenset({
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.VOIP,
})  # fmt: skip
_OF_NO_COUNTRY: Final = "001"


def require_number(project: Project, text: str) -> None:
    """Pass for a number in E.164 form that its country could have given out.

    Raises Failure invalid_phone_number, or invalid_phone_number_sandbox in a live project.
    """
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        raise Failure(errors.invalid_phone_number) from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if written != text or not phonenumbers.is_possible_number(number):
        raise Failure(errors.invalid_phone_number)
    if text == SANDBOX and project.environment != "test":
        raise Failure(errors.invalid_phone_number_sandbox)


def require_textable(text: str, *, countries: Collection[str]) -> None:
    """Pass for a number, in E.164 form, that texts may be sent to.

    `countries` are ISO 3166 codes, none for all. Raises Failure invalid_phone_number for premium
    rates, shared costs, satellites and the like, invalid_phone_number_country_code for another
    country's.
    """
    number = phonenumbers.parse(text)
    country = phonenumbers.region_code_for_number(number)
    if country == _OF_NO_COUNTRY or phonenumbers.number_type(number) not in _TEXTABLE:
        raise Failure(
            errors.invalid_phone_number, "mfa_phone_number: no code is sent to this kind of number."
        )
    if countries and country not in countries:
        raise Failure(errors.invalid_phone_number_country_code)
