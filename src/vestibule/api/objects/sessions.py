"""Sessions on the wire (contract d, semantics 1.5)."""

from typing import Any, Final

import msgspec

from vestibule.clock import rfc3339
from vestibule.domain.session_jwt import factor_object
from vestibule.records import Json, Organization, Session

LOCALES: Final = frozenset({
    "en", "es", "pt-br", "fr", "it", "de-DE", "zh-Hans", "ca-ES", "ja", "ru", "nl", "pl", "tr",
    "fa", "vi", "cs",
})  # fmt: skip


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
