"""What a message shows of its keys is read for people only, and never stops anything."""

import base64

from tests.support import saml_documents as documents
from tests.support.saml_keys import signer, weak_certificate
from vestibule.saml.key_info import shown_certificates


def showing(*pems: str | None) -> bytes:
    """Return a Response signed by `idp` whose signature shows these certificates."""
    signature = documents.Signature(certificate_pem=signer("idp").pem)
    root = documents.document(signature=signature)
    data = documents.find(root, "ds:X509Data")
    for child in list(data):
        data.remove(child)
    for pem in pems:
        child = documents.fragment("<ds:X509Certificate/>")
        if pem is not None:
            child.text = "".join(pem.strip().splitlines()[1:-1])
        data.append(child)
    return documents.octets(root)


def test_every_certificate_that_can_be_read_is_shown_in_order() -> None:
    pems = [signer("b").pem, signer("a").pem]
    assert [found.pem for found in shown_certificates(showing(*pems))] == pems


def test_what_is_no_usable_certificate_is_left_out() -> None:
    junk = "\n".join(["", base64.b64encode(b"no certificate").decode(), ""])
    data = showing(None, junk, weak_certificate(), signer("a").pem)
    assert [found.pem for found in shown_certificates(data)] == [signer("a").pem]


def test_at_most_five_are_looked_at() -> None:
    pems = [None] * 4 + [signer("a").pem, signer("b").pem]
    assert [found.pem for found in shown_certificates(showing(*pems))] == [signer("a").pem]


def test_a_message_without_certificates_or_that_cannot_be_read_shows_none() -> None:
    assert shown_certificates(documents.octets(documents.document())) == ()
    assert shown_certificates(b"<") == ()
    assert shown_certificates(b'<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>') == ()
