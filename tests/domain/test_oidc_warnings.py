"""Sentences about odd connections; that they are given is seen in tests/api/test_sso_oidc.py."""

import pytest
from msgspec.structs import replace

from vestibule.domain import oidc_warnings
from vestibule.oidc.errors import OidcError, Reason
from vestibule.records import OidcConfiguration

WHOLE = OidcConfiguration(
    issuer="https://op.example.com",
    authorization_url="https://op.example.com/authorize",
    token_url="https://op.example.com/token",
    userinfo_url="https://op.example.com/userinfo",
    jwks_url="https://op.example.com/jwks",
)


def test_userinfo_is_missed_when_it_alone_is_missing() -> None:
    assert oidc_warnings.userinfo_missing(WHOLE) == ""
    assert oidc_warnings.userinfo_missing(OidcConfiguration()) == ""
    without = replace(WHOLE, userinfo_url="")
    assert oidc_warnings.userinfo_missing(without).startswith("userinfo_url: it is missing")


@pytest.mark.parametrize("name", ["authorization_url", "token_url", "jwks_url"])
def test_userinfo_is_not_missed_while_more_is_missing(name: str) -> None:
    assert oidc_warnings.userinfo_missing(replace(WHOLE, userinfo_url="", **{name: ""})) == ""


def test_endpoints_of_the_issuer_before_are_named() -> None:
    moved = replace(WHOLE, issuer="https://new.example.com", userinfo_url="", jwks_url="https://n")
    assert oidc_warnings.endpoints_left(WHOLE, moved, None) == (
        "authorization_url, token_url: still as they were with the issuer https://op.example.com."
    )
    assert oidc_warnings.endpoints_left(WHOLE, WHOLE, None) == ""
    assert oidc_warnings.endpoints_left(OidcConfiguration(), WHOLE, None) == ""
    new = {name: f"https://new.example.com/{name}" for name in oidc_warnings.ENDPOINTS}
    assert oidc_warnings.endpoints_left(WHOLE, replace(moved, **new), None) == ""


def test_what_a_document_said_is_told_as_expected_and_received() -> None:
    error = OidcError(Reason.DISCOVERY, expected="issuer a", received="issuer b")
    assert "(expected issuer a, received issuer b)" in oidc_warnings.unusable(error)
