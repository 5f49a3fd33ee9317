"""Where a message may be sent: the bindings and the rule for a URL that another party gave."""

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from vestibule.saml.errors import Reason, SamlError

REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

_EXPECTED: Final = "an absolute http or https URL without fragment or credentials"
# RFC 3986: the characters of a URL, so none that could end a header, an attribute or a line.
_URL: Final = re.compile(r"https?://[A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]{1,2040}", re.ASCII)
_OURS: Final = frozenset({"SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature"})


def endpoint_url(url: str) -> str:
    """Return `url` when a browser may be sent there with a message.

    A query is fine unless it holds a parameter of the binding itself. Whether plain http will do
    is for the caller to say: it is the rule for a stored connection, not for the protocol.

    Raises:
        SamlError: `saml.dest` for any other scheme, a relative URL, a fragment, a user name, or a
            character that RFC 3986 does not allow.
    """
    if not _URL.fullmatch(url):
        raise SamlError(Reason.SAML_DESTINATION, expected=_EXPECTED, received=url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SamlError(Reason.SAML_DESTINATION, expected=_EXPECTED, received=url) from None
    if not parts.hostname or port == 0 or "@" in parts.netloc:
        raise SamlError(Reason.SAML_DESTINATION, expected=_EXPECTED, received=url)
    if taken := _OURS.intersection(name for name, _ in parse_qsl(parts.query, True)):
        raise SamlError(
            Reason.SAML_DESTINATION,
            expected="a query without the binding's own parameters",
            received=", ".join(sorted(taken)),
        )
    return url
