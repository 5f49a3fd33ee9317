"""The property behind every other: what we accept, xmlsec and signxml accept, and read the same.

A good document is changed at random; when `verify_response` still accepts it, two engines that
nobody here wrote have to verify each signed element with the same key, and the identity we read
has to be the one in the bytes they report as signed.
"""

from collections import Counter
from copy import deepcopy
from random import Random

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from lxml.etree import _Element

from tests.support.saml_documents import NOW, Signed, document, expectation, octets
from tests.support.saml_encryption import Encryption
from tests.support.saml_keys import signer
from tests.support.saml_mutations import (
    identity,
    identity_in,
    mutate,
    mutate_bytes,
    octets_without_signature,
    signed_elements,
)
from tests.support.second_opinions import signxml_reads, xmlsec_accepts
from vestibule.saml.errors import SamlError
from vestibule.saml.response import VerifiedAssertion, verify_response

OURS = expectation(decryption_keys=("sp",))


def accepted_is_signed(*, examples: int, seed_number: int) -> Counter[str]:
    """Try this many changed documents; count the accepted, the unchanged, the refused by family.

    Fails with the smallest document found for which the property does not hold.
    """
    good = _good_documents()
    signed = {name: identity(verify_response(octets(good[name]), OURS, now=NOW)) for name in good}
    seen: Counter[str] = Counter()

    @seed(seed_number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        name=st.sampled_from(sorted(good)),
        random=st.randoms(use_true_random=False),
        changes=st.integers(1, 4),
        in_bytes=st.sampled_from([0, 0, 0, 1, 3]),
    )
    def holds(name: str, random: Random, changes: int, in_bytes: int) -> None:
        root = deepcopy(good[name])
        mutate(root, random, times=changes)
        data = mutate_bytes(octets(root), random, times=in_bytes)
        try:
            result = verify_response(data, OURS, now=NOW)
        except SamlError as error:
            seen[error.reason.value.partition(".")[0]] += 1
            return
        seen["unchanged" if data == octets(good[name]) else "accepted"] += 1
        assert identity(result) == signed[name], data
        if name != "encrypted":
            _agree(data, result)

    holds()
    return seen


def _agree(data: bytes, result: VerifiedAssertion) -> None:
    owners = signed_elements(data)
    assert owners, data
    for owner in owners:
        assert xmlsec_accepts(owner, signer("idp").pem), data
        signed = signxml_reads(owner, signer("idp").pem)
        assert identity_in(signed) == identity(result), data
    # Last, since it takes the Signatures out: xmlsec says yes or no, but not over which bytes.
    for owner in owners:
        assert identity_in(octets_without_signature(owner)) == identity(result), data


def _good_documents() -> dict[str, _Element]:
    kinds: tuple[Signed, ...] = ("assertion", "response", "both")
    plain: dict[str, _Element] = {kind: document(sign=kind) for kind in kinds}
    return {**plain, "encrypted": document(encryption=Encryption())}
