"""The session as a JWT: RS256, five minutes, with the two vendor claims (semantics 6.2)."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from vestibule import errors
from vestibule.clock import MINUTE, SECOND, rfc3339
from vestibule.domain import signing_keys
from vestibule.errors import Failure
from vestibule.records import Factor, Organization, Session, SigningKey

LIFE: Final = 5 * MINUTE
SESSION_CLAIM: Final = "https://stytch.com/session"
ORGANIZATION_CLAIM: Final = "https://stytch.com/organization"
_MAX_LENGTH: Final = 16_384


@dataclass(frozen=True)
class SessionReference:
    """The session that a verified JWT speaks of; whether it still exists is another question."""

    session_id: str
    organization_id: str
    member_id: str


def issuer(project_id: str) -> str:
    """Return the `iss` of a project's JWTs, which the SDKs accept for every base URL."""
    return f"stytch.com/{project_id}"


def mint(
    session: Session,
    organization: Organization,
    *,
    roles: tuple[str, ...],
    key_id: str,
    key: RSAKey,
    now: int,
) -> str:
    """Return the JWT of `session`. It ends after five minutes, or with the session if sooner."""
    issued = now // SECOND
    claims: dict[str, Any] = {
        **session.custom_claims,
        "iss": issuer(session.project_id),
        "aud": [session.project_id],
        "sub": session.member_id,
        "iat": issued,
        "nbf": issued,
        "exp": min(now + LIFE, session.expires_at) // SECOND,
        SESSION_CLAIM: {
            "id": session.session_id,
            "started_at": rfc3339(session.started_at),
            "last_accessed_at": rfc3339(session.last_accessed_at),
            "expires_at": rfc3339(session.expires_at),
            "attributes": {"ip_address": "", "user_agent": ""},
            "authentication_factors": [factor_object(factor) for factor in session.factors],
            "roles": list(roles),
        },
        ORGANIZATION_CLAIM: {
            "organization_id": organization.organization_id,
            "slug": organization.organization_slug,
        },
    }
    header = {"alg": "RS256", "kid": key_id, "typ": "JWT"}
    return jws.serialize_compact(header, msgspec.json.encode(claims), key, algorithms=["RS256"])


def factor_object(factor: Factor) -> dict[str, Any]:
    """Return an authentication factor as the wire shows it (semantics 1.5)."""
    shown = {
        "type": factor.type,
        "delivery_method": factor.delivery_method,
        "last_authenticated_at": rfc3339(factor.last_authenticated_at),
        "created_at": rfc3339(factor.created_at),
        "updated_at": rfc3339(factor.updated_at),
        "sequence_order": factor.sequence_order,
    }
    return {**shown, factor.details_name: dict(factor.details)} if factor.details_name else shown


def read(text: str, keys: list[SigningKey], *, project_id: str) -> SessionReference:
    """Return the session that `text` speaks of, after checking signature, issuer and audience.

    An expired JWT is accepted: it proves which session is meant, and the session itself decides
    (semantics 6.1). Raises Failure unable_to_parse_session_jwt or jwt_invalid_*.
    """
    claims = _verified_claims(text, {key.key_id: key for key in keys})
    if claims.get("iss") != issuer(project_id):
        raise Failure(errors.jwt_invalid_issuer)
    if claims.get("aud") != [project_id]:
        raise Failure(errors.jwt_invalid_audience)
    session, organization = claims.get(SESSION_CLAIM), claims.get(ORGANIZATION_CLAIM)
    if not isinstance(session, dict) or not isinstance(organization, dict):
        raise Failure(errors.jwt_invalid_claims)
    return SessionReference(
        session_id=str(session.get("id", "")),
        organization_id=str(organization.get("organization_id", "")),
        member_id=str(claims.get("sub", "")),
    )


def _verified_claims(text: str, keys: dict[str, SigningKey]) -> dict[str, Any]:
    if len(text) > _MAX_LENGTH or not text.isascii():
        raise Failure(errors.unable_to_parse_session_jwt)
    try:
        header = jws.extract_compact(text.encode()).headers()
        key = keys.get(str(header.get("kid")))
        if key is None or header.get("typ") != "JWT":
            raise Failure(errors.unable_to_parse_session_jwt)
        verified = jws.deserialize_compact(
            text, signing_keys.verifier(key.certificate), algorithms=["RS256"]
        )
        claims = msgspec.json.decode(verified.payload)
    except (JoseError, ValueError, RecursionError) as error:
        raise Failure(errors.unable_to_parse_session_jwt, detail=str(error)) from error
    if not isinstance(claims, dict):
        raise Failure(errors.unable_to_parse_session_jwt)
    return claims
