"""What xmlsec and signxml, which nobody here wrote, say of a signature."""

import xmlsec
from lxml import etree
from lxml.etree import _Element
from signxml.verifier import SignatureConfiguration, XMLVerifier

DS = "http://www.w3.org/2000/09/xmldsig#"


def xmlsec_accepts(element: _Element, pem: str) -> bool:
    """Whether xmlsec verifies the ds:Signature that is a child of `element`, with this key."""
    signature = element.find(f"{{{DS}}}Signature")
    if signature is None:
        return False
    xmlsec.tree.add_ids(element.getroottree().getroot(), ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem.encode(), xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


def signxml_reads(element: _Element, pem: str) -> bytes:
    """The canonical bytes that signxml reports as signed by the child Signature of `element`.

    It refuses what the schema of XML-DSig does not know, too.
    """
    expected = SignatureConfiguration(location="./", expect_references=1)
    verified = XMLVerifier().verify(
        element, x509_cert=pem, id_attribute="ID", expect_config=expected
    )
    if isinstance(verified, list):
        raise TypeError("one reference, so one result")
    return verified.signed_data


def xmlsec_accepts_query(query: str, pem: str, signature: bytes) -> bool:
    """Whether xmlsec verifies `signature` over the octets of `query` as RSA-SHA256."""
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem.encode(), xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify_binary(query.encode(), xmlsec.constants.TransformRsaSha256, signature)
    except xmlsec.Error:
        return False
    return True


def canonical(element: _Element) -> bytes:
    """Exclusive canonical XML of `element` as lxml writes it."""
    return etree.tostring(element, method="c14n", exclusive=True)
