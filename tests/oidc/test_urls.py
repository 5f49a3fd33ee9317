"""What an address of a provider may look like."""

import pytest

from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.urls import check_url, host_of, is_secure


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "https://a.example:8443/x/y?z=%20",
        "https://[2001:db8::1]/x",
        "https://a.example/~x;y=1,2",
    ],
)
def test_an_https_address_is_returned_as_it_was(url: str) -> None:
    assert check_url(url, reason=Reason.URL) == url


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://A.example:8443/x", "a.example"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
        ("https://[::1", ""),
        ("urn:x", ""),
        ("", ""),
    ],
)
def test_the_host_that_a_text_names(url: str, host: str) -> None:
    assert host_of(url) == host


def test_http_is_admitted_only_when_asked_for() -> None:
    assert check_url("http://a.example", reason=Reason.URL, secure=False) == "http://a.example"
    with pytest.raises(OidcError) as failure:
        check_url("http://a.example", reason=Reason.JWKS)
    assert (failure.value.reason, failure.value.expected) == (Reason.JWKS, "an https URL")


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "https:a.example", "https://a b", "https://a\t.example", None, 5]
)
def test_anything_else_is_refused(url: object) -> None:
    with pytest.raises(OidcError) as failure:
        check_url(url, reason=Reason.URL, secure=False)
    assert failure.value.expected == "an https or http URL"


def test_security_is_told_from_the_scheme() -> None:
    assert is_secure("https://a.example")
    assert not is_secure("http://a.example")
