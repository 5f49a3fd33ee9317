"""Opening a Response: which parts count as signed."""

import pytest

from tests.support.saml_documents import Signed, document, expectation, find, octets, tag
from tests.support.saml_encryption import Encryption
from tests.support.saml_keys import signer
from vestibule.saml.envelope import open_response
from vestibule.saml.errors import Checks
from vestibule.saml.xml import parse_document

OURS = expectation(decryption_keys=("sp",))


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize(
    ("sign", "response_signed", "keys"),
    [("assertion", False, 1), ("response", True, 1), ("both", True, 2)],
)
def test_open_response_says_what_was_signed(
    sign: Signed, response_signed: bool, keys: int, sealed: bool
) -> None:
    message = document(sign=sign, encryption=Encryption() if sealed else None)
    parsed = parse_document(octets(message))
    root, checks = parsed.root, Checks()
    opened = open_response(parsed, OURS, checks)
    assert opened.response is root
    assert opened.response_signed is response_signed
    assert opened.certificates == (signer("idp").certificate,) * keys
    assert opened.assertion.get("ID") == "_assertion-1"
    assert (opened.assertion.getparent() is root) is not sealed
    assert not list(root.iter(tag("ds:Signature")))
    assert not list(opened.assertion.iter(tag("ds:Signature")))
    assert [step.name for step in checks.steps].count("sig.value") == keys
    assert find(opened.assertion, "saml:NameID").text == "user@example.com"
