"""Times as SAML writes them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from vestibule.saml.errors import Reason, SamlError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST_OFFSET: Final = timedelta(hours=14)
# ASCII digits only: `\d` and `int` would take the digits of every script.
_INSTANT: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))?"
)


def read_instant(value: str) -> int:
    """Read an xs:dateTime and return microseconds UTC; without a zone it is UTC (Core 1.3.3).

    Raises:
        SamlError: `saml.time` for anything else, 24:00:00 and leap seconds included.
    """
    match = _INSTANT.fullmatch(value)
    if match is None:
        raise _no_instant(value)
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fraction, sign, *zone = match.groups(default="0")[6:]
    zone_hours, zone_minutes = map(int, zone)
    offset = timedelta(hours=zone_hours, minutes=zone_minutes)
    if zone_minutes > 59 or offset > _LARGEST_OFFSET:
        raise _no_instant(value)
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        moment = local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError):
        raise _no_instant(value) from None
    return (moment - _EPOCH) // _MICROSECOND + int(fraction[:6].ljust(6, "0"))


def _no_instant(value: str) -> SamlError:
    return SamlError(Reason.SAML_TIME, expected="an xs:dateTime", received=value)
