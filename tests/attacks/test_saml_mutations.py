"""Ten thousand changes to good messages: what is accepted says what was signed."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.support.saml_documents import NOW, Signed, document, expectation, octets
from tests.support.saml_encryption import Encryption
from tests.support.saml_keys import signer
from tests.support.saml_mutations import (
    Identity,
    identity,
    identity_in,
    mutate,
    mutate_bytes,
    octets_without_signature,
    signed_elements,
)
from tests.support.second_opinions import xmlsec_accepts
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.keys import read_certificate, read_private_key
from vestibule.saml.response import peek_in_response_to, read_form_field, verify_response

ROUNDS = 850
OURS = expectation(decryption_keys=("sp",))


def signed_identities(data: bytes) -> list[Identity]:
    """What the signed octets say, parsed on their own, for each element xmlsec finds signed."""
    found: list[Identity] = []
    for owner in signed_elements(data):
        assert xmlsec_accepts(owner, signer("idp").pem)
        found.append(identity_in(octets_without_signature(owner)))
    return found


@pytest.mark.case("XS-72", "XS-73")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_xs_72_73_accepted_mutations_say_what_was_signed(sign: Signed, seed: int) -> None:
    random = Random(f"{sign} {seed}")  # noqa: S311 - repeatable on purpose
    good = document(sign=sign)
    signed = identity(verify_response(octets(good), OURS, now=NOW))
    accepted = refused = 0
    for _ in range(ROUNDS):
        root = deepcopy(good)
        mutate(root, random, times=random.choice([1, 1, 2, 3]))
        data = etree.tostring(root)
        try:
            result = verify_response(data, OURS, now=NOW)
        except SamlError:
            refused += 1
            continue
        accepted += 1
        assert identity(result) == signed, data
        seen = signed_identities(data)
        assert seen == [signed] * len(seen) != [], data
    assert accepted > 10
    assert refused > ROUNDS // 2


@pytest.mark.case("XS-72")
@pytest.mark.parametrize("sealed", [True, False])
def test_xs_72_changed_bytes_never_surprise(sealed: bool) -> None:
    random = Random(72)  # noqa: S311 - repeatable on purpose
    good = octets(document(encryption=Encryption() if sealed else None))
    signed = identity(verify_response(good, OURS, now=NOW))
    refusals: set[Reason] = set()
    for _ in range(2_000):
        data = mutate_bytes(good, random, times=random.choice([1, 2, 8]))
        try:
            assert identity(verify_response(data, OURS, now=NOW)) == signed
        except SamlError as error:
            refusals.add(error.reason)
    assert len(refusals) > 5


READERS: tuple[Callable[[bytes], object], ...] = (
    lambda data: verify_response(data, OURS, now=NOW),
    peek_in_response_to,
    read_certificate,
    lambda data: read_certificate(data.decode("latin-1")),
    lambda data: read_private_key(data.decode("latin-1")),
    lambda data: read_private_key(f"-----BEGIN RSA PRIVATE KEY-----\n{data!r}"),
    lambda data: read_form_field(data.decode("utf-8", errors="surrogateescape")),
)


@given(data=st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8")))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_bytes_give_a_value_or_the_one_error(data: bytes) -> None:
    for read in READERS:
        with suppress(SamlError):
            read(data)
