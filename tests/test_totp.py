"""One-time passwords alone: what is a code, what is a secret, which step counts."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestibule import totp
from vestibule.clock import SECOND
from vestibule.totp import Reason, TotpError

# RFC 6238, appendix B: the seconds, and the last six digits of the code for SHA-1.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_CODES = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
NOW = 1111111109 * SECOND
STEP = NOW // (30 * SECOND)


def refusal(work: Callable[[], object]) -> TotpError:
    with pytest.raises(TotpError) as caught:
        work()
    return caught.value


def accept(code: str, *, at: int = 0, after: int = 0) -> int:
    """Return the step of a code that comes in `at` steps later than the RFC's second example."""
    return totp.accept(RFC_SECRET, code, now=NOW + at * 30 * SECOND, after=after)


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.accept(RFC_SECRET, code, now=seconds * SECOND, after=0) == seconds // 30


def test_time_begins_at_the_first_step() -> None:
    assert totp.accept(RFC_SECRET, "287082", now=0, after=0) == 1


@pytest.mark.case("MF-07", verdict="accepted, refused")
def test_a_code_counts_one_step_before_and_after_its_own() -> None:
    assert [accept("081804", at=at) for at in (-1, 0, 1)] == [STEP] * 3
    for at in (-3, -2, 2, 3):
        error = refusal(lambda at=at: accept("081804", at=at))  # type: ignore[misc] # at is bound
        assert error.reason is Reason.CODE
        assert error.expected == f"the code of a step from {STEP + at - 1} to {STEP + at + 1}"
        assert "081804" not in str(error)


@pytest.mark.case("MF-03")
def test_a_step_counts_once_and_none_before_it() -> None:
    assert accept("081804", after=STEP - 1) == STEP
    for after in (STEP, STEP + 1):
        error = refusal(lambda after=after: accept("081804", after=after))  # type: ignore[misc] # it is bound
        assert error.reason is Reason.REPLAY
        assert (error.expected, error.received) == (f"a step after {after}", f"step {STEP}")


@pytest.mark.case("MF-02", verdict="accepted, refused")
@pytest.mark.parametrize(
    "written",
    [
        "\uff10\uff18\uff11\uff18\uff10\uff14",
        "\u0660\u0668\u0661\u0668\u0660\u0664",
        "081 804",
        " 0 8 1 8 0 4\u00a0\n",
    ],
)
def test_a_code_may_be_written_in_any_digits_and_with_spaces(written: str) -> None:
    assert totp.read_code(written) == "081804"
    assert accept(written) == STEP
    assert refusal(lambda: accept(written, after=STEP)).reason is Reason.REPLAY


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "08180",
        "0818044",
        "08180a",
        "-81804",
        "+81804",
        "081804\0",
        "\u00b2" * 6,
        "x" * 600,
    ],
)
def test_anything_else_is_no_code(written: str) -> None:
    error = refusal(lambda: accept(written))
    assert error.reason is Reason.FORM
    assert error.expected == "six digits"


@given(st.text(max_size=600))
def test_any_text_is_a_code_or_refused(text: str) -> None:
    try:
        code = totp.read_code(text)
    except TotpError as error:
        reason: Reason | None = error.reason
    else:
        reason = None if len(code) == 6 and code.isascii() and code.isdigit() else Reason.CODE
    assert reason in {None, Reason.FORM}


def test_a_new_secret_has_160_bits_and_is_base32() -> None:
    random = bytes(range(20))
    secret = totp.new_secret(random)
    assert base64.b32decode(secret) == random
    assert totp.read_secret(secret) == secret


@pytest.mark.parametrize(
    "written",
    [
        RFC_SECRET,
        RFC_SECRET.lower(),
        "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
        "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ",
    ],
)
def test_a_secret_may_be_written_as_apps_show_it(written: str) -> None:
    assert totp.read_secret(written) == RFC_SECRET


def test_padding_is_put_up_with() -> None:
    padded = base64.b32encode(bytes(16)).decode()
    assert padded.endswith("=")
    assert totp.read_secret(padded) == padded.rstrip("=")


@pytest.mark.case("MF-08")
@pytest.mark.parametrize(
    ("written", "received"),
    [
        ("", "not base32"),
        ("=", "not base32"),
        ("0189", "not base32"),
        ("A" * 17, "not base32"),
        ("\u017f" * 32, "not base32"),
        ("A" * 600, "not base32"),
        (base64.b32encode(bytes(10)).decode(), "10 bytes"),
        (base64.b32encode(bytes(13)).decode(), "13 bytes"),
        (base64.b32encode(bytes(129)).decode(), "129 bytes"),
    ],
)
def test_what_is_no_secret_or_too_short_is_refused(written: str, received: str) -> None:
    error = refusal(lambda: totp.read_secret(written))
    assert (error.reason, error.received) == (Reason.SECRET, received)
    assert error.expected == "base32 of 14 to 128 bytes"


@pytest.mark.parametrize("length", [14, 128])
def test_secrets_at_the_bounds_are_accepted(length: int) -> None:
    secret = base64.b32encode(bytes(length)).decode().rstrip("=")
    assert totp.read_secret(secret) == secret


def test_it_can_be_told_how_far_off_a_code_is() -> None:
    assert totp.seconds_off(RFC_SECRET, "081804", now=NOW + 120 * SECOND) == -120
    assert totp.seconds_off(RFC_SECRET, "081804", now=NOW - 120 * SECOND) == 120
    assert totp.seconds_off(RFC_SECRET, "081804", now=NOW + 3600 * SECOND) is None
    assert totp.seconds_off(RFC_SECRET, "287082", now=0) == 30


def test_the_address_names_issuer_and_account() -> None:
    address = totp.uri(RFC_SECRET, issuer="Acme: App", account="ada@acme.test")
    assert address == (
        f"otpauth://totp/Acme%20%20App:ada%40acme.test?secret={RFC_SECRET}&issuer=Acme%20%20App"
    )


def test_the_picture_is_a_png_however_long_the_names_are() -> None:
    address = totp.uri(RFC_SECRET, issuer="\u20ac" * 500, account="\u20ac" * 80 + "@acme.test")
    kind, _, content = totp.picture(address).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content, validate=True).startswith(b"\x89PNG\r\n\x1a\n")
