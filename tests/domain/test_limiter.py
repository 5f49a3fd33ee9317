import asyncio
from collections.abc import Awaitable

import pytest
import structlog

from tests.support.determinism import HandClock
from tests.support.server_process import free_port
from vestibule.clock import MINUTE, SECOND
from vestibule.counters import Counters, MemoryCounters, ServerCounters, open_counters
from vestibule.domain.limiter import Limiter, Meter
from vestibule.domain.limits import Limit
from vestibule.errors import Failure

READS = Limit("reads", ("project",), 3, "reads")
GUESSES = Limit("guesses", ("project", "member"), 3, "guesses", guess=True)
NOWHERE = "valkey://127.0.0.1:{}"


async def refusal(spent: Awaitable[object]) -> Failure:
    with pytest.raises(Failure) as refused:
        await spent
    assert (refused.value.error.name, refused.value.error.status) == ("too_many_requests", 429)
    return refused.value


@pytest.fixture
def limiter(counters: Counters, clock: HandClock) -> Limiter:
    clock.advance(MINUTE - clock.now() % MINUTE)
    return Limiter(counters, clock=clock)


async def use_up(limiter: Limiter, limit: Limit, *subject: str) -> None:
    for _ in range(limit.requests):
        await limiter.spend(limit, *subject)


@pytest.mark.parametrize("limit", [READS, GUESSES])
async def test_what_is_beyond_the_limit_is_refused_until_the_window_ends(
    limiter: Limiter, clock: HandClock, limit: Limit
) -> None:
    clock.advance(20 * SECOND + 1)
    await use_up(limiter, limit, "a", "b")
    failure = await refusal(limiter.spend(limit, "a", "b"))
    assert failure.retry_after == 40
    assert limit.name in failure.message
    assert " and ".join(limit.per) in failure.message
    clock.advance(40 * SECOND - 2)
    assert (await refusal(limiter.spend(limit, "a", "b"))).retry_after == 1
    clock.advance(1)
    await use_up(limiter, limit, "a", "b")


async def test_each_subject_and_limit_is_counted_for_itself(limiter: Limiter) -> None:
    await use_up(limiter, GUESSES, "a", "bc")
    await use_up(limiter, GUESSES, "ab", "c")
    await use_up(limiter, Limit("others", GUESSES.per, 3, "others"), "a", "bc")
    await refusal(limiter.spend(GUESSES, "a", "bc"))


async def test_of_many_at_once_only_as_many_as_allowed_pass(limiter: Limiter) -> None:
    spent = (limiter.spend(GUESSES, "a", "b") for _ in range(50))
    outcomes = await asyncio.gather(*spent, return_exceptions=True)
    assert outcomes.count(False) == GUESSES.requests - 1
    assert outcomes.count(True) == 1  # the last one knows that it is


async def test_factor_raises_limits_but_not_those_of_guesses(clock: HandClock) -> None:
    limiter = Limiter(MemoryCounters(), clock=clock, factor=2)
    await use_up(limiter, READS, "a")
    await use_up(limiter, READS, "a")
    await refusal(limiter.spend(READS, "a"))
    await use_up(limiter, GUESSES, "a", "b")
    await refusal(limiter.spend(GUESSES, "a", "b"))


async def test_check_refuses_what_is_used_up_and_counts_nothing(
    limiter: Limiter, clock: HandClock
) -> None:
    for _ in range(2 * GUESSES.requests):
        limiter.check(GUESSES, "a", "b")
    await use_up(limiter, GUESSES, "a", "b")
    with pytest.raises(Failure, match="too_many_requests"):
        limiter.check(GUESSES, "a", "b")
    clock.advance(MINUTE)
    limiter.check(GUESSES, "a", "b")


async def test_used_up_limits_are_logged_once_with_a_short_subject(limiter: Limiter) -> None:
    with structlog.testing.capture_logs() as lines:
        await use_up(limiter, READS, "x" * 5_000)
        for _ in range(2):
            await refusal(limiter.spend(READS, "x" * 5_000))
    assert lines == [
        {
            "event": "limit reached",
            "log_level": "warning",
            "limit": "reads",
            "per": ("project",),
            "subject": ["x" * 100],
        }
    ]


async def test_what_was_used_up_is_forgotten_after_its_window(
    limiter: Limiter, clock: HandClock
) -> None:
    for number in range(50):
        await use_up(limiter, READS, f"project-{number}")
    clock.advance(2 * MINUTE)
    await use_up(limiter, READS, "last")
    assert len(limiter._used_up) == 1


async def test_two_nodes_with_one_server_share_a_limit(counting_url: str, clock: HandClock) -> None:
    nodes = [Limiter(open_counters(counting_url), clock=clock) for _ in range(2)]
    await nodes[0].spend(GUESSES, "a", "b")
    await nodes[1].spend(GUESSES, "a", "b")
    await nodes[0].spend(GUESSES, "a", "b")
    await refusal(nodes[1].spend(GUESSES, "a", "b"))
    await refusal(nodes[0].spend(GUESSES, "a", "b"))
    for node in nodes:
        await node.close()


# The server is down -----------------------------------------------------------------------------


@pytest.mark.case("AD-12", verdict="holds", reason="too_many_requests for guesses alone")
async def test_without_its_server_reads_pass_and_guesses_are_refused(clock: HandClock) -> None:
    limiter = Limiter(ServerCounters(NOWHERE.format(free_port())), clock=clock)
    with structlog.testing.capture_logs() as lines:
        for _ in range(2 * READS.requests):
            await limiter.spend(READS, "a")
        await refusal(limiter.spend(GUESSES, "a", "b"))
    with pytest.raises(Failure, match="too_many_requests"):
        limiter.check(GUESSES, "a", "b")
    limiter.check(GUESSES, "a", "another member")
    assert [line["event"] for line in lines] == ["limits cannot be counted"]
    await limiter.close()


class Slow:
    """Counters that cannot be reached, and know how often that was tried."""

    def __init__(self, reached: Counters) -> None:
        self.asked = 0
        self.down = True
        self._unreachable = ServerCounters(NOWHERE.format(free_port()))
        self._reached = reached

    async def add(self, key: str, *, now: int, ends: int) -> int:
        self.asked += 1
        there = self._unreachable if self.down else self._reached
        return await there.add(key, now=now, ends=ends)

    async def close(self) -> None:
        await self._unreachable.close()


async def test_server_that_is_down_is_asked_once_a_second_until_it_is_back(
    clock: HandClock,
) -> None:
    counters = Slow(MemoryCounters())
    limiter = Limiter(counters, clock=clock)
    with structlog.testing.capture_logs() as lines:
        for _ in range(10):
            await limiter.spend(READS, "a")
        assert counters.asked == 1
        clock.advance(SECOND)
        for _ in range(10):
            await limiter.spend(READS, "a")
        assert counters.asked == 2
        counters.down = False
        clock.advance(SECOND)
        await use_up(limiter, READS, "b")
        await refusal(limiter.spend(READS, "b"))
    events = [line["event"] for line in lines]
    assert events == ["limits cannot be counted", "limits are counted again", "limit reached"]
    await limiter.close()


# One request ------------------------------------------------------------------------------------


async def test_meter_counts_once_all_that_a_limit_is_counted_per_is_known(
    limiter: Limiter,
) -> None:
    for _ in range(GUESSES.requests):
        meter = Meter(limiter, (GUESSES,))
        await meter.know(project="a")
        await meter.know(member="b")
        await meter.know(address="192.0.2.7")
    last = Meter(limiter, (GUESSES,))
    await last.know(project="a")
    await refusal(last.know(member="b"))


async def test_meter_does_not_count_what_stays_unknown(limiter: Limiter) -> None:
    for _ in range(GUESSES.requests + 1):
        await Meter(limiter, (GUESSES,)).know(project="a")
