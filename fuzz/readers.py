"""Random bytes, led by the branches they reach, before every reader of SAML: a value or SamlError.

Run by `make fuzz`; the arguments are those of libFuzzer, which atheris brings. The last is the
folder of the documents to start from. They are written here: keys are made anew for each process.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import atheris

with atheris.instrument_imports(include=["vestibule.saml"]):
    from vestibule.saml.errors import SamlError
    from vestibule.saml.explain import explain, message, read_claims
    from vestibule.saml.keys import read_certificate
    from vestibule.saml.logout import LogoutExpectation, verify_logout_request
    from vestibule.saml.metadata import parse_identity_provider
    from vestibule.saml.redirect import read_redirect
    from vestibule.saml.response import peek_in_response_to, verify_response
    from vestibule.saml.xml import parse

from fuzz.corpus import write_corpus
from tests.support.saml_documents import ACS, AUD, ISS, NOW, VICTIM, expectation

OURS: Final = expectation(decryption_keys=("sp",))
LOGOUT: Final = LogoutExpectation(
    idp_entity_id=ISS, keys=OURS.keys, logout_urls=(ACS,), audiences=(AUD,)
)


def respond(data: bytes) -> None:
    """Nobody but the victim is in what the identity provider of the corpus signed."""
    if verify_response(data, OURS, now=NOW).name_id != VICTIM:
        raise AssertionError("somebody else was signed in")


READERS: Final[tuple[Callable[[bytes], object], ...]] = (
    parse,
    respond,
    peek_in_response_to,
    message,
    read_claims,
    read_redirect,
    read_certificate,
    lambda data: explain(data, OURS, now=NOW),
    lambda data: parse_identity_provider(data, now=NOW),
    lambda data: verify_logout_request(data, LOGOUT, now=NOW),
)


def read(data: bytes) -> None:
    """Give the bytes to every reader."""
    for reader in READERS:
        with suppress(SamlError):
            reader(data)


if __name__ == "__main__":
    write_corpus(Path(sys.argv[-1]))
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
