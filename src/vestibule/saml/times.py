"""Times as SAML writes them."""

import re
from datetime import UTC, datetime
from typing import Final

from vestibule.clock import DAY, SECOND
from vestibule.saml.errors import Reason, SamlError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# ASCII digits only: `\d` and `int` would take the digits of every script.
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"
)


def read_instant(value: str) -> int:
    """Read an xs:dateTime and return microseconds UTC; without a zone it is UTC (Core 1.3.3).

    Raises:
        SamlError: `saml.time` for anything else, 24:00:00 and leap seconds included.
    """
    if _INSTANT.fullmatch(value) is None:
        raise _no_instant(value)
    try:
        written = datetime.fromisoformat(value)
        moment = written.astimezone(UTC) if written.tzinfo else written.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _no_instant(value) from None
    since = moment - _EPOCH
    return since.days * DAY + since.seconds * SECOND + since.microseconds


def _no_instant(value: str) -> SamlError:
    return SamlError(Reason.SAML_TIME, expected="an xs:dateTime", received=value)
