"""When metadata is read again: as its publisher wishes, within bounds, later after failures.

`chance` is a number from 0 up to 1 that spreads what would come due at the same moment (SR-15).
"""

from typing import Final

from vestibule.clock import DAY, HOUR, MINUTE

# Certificates change with weeks of notice; nobody needs to be asked more often, or less.
_SOONEST: Final = HOUR
_USUAL: Final = 6 * HOUR
_LATEST: Final = DAY
_FIRST_RETRY: Final = 15 * MINUTE


def after_success(
    now: int, *, cache_duration: int | None, valid_until: int | None, chance: float
) -> int:
    """Return when to read good metadata again, at most a fifth sooner than would do.

    `cache_duration` and `valid_until` are what it says itself (SAML Metadata 2.3.2); it is read
    anew halfway to its end, so that a failure leaves time to try again.
    """
    wait = _USUAL if cache_duration is None else cache_duration
    if valid_until is not None:
        wait = min(wait, (valid_until - now) // 2)
    wait = min(max(wait, _SOONEST), _LATEST)
    return now + round(wait * (1 - chance / 5))


def after_failure(now: int, *, failures: int, chance: float) -> int:
    """Return when to try again after so many failures in a row: 15 minutes, doubled up to a day."""
    wait = min(_FIRST_RETRY << min(failures - 1, 10), _LATEST)
    return now + round(wait * (1 - chance / 5))
