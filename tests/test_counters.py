import pytest

from tests.support.counting_server import CountingServer, counting_server
from tests.support.server_process import free_port
from vestibule.clock import MINUTE, SECOND
from vestibule.counters import (
    Counters,
    CountersUnavailable,
    MemoryCounters,
    ServerCounters,
    open_counters,
)

NOW = 1_000 * MINUTE


def test_memory_counts_unless_a_server_is_named() -> None:
    assert isinstance(open_counters(""), MemoryCounters)


async def test_each_key_is_counted_for_itself(counters: Counters) -> None:
    for count in (1, 2, 3):
        assert await counters.add("a-key", now=NOW, ends=NOW + MINUTE) == count
    assert await counters.add("another key\0ü", now=NOW, ends=NOW + MINUTE) == 1


async def test_memory_keeps_no_key_for_long_after_its_end() -> None:
    counters = MemoryCounters()
    for number in range(1_000):
        await counters.add(f"key-{number}", now=NOW, ends=NOW + MINUTE)
    await counters.add("kept", now=NOW + MINUTE - 1, ends=NOW + 2 * MINUTE)
    assert await counters.add("last", now=NOW + MINUTE, ends=NOW + 2 * MINUTE) == 1
    assert set(counters._counts) == {"kept", "last"}


async def test_server_forgets_a_key_by_itself(shared_counting_server: CountingServer) -> None:
    counters = ServerCounters(shared_counting_server.url)
    assert await counters.add("ends", now=NOW, ends=NOW + 90 * SECOND - 1) == 1
    left = await counters._storage.get_expiry("ends")
    await counters.close()
    # As a time of day of the machine's, which the limit itself never asks for.
    assert left > 0


async def test_two_clients_of_one_server_share_its_counts(
    shared_counting_server: CountingServer,
) -> None:
    first, second = (
        open_counters(shared_counting_server.url.replace("valkey:", scheme))
        for scheme in ("valkey:", "redis:")
    )
    assert await first.add("shared", now=NOW, ends=NOW + MINUTE) == 1
    assert await second.add("shared", now=NOW, ends=NOW + MINUTE) == 2
    await first.close()
    await second.close()


async def test_nothing_listening_is_told() -> None:
    counters = open_counters(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(CountersUnavailable, match="Connect"):
        await counters.add("key", now=NOW, ends=NOW + MINUTE)
    await counters.close()


async def test_server_that_does_not_answer_is_not_waited_for() -> None:
    with counting_server() as server:
        counters = ServerCounters(server.url)
        assert await counters.add("key", now=NOW, ends=NOW + MINUTE) == 1
        server.freeze()
        with pytest.raises(CountersUnavailable, match="TimeoutError"):
            await counters.add("key", now=NOW, ends=NOW + MINUTE)
        await counters.close()


async def test_server_that_is_back_counts_again() -> None:
    with counting_server() as server:
        counters = ServerCounters(server.url)
        assert await counters.add("key", now=NOW, ends=NOW + MINUTE) == 1
        server.stop()
        with pytest.raises(CountersUnavailable):
            await counters.add("key", now=NOW, ends=NOW + MINUTE)
        server.start()
        assert await counters.add("key", now=NOW, ends=NOW + MINUTE) == 1
        await counters.close()
