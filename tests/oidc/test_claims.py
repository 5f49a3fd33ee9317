"""Rules about single claims that others use too; whole tokens are in tests/attacks."""

import pytest

from vestibule.oidc.claims import about_person, is_subject


@pytest.mark.parametrize("value", ["a", "x" * 255, "auth0|5f7c", "user@example.com", "a b"])
def test_a_subject_is_printable_ascii(value: str) -> None:
    assert is_subject(value)


@pytest.mark.parametrize("value", ["", "x" * 256, "é", "a\x00", "a\n", 1, None, ["a"], "\x7f"])
def test_anything_else_is_no_subject(value: object) -> None:
    assert not is_subject(value)


def test_claims_about_the_token_are_not_about_the_person() -> None:
    person = {"sub": "u", "email": "u@a.test", "groups": ["g"], "amr": ["mfa"], "tid": "t"}
    token = dict.fromkeys(
        (
            *("iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash"),
            *("s_hash", "auth_time", "sid"),
        ),
        1,
    )
    assert about_person({**person, **token}) == person
