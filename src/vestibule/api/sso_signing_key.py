"""The `sso.settings.signing_key` endpoints: the key that a SAML connection signs with, renewed."""

from collections.abc import Awaitable, Callable
from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Response
from vestibule.api.objects.connections import X509Certificate, certificate_object
from vestibule.api.objects.targets import ConnectionTarget
from vestibule.domain import signing_key_rotation
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.domain.context import Context
from vestibule.permissions import Permission
from vestibule.records import Project

group: Final = Group("sso.settings.signing_key", own=True)

_KEY: Final = "/v1/b2b/sso/{organization_id}/connections/{connection_id}/settings/signing_key"
_ACCESS: Final = Permission("stytch.sso", "update")
_NOT_FOUND: Final = (errors.organization_not_found, errors.saml_connection_not_found)

_Step = Callable[[Context, Project, str, str], Awaitable[ConnectionView]]


class SigningKeyResponse(Response):
    """The certificate of the key that signs, and of the one that is published to follow it."""

    connection_id: str
    signing_certificate: X509Certificate
    next_signing_certificate: X509Certificate | None


@group.endpoint("GET", _KEY, access=Permission("stytch.sso", "get"), errors=_NOT_FOUND)
async def get(request: ConnectionTarget, call: Call) -> SigningKeyResponse:
    """Get the certificates of a connection's signing keys."""
    return await _answer(signing_key_rotation.get, request, call)


@group.endpoint("POST", f"{_KEY}/start", access=_ACCESS, errors=_NOT_FOUND)
async def start(request: ConnectionTarget, call: Call) -> SigningKeyResponse:
    """Publish a next key in the metadata; give its certificate to the identity provider."""
    return await _answer(signing_key_rotation.start, request, call)


@group.endpoint("POST", f"{_KEY}/complete", access=_ACCESS, errors=_NOT_FOUND)
async def complete(request: ConnectionTarget, call: Call) -> SigningKeyResponse:
    """Sign with the next key from now on; the one before is gone."""
    return await _answer(signing_key_rotation.complete, request, call)


@group.endpoint("POST", f"{_KEY}/cancel", access=_ACCESS, errors=_NOT_FOUND)
async def cancel(request: ConnectionTarget, call: Call) -> SigningKeyResponse:
    """Withdraw the next key, if there is one."""
    return await _answer(signing_key_rotation.cancel, request, call)


async def _answer(step: _Step, request: ConnectionTarget, call: Call) -> SigningKeyResponse:
    view = await step(call.context, call.project, request.organization_id, request.connection_id)
    following = view.of_purpose("next_signing")
    return SigningKeyResponse(
        connection_id=view.connection.connection_id,
        signing_certificate=certificate_object(view.of_purpose("signing")[-1]),
        next_signing_certificate=certificate_object(following[0]) if following else None,
    )
