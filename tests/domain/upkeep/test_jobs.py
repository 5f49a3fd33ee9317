"""Jobs go on whatever happens to them, and tell of it once."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from vestibule.domain.context import Context
from vestibule.domain.upkeep.jobs import Job, repeat
from vestibule.store.interface import StoreUnavailable


async def run(
    context: Context, outcomes: list[Exception | None], *, seconds: int = 100
) -> tuple[list[float], list[Any]]:
    """Let a job have these outcomes in turn; return how it slept and what was logged."""
    slept: list[float] = []

    async def sleep(duration: float) -> None:
        slept.append(duration)
        if len(slept) > len(outcomes):
            raise asyncio.CancelledError

    async def work(given: Context) -> None:
        assert given is context
        outcome = outcomes[len(slept) - 1]
        if outcome is not None:
            raise outcome

    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await repeat(Job("test", seconds, work), context, sleep=sleep)
    return slept, logs


async def test_job_starts_within_a_minute_and_repeats_a_little_early(context: Context) -> None:
    slept, logs = await run(context, [None] * 50)
    assert logs == []
    assert 0 <= slept[0] < 60
    assert all(80 < each <= 100 for each in slept[1:])
    assert len(set(slept)) == 51


async def test_short_job_starts_within_its_own_time(context: Context) -> None:
    slept, _ = await run(context, [None], seconds=1)
    assert 0 <= slept[0] < 1


async def test_job_that_fails_goes_on(context: Context) -> None:
    outcomes = [ZeroDivisionError("x"), StoreUnavailable("gone"), None, KeyError("y")]
    slept, logs = await run(context, [*outcomes])
    assert len(slept) == 5
    assert [(line["event"], line["log_level"], line["job"]) for line in logs] == [
        ("job failed", "error", "test"),
        ("job put off", "warning", "test"),
        ("job works again", "info", "test"),
        ("job failed", "error", "test"),
    ]
    assert logs[0]["exc_info"] is outcomes[0]
    assert logs[1]["detail"] == "gone"


async def test_same_error_is_told_once_until_it_is_over(context: Context) -> None:
    gone = [StoreUnavailable("gone") for _ in range(3)]
    _, logs = await run(context, [*gone, None, None, *gone])
    assert [line["event"] for line in logs] == ["job put off", "job works again", "job put off"]


async def test_job_ends_only_when_cancelled(context: Context) -> None:
    begun = asyncio.Event()

    async def work(_context: Context) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def at_once(_duration: float) -> None:
        await asyncio.sleep(0)

    task = asyncio.create_task(repeat(Job("test", 1, work), context, sleep=at_once))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
