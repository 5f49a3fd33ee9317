"""HTTP-Redirect received: parameters, inflating, and the signature over the raw octets."""

import zlib
from base64 import b64encode
from time import process_time
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from tests.support.saml_keys import signer
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.redirect import RedirectMessage, read_redirect, verify_redirect
from vestibule.saml.request import redirect_url
from vestibule.saml.signing import RSA_SHA256
from vestibule.saml.xml import MAX_BYTES

MESSAGE = b"<samlp:LogoutRequest xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol'/>"
IDP = (signer("idp").certificate,)


def deflated(data: bytes = MESSAGE, *, wbits: int = -15) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return compressor.compress(data) + compressor.flush()


def field(octets: bytes) -> str:
    return quote(b64encode(octets), safe="")


def query(data: bytes = MESSAGE, *, relay_state: str | None = "a b", key: str = "idp") -> bytes:
    url = redirect_url(
        data, destination="https://x.test/", relay_state=relay_state, key=signer(key).key
    )
    return url.partition("?")[2].encode()


def signed(octets: str) -> bytes:
    """A query whose octets somebody else encoded, signed over exactly these."""
    value = signer("idp").key.sign(octets.encode(), PKCS1v15(), SHA256())
    return f"{octets}&Signature={field(value)}".encode()


def refusal(received: bytes) -> SamlError:
    """Why `received` is refused, where a good query is accepted."""
    verify_redirect(read_redirect(query()), IDP)
    with pytest.raises(SamlError) as refused:
        verify_redirect(read_redirect(received), IDP)
    return refused.value


def test_a_signed_query_is_read_and_verified() -> None:
    received = query()
    message = read_redirect(received)
    octets, _, signature = received.partition(b"&Signature=")
    assert message == RedirectMessage(
        parameter="SAMLRequest",
        data=MESSAGE,
        relay_state="a b",
        algorithm=RSA_SHA256,
        signature=signature.decode().replace("%2B", "+").replace("%2F", "/").replace("%3D", "="),
        signed_octets=octets,
    )
    assert verify_redirect(message, IDP) == IDP[0]


def test_a_query_without_relay_state_is_verified() -> None:
    message = read_redirect(query(relay_state=None))
    assert message.relay_state is None
    assert verify_redirect(message, IDP) == IDP[0]


def test_parameters_of_other_names_are_left_alone() -> None:
    message = read_redirect(b"tenant=1&a&" + query() + b"&utm=2&utm=3&=x")
    assert message.data == MESSAGE
    assert verify_redirect(message, IDP) == IDP[0]


@pytest.mark.case("XS-74")
def test_parameters_may_come_in_any_order_but_are_signed_in_one() -> None:
    pairs = query().split(b"&")
    message = read_redirect(b"&".join(reversed(pairs)))
    assert verify_redirect(message, IDP) == IDP[0]


@pytest.mark.case("XS-74")
def test_the_senders_own_encoding_is_what_is_verified() -> None:
    lower = field(deflated()).replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d")
    algorithm = quote(RSA_SHA256, safe=":/")
    received = signed(f"SAMLRequest={lower}&RelayState=a+b%c3%a9&SigAlg={algorithm}")
    message = read_redirect(received)
    assert message.relay_state == "a bé"
    assert verify_redirect(message, IDP) == IDP[0]
    error = refusal(received.replace(b"a+b", b"a%20b"))
    assert error.reason is Reason.SIG_VALUE


@pytest.mark.case("XS-74")
@pytest.mark.parametrize(
    "name", ["SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature"]
)
def test_a_parameter_twice_is_refused(name: str) -> None:
    error = refusal(query() + f"&{name}=x".encode())
    assert error.reason is Reason.HTTP_PARAMS


@pytest.mark.case("XS-74")
@pytest.mark.parametrize("name", ["SAMLRe%71uest", "%52elayState", "Sig%41lg"])
def test_a_parameter_whose_name_is_encoded_is_refused(name: str) -> None:
    error = refusal(f"{name}=x&".encode() + query())
    assert error.reason is Reason.HTTP_PARAMS
    error = refusal(query().replace(b"SAMLRequest", b"SAMLRe%71uest"))
    assert error.reason is Reason.HTTP_PARAMS


@pytest.mark.parametrize("received", [b"", b"RelayState=x", b"SAMLArt=x", b"samlrequest=x"])
def test_a_query_without_message_is_refused(received: bytes) -> None:
    error = refusal(received)
    assert (error.reason, error.received) == (Reason.HTTP_PARAMS, "0")


def test_the_encoding_may_be_named_and_must_be_deflate() -> None:
    named = b"&SAMLEncoding=urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
    assert verify_redirect(read_redirect(query() + named), IDP) == IDP[0]
    error = refusal(query() + b"&SAMLEncoding=urn:x")
    assert (error.reason, error.received) == (Reason.HTTP_PARAMS, "another SAMLEncoding")


@pytest.mark.parametrize("name", ["RelayState", "SigAlg", "Signature", "SAMLRequest"])
def test_bytes_that_are_no_utf_8_are_refused(name: str) -> None:
    pairs = [pair for pair in query().split(b"&") if not pair.startswith(name.encode())]
    error = refusal(b"&".join([*pairs, name.encode() + b"=%ff"]))
    assert (error.reason, error.received) == (Reason.HTTP_PARAMS, "other bytes")


# Signature -------------------------------------------------------------------------------------


@pytest.mark.case("XS-75")
@pytest.mark.parametrize("name", [b"SigAlg", b"Signature"])
@pytest.mark.parametrize("left", [b"", b"&%s="])
def test_a_query_without_its_signature_is_refused(name: bytes, left: bytes) -> None:
    pairs = [pair for pair in query().split(b"&") if not pair.startswith(name)]
    error = refusal(b"&".join(pairs) + left.replace(b"%s", name))
    assert error.reason is Reason.SIG_MISSING


@pytest.mark.case("XS-75")
def test_a_query_signed_with_sha_1_is_refused() -> None:
    algorithm = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    octets = f"SAMLRequest={field(deflated())}&SigAlg={quote(algorithm, safe='')}"
    value = signer("idp").key.sign(octets.encode(), PKCS1v15(), SHA1())  # noqa: S303  # to see it refused
    error = refusal(f"{octets}&Signature={field(value)}".encode())
    assert (error.reason, error.received) == (Reason.SIG_ALG, algorithm)


def test_a_query_signed_by_another_key_is_refused() -> None:
    assert refusal(query(key="attacker")).reason is Reason.SIG_VALUE


def test_a_query_is_refused_where_no_key_is_pinned() -> None:
    with pytest.raises(SamlError) as refused:
        verify_redirect(read_redirect(query()), ())
    assert refused.value.reason is Reason.SIG_NOKEY


@pytest.mark.parametrize("written", ["not base64!", "AA==A", "%00"])
def test_a_signature_that_is_no_base64_is_refused(written: str) -> None:
    octets = query().partition(b"&Signature=")[0]
    error = refusal(octets + b"&Signature=" + written.encode())
    assert (error.reason, error.expected) == (Reason.SIG_VALUE, "a Signature in base64")


@pytest.mark.case("XS-75b")
@pytest.mark.parametrize("name", [b"SAMLRequest", b"RelayState", b"SigAlg"])
def test_a_signature_of_another_message_is_refused(name: bytes) -> None:
    other = {
        b"SAMLRequest": field(deflated(MESSAGE + b"<!-- -->")).encode(),
        b"RelayState": b"other",
        b"SigAlg": quote(RSA_SHA256.replace("256", "512"), safe="").encode(),
    }
    pairs = [pair.partition(b"=")[::2] for pair in query().split(b"&")]
    changed = [(key, other[key] if key == name else value) for key, value in pairs]
    assert changed != pairs
    error = refusal(b"&".join(key + b"=" + value for key, value in changed))
    assert error.reason is Reason.SIG_VALUE


@pytest.mark.case("XS-75b")
def test_a_relay_state_taken_away_or_added_is_refused() -> None:
    pairs = [pair for pair in query().split(b"&") if not pair.startswith(b"RelayState")]
    assert refusal(b"&".join(pairs)).reason is Reason.SIG_VALUE
    assert refusal(query(relay_state=None) + b"&RelayState=x").reason is Reason.SIG_VALUE


# DEFLATE ---------------------------------------------------------------------------------------


@pytest.mark.case("XP-41")
def test_xp_41_a_bomb_is_refused_after_256_kib() -> None:
    bomb = deflated(b"\x00" * 50_000_000)
    assert len(bomb) < 50_000
    received = b"SAMLRequest=" + field(bomb).encode()
    started = process_time()
    error = refusal(received)
    assert (error.reason, error.received) == (Reason.XML_SIZE, "more")
    assert process_time() - started < 0.1


@pytest.mark.case("XP-41")
def test_xp_41_256_kib_are_read_and_one_byte_more_is_refused() -> None:
    assert len(read_redirect(query(b"x" * MAX_BYTES)).data) == MAX_BYTES
    assert refusal(query(b"x" * (MAX_BYTES + 1))).reason is Reason.XML_SIZE


@pytest.mark.case("XP-42")
@pytest.mark.parametrize(
    ("octets", "received"),
    [
        (deflated() + b"x", "bytes behind the stream"),
        (deflated() + deflated(), "bytes behind the stream"),
        (deflated(wbits=15), "other data"),
        (deflated(wbits=31), "other data"),
        (deflated()[:-1], "a stream cut short"),
        (b"", "a stream cut short"),
        (MESSAGE, "other data"),
    ],
)
def test_xp_42_anything_but_one_raw_stream_is_refused(octets: bytes, received: str) -> None:
    error = refusal(b"SAMLRequest=" + field(octets).encode())
    assert error.reason is Reason.XML_DEFLATE
    assert (error.expected, error.received) == ("one raw DEFLATE stream", received)


@pytest.mark.case("XP-39")
@pytest.mark.parametrize("written", ["!", "abc", "a-_b", "PHg%2BPHg%2BPA==PA=="])
def test_xp_39_a_message_that_is_no_base64_is_refused(written: str) -> None:
    assert refusal(f"SAMLRequest={written}".encode()).reason is Reason.XML_BASE64
