import pytest

from tests.support.determinism import SeededEntropy
from vestibule.domain.sign_in.browser_binding import Binding, compare, cookie_hash, cookie_value
from vestibule.records import SignIn

COOKIE = "A" * 43


def sign_in(cookie: str = COOKIE) -> SignIn:
    return SignIn(
        sign_in_id="s",
        secret_hash=b"",
        browser_hash=cookie_hash(cookie),
        project_id="p",
        organization_id="o",
        connection_id="c",
        start_connection_id="c",
        login_redirect_url="",
        signup_redirect_url="",
        created_at=0,
        expires_at=0,
    )


def test_a_browser_keeps_its_cookie() -> None:
    assert cookie_value(COOKIE, entropy=SeededEntropy()) == COOKIE


@pytest.mark.parametrize("current", ["", "A" * 42, "A" * 44, "\u00e9" * 43])
def test_what_cannot_be_ours_is_replaced(current: str) -> None:
    entropy = SeededEntropy()
    values = {cookie_value(current, entropy=entropy) for _ in range(3)}
    assert len(values) == 3
    assert {len(value) for value in values} == {43}


@pytest.mark.case("SP-53", "OI-01")
def test_only_the_same_cookie_is_the_same_browser() -> None:
    assert compare(sign_in(), COOKIE) is Binding.SAME
    assert compare(sign_in(), "") is Binding.MISSING
    for other in ("A" * 42, "A" * 44, "B" + "A" * 42, COOKIE.lower(), "\u00e9", COOKIE + " "):
        assert compare(sign_in(), other) is Binding.OTHER


def test_the_sign_in_does_not_hold_the_cookie() -> None:
    assert COOKIE.encode() not in sign_in().browser_hash
    assert len(sign_in().browser_hash) == 32
