from html import escape

from vestibule.dev.browser import read_forms
from vestibule.dev.identity_provider.people import PEOPLE
from vestibule.dev.identity_provider.sign_in_page import sign_in_page

HOSTILE = "\"'><script>alert(1)</script>"


def text_of(protocol: str = "SAML", asker: str = "sp", **hidden: str) -> str:
    page = sign_in_page(protocol=protocol, asker=asker, action="/login", hidden=hidden)
    return bytes(page.body).decode()


def test_page_says_that_it_is_a_test_identity_provider() -> None:
    assert "Test identity provider" in text_of()


def test_form_brings_back_what_it_was_given() -> None:
    (form,) = read_forms(text_of(relay=HOSTILE), url="https://idp.example/sso")
    assert form.method == "POST"
    assert form.action == "https://idp.example/login"
    assert form.fields["relay"] == HOSTILE
    assert form.fields["person"] == next(iter(PEOPLE))


def test_asker_is_shown_without_becoming_markup() -> None:
    text = text_of(asker=HOSTILE)
    assert "<script>" not in text
    assert escape("<script>alert(1)</script>") in text


def test_only_saml_asks_what_to_sign() -> None:
    assert 'name="signed"' in text_of(protocol="SAML")
    assert 'name="signed"' not in text_of(protocol="OpenID Connect")
