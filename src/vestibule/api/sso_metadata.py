"""The `sso.settings.metadata` endpoints: what a connection's metadata offers, decided by people."""

from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Response
from vestibule.api.objects.targets import ConnectionTarget
from vestibule.api.objects.upkeep import (
    ExpiryWarning,
    Metadata,
    metadata_object,
    warning_objects,
)
from vestibule.domain.upkeep import acceptance
from vestibule.domain.upkeep.report import report_of
from vestibule.permissions import Permission
from vestibule.records import Connection

group: Final = Group("sso.settings.metadata", own=True)

_METADATA: Final = "/v1/b2b/sso/{organization_id}/connections/{connection_id}/settings/metadata"
_ACCESS: Final = Permission("stytch.sso", "update")
_NOT_FOUND: Final = (errors.organization_not_found, errors.sso_connection_not_found)


class OfferRequest(ConnectionTarget):
    """Which offer of which connection: `digest` is the one that the settings show."""

    digest: str


class MetadataResponse(Response):
    """The metadata as it is now known; the connection itself is got as usual."""

    connection_id: str
    metadata: Metadata | None
    warnings: list[ExpiryWarning]


@group.endpoint(
    "POST",
    f"{_METADATA}/accept",
    access=_ACCESS,
    errors=(
        *_NOT_FOUND,
        errors.duplicate_saml_connection,
        errors.saml_connection_idp_sso_url_not_https,
        errors.too_many_sso_verification_certificates,
    ),
)
async def accept(request: OfferRequest, call: Call) -> MetadataResponse:
    """Take over what the metadata offers, if it still is what `digest` names."""
    connection = await acceptance.accept(
        call.context,
        call.project,
        request.organization_id,
        request.connection_id,
        digest=request.digest,
    )
    return await _response(call, connection)


@group.endpoint("POST", f"{_METADATA}/refuse", access=_ACCESS, errors=_NOT_FOUND)
async def refuse(request: OfferRequest, call: Call) -> MetadataResponse:
    """Turn down what the metadata offers; something else may be offered later."""
    connection = await acceptance.refuse(
        call.context,
        call.project,
        request.organization_id,
        request.connection_id,
        digest=request.digest,
    )
    return await _response(call, connection)


@group.endpoint("POST", f"{_METADATA}/refresh", access=_ACCESS, errors=_NOT_FOUND)
async def refresh(request: ConnectionTarget, call: Call) -> MetadataResponse:
    """Read the metadata now, at most twice a minute; `last_error` says when it could not be."""
    connection = await acceptance.refresh(
        call.context, call.project, request.organization_id, request.connection_id
    )
    return await _response(call, connection)


@group.endpoint("DELETE", _METADATA, access=_ACCESS, errors=_NOT_FOUND)
async def stop(request: ConnectionTarget, call: Call) -> MetadataResponse:
    """Read the metadata no more; the connection stays as it is."""
    connection = await acceptance.stop(
        call.context, call.project, request.organization_id, request.connection_id
    )
    return await _response(call, connection)


async def _response(call: Call, connection: Connection) -> MetadataResponse:
    report = await report_of(call.context, connection)
    return MetadataResponse(
        connection_id=connection.connection_id,
        metadata=metadata_object(report),
        warnings=warning_objects(report),
    )
