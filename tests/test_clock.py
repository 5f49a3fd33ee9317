import time

import pytest

from vestibule.clock import DAY, HOUR, MINUTE, SECOND, SystemClock, rfc3339, to_datetime

# 2026-03-04T05:06:07.089123Z
INSTANT = 1_772_600_767_089_123


def test_units_count_microseconds() -> None:
    assert (SECOND, MINUTE, HOUR, DAY) == (1_000_000, 60 * 10**6, 3600 * 10**6, 86400 * 10**6)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (INSTANT, "2026-03-04T05:06:07Z"),
        (-1, "1969-12-31T23:59:59Z"),
    ],
)
def test_rfc3339_writes_whole_seconds_in_utc(instant: int, text: str) -> None:
    assert rfc3339(instant) == text


def test_to_datetime_keeps_the_microsecond() -> None:
    assert to_datetime(INSTANT).isoformat() == "2026-03-04T05:06:07.089123+00:00"


def test_system_clock_counts_microseconds_since_the_epoch() -> None:
    before = time.clock_gettime_ns(time.CLOCK_REALTIME)
    now = SystemClock().now()
    after = time.clock_gettime_ns(time.CLOCK_REALTIME)
    assert before // 1000 <= now <= after // 1000
