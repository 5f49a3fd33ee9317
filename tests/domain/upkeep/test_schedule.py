"""When metadata is read again: its publisher's wishes within our bounds."""

import pytest

from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain.upkeep.schedule import after_failure, after_success

NOW = 1_000 * DAY


@pytest.mark.parametrize(
    ("cache_duration", "valid_until", "expected"),
    [
        (None, None, 6 * HOUR),
        (2 * HOUR, None, 2 * HOUR),
        (MINUTE, None, HOUR),
        (3650 * DAY, None, DAY),
        (None, NOW + 8 * HOUR, 4 * HOUR),
        (2 * HOUR, NOW + 30 * DAY, 2 * HOUR),
        (12 * HOUR, NOW + 8 * HOUR, 4 * HOUR),
        (None, NOW + MINUTE, HOUR),
        (None, NOW - DAY, HOUR),
    ],
)
def test_good_metadata_is_read_as_often_as_it_asks_within_an_hour_and_a_day(
    cache_duration: int | None, valid_until: int | None, expected: int
) -> None:
    latest, soonest = (
        after_success(NOW, cache_duration=cache_duration, valid_until=valid_until, chance=chance)
        for chance in (0.0, 0.999_999)
    )
    assert latest == NOW + expected
    assert NOW + expected * 4 // 5 <= soonest < NOW + expected * 81 // 100


def test_failures_are_tried_again_later_and_later_up_to_a_day() -> None:
    waits = [after_failure(0, failures=count, chance=0.0) for count in range(1, 50)]
    assert waits[:8] == [MINUTE * 15 * 2**count for count in range(7)] + [DAY]
    assert set(waits[7:]) == {DAY}
    assert after_failure(0, failures=1, chance=0.5) == 15 * MINUTE * 9 // 10
