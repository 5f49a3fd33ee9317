import base64
import hashlib
import re
import uuid
from functools import reduce
from operator import and_, or_

import pytest

from vestibule import ids
from vestibule.clock import SECOND

NOW = 1_772_600_767_089_123


class Counter:
    """Entropy that counts: every byte it gives is one more than the byte before."""

    def __init__(self) -> None:
        self._next = 0

    def token_bytes(self, size: int) -> bytes:
        start = self._next
        self._next += size
        return bytes(value % 256 for value in range(start, start + size))


def test_uuid7_has_version_variant_and_time() -> None:
    made = ids.uuid7(now=NOW, entropy=Counter())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == NOW // 1000


def test_uuid7_sorts_by_the_microsecond() -> None:
    entropy = Counter()
    times = [NOW, NOW + 1, NOW + 999, NOW + 1000, NOW + SECOND]
    made = [str(ids.uuid7(now=now, entropy=entropy)) for now in times]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_new_id_names_type_and_environment() -> None:
    made = ids.new_id("organization", "test", now=NOW, entropy=Counter())
    kind, environment, rest = made.split("-", 2)
    assert (kind, environment) == ("organization", "test")
    assert uuid.UUID(rest) == ids.uuid7(now=NOW, entropy=Counter())


def test_token_is_read_back_as_it_is_stored() -> None:
    minted = ids.mint_token(now=NOW, entropy=Counter())
    assert len(minted.text) == 64
    assert ids.read_token(minted.text) == minted


def test_token_stores_the_hash_of_its_secret_only() -> None:
    minted = ids.mint_token(now=NOW, entropy=Counter())
    raw = base64.urlsafe_b64decode(minted.text)
    assert minted.secret_hash == hashlib.sha256(raw[16:]).digest()
    assert uuid.UUID(minted.token_id).bytes == raw[:16]


@pytest.mark.parametrize(
    "text",
    ["", "A" * 63, "A" * 65, "A" * 63 + "=", "A" * 63 + "+", "A" * 63 + "\n", "A" * 63 + "é"],
    ids=["empty", "short", "long", "padding", "plus", "newline", "accent"],
)
def test_text_that_is_no_token_is_not_read(text: str) -> None:
    assert ids.read_token(text) is None


def test_new_secret_is_256_bits_in_url_safe_characters() -> None:
    text = ids.new_secret(entropy=Counter())
    assert base64.urlsafe_b64decode(text + "=") == bytes(range(32))


def test_system_entropy_does_not_repeat() -> None:
    entropy = ids.SystemEntropy()
    drawn = {entropy.token_bytes(16) for _ in range(100)}
    assert {len(each) for each in drawn} == {16}
    assert len(drawn) == 100


@pytest.mark.case("ST-28")
def test_a_hundred_thousand_tokens_are_256_random_bits_each() -> None:
    entropy = ids.SystemEntropy()
    tokens = [ids.mint_token(now=NOW, entropy=entropy) for _ in range(100_000)]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{64}", token.text) for token in tokens)
    secrets = {base64.urlsafe_b64decode(token.text)[16:] for token in tokens}
    assert {len(each) for each in secrets} == {32}
    assert len(secrets) == 100_000
    assert len({token.secret_hash for token in tokens}) == 100_000
    # No bit is always the same one.
    numbers = [int.from_bytes(each, "big") for each in secrets]
    assert reduce(or_, numbers) == 2**256 - 1
    assert reduce(and_, numbers) == 0


@pytest.mark.parametrize(("left", "right", "same"), [(b"a", b"a", True), (b"a", b"b", False)])
def test_same_secret_compares(left: bytes, right: bytes, same: bool) -> None:
    assert ids.same_secret(left, right) is same
