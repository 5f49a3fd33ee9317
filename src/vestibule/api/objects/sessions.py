"""Sessions on the wire (contract d, semantics 1.5)."""

from typing import Any, Final

import msgspec

from vestibule import errors
from vestibule.api.endpoint import Response
from vestibule.api.objects.members import MemberObject, member_object
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.clock import rfc3339
from vestibule.domain.members import MemberView
from vestibule.domain.outcome import Unfinished
from vestibule.domain.session_jwt import factor_object
from vestibule.domain.sessions import SessionView
from vestibule.errors import Failure
from vestibule.records import Json, Organization, Session

LOCALES: Final = frozenset({
    "en", "es", "pt-br", "fr", "it", "de-DE", "zh-Hans", "ca-ES", "ja", "ru", "nl", "pl", "tr",
    "fa", "vi", "cs",
})  # fmt: skip


NAMED_SESSION: Final = (
    errors.session_not_found,
    errors.organization_suspended,
    errors.invalid_session_token,
    errors.unable_to_parse_session_jwt,
    errors.jwt_invalid_issuer,
    errors.jwt_invalid_audience,
    errors.jwt_invalid_claims,
)
"""What may be wrong with a session that a request names by token or JWT."""
WANTED_SESSION: Final = (
    errors.invalid_session_duration_minutes,
    errors.custom_claims_too_large,
    errors.stytch_claims_in_custom_claims,
)
"""What may be wrong with the session that a request asks for."""


def require_locale(locale: str | None) -> None:
    """Pass for None and a known locale. Raises Failure invalid_locale."""
    if locale is not None and locale not in LOCALES:
        raise Failure(errors.invalid_locale)


class MemberSession(msgspec.Struct, kw_only=True):
    """`b2b.sessions.MemberSession`."""

    member_session_id: str
    member_id: str
    started_at: str
    last_accessed_at: str
    expires_at: str
    authentication_factors: list[dict[str, Any]]
    organization_id: str
    organization_slug: str
    roles: list[str]
    custom_claims: Json


class MemberOptions(msgspec.Struct, kw_only=True):
    """What a member has set up for a second factor."""

    mfa_phone_number: str
    totp_registration_id: str


class MfaRequired(msgspec.Struct, kw_only=True):
    """What is still missing when a second factor is needed."""

    member_options: MemberOptions | None = None
    secondary_auth_initiated: str | None = None


class PrimaryRequired(msgspec.Struct, kw_only=True):
    """What is still missing when another primary factor is needed."""

    allowed_auth_methods: list[str]


class LoginResponse(Response, kw_only=True):
    """A session, or an intermediate one where more is needed (then both tokens are empty)."""

    member_id: str
    member: MemberObject
    organization: OrganizationObject
    member_authenticated: bool
    session_token: str = ""
    session_jwt: str = ""
    intermediate_session_token: str = ""
    intermediate_session_token_expires_at: str | None = None
    member_session: MemberSession | None = None
    mfa_required: MfaRequired | None = None
    primary_required: PrimaryRequired | None = None
    member_device: None = None


def session_object(
    session: Session, organization: Organization, roles: tuple[str, ...]
) -> MemberSession:
    """Return `session` as the wire shows it; `roles` are those that count in it now."""
    return MemberSession(
        member_session_id=session.session_id,
        member_id=session.member_id,
        started_at=rfc3339(session.started_at),
        last_accessed_at=rfc3339(session.last_accessed_at),
        expires_at=rfc3339(session.expires_at),
        authentication_factors=[factor_object(factor) for factor in session.factors],
        organization_id=session.organization_id,
        organization_slug=organization.organization_slug,
        roles=list(roles),
        custom_claims=session.custom_claims,
    )


def outcome_fields(ended: SessionView | Unfinished, *, now: int) -> dict[str, Any]:
    """Return the fields of a LoginResponse: a session, or what waits and what it waits for."""
    organization = ended.organization.organization
    fields = {
        "member_id": ended.member.member.member_id,
        "member": member_object(ended.member, now=now),
        "organization": organization_object(ended.organization),
        "member_authenticated": isinstance(ended, SessionView),
    }
    if isinstance(ended, SessionView):
        return {
            **fields,
            "session_token": ended.token,
            "session_jwt": ended.jwt,
            "member_session": session_object(ended.session, organization, ended.roles),
        }
    fields |= {
        "intermediate_session_token": ended.waiting.token,
        "intermediate_session_token_expires_at": rfc3339(ended.waiting.record.expires_at),
    }
    if ended.needs_primary:
        return {**fields, "primary_required": primary_required(organization)}
    return {**fields, "mfa_required": mfa_required(ended.member, ended.initiated)}


def primary_required(organization: Organization) -> PrimaryRequired:
    """Return what is missing where the organization wants another primary factor."""
    return PrimaryRequired(allowed_auth_methods=list(organization.allowed_auth_methods))


def mfa_required(member: MemberView | None, initiated: str = "") -> MfaRequired:
    """Return what is missing where a second factor is; `member` None is no member yet."""
    return MfaRequired(
        member_options=_options(member) if member else None,
        secondary_auth_initiated=initiated or None,
    )


def _options(view: MemberView) -> MemberOptions | None:
    phone, registration_id = view.member.mfa_phone_number, view.member.totp_registration_id
    if not phone and not registration_id:
        return None
    return MemberOptions(mfa_phone_number=phone, totp_registration_id=registration_id)
