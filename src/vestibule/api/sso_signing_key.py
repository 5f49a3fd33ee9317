"""The `sso.settings.signing_key` endpoints: the key that a SAML connection signs with, renewed."""

from collections.abc import Awaitable
from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.api.objects.connections import X509Certificate, certificate_object
from vestibule.domain import signing_key_rotation
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.permissions import Permission

group: Final = Group("sso.settings.signing_key", own=True)

_KEY: Final = "/v1/b2b/sso/{organization_id}/connections/{connection_id}/settings/signing_key"
_ACCESS: Final = Permission("stytch.sso", "update")
_NOT_FOUND: Final = (errors.organization_not_found, errors.saml_connection_not_found)


class SigningKeyRequest(Request):
    """Which SAML connection."""

    organization_id: str
    connection_id: str


class SigningKeyResponse(Response):
    """The certificate of the key that signs, and of the one that is published to follow it."""

    connection_id: str
    signing_certificate: X509Certificate
    next_signing_certificate: X509Certificate | None


@group.endpoint("GET", _KEY, access=Permission("stytch.sso", "get"), errors=_NOT_FOUND)
async def get(request: SigningKeyRequest, call: Call) -> SigningKeyResponse:
    """Get the certificates of a connection's signing keys."""
    return await _response(
        signing_key_rotation.get(
            call.context, call.project, request.organization_id, request.connection_id
        )
    )


@group.endpoint("POST", f"{_KEY}/start", access=_ACCESS, errors=_NOT_FOUND)
async def start(request: SigningKeyRequest, call: Call) -> SigningKeyResponse:
    """Publish a next key in the metadata; give its certificate to the identity provider."""
    return await _response(
        signing_key_rotation.start(
            call.context, call.project, request.organization_id, request.connection_id
        )
    )


@group.endpoint("POST", f"{_KEY}/complete", access=_ACCESS, errors=_NOT_FOUND)
async def complete(request: SigningKeyRequest, call: Call) -> SigningKeyResponse:
    """Sign with the next key from now on; the one before is gone."""
    return await _response(
        signing_key_rotation.complete(
            call.context, call.project, request.organization_id, request.connection_id
        )
    )


@group.endpoint("POST", f"{_KEY}/cancel", access=_ACCESS, errors=_NOT_FOUND)
async def cancel(request: SigningKeyRequest, call: Call) -> SigningKeyResponse:
    """Withdraw the next key, if there is one."""
    return await _response(
        signing_key_rotation.cancel(
            call.context, call.project, request.organization_id, request.connection_id
        )
    )


async def _response(asked: Awaitable[ConnectionView]) -> SigningKeyResponse:
    view = await asked
    following = view.of_purpose("next_signing")
    return SigningKeyResponse(
        connection_id=view.connection.connection_id,
        signing_certificate=certificate_object(view.of_purpose("signing")[-1]),
        next_signing_certificate=certificate_object(following[0]) if following else None,
    )
