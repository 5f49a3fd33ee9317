"""The documents that random bytes start from: good ones, and every hostile one of the tests."""

import zlib
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlencode

from tests.support.hostile_xml import hostile_documents
from tests.support.saml_documents import Signed, document, octets
from tests.support.saml_encryption import Encryption
from tests.support.saml_keys import signer
from tests.support.saml_metadata import entity, key, role

_KINDS: tuple[Signed, ...] = ("assertion", "response", "both", "none")
_LONGEST = 20_000


def write_corpus(folder: Path) -> None:
    """Write one file for each document into `folder`."""
    pem = signer("idp").pem
    responses = [octets(document(sign=kind)) for kind in _KINDS]
    query = urlencode({"SAMLResponse": b64encode(zlib.compress(responses[0], wbits=-15))})
    metadata = entity(role(keys=[key(pem)]))
    hostile = [data for data, _ in hostile_documents(metadata).values()]
    seeds = [
        *responses,
        octets(document(encryption=Encryption())),
        b64encode(responses[0]),
        query.encode(),
        metadata.encode(),
        pem.encode(),
        *hostile,
    ]
    for number, data in enumerate(each for each in seeds if len(each) <= _LONGEST):
        (folder / f"{number:03}").write_bytes(data)
