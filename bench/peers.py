"""The same documents through other people's verifiers. Each is timed only on what it accepts.

xmlsec and signxml verify signatures (and xmlsec decrypts); minisaml and python3-saml do the whole
of what they check. Keys are loaded once where the library allows it.
"""

import base64
from collections.abc import Callable
from functools import cache, partial
from typing import Final

import xmlsec
from cryptography import x509
from lxml import etree
from minisaml.response import validate_response
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from signxml.verifier import SignatureConfiguration, XMLVerifier

from bench.saml_documents import Measured
from tests.support.saml_documents import ACS, AUD, ISS, REQ
from tests.support.saml_keys import signer
from vestibule.saml.keys import private_key_pem

Candidate = Callable[[], object]
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_XENC: Final = "{http://www.w3.org/2001/04/xmlenc#}"


def candidates(document: Measured) -> tuple[dict[str, Candidate], list[str]]:
    """Return the peers that accept `document`, by name, and the names of those that do not."""
    offered: dict[str, Callable[[str], object]] = {
        "xmlsec": _xmlsec,
        "signxml": _signxml,
        "minisaml": _minisaml,
        "python3-saml": _python3_saml,
    }
    taken: dict[str, Candidate] = {}
    refused = []
    for name, verify in offered.items():
        try:
            verify(document.field)
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way
            refused.append(f"{name} ({type(error).__name__}: {str(error)[:60]})")
        else:
            taken[name] = partial(verify, document.field)
    return taken, refused


def _parse(field: str) -> etree._Element:
    return etree.fromstring(base64.b64decode(field))


@cache
def _xmlsec_key() -> xmlsec.Key:
    pem = signer("idp").pem.encode()
    return xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem)


@cache
def _xmlsec_manager() -> xmlsec.KeysManager:
    manager = xmlsec.KeysManager()
    pem = private_key_pem(signer("sp").key).encode()
    manager.add_key(xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem))
    return manager


def _xmlsec(field: str) -> None:
    root = _parse(field)
    data = root.find(f".//{_XENC}EncryptedData")
    if data is not None:
        root = xmlsec.EncryptionContext(_xmlsec_manager()).decrypt(data).getroottree().getroot()
    xmlsec.tree.add_ids(root, ["ID"])
    for signature in root.iter(f"{_DS}Signature"):
        context = xmlsec.SignatureContext()
        context.key = _xmlsec_key()
        context.verify(signature)


_CERTIFICATE: Final = x509.load_pem_x509_certificate(signer("idp").pem.encode())
_SIGNXML: Final = SignatureConfiguration(location="./", expect_references=1)


def _signxml(field: str) -> None:
    root = _parse(field)
    signatures = list(root.iter(f"{_DS}Signature"))
    if not signatures:
        raise ValueError("no signature in sight: signxml does not decrypt")
    for signature in signatures:
        XMLVerifier().verify(
            signature.getparent(),
            x509_cert=_CERTIFICATE,
            id_attribute="ID",
            expect_config=_SIGNXML,
        )


def _minisaml(field: str) -> None:
    validate_response(data=field, certificate=_CERTIFICATE, expected_audience=AUD, idp_issuer=ISS)


@cache
def _python3_saml_settings() -> OneLogin_Saml2_Settings:
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {
                "entityId": AUD,
                "assertionConsumerService": {"url": ACS},
                "x509cert": signer("sp").pem,
                "privateKey": private_key_pem(signer("sp").key),
            },
            "idp": {
                "entityId": ISS,
                "singleSignOnService": {"url": "https://idp.example.com/sso"},
                "x509cert": signer("idp").pem,
            },
        }
    )


def _python3_saml(field: str) -> None:
    response = OneLogin_Saml2_Response(_python3_saml_settings(), field)
    path = ACS.partition("/v1/")[2]
    request = {
        "https": "on",
        "http_host": ACS.split("/")[2],
        "script_name": f"/v1/{path}",
        "get_data": {},
        "post_data": {},
    }
    response.is_valid(request, request_id=REQ, raise_exceptions=True)
    response.get_attributes()
    response.get_nameid()
