"""What is wrong with an identity provider's metadata, said so that a person can act on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vestibule.clock import DAY, rfc3339
from vestibule.saml.errors import Reason, SamlError, cut
from vestibule.saml.keys import Certificate
from vestibule.saml.metadata import IdentityProviderMetadata, parse_identity_provider

EXPIRES_SOON: Final = 90 * DAY
VALID_UNTIL_SOON: Final = 7 * DAY

_EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"


class Severity(StrEnum):
    """What a finding means for a login."""

    ERROR = "error"
    """Nobody can sign in."""

    WARNING = "warning"
    """Signing in works, and will stop or depends on something that cannot be seen here."""


class FindingCode(StrEnum):
    """Every finding there is."""

    UNUSABLE = "unusable"
    WEAK_KEY = "weak_key"
    NO_SIGNING_KEY = "no_signing_key"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_EXPIRES_SOON = "certificate_expires_soon"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    SSO_URL_NOT_HTTPS = "sso_url_not_https"
    VALID_UNTIL_SOON = "valid_until_soon"
    SIGNED_REQUESTS_WANTED = "signed_requests_wanted"
    NO_EMAIL_NAME_ID = "no_email_name_id"
    SIGNATURE_NOT_VERIFIED = "signature_not_verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about the metadata: what is the case, and what the identity provider's admin does.

    Both are plain English text; values of the document in it are untrusted (escape them) and cut
    to 200 characters.
    """

    code: FindingCode
    severity: Severity
    problem: str
    remedy: str


def lint_metadata(
    data: bytes,
    *,
    now: int,
    entity_id: str | None = None,
    signers: Sequence[Certificate] = (),
) -> tuple[Finding, ...]:
    """Look through the metadata of an identity provider; nothing found is an empty tuple.

    Takes what `parse_identity_provider` takes. Where that refuses the document, the one finding
    says why. `now` is in microseconds UTC.
    """
    try:
        metadata = parse_identity_provider(data, now=now, entity_id=entity_id, signers=signers)
    except SamlError as error:
        return (_unusable(error),)
    return (
        *_lint_keys(metadata.certificates, now),
        *_lint_addresses(metadata),
        *_lint_validity(metadata, now),
        *_lint_wishes(metadata),
        *_lint_signature(metadata),
    )


def _unusable(error: SamlError) -> Finding:
    problem = f"Expected {error.expected}, received {error.received}."
    if error.reason is Reason.KEY_WEAK:
        return Finding(
            code=FindingCode.WEAK_KEY,
            severity=Severity.ERROR,
            problem=f"The key of a signing certificate is too weak. {problem}",
            remedy="Make a new signing certificate with an RSA key of at least 2048 bits.",
        )
    return Finding(
        code=FindingCode.UNUSABLE,
        severity=Severity.ERROR,
        problem=f"The metadata cannot be used ({error.reason}). {problem}",
        remedy=(
            "Download the metadata of this application from the identity provider once more, as "
            "XML, and send it unchanged."
        ),
    )


def _lint_keys(certificates: tuple[Certificate, ...], now: int) -> Iterator[Finding]:
    if not certificates:
        yield Finding(
            code=FindingCode.NO_SIGNING_KEY,
            severity=Severity.ERROR,
            problem="The metadata has no signing certificate.",
            remedy="Turn on signing in the identity provider, or enter its certificate by hand.",
        )
    for certificate in certificates:
        name = f"The signing certificate of {cut(certificate.issuer) or 'nobody'}"
        if certificate.not_after <= now:
            yield Finding(
                code=FindingCode.CERTIFICATE_EXPIRED,
                severity=Severity.WARNING,
                problem=f"{name} expired on {rfc3339(certificate.not_after)}.",
                remedy="Make a new signing certificate, and remove this one when it is unused.",
            )
        elif certificate.not_after <= now + EXPIRES_SOON:
            yield Finding(
                code=FindingCode.CERTIFICATE_EXPIRES_SOON,
                severity=Severity.WARNING,
                problem=f"{name} expires on {rfc3339(certificate.not_after)}.",
                remedy="Make a new signing certificate before then and publish it beside this one.",
            )
        elif certificate.not_before > now:
            yield Finding(
                code=FindingCode.CERTIFICATE_NOT_YET_VALID,
                severity=Severity.WARNING,
                problem=f"{name} is valid from {rfc3339(certificate.not_before)} only.",
                remedy="Check the clock of the identity provider, or wait until then to use it.",
            )


def _lint_addresses(metadata: IdentityProviderMetadata) -> Iterator[Finding]:
    if not metadata.sso_url.startswith("https://"):
        yield Finding(
            code=FindingCode.SSO_URL_NOT_HTTPS,
            severity=Severity.ERROR,
            problem=f"The login address {cut(metadata.sso_url)} is not https.",
            remedy="Give the identity provider an https address and download its metadata again.",
        )


def _lint_validity(metadata: IdentityProviderMetadata, now: int) -> Iterator[Finding]:
    end = metadata.valid_until
    if end is not None and end <= now + VALID_UNTIL_SOON:
        yield Finding(
            code=FindingCode.VALID_UNTIL_SOON,
            severity=Severity.WARNING,
            problem=f"The metadata is valid until {rfc3339(end)} only.",
            remedy="Give the address of the metadata instead of a file, so that it is read again.",
        )


def _lint_wishes(metadata: IdentityProviderMetadata) -> Iterator[Finding]:
    if metadata.want_authn_requests_signed:
        yield Finding(
            code=FindingCode.SIGNED_REQUESTS_WANTED,
            severity=Severity.WARNING,
            problem="The identity provider accepts signed login requests only. Ours are signed.",
            remedy="Enter our service provider metadata, or our signing certificate, there.",
        )
    formats = metadata.nameid_formats
    if formats and _EMAIL not in formats and _UNSPECIFIED not in formats:
        yield Finding(
            code=FindingCode.NO_EMAIL_NAME_ID,
            severity=Severity.WARNING,
            problem=f"The identity provider sends no e-mail address as NameID: {cut(formats[0])}.",
            remedy="Send the e-mail address in an attribute and map email to that attribute.",
        )


def _lint_signature(metadata: IdentityProviderMetadata) -> Iterator[Finding]:
    if metadata.signature == "not_verified":
        yield Finding(
            code=FindingCode.SIGNATURE_NOT_VERIFIED,
            severity=Severity.WARNING,
            problem="The metadata is signed, but it is not known here who has to have signed it.",
            remedy="Enter the certificate that signs it as the connection's metadata_certificate.",
        )
