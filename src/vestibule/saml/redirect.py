"""The receiving side of HTTP-Redirect: a query string becomes a message and its signed octets."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.keys import Certificate
from vestibule.saml.response import read_form_field
from vestibule.saml.signature import verify_octets
from vestibule.saml.xml import MAX_BYTES

_MESSAGES: Final = ("SAMLRequest", "SAMLResponse")
_NAMES: Final = frozenset({*_MESSAGES, "RelayState", "SigAlg", "Signature", "SAMLEncoding"})
_DEFLATE: Final = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectMessage:
    """A message as a query carried it, inflated, with what `verify_redirect` needs.

    `parameter` is `SAMLRequest` or `SAMLResponse`. `signed_octets` are the sender's own, never
    encoded anew. Nothing in it is verified yet.
    """

    parameter: str
    data: bytes
    relay_state: str | None
    algorithm: str
    signature: str
    signed_octets: bytes


def read_redirect(query: bytes) -> RedirectMessage:
    """Read the query of a request by HTTP-Redirect (SAML Bindings 3.4.4.1), as it was received.

    Parameters of other names are left alone. `Signature` and `SigAlg` may be missing here.

    Raises:
        SamlError: `http.params` unless there is exactly one message and no parameter twice,
            `xml.base64`, `xml.deflate`, or `xml.size` above 256 KiB.
    """
    raw = _parameters(query)
    found = [name for name in _MESSAGES if name in raw]
    if len(found) != 1:
        raise _params("one SAMLRequest or SAMLResponse", str(len(found)))
    if _decoded(raw.get("SAMLEncoding", _DEFLATE.encode())) != _DEFLATE:
        raise _params(_DEFLATE, "another SAMLEncoding")
    signed = [name for name in (found[0], "RelayState", "SigAlg") if name in raw]
    return RedirectMessage(
        parameter=found[0],
        data=_inflate(read_form_field(_decoded(raw[found[0]]))),
        relay_state=_relay_state(raw),
        algorithm=_decoded(raw.get("SigAlg", b"")),
        signature=_decoded(raw.get("Signature", b"")),
        signed_octets=b"&".join(name.encode() + b"=" + raw[name] for name in signed),
    )


def verify_redirect(message: RedirectMessage, keys: Sequence[Certificate]) -> Certificate:
    """Verify the query's signature with one of the pinned keys and return its certificate.

    Raises:
        SamlError: `sig.missing` without SigAlg or Signature, else as `verify_octets`.
    """
    if not message.algorithm or not message.signature:
        raise SamlError(
            Reason.SIG_MISSING, expected="SigAlg and Signature in the query", received="none"
        )
    try:
        signature = read_form_field(message.signature)
    except SamlError:
        raise SamlError(
            Reason.SIG_VALUE, expected="a Signature in base64", received=message.signature
        ) from None
    octets = message.signed_octets
    return verify_octets(octets, signature, algorithm=message.algorithm, keys=keys)


def _parameters(query: bytes) -> dict[str, bytes]:
    """The raw values of the parameters of this binding, by name."""
    raw: dict[str, bytes] = {}
    for pair in query.split(b"&"):
        written, _, value = pair.partition(b"=")
        name = unquote_to_bytes(written).decode("utf-8", errors="replace")
        if name not in _NAMES:
            continue
        # A name that is encoded is one that others may read and we would sign otherwise.
        if name in raw or name.encode() != written:
            raise _params(f"{name} once and as it is written", written.decode(errors="replace"))
        raw[name] = value
    return raw


def _relay_state(raw: dict[str, bytes]) -> str | None:
    # A form's encoding: + is a space. In base64 it is itself, which is why _decoded leaves it.
    return _decoded(raw["RelayState"].replace(b"+", b" ")) if "RelayState" in raw else None


def _decoded(value: bytes) -> str:
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise _params("UTF-8", "other bytes") from None


def _inflate(deflated: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(deflated, MAX_BYTES + 1)
    except zlib.error:
        raise _deflate("other data") from None
    if len(data) > MAX_BYTES:
        raise SamlError(Reason.XML_SIZE, expected=f"at most {MAX_BYTES} bytes", received="more")
    if not inflater.eof:
        raise _deflate("a stream cut short")
    if inflater.unused_data:
        raise _deflate("bytes behind the stream")
    return data


def _deflate(received: str) -> SamlError:
    return SamlError(Reason.XML_DEFLATE, expected="one raw DEFLATE stream", received=received)


def _params(expected: str, received: str) -> SamlError:
    return SamlError(Reason.HTTP_PARAMS, expected=expected, received=received)
