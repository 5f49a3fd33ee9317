"""Work that a running server repeats in the background."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from vestibule.domain.context import Context
from vestibule.ids import fraction
from vestibule.log import logger
from vestibule.store.interface import StoreUnavailable

Sleep = Callable[[float], Awaitable[None]]

_SOON: Final = 60


@dataclass(frozen=True)
class Job:
    """`work` is done every `seconds` or up to a fifth sooner: nodes do not keep in step."""

    name: str
    seconds: int
    work: Callable[[Context], Awaitable[object]]


async def repeat(job: Job, context: Context, *, sleep: Sleep = asyncio.sleep) -> NoReturn:
    """Do the work of `job` until cancelled, for the first time within a minute.

    No error of it ends it. One that comes again and again is logged once, and that it is over.
    """
    failing = ""
    await sleep(min(job.seconds, _SOON) * fraction(entropy=context.entropy))
    while True:
        try:
            await job.work(context)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next time may be better
            if repr(error) != failing:
                _tell(job, error)
            failing = repr(error)
        else:
            if failing:
                logger().info("job works again", job=job.name)
            failing = ""
        await sleep(job.seconds * (1 - fraction(entropy=context.entropy) / 5))


def _tell(job: Job, error: Exception) -> None:
    if isinstance(error, StoreUnavailable):
        logger().warning("job put off", job=job.name, detail=str(error))
    else:
        logger().error("job failed", job=job.name, exc_info=error)
