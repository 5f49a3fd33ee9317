"""What has expired goes, what has not stays."""

from typing import Any

import pytest

from tests.support.determinism import NOW
from tests.support.full_records import full_record, insert_all, rows
from vestibule.clock import DAY
from vestibule.store.cleanup import remove_expired
from vestibule.store.interface import (
    IMPERSONATION_TOKEN,
    INTERMEDIATE_SESSION,
    LOGOUT,
    OUTBOX,
    REPLAY,
    SESSION,
    SIGN_IN,
    SMS_CODE,
    SMS_COUNT,
    SSO_TOKEN,
    TABLES,
    TRACE,
    TRUSTED_TOKEN,
    Store,
)
from vestibule.store.table import Table

REMOVED: dict[str, tuple[Table[Any], str, int]] = {
    "sign_ins": (SIGN_IN, "expires_at", DAY),
    "sso_tokens": (SSO_TOKEN, "expires_at", DAY),
    "replays": (REPLAY, "expires_at", 0),
    "trusted_tokens": (TRUSTED_TOKEN, "expires_at", 0),
    "sessions": (SESSION, "expires_at", 0),
    "intermediate_sessions": (INTERMEDIATE_SESSION, "expires_at", 0),
    "sms_codes": (SMS_CODE, "expires_at", 0),
    "sms_counts": (SMS_COUNT, "ends_at", 0),
    "impersonation_tokens": (IMPERSONATION_TOKEN, "expires_at", 0),
    "logouts": (LOGOUT, "expires_at", DAY),
    "traces": (TRACE, "created_at", 30 * DAY),
    "outbox": (OUTBOX, "delivered_at", DAY),
}


async def left(store: Store) -> set[str]:
    async with store.read() as tx:
        return {table.name for table in TABLES if await rows(tx, table).count()}


@pytest.mark.parametrize("name", REMOVED)
async def test_row_goes_when_its_time_is_over(store: Store, name: str) -> None:
    table, column, kept = REMOVED[name]
    async with store.write() as tx:
        await insert_all(tx)
        await rows(tx, table).change({column: NOW})
    assert await remove_expired(store, now=NOW + kept - 1) == 0
    assert await remove_expired(store, now=NOW + kept) == 1
    assert await left(store) == {each.name for each in TABLES} - {name}


async def test_undelivered_message_stays(store: Store) -> None:
    async with store.write() as tx:
        await insert_all(tx, delivered_at=0, created_at=0, deliver_at=0)
    await remove_expired(store, now=NOW)
    assert "outbox" in await left(store)


@pytest.mark.parametrize("number", [9, 10, 11])
async def test_more_than_one_batch_goes(store: Store, number: int) -> None:
    async with store.write() as tx:
        await insert_all(tx)
        for each in range(number):
            await tx.replays.insert(full_record(REPLAY, assertion_id=str(each), expires_at=NOW))
    assert await remove_expired(store, now=NOW, batch=5) == number
    async with store.read() as tx:
        assert await tx.replays.all() == [full_record(REPLAY)]
