"""What people paste as a certificate or a private key."""

from base64 import b64decode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from tests.support.saml_key_kinds import (
    RSA_512,
    certificate_of,
    curve_certificate,
    curve_key,
    edwards_certificate,
    rsa_key,
    with_serial,
)
from tests.support.saml_keys import NOT_AFTER, NOT_BEFORE, signer, weak_certificate
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.keys import (
    check_strength,
    new_private_key,
    private_key_pem,
    read_certificate,
    read_private_key,
    self_signed_certificate,
)


def pem() -> str:
    return signer("idp").pem


def body() -> str:
    return "".join(pem().strip().splitlines()[1:-1])


def refusal_of_certificate(text: str | bytes) -> SamlError:
    with pytest.raises(SamlError) as caught:
        read_certificate(text)
    return caught.value


@pytest.mark.case("XS-62")
@pytest.mark.parametrize(
    "written",
    [
        pem,
        lambda: pem().encode(),
        lambda: pem().replace("\n", "\r\n"),
        lambda: f"\n\n  {pem()}  \n",
        body,
        lambda: "\n".join(body()[at : at + 64] for at in range(0, len(body()), 64)),
        lambda: f"-----BEGIN CERTIFICATE-----{body()}-----END CERTIFICATE-----",
        lambda: b64decode(body()),
    ],
    ids=["pem", "bytes", "crlf", "spaces", "bare", "wrapped", "one line", "der"],
)
def test_xs_62_certificate_in_every_form(written: Callable[[], str | bytes]) -> None:
    read = read_certificate(written())
    assert read.pem == pem()
    assert read.der == b64decode(body())
    assert read.issuer == "CN=idp"
    assert (read.not_before, read.not_after) == (NOT_BEFORE, NOT_AFTER)
    assert isinstance(read.public_key, RSAPublicKey)
    assert read.public_key.public_numbers() == signer("idp").key.public_key().public_numbers()


@pytest.mark.parametrize(
    "text",
    [
        "",
        b"",
        "hello",
        "YWJj",
        b"\x30\x00",
        b"\xff\xfe",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nYWJj",
        "\u00e4\u00f6",
    ],
)
def test_other_text_is_no_certificate(text: str | bytes) -> None:
    assert refusal_of_certificate(text).reason is Reason.CERTIFICATE


def test_private_key_two_certificates_and_too_much_are_no_certificate() -> None:
    for text in (private_key_pem(signer("idp").key), pem() * 2, body() + body(), "A" * 65_537):
        error = refusal_of_certificate(text)
        assert error.reason is Reason.CERTIFICATE
        assert "PRIVATE" not in str(error)


@pytest.mark.case("AD-30")
@pytest.mark.parametrize("serial", [b"\xff", b"\x80", b"\x80" + bytes(19), b"\0"])
def test_serial_number_that_is_not_positive(serial: bytes) -> None:
    error = refusal_of_certificate(with_serial(signer("idp").certificate.der, serial))
    assert error.reason is Reason.CERTIFICATE
    assert error.received == "a serial number that is not positive"


@pytest.mark.parametrize("serial", [b"\x01", b"\x7f", b"\0\xff", b"\x7f" + b"\xff" * 19])
def test_serial_number_that_is_positive(serial: bytes) -> None:
    assert read_certificate(with_serial(signer("idp").certificate.der, serial)).issuer == "CN=idp"


@pytest.mark.case("XS-57")
def test_xs_57_weak_certificates() -> None:
    received = {
        weak_certificate(): "RSA 1024",
        RSA_512: "RSA 512",
        curve_certificate("P-192"): "EC secp192r1",
        curve_certificate("K-256"): "EC secp256k1",
        edwards_certificate(): "Ed25519PublicKey",
    }
    for text, kind in received.items():
        error = refusal_of_certificate(text)
        assert (error.reason, error.received) == (Reason.KEY_WEAK, kind)


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_certificate_of_a_curve(curve: str) -> None:
    read = read_certificate(curve_certificate(curve))
    assert read.public_key == curve_key(curve).public_key()


def test_strength_is_checked_for_private_keys_too_and_names_its_reason() -> None:
    check_strength(signer("idp").key)
    with pytest.raises(SamlError) as caught:
        check_strength(rsa_key(1024), reason=Reason.SIG_KEY)
    assert caught.value.reason is Reason.SIG_KEY


def test_key_that_is_too_large_to_check_quickly() -> None:
    check_strength(RSAPublicNumbers(65537, (1 << 8191) | 1).public_key())
    with pytest.raises(SamlError) as caught:
        check_strength(RSAPublicNumbers(65537, (1 << 8192) | 1).public_key())
    assert (caught.value.reason, caught.value.received) == (Reason.KEY_WEAK, "RSA 8193")


def test_private_key_round_trip() -> None:
    key = signer("sp").key
    text = private_key_pem(key)
    assert text.startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    for written in (text, text.replace("\n", "\r\n"), f"\n {text}"):
        assert read_private_key(written).private_numbers() == key.private_numbers()


def refusal_of_key(text: str) -> Reason:
    with pytest.raises(SamlError) as caught:
        read_private_key(text)
    assert "MII" not in str(caught.value)
    return caught.value.reason


def test_private_key_of_another_form() -> None:
    key = signer("sp").key
    none = serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat
    locked = serialization.BestAvailableEncryption(b"secret")
    curve = curve_key("P-256").private_bytes(encoding, form.TraditionalOpenSSL, none)
    for text in (
        key.private_bytes(encoding, form.PKCS8, none).decode(),
        key.private_bytes(encoding, form.PKCS8, locked).decode(),
        key.private_bytes(encoding, form.TraditionalOpenSSL, locked).decode(),
        key.private_bytes(encoding, form.OpenSSH, none).decode(),
        curve.decode(),
        pem(),
        "",
        "hello",
        private_key_pem(key) + " " * 10 + "A" * 65_536,
    ):
        assert refusal_of_key(text) is Reason.KEY_FORMAT


@pytest.mark.parametrize(
    "content", ["", "YWJj", "not base64!", "\u00e4", "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf"]
)
def test_private_key_that_is_none(content: str) -> None:
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{content}\n-----END RSA PRIVATE KEY-----\n"
    assert refusal_of_key(text) is Reason.KEY_INVALID


def test_private_key_that_is_cut_or_weak() -> None:
    text = private_key_pem(signer("sp").key)
    assert refusal_of_key(text[: len(text) // 2]) is Reason.KEY_INVALID
    assert refusal_of_key(private_key_pem(rsa_key(1024))) is Reason.KEY_WEAK


def test_new_key_is_of_2048_bits() -> None:
    key = new_private_key()
    assert (key.key_size, key.private_numbers().public_numbers.e) == (2048, 65537)


def test_self_signed_certificate_says_what_it_was_told() -> None:
    text = self_signed_certificate(
        signer("sp").key,
        common_name="Vestibule",
        serial=77,
        not_before=NOT_BEFORE + 999_999,
        not_after=NOT_AFTER,
    )
    read = read_certificate(text)
    assert (read.pem, read.issuer) == (text, "CN=Vestibule")
    assert (read.not_before, read.not_after) == (NOT_BEFORE, NOT_AFTER)
    assert read.public_key == signer("sp").key.public_key()
    assert certificate_of(rsa_key(2048)) != text
