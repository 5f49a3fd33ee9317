"""Sealed values open with the same keys for the same purpose, and not otherwise."""

import uuid

import pytest

from tests.support.determinism import HandClock, SeededEntropy
from tests.support.hooked_store import HookedStore
from vestibule.store.interface import Store
from vestibule.store.sealing import (
    MasterKeyError,
    Sealer,
    SealError,
    has_data_keys,
    open_sealer,
    rewrap,
    wrap_data_key,
)

MASTER = bytes(range(32))
OTHER_MASTER = bytes(range(32, 64))
KEY_ID = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
PURPOSE = "connections.client_secret"


@pytest.fixture
def sealer(entropy: SeededEntropy) -> Sealer:
    return Sealer([(KEY_ID, b"k" * 32)], entropy)


@pytest.mark.parametrize("plaintext", [b"", b"x", "schlüssel 🔑".encode(), b"\0" * 5000])
def test_sealed_value_opens_for_its_purpose(sealer: Sealer, plaintext: bytes) -> None:
    sealed = sealer.seal(plaintext, purpose=PURPOSE)
    assert sealer.unseal(sealed, purpose=PURPOSE) == plaintext
    assert plaintext == b"" or plaintext not in sealed


def test_same_value_is_sealed_differently_each_time(sealer: Sealer) -> None:
    assert sealer.seal(b"x", purpose=PURPOSE) != sealer.seal(b"x", purpose=PURPOSE)


def test_sealed_value_is_refused_for_another_purpose(sealer: Sealer) -> None:
    sealed = sealer.seal(b"secret", purpose=PURPOSE)
    with pytest.raises(SealError) as caught:
        sealer.unseal(sealed, purpose="connection_keys.private_key")
    assert caught.value.reason == "refused"


def test_sealed_value_is_refused_when_any_byte_is_changed(sealer: Sealer) -> None:
    sealed = sealer.seal(b"secret", purpose=PURPOSE)
    reasons = set()
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealError) as caught:
            sealer.unseal(bytes(changed), purpose=PURPOSE)
        reasons.add((min(place, 29) if place < 29 else 29, caught.value.reason))
    assert reasons == (
        {(0, "format")} | {(n, "unknown_key") for n in range(1, 17)}
        | {(n, "refused") for n in range(17, 30)}
    )  # fmt: skip


def test_sealed_value_is_refused_when_cut(sealer: Sealer) -> None:
    sealed = sealer.seal(b"secret", purpose=PURPOSE)
    for length in range(len(sealed)):
        with pytest.raises(SealError) as caught:
            sealer.unseal(sealed[:length], purpose=PURPOSE)
        assert caught.value.reason == ("format" if length < 29 else "refused")


def test_value_sealed_under_a_foreign_data_key_is_told_apart(
    sealer: Sealer, entropy: SeededEntropy
) -> None:
    foreign = Sealer([(uuid.UUID(int=7), b"f" * 32)], entropy).seal(b"x", purpose=PURPOSE)
    with pytest.raises(SealError) as caught:
        sealer.unseal(foreign, purpose=PURPOSE)
    assert caught.value.reason == "unknown_key"


async def test_second_start_opens_what_the_first_sealed(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    assert not await has_data_keys(store)
    first = await open_sealer(store, MASTER, clock=clock, entropy=entropy)
    assert await has_data_keys(store)
    second = await open_sealer(store, MASTER, clock=clock, entropy=entropy)
    assert second.unseal(first.seal(b"x", purpose=PURPOSE), purpose=PURPOSE) == b"x"


async def test_data_key_is_not_in_the_database_in_clear(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    data_key = SeededEntropy().token_bytes(32)
    sealer = await open_sealer(store, MASTER, clock=clock, entropy=entropy)
    async with store.read() as tx:
        (record,) = await tx.data_keys.all()
    # The key that was drawn is the one in use: without it this test would prove nothing.
    same = Sealer([(uuid.UUID(record.data_key_id), data_key)], entropy)
    assert same.unseal(sealer.seal(b"x", purpose=PURPOSE), purpose=PURPOSE) == b"x"
    assert data_key not in record.wrapped
    assert record.created_at == clock.now()


async def test_starts_at_the_same_time_agree_on_one_data_key(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    faster: list[Sealer] = []

    async def start() -> None:
        faster.append(await open_sealer(store, MASTER, clock=clock, entropy=entropy))

    hooked = HookedStore(store)
    hooked.arm(2, start)  # there was no key when this one looked; now there is
    slower = await open_sealer(hooked, MASTER, clock=clock, entropy=entropy)
    sealed = slower.seal(b"x", purpose=PURPOSE)
    assert faster[0].unseal(sealed, purpose=PURPOSE) == b"x"


@pytest.mark.case("ST-19")
async def test_wrong_master_key_is_refused_at_start(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    await open_sealer(store, MASTER, clock=clock, entropy=entropy)
    with pytest.raises(MasterKeyError, match=r"^the master key is not the one that wrapped"):
        await open_sealer(store, OTHER_MASTER, clock=clock, entropy=entropy)


async def test_newest_of_several_data_keys_seals_and_all_open(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    before = await open_sealer(store, MASTER, clock=clock, entropy=entropy)
    newer = wrap_data_key(
        b"n" * 32, str(KEY_ID), MASTER, created_at=clock.now() + 1, entropy=entropy
    )
    async with store.write() as tx:
        await tx.data_keys.insert(newer)
    after = await open_sealer(store, MASTER, clock=clock, entropy=entropy)
    assert after.unseal(before.seal(b"old", purpose=PURPOSE), purpose=PURPOSE) == b"old"
    assert after.seal(b"new", purpose=PURPOSE)[1:17] == KEY_ID.bytes


@pytest.mark.case("ST-20")
async def test_rewrapped_data_keys_need_the_new_master_key(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    running = await open_sealer(store, MASTER, clock=clock, entropy=entropy)
    sealed = running.seal(b"before", purpose=PURPOSE)
    assert await rewrap(store, old=MASTER, new=OTHER_MASTER, entropy=entropy) == 1
    restarted = await open_sealer(store, OTHER_MASTER, clock=clock, entropy=entropy)
    assert restarted.unseal(sealed, purpose=PURPOSE) == b"before"
    assert restarted.unseal(running.seal(b"x", purpose=PURPOSE), purpose=PURPOSE) == b"x"
    assert running.unseal(restarted.seal(b"y", purpose=PURPOSE), purpose=PURPOSE) == b"y"
    with pytest.raises(MasterKeyError):
        await open_sealer(store, MASTER, clock=clock, entropy=entropy)


async def test_rewrapping_with_a_wrong_old_key_changes_nothing(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    await open_sealer(store, MASTER, clock=clock, entropy=entropy)
    async with store.read() as tx:
        before = await tx.data_keys.all()
    with pytest.raises(MasterKeyError, match="not the one that wrapped data key"):
        await rewrap(store, old=OTHER_MASTER, new=MASTER, entropy=entropy)
    async with store.read() as tx:
        assert await tx.data_keys.all() == before


async def test_wrapped_data_key_moved_to_another_id_is_refused(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    await open_sealer(store, MASTER, clock=clock, entropy=entropy)
    async with store.write() as tx:
        await tx.data_keys.change({"data_key_id": str(KEY_ID)}, created_at=clock.now())
    with pytest.raises(MasterKeyError):
        await open_sealer(store, MASTER, clock=clock, entropy=entropy)
