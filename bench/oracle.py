"""Whether time tells an attacker what is wrong with a changed CBC ciphertext (case XE-05).

Two kinds of one message are verified in turns, 5,000 times: in one a block of the content was
changed, in the other the padding byte. A padding oracle needs to tell them apart by their times.
"""

import random  # noqa: TID251 - the variants of a measurement, the same in every run
import statistics
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lxml.etree import _Element

from bench.timing import MAX_T, usual, welch
from tests.support.saml_documents import NOW, document, expectation, octets
from tests.support.saml_encryption import AES_CBC, Encryption
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.response import verify_response
from vestibule.saml.xml import XENC

CALLS: Final = 5_000
_VARIANTS: Final = 100
_BLOCK: Final = 16
_EXPECTATION: Final = replace(expectation(decryption_keys=("sp",)), allow_cbc=True)


def report() -> bool:
    """Print the two means and their t; return whether it stays below the limit."""
    chance = random.Random(5)  # noqa: S311 - same
    root = document(encryption=Encryption(cipher=AES_CBC))
    kinds = {
        "content": list(_variants(root, chance, padding=False)),
        "padding": list(_variants(root, chance, padding=True)),
    }
    taken: dict[str, list[int]] = {name: [] for name in kinds}
    order = list(kinds)
    for _ in range(CALLS // 2):
        chance.shuffle(order)
        for name in order:
            data = chance.choice(kinds[name])
            began = time.process_time_ns()
            _refuse(data)
            taken[name].append(time.process_time_ns() - began)
    t = welch(*(usual(times) for times in taken.values()))
    sys.stdout.write(f"\nchanged CBC ciphertexts until they are refused, {CALLS} calls:\n")
    for name, times in taken.items():
        mean = statistics.mean(usual(times)) / 1000
        sys.stdout.write(f"  {name:<28} {mean:8.1f} us\n")
    sys.stdout.write(f"  t {t:.2f}, at most {MAX_T} by chance\n")
    return abs(t) <= MAX_T


def _variants(root: _Element, chance: random.Random, *, padding: bool) -> Iterator[bytes]:
    """Copies of a message with one byte of its ciphertext changed."""
    value = list(root.iter(f"{{{XENC}}}CipherValue"))[-1]
    good = b64decode(value.text or "")
    for _ in range(_VARIANTS):
        changed = bytearray(good)
        if padding:
            # The last byte of the last block but one is added to the padding byte, at most 16.
            changed[-_BLOCK - 1] ^= chance.randrange(32, 256)
        else:
            changed[chance.randrange(2 * _BLOCK, len(good) - 3 * _BLOCK)] ^= chance.randrange(
                1, 256
            )
        value.text = b64encode(changed).decode()
        yield octets(root)


def _refuse(data: bytes) -> None:
    try:
        verify_response(data, _EXPECTATION, now=NOW)
    except SamlError as error:
        if error.reason is not Reason.ENC:
            raise
    else:
        raise AssertionError("a changed ciphertext was accepted")
