"""An identity provider's SAML metadata: fetched from its URL, and what a connection takes of it."""

from dataclasses import dataclass
from typing import Final

from vestibule import errors
from vestibule.domain import connection_fields
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.fetch import FetchError, FetchResponse
from vestibule.records import Published
from vestibule.saml.errors import SamlError
from vestibule.saml.metadata import IdentityProviderMetadata, parse_identity_provider
from vestibule.settings import Settings

_REDIRECTS: Final = 3
_MAX_BYTES: Final = 1_048_576
_MAX_VALIDATOR: Final = 256


@dataclass(frozen=True, kw_only=True)
class Validators:
    """What a web server calls one version of a document (RFC 9110 8.8), to ask for a newer one."""

    etag: str = ""
    last_modified: str = ""

    def headers(self) -> dict[str, str]:
        """Return the headers that ask for anything but this version."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


_NONE: Final = Validators()


@dataclass(frozen=True)
class Reading:
    """A good document, and which version of it that was."""

    metadata: IdentityProviderMetadata
    validators: Validators


async def read(context: Context, url: str) -> Reading:
    """Return the metadata at `url`. Raises Failure: not to be fetched, or not usable metadata."""
    answer = await _ask(context, url, _NONE)
    return _parse(context, answer)


async def read_newer(context: Context, url: str, than: Validators) -> Reading | None:
    """Return the metadata at `url`, None when it is still the version `than`. Raises Failure."""
    answer = await _ask(context, url, than)
    if answer.status == 304 and than.headers():
        return None
    return _parse(context, answer)


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


async def _ask(context: Context, url: str, known: Validators) -> FetchResponse:
    try:
        return await context.fetch.request(
            "GET", url, headers=known.headers(), redirects=_REDIRECTS, max_bytes=_MAX_BYTES
        )
    except FetchError as error:
        raise Failure(errors.invalid_saml_metadata_url, detail=str(error)) from error


def _parse(context: Context, answer: FetchResponse) -> Reading:
    if answer.status != 200:
        raise Failure(
            errors.invalid_saml_metadata_url,
            f"metadata_url: it answered with status {answer.status} instead of 200.",
        )
    try:
        metadata = parse_identity_provider(answer.body, now=context.clock.now())
    except SamlError as error:
        is_xml = error.reason.value.startswith("xml")
        kind = (
            errors.invalid_xml_from_saml_metadata_url
            if is_xml
            else errors.saml_connection_metadata_invalid_format
        )
        raise Failure(kind, f"{kind.message[:-1]}: expected {error.expected}.") from error
    return Reading(
        metadata,
        Validators(
            etag=_validator(answer, "etag"), last_modified=_validator(answer, "last-modified")
        ),
    )


def _validator(answer: FetchResponse, name: str) -> str:
    """Return a header that can be sent back; what cannot is as good as none."""
    value = answer.headers.get(name, "")
    fits = len(value) <= _MAX_VALIDATOR and value.isascii() and value.isprintable()
    return value if fits else ""


def _logout(settings: Settings, metadata: IdentityProviderMetadata) -> dict[str, str]:
    """Return where Single Logout goes; nowhere when that is not as safe as a login has to be."""
    redirect = metadata.redirect_slo_url is not None
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
