"""The master key: given, read from its file, or made once."""

import base64
import stat
from pathlib import Path

import pytest

from tests.support.determinism import HandClock, SeededEntropy
from vestibule.ids import SystemEntropy
from vestibule.store.interface import Store
from vestibule.store.master_key import _make, load_master_key, read_master_key
from vestibule.store.sealing import MasterKeyError, open_sealer

KEY = bytes(range(32))
TEXT = base64.b64encode(KEY).decode()


async def test_setting_wins_over_the_file(
    store: Store, tmp_path: Path, entropy: SeededEntropy
) -> None:
    file = tmp_path / "master.key"
    file.write_text(base64.b64encode(bytes(32)).decode())
    assert await load_master_key(store, setting=TEXT, file=file, entropy=entropy) == KEY


async def test_setting_leaves_no_file_behind(
    store: Store, tmp_path: Path, entropy: SeededEntropy
) -> None:
    await load_master_key(store, setting=TEXT, file=tmp_path / "master.key", entropy=entropy)
    assert not (tmp_path / "master.key").exists()


async def test_first_start_makes_a_file_that_only_its_owner_reads(
    store: Store, tmp_path: Path, entropy: SeededEntropy
) -> None:
    file = tmp_path / "new" / "master.key"
    made = await load_master_key(store, setting="", file=file, entropy=entropy)
    assert made == SeededEntropy().token_bytes(32)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["master.key"]
    assert await load_master_key(store, setting="", file=file, entropy=entropy) == made


async def test_missing_file_is_not_replaced_once_data_keys_exist(
    store: Store, tmp_path: Path, clock: HandClock, entropy: SeededEntropy
) -> None:
    file = tmp_path / "master.key"
    await open_sealer(store, KEY, clock=clock, entropy=entropy)
    with pytest.raises(MasterKeyError, match="put the file back, or set master_key"):
        await load_master_key(store, setting="", file=file, entropy=entropy)
    assert not file.exists()


async def test_existing_file_is_read_when_data_keys_exist(
    store: Store, tmp_path: Path, clock: HandClock, entropy: SeededEntropy
) -> None:
    file = tmp_path / "master.key"
    file.write_text(f"{TEXT}\n")
    await open_sealer(store, KEY, clock=clock, entropy=entropy)
    assert await load_master_key(store, setting="", file=file, entropy=entropy) == KEY


def test_key_of_a_quicker_process_stays(tmp_path: Path, entropy: SeededEntropy) -> None:
    file = tmp_path / "master.key"
    file.write_text(TEXT)
    _make(file, entropy)
    assert file.read_text() == TEXT
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.case("AD-50")
@pytest.mark.parametrize(
    "content", [b"", b"short", base64.b64encode(bytes(31)), base64.b64encode(bytes(33)), b"\xff\0"]
)
async def test_unusable_file_is_refused_and_kept(
    store: Store, tmp_path: Path, entropy: SeededEntropy, content: bytes
) -> None:
    file = tmp_path / "master.key"
    file.write_bytes(content)
    with pytest.raises(MasterKeyError, match=r"master\.key: expected 32 bytes in base64$"):
        await load_master_key(store, setting="", file=file, entropy=entropy)
    assert file.read_bytes() == content


@pytest.mark.case("AD-50")
def test_unusable_text_is_refused_without_repeating_it() -> None:
    with pytest.raises(MasterKeyError) as caught:
        read_master_key("not-a-key!", source="the setting master_key")
    assert str(caught.value) == "the setting master_key: expected 32 bytes in base64"


@pytest.mark.case("AD-50")
@pytest.mark.parametrize(
    "key", [bytes(32), b"\xff" * 32, b"passwordpasswordpasswordpassword", bytes(range(15)) * 3]
)
def test_key_that_is_plainly_not_random_is_refused(key: bytes) -> None:
    text = base64.b64encode(key[:32]).decode()
    with pytest.raises(MasterKeyError) as caught:
        read_master_key(text, source="it")
    assert str(caught.value) == "it: expected 32 random bytes in base64, got ones that repeat"


def test_random_keys_are_keys() -> None:
    entropy = SystemEntropy()
    for _ in range(1000):
        key = entropy.token_bytes(32)
        assert read_master_key(base64.b64encode(key).decode(), source="it") == key
