"""Builds good logout messages of an identity provider, so that a test can break one thing."""

from base64 import b64decode
from collections.abc import Callable
from typing import Final

from lxml import etree
from lxml.etree import _Element

from tests.support.saml_keys import signer
from vestibule.clock import MINUTE
from vestibule.saml.logout import (
    LogoutExpectation,
    LogoutStatus,
    logout_request,
    logout_response,
)
from vestibule.saml.redirect import RedirectMessage, read_redirect
from vestibule.saml.request import post_fields, redirect_url

ISS: Final = "https://idp.example.com/metadata"
AUD: Final = "https://sso.example.com/v1/b2b/sso/callback/saml-connection-test-1"
SLO: Final = "https://sso.example.com/v1/b2b/sso/logout/saml-connection-test-1"
REQUEST: Final = "_logout-request"
NOW: Final = 1_795_003_200_000_000  # 2026-11-18T12:00:00Z
VICTIM: Final = "user@example.com"
EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

EXPECTATION: Final = LogoutExpectation(
    idp_entity_id=ISS,
    keys=(signer("idp").certificate,),
    logout_urls=(SLO,),
    audiences=(AUD,),
)

Edit = Callable[[_Element], None]


def request(*, session_indexes: tuple[str, ...] = ("_session-1",)) -> _Element:
    """An unsigned LogoutRequest."""
    message = logout_request(
        request_id="_idp-request",
        issued_at=NOW,
        not_on_or_after=NOW + 5 * MINUTE,
        destination=SLO,
        issuer=ISS,
        name_id=VICTIM,
        name_id_format=EMAIL,
        session_indexes=session_indexes,
    )
    return etree.fromstring(message)


def response(*, status: LogoutStatus = LogoutStatus.SUCCESS) -> _Element:
    """An unsigned LogoutResponse to our request."""
    message = logout_response(
        response_id="_idp-response",
        issued_at=NOW,
        destination=SLO,
        issuer=ISS,
        in_response_to=REQUEST,
        status=status,
    )
    return etree.fromstring(message)


def posted(root: _Element, *, key: str = "idp") -> bytes:
    """The message as HTTP-POST delivers it, signed."""
    fields = post_fields(
        etree.tostring(root),
        relay_state=None,
        key=signer(key).key,
        certificate_pem=signer(key).pem,
    )
    return b64decode(fields["SAMLRequest"], validate=True)


def query(root: _Element, *, key: str = "idp", relay_state: str | None = "state") -> bytes:
    """The query by which HTTP-Redirect delivers the message, signed."""
    is_request = etree.QName(root).localname == "LogoutRequest"
    url = redirect_url(
        etree.tostring(root),
        destination=SLO,
        relay_state=relay_state,
        key=signer(key).key,
        parameter="SAMLRequest" if is_request else "SAMLResponse",
    )
    return url.partition("?")[2].encode()


def redirected(root: _Element, *, key: str = "idp") -> RedirectMessage:
    """The message as HTTP-Redirect delivers it, read."""
    return read_redirect(query(root, key=key))


def edited(root: _Element, edit: Edit) -> _Element:
    """The same message with one thing changed."""
    edit(root)
    return root
