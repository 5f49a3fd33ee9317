"""The error that everything in this package raises."""

import pytest

from vestibule.oidc.errors import OidcError, Reason, Step, shown


def test_an_error_carries_both_values_and_its_steps() -> None:
    before = Step("iss", "a", "a", passed=True)
    error = OidcError(Reason.AUDIENCE, expected="b", received="c", steps=(before,))

    assert (error.reason, error.expected, error.received) == ("oidc.aud", "b", "c")
    assert error.steps == (before, Step("oidc.aud", "b", "c", passed=False))
    assert str(error) == "oidc.aud: expected b, received c"


def test_values_are_optional() -> None:
    error = OidcError(Reason.JWKS)
    assert (error.expected, error.received) == (None, None)
    assert error.steps == (Step("oidc.jwks", "", "", passed=False),)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("a\r\nb\x00\u202e", "a��b��"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        (None, "absent"),
        (True, "True"),
        (5, "5"),
        (["secret"], "a list"),
        ({"secret": 1}, "a dict"),
    ],
)
def test_foreign_values_are_shown_safely(value: object, written: str) -> None:
    assert shown(value) == written


def test_every_reason_is_of_this_package() -> None:
    assert all(reason.startswith("oidc.") for reason in Reason)
