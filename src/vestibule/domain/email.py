"""E-mail addresses: which are valid, and the one form in which they are compared."""

from typing import Final

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from vestibule import errors
from vestibule.errors import Failure

_MAX_CHARS: Final = 254

# The library's own switch: company directories and test identity providers know addresses that the
# public DNS never will (ada@corp.local, ada@acme.test), and single sign-on is for them too.
SPECIAL_USE_DOMAIN_NAMES.clear()


def read_email(text: str) -> tuple[str, str]:
    """Return the address as it was given and its key, under which it is unique and compared.

    The key is the address in ASCII lower case, its domain in IDNA form. The local part must be
    ASCII, and no character of the domain may turn into an ASCII one: U+212A KELVIN SIGN in a name
    would otherwise compare equal to the letter k. Whether mail arrives there is not asked.
    Raises Failure invalid_email.
    """
    local, _, domain = text.rpartition("@")
    if len(text) > _MAX_CHARS or not local.isascii():
        raise Failure(errors.invalid_email)
    try:
        found = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise Failure(errors.invalid_email) from None
    changed = not domain.isascii() and _ascii_chars(domain) != _ascii_chars(found.domain)
    if changed:
        raise Failure(errors.invalid_email)
    return text, f"{local.lower()}@{found.ascii_domain.lower()}"


def key_of(text: str) -> str:
    """Return the key of an address, or '' when it is not one: nobody has that key."""
    try:
        return read_email(text)[1]
    except Failure:
        return ""


def domain_of(text: str) -> str:
    """Return the domain of a valid address, as its key has it."""
    return read_email(text)[1].rpartition("@")[2]


def _ascii_chars(text: str) -> int:
    return sum(char.isascii() for char in text)
