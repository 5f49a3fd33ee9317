"""The guard of `store.read()`: statements that only read, on both engines."""

from collections.abc import Sequence
from typing import Final

from vestibule.store.table import Executor, Row

_MISTAKE: Final = "store.read() neither writes nor locks; use store.write()"


class ReadOnly:
    """Passes SELECT on to `executor` and refuses the rest: a mistake of ours, so RuntimeError."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    @property
    def row_lock(self) -> str:
        raise RuntimeError(_MISTAKE)

    async def fetch(self, sql: str, values: Sequence[object]) -> Sequence[Row]:
        if not sql.startswith(("SELECT", "WITH")):
            raise RuntimeError(_MISTAKE)
        return await self._executor.fetch(sql, values)

    async def execute(self, sql: str, values: Sequence[object]) -> int:  # noqa: ARG002 - Executor
        raise RuntimeError(_MISTAKE)
