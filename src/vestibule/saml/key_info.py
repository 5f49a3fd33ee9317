"""The certificates that a message shows of itself: a hint for people, never for verification.

Anybody can write any certificate into a message. What is read here may be compared and told in a
trace; keys come from the connection only.
"""

from typing import Final

from vestibule.saml.errors import SamlError
from vestibule.saml.keys import Certificate, read_certificate
from vestibule.saml.xml import DS, parse

_CERTIFICATE: Final = f"{{{DS}}}X509Certificate"
_MOST: Final = 5


def shown_certificates(data: bytes) -> tuple[Certificate, ...]:
    """Return the first five readable certificates in the KeyInfo of a message's signatures.

    None for a message that cannot be read, and none of those that are ciphertext.
    """
    try:
        root = parse(data)
    except SamlError:
        return ()
    found = []
    for element, _ in zip(root.iter(_CERTIFICATE), range(_MOST), strict=False):
        try:
            found.append(read_certificate(element.text or ""))
        except SamlError:
            continue
    return tuple(found)
