"""`make bench-saml`: what verifying a SAML Response costs, as ratios of CPU time in one run.

The raw limit is what no verifier on these libraries can go below: base64, one parse, exclusive
c14n of what is signed and of SignedInfo, SHA-256, RSA-2048 verify (and, for C, OAEP and GCM),
through lxml and cryptography with every key cached. All candidates of a document are interleaved
in shuffled rounds; a ratio is the median over rounds of candidate / raw limit of that round.

Then `hostile` and `oracle` measure what must not be slow and what must not tell. It ends with 1
when one of the bars does not hold.
"""

import base64
import hashlib
import random  # noqa: TID251 - the order of a measurement, the same in every run
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from bench import hostile, oracle, peers
from bench.saml_documents import Measured, documents
from tests.support.saml_documents import expectation
from tests.support.saml_keys import signer
from vestibule.clock import SystemClock
from vestibule.saml.response import read_form_field, verify_response

ROUNDS: Final = 31
CALLS: Final = 40
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_XENC: Final = "{http://www.w3.org/2001/04/xmlenc#}"
_SHA256: Final = hashes.SHA256()
_LIMITS: Final = {"A": 1.8, "B": 1.6, "C": 1.3}

Candidate = Callable[[], object]


def raw_limit(field: str) -> None:
    """Do the bare work on a Response: nothing is looked at, only signature and digest compared."""
    root = etree.fromstring(base64.b64decode(field), _PARSER)
    _raw_verify(_decrypted(root))


_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True)
_PUBLIC: Final = signer("idp").key.public_key()
_PRIVATE: Final = signer("sp").key


def _decrypted(root: etree._Element) -> etree._Element:
    values = [item.text or "" for item in root.iter(f"{_XENC}CipherValue")]
    if not values:
        return root
    wrapped, data = (base64.b64decode(value) for value in values)
    sha1 = hashes.SHA1()  # noqa: S303 - the default of XML encryption
    key = _PRIVATE.decrypt(wrapped, OAEP(mgf=MGF1(sha1), algorithm=sha1, label=None))
    return etree.fromstring(AESGCM(key).decrypt(data[:12], data[12:], None), _PARSER)


def _raw_verify(root: etree._Element) -> None:
    # From the outside in: what signs a Response signs the signature in its Assertion as well.
    for signature in list(root.iter(f"{_DS}Signature")):
        info, value = signature[0], signature[1]
        octets = etree.tostring(info, method="c14n", exclusive=True)
        _PUBLIC.verify(base64.b64decode(value.text or ""), octets, PKCS1v15(), _SHA256)
        owner = signature.getparent()
        if owner is None:
            raise ValueError("a signature outside an element")
        owner.remove(signature)
        digest = hashlib.sha256(etree.tostring(owner, method="c14n", exclusive=True)).digest()
        if base64.b64decode(info[2][2].text or "") != digest:
            raise ValueError("not what was signed")


def ours(field: str, *, now: int) -> None:
    """Verify with every check of the protocol and read the claims."""
    verify_response(read_form_field(field), _EXPECTATION, now=now)


_EXPECTATION: Final = expectation(decryption_keys=("sp",))


def measure(candidates: Mapping[str, Candidate]) -> dict[str, list[float]]:
    """Return CPU microseconds per call of every candidate, round by round."""
    order = list(candidates)
    chance = random.Random(7)  # noqa: S311 - same
    taken: dict[str, list[float]] = {name: [] for name in order}
    for name in order:
        candidates[name]()
    for _ in range(ROUNDS):
        chance.shuffle(order)
        for name in order:
            run = candidates[name]
            run()  # not timed: what the one before it has pushed out of the caches is not its cost
            began = time.process_time_ns()
            for _ in range(CALLS):
                run()
            taken[name].append((time.process_time_ns() - began) / CALLS / 1000)
    return taken


def report(document: Measured, taken: Mapping[str, list[float]]) -> float:
    """Print one table and return our ratio."""
    raw = taken["raw limit"]
    sys.stdout.write(f"\n{document.name}: {document.size} bytes\n")
    ratios = {}
    for name, times in taken.items():
        ratio = statistics.median(t / r for t, r in zip(times, raw, strict=True))
        ratios[name] = ratio
        sys.stdout.write(f"  {name:<28} {statistics.median(times):8.0f} us  {ratio:7.2f} x raw\n")
    return ratios["vestibule, all checks"]


def main() -> int:
    """Measure good documents, hostile ones and an oracle; 1 when one is not as we promise."""
    warnings.simplefilter("ignore")
    slow = 0
    now = SystemClock().now()
    for document in documents(now=now):
        others, refused = peers.candidates(document)
        candidates: dict[str, Candidate] = {
            "raw limit": partial(raw_limit, document.field),
            "vestibule, all checks": partial(ours, document.field, now=now),
            **others,
        }
        ratio = report(document, measure(candidates))
        for name in refused:
            sys.stdout.write(f"  does not take it: {name}\n")
        if ratio > _LIMITS[document.name]:
            slow += 1
            sys.stdout.write(f"  above its limit of {_LIMITS[document.name]} x raw\n")
    kept = [hostile.report(), oracle.report()]
    return 0 if all(kept) and not slow else 1


if __name__ == "__main__":
    sys.exit(main())
