import base64
import zlib

import pytest

from vestibule.dev.identity_provider.saml_request import (
    SignInRequest,
    decode_request,
    read_authn_request,
)
from vestibule.dev.pages import Refused
from vestibule.saml.request import authn_request

HERE = "https://idp.example/sso"
REQUEST = authn_request(
    request_id="_request-1",
    issued_at=0,
    destination=HERE,
    acs_url="https://sp.example/acs",
    issuer="https://sp.example/audience",
    nameid_format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
)


def deflated(data: bytes) -> str:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return base64.b64encode(packer.compress(data) + packer.flush()).decode()


def test_both_bindings_carry_the_same_bytes() -> None:
    assert decode_request(deflated(REQUEST), deflated=True) == REQUEST
    assert decode_request(base64.b64encode(REQUEST).decode(), deflated=False) == REQUEST


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("%", "cannot be decoded"),
        ("ä", "cannot be decoded"),
        (base64.b64encode(b"\xff\xff\xff").decode(), "cannot be decoded"),
        (deflated(REQUEST)[:40], "cut short or too large"),
        (deflated(b"A" * 64 * 1024 + b"A"), "cut short or too large"),
    ],
)
def test_what_does_not_inflate_is_refused(value: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        decode_request(value, deflated=True)


def test_request_is_read() -> None:
    assert read_authn_request(REQUEST, destination=HERE) == SignInRequest(
        request_id="_request-1",
        audience="https://sp.example/audience",
        acs_url="https://sp.example/acs",
        authn_context="urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
    )


def test_request_without_a_destination_is_read() -> None:
    request = REQUEST.replace(f' Destination="{HERE}"'.encode(), b"")
    assert request != REQUEST
    assert read_authn_request(request, destination=HERE).request_id == "_request-1"


@pytest.mark.parametrize(
    ("old", "new", "title"),
    [
        (b"<samlp:AuthnRequest", b"<!DOCTYPE x><samlp:AuthnRequest", "Unreadable SAMLRequest"),
        (b"AuthnRequest", b"LogoutRequest", "Not a sign-in request"),
        (HERE.encode(), b"https://other.example/sso", "Wrong destination"),
        (b' ID="_request-1"', b"", "Incomplete request"),
        (b">https://sp.example/audience<", b"> <", "Incomplete request"),
        (b' AssertionConsumerServiceURL="https://sp.example/acs"', b"", "Incomplete request"),
    ],
)
def test_request_that_cannot_be_answered_is_refused(old: bytes, new: bytes, title: str) -> None:
    assert old in REQUEST
    with pytest.raises(Refused) as caught:
        read_authn_request(REQUEST.replace(old, new), destination=HERE)
    assert caught.value.title == title
