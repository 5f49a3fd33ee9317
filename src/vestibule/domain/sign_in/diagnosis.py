"""Why a sign-in was refused, in the words of the vendor: the usual mistakes, each by its name.

A refusal says which check failed. Here it is compared with what people get wrong when they set a
connection up, so that its trace names the mistake, the side, and where to click.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from vestibule import errors
from vestibule.clock import rfc3339
from vestibule.domain.context import Context
from vestibule.domain.pinned_certificates import pinned
from vestibule.domain.sign_in import groups
from vestibule.domain.sign_in.mapping import NotMapped
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.errors import Failure
from vestibule.identity_providers import microsoft_entra, pitfalls
from vestibule.identity_providers.pitfalls import Pitfall, Protocol
from vestibule.oidc.discovery import issuer_of
from vestibule.oidc.errors import OidcError
from vestibule.oidc.errors import Reason as OidcReason
from vestibule.oidc.urls import host_of
from vestibule.records import Connection, Identity, TraceStep
from vestibule.saml.errors import Reason as SamlReason
from vestibule.saml.errors import SamlError
from vestibule.saml.key_info import shown_certificates
from vestibule.saml.keys import Certificate
from vestibule.saml.response import read_form_field

_URLS: Final = {
    SamlReason.SAML_DESTINATION: Pitfall.ACS_URL_MISMATCH,
    SamlReason.SAML_RECIPIENT: Pitfall.ACS_URL_MISMATCH,
    SamlReason.SAML_AUDIENCE: Pitfall.AUDIENCE_MISMATCH,
}
_SIGNED_BY_ANOTHER: Final = frozenset({SamlReason.SIG_VALUE, SamlReason.SIG_KEY})


@dataclass(frozen=True)
class _Finding:
    """A mistake that was recognised; `expected` and `received` replace what the step says."""

    pitfall: Pitfall
    expected: str = ""
    received: str = ""


async def explain(
    context: Context, refusal: Refusal, error: Exception, connection: Connection, *, message: str
) -> Refusal:
    """Return the refusal as `diagnose` does; `message` is the SAMLResponse that was posted, or ''.

    The certificates are only looked up where a signature did not verify.
    """
    if not isinstance(error, SamlError) or error.reason not in _SIGNED_BY_ANOTHER or not message:
        return diagnose(refusal, error, connection)
    async with context.store.read() as tx:
        keys = await tx.connection_keys.all(
            project_id=connection.project_id,
            organization_id=connection.organization_id,
            connection_id=connection.connection_id,
        )
    shown = shown_certificates(read_form_field(message))
    return diagnose(refusal, error, connection, trusted=pinned(keys), shown=shown)


def diagnose(
    refusal: Refusal,
    error: Exception,
    connection: Connection,
    *,
    trusted: Sequence[Certificate] = (),
    shown: Sequence[Certificate] = (),
) -> Refusal:
    """Return the refusal with the mistake it looks like; unchanged when it looks like none.

    `trusted` are the connection's certificates, `shown` those that the refused message carries.
    """
    finding = _finding(error, connection, trusted, shown)
    if finding is None:
        return refusal
    advice = pitfalls.advice(
        finding.pitfall, vendor=connection.identity_provider, protocol=_protocol(connection)
    )
    failed = refusal.steps[-1]
    told = msgspec.structs.replace(
        failed,
        expected=finding.expected or failed.expected,
        received=finding.received or failed.received,
        fix=advice.fix,
        pitfall=finding.pitfall.value,
    )
    unassigned = isinstance(error, OidcError) and finding.pitfall is Pitfall.USER_NOT_ASSIGNED
    return replace(
        refusal,
        error=errors.oidc_user_not_assigned_to_app_in_idp if unassigned else refusal.error,
        side=advice.side,
        steps=(*refusal.steps[:-1], told),
    )


def notes(connection: Connection, identity: Identity) -> tuple[TraceStep, ...]:
    """Return what an admin should know of a sign-in that is good."""
    if not groups.are_left_out(identity):
        return ()
    advice = pitfalls.advice(
        Pitfall.TOO_MANY_GROUPS,
        vendor=connection.identity_provider,
        protocol=_protocol(connection),
    )
    return (
        TraceStep(
            name="groups",
            expected="the person's groups",
            received="only a hint that there are too many; they count as not sent",
            passed=True,
            fix=advice.fix,
            pitfall=Pitfall.TOO_MANY_GROUPS.value,
        ),
    )


def _protocol(connection: Connection) -> Protocol:
    return "saml" if connection.saml is not None else "oidc"


def _finding(
    error: Exception,
    connection: Connection,
    trusted: Sequence[Certificate],
    shown: Sequence[Certificate],
) -> _Finding | None:
    if isinstance(error, NotMapped):
        return _Finding(error.pitfall, error.expected, error.received)
    if isinstance(error, Failure) and error.error is errors.missing_saml_relay_state:
        quirk = pitfalls.names_requests_unasked(connection.identity_provider)
        return _Finding(Pitfall.ANSWERS_NO_REQUEST) if quirk else None
    if isinstance(error, SamlError):
        return _saml(error, trusted, shown)
    if isinstance(error, OidcError):
        return _oidc(error, connection)
    return None


def _saml(
    error: SamlError, trusted: Sequence[Certificate], shown: Sequence[Certificate]
) -> _Finding | None:
    received = error.received or ""
    if error.reason is SamlReason.SAML_STATUS:
        if "InvalidNameIDPolicy" in received:
            return _Finding(Pitfall.NAME_ID_FORMAT)
        denied = Pitfall.USER_NOT_ASSIGNED if "RequestDenied" in received else None
        named = pitfalls.of_words(received) or denied
        return _Finding(named) if named else None
    if error.reason is SamlReason.SAML_ISSUER and _is_nearly(error.expected or "", received):
        return _Finding(Pitfall.ISSUER_NOT_EXACT)
    if error.reason in _SIGNED_BY_ANOTHER:
        return _certificate(trusted, shown)
    wrong_url = _URLS.get(error.reason)
    return _Finding(wrong_url) if wrong_url else None


def _certificate(trusted: Sequence[Certificate], shown: Sequence[Certificate]) -> _Finding | None:
    """Compare what a message shows with what is pinned: newer means that it was renewed."""
    known = {certificate.der for certificate in trusted}
    strangers = [certificate for certificate in shown if certificate.der not in known]
    if not trusted or not strangers:
        return None
    stranger = strangers[0]
    newest = max(certificate.not_before for certificate in trusted)
    renewed = stranger.not_before > newest
    return _Finding(
        Pitfall.STALE_METADATA if renewed else Pitfall.WRONG_CERTIFICATE,
        expected=f"a signature by {' or '.join(_named(each) for each in trusted)}",
        received=f"one that names {_named(stranger)}",
    )


def _named(certificate: Certificate) -> str:
    fingerprint = hashlib.sha256(certificate.der).hexdigest()[:16]
    return f"certificate {fingerprint}… of {rfc3339(certificate.not_before)[:10]}"


def _oidc(error: OidcError, connection: Connection) -> _Finding | None:
    if error.reason is OidcReason.ISSUER:
        return _issuer(error.expected or "", error.received or "")
    if not error.reason.value.startswith(OidcReason.CODE.value):
        return None
    named = pitfalls.of_words(error.received or "")
    if named is None and error.reason is OidcReason.CODE_CLIENT:
        has_secret = connection.oidc is not None and connection.oidc.client_secret
        named = Pitfall.WRONG_SECRET if has_secret else Pitfall.MISSING_SECRET
    return _Finding(named) if named else None


def _issuer(expected: str, received: str) -> _Finding | None:
    # The callback's check says `iss parameter https://…`; the token's only `https://…`.
    wanted = expected.rpartition(" ")[2]
    if issuer_of(wanted) is not None:
        return _Finding(Pitfall.DISCOVERY_URL_AS_ISSUER)
    entra = microsoft_entra.is_issuer(wanted) and microsoft_entra.is_issuer(received)
    if entra or _is_nearly(wanted, received):
        return _Finding(Pitfall.ISSUER_NOT_EXACT)
    return None


def _is_nearly(wanted: str, received: str) -> bool:
    """Tell whether two issuers are alike or of one host, so that one was copied wrong."""
    host = host_of(wanted)
    same = wanted.strip(" /").casefold() == received.strip(" /").casefold()
    return same or (host != "" and host_of(received) == host)
