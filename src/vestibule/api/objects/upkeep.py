"""How a connection's metadata and expiring certificates are shown."""

import hashlib
from typing import Literal

import msgspec

from vestibule.clock import DAY, rfc3339
from vestibule.domain.upkeep.admin_letters import REMEDIES
from vestibule.domain.upkeep.report import Offered, Report
from vestibule.records import ConnectionKey
from vestibule.saml.keys import read_certificate


class OfferedChange(msgspec.Struct, kw_only=True):
    """A field as the connection has it, and as its metadata has it."""

    field: str
    current: str
    offered: str


class OfferedCertificate(msgspec.Struct, kw_only=True):
    """A certificate that the metadata has and the connection does not, or the reverse."""

    certificate: str
    issuer: str
    expires_at: str
    fingerprint_sha256: str


class MetadataOffer(msgspec.Struct, kw_only=True):
    """What can be accepted or refused by its digest.

    `caution` names what somebody who took over the metadata's host would change: entity_id,
    sso_host, all_signing_keys.
    """

    digest: str
    refused: bool
    caution: list[str]
    changes: list[OfferedChange]
    certificates_added: list[OfferedCertificate]
    certificates_removed: list[OfferedCertificate]


class Metadata(msgspec.Struct, kw_only=True):
    """The metadata that is read again in the background; `last_error` is that of the last try."""

    url: str
    last_fetched_at: str
    last_tried_at: str
    next_try_at: str
    valid_until: str | None
    last_error: str
    offer: MetadataOffer | None


class ExpiryWarning(msgspec.Struct, kw_only=True):
    """A certificate that expires within 60 days or has expired; `days` are the whole ones left."""

    certificate_id: str
    purpose: Literal["verification", "signing", "next_signing", "encryption"]
    expires_at: str
    days: int
    message: str


def metadata_object(report: Report) -> Metadata | None:
    """Return what is known of a connection's metadata, None when it was not set up from any."""
    feed = report.feed
    if feed is None:
        return None
    return Metadata(
        url=feed.url,
        last_fetched_at=rfc3339(feed.fetched_at),
        last_tried_at=rfc3339(feed.tried_at),
        next_try_at=rfc3339(feed.due_at),
        valid_until=rfc3339(feed.valid_until) if feed.valid_until else None,
        last_error=feed.error,
        offer=_offer(report.offered) if report.offered else None,
    )


def _offer(offered: Offered) -> MetadataOffer:
    offer = offered.offer
    return MetadataOffer(
        digest=offer.digest,
        refused=offered.refused,
        caution=list(offered.held),
        changes=[
            OfferedChange(field=c.field, current=c.current, offered=c.offered)
            for c in offer.changes
        ],
        certificates_added=[_certificate(pem) for pem in offer.added],
        certificates_removed=[_certificate(pem) for pem in offer.removed],
    )


def _certificate(pem: str) -> OfferedCertificate:
    certificate = read_certificate(pem)
    return OfferedCertificate(
        certificate=certificate.pem,
        issuer=certificate.issuer,
        expires_at=rfc3339(certificate.not_after),
        fingerprint_sha256=hashlib.sha256(certificate.der).hexdigest(),
    )


def warning_objects(report: Report) -> list[ExpiryWarning]:
    """Return a warning for each certificate of the report, the most urgent first."""
    return [_warning(key, now=report.now) for key in report.expiring]


def _warning(key: ConnectionKey, *, now: int) -> ExpiryWarning:
    days = max(0, (key.expires_at - now) // DAY)
    when = f"expires in {days} days" if key.expires_at > now else "has expired"
    remedy = REMEDIES[key.purpose]
    return ExpiryWarning(
        certificate_id=key.key_id,
        purpose=key.purpose,
        expires_at=rfc3339(key.expires_at),
        days=days,
        message=f"This certificate {when}: {remedy}.",
    )
