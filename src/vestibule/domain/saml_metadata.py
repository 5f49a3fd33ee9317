"""An identity provider's SAML metadata: read from its URL, and what a connection takes of it."""

from vestibule import errors
from vestibule.domain import connection_fields
from vestibule.domain.context import Context
from vestibule.domain.upkeep.readings import (
    Reading,
    Validators,
    ask,
    is_unchanged,
    validators_of,
)
from vestibule.errors import Failure
from vestibule.fetch import FetchError, FetchResponse
from vestibule.records import Published
from vestibule.saml.errors import SamlError
from vestibule.saml.keys import read_certificate
from vestibule.saml.metadata import IdentityProviderMetadata, parse_identity_provider
from vestibule.settings import Settings


async def read(context: Context, url: str, *, signer: str = "") -> Reading:
    """Return the metadata at `url`, which the certificate `signer` (PEM) must have signed, if any.

    Raises Failure: it cannot be fetched, or is not usable metadata.
    """
    return _parse(context, await _ask(context, url, Validators()), signer)


async def read_newer(
    context: Context, url: str, than: Validators, *, signer: str = ""
) -> Reading | None:
    """Return the metadata at `url`, None when it is still the version `than`.

    Raises Failure as `read` does, and when no signing certificate is left in it (OP-14).
    """
    answer = await _ask(context, url, than)
    if is_unchanged(answer, than):
        return None
    reading = _parse(context, answer, signer)
    if not reading.published.certificates:
        raise Failure(
            errors.saml_connection_metadata_invalid_format,
            "The metadata has no signing certificate any more.",
        )
    return reading


async def _ask(context: Context, url: str, known: Validators) -> FetchResponse:
    try:
        return await ask(context, url, known)
    except FetchError as error:
        raise Failure(errors.invalid_saml_metadata_url, detail=str(error)) from error


def _parse(context: Context, answer: FetchResponse, signer: str) -> Reading:
    if answer.status != 200:
        raise Failure(
            errors.invalid_saml_metadata_url,
            f"metadata_url: it answered with status {answer.status} instead of 200.",
        )
    try:
        signers = (read_certificate(signer),) if signer else ()
        metadata = parse_identity_provider(answer.body, now=context.clock.now(), signers=signers)
    except SamlError as error:
        is_xml = error.reason.value.startswith("xml")
        kind = (
            errors.invalid_xml_from_saml_metadata_url
            if is_xml
            else errors.saml_connection_metadata_invalid_format
        )
        raise Failure(kind, f"{kind.message[:-1]}: expected {error.expected}.") from error
    return Reading(
        published=published(context.settings, metadata),
        validators=validators_of(answer),
        cache_duration=metadata.cache_duration,
        valid_until=metadata.valid_until,
    )


def published(settings: Settings, metadata: IdentityProviderMetadata) -> Published:
    """Return what a connection takes of metadata, as its fields are called."""
    return Published(
        fields={
            "idp_entity_id": metadata.entity_id,
            "idp_sso_url": metadata.sso_url,
            "idp_sso_binding": "redirect" if metadata.redirect_sso_url else "post",
            **_logout(settings, metadata),
        },
        certificates=tuple(certificate.pem for certificate in metadata.certificates),
    )


def _logout(settings: Settings, metadata: IdentityProviderMetadata) -> dict[str, str]:
    """Return where Single Logout goes; nowhere when that is not as safe as a login has to be."""
    redirect = metadata.redirect_slo_url is not None or metadata.post_slo_url is None
    url = metadata.redirect_slo_url if redirect else metadata.post_slo_url
    response = metadata.redirect_slo_response_url if redirect else metadata.post_slo_response_url
    usable = [
        each if each and connection_fields.is_https_or_listed(settings, each) else ""
        for each in (url, response)
    ]
    return {
        "idp_slo_url": usable[0],
        "idp_slo_response_url": usable[1],
        "idp_slo_binding": "redirect" if redirect else "post",
    }
