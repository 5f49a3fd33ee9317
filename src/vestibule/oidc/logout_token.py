"""Verifying a logout token: the provider says that a session is over (Back-Channel Logout 1.0)."""

from dataclasses import InitVar, dataclass, field
from typing import Any, Final

from vestibule.oidc.checks import Checks
from vestibule.oidc.claims import check_addressed, is_subject
from vestibule.oidc.errors import Reason, Step
from vestibule.oidc.expectation import LogoutExpectation
from vestibule.oidc.jwks import Key
from vestibule.oidc.signed import verify_signature

_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_TYPES: Final = ("logout+jwt", "jwt")
_SECOND: Final = 1_000_000
_LONGEST: Final = 255
_PROOF: Final = object()


@dataclass(frozen=True)
class VerifiedLogoutToken:
    """Whose sessions are over: all of `subject`, or the one `session_id`, or both at once.

    `token_id` must not be accepted twice until `replay_until` (microseconds). Only this module
    can make one.
    """

    subject: str | None
    session_id: str | None
    token_id: str
    replay_until: int
    steps: tuple[Step, ...] = field(repr=False)
    proof: InitVar[object] = None

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("a VerifiedLogoutToken is made by verify_logout_token only")


def verify_logout_token(
    token: str, keys: tuple[Key, ...], expectation: LogoutExpectation, *, now: int
) -> VerifiedLogoutToken:
    """Verify `token` at `now` (microseconds), as Back-Channel Logout 1.0, 2.6 says.

    Raises OidcError: oidc.idtoken (shape), oidc.alg, oidc.key, oidc.sig, oidc.iss, oidc.aud,
    oidc.exp, oidc.iat, oidc.nonce (it is an ID token), oidc.sub, and oidc.logout for the rest.
    """
    checks = Checks()
    signed = verify_signature(
        token, keys, algorithms=expectation.algorithms, types=_TYPES, checks=checks
    )
    claims = signed.claims
    check_addressed(
        claims,
        expectation,
        key_issuer=signed.signer.issuer,
        as_client=True,
        now=now,
        checks=checks,
    )
    _check_event(claims, checks)
    token_id = _text(claims, "jti", checks)
    subject, session_id = _named(claims, checks)
    expires_at = int(claims["exp"] * _SECOND)
    return VerifiedLogoutToken(
        subject=subject,
        session_id=session_id,
        token_id=token_id,
        replay_until=expires_at + expectation.clock_skew,
        steps=checks.steps,
        proof=_PROOF,
    )


def _check_event(claims: dict[str, Any], checks: Checks) -> None:
    """A logout token says so, and has no nonce, so that no other token can be taken for one."""
    events = claims.get("events")
    checks.require(
        "events",
        good=isinstance(events, dict) and isinstance(events.get(_EVENT), dict),
        reason=Reason.LOGOUT,
        expected="the event backchannel-logout",
        received=", ".join(events) if isinstance(events, dict) else events,
    )
    checks.require(
        "nonce",
        good="nonce" not in claims,
        reason=Reason.NONCE,
        expected="no nonce",
        received="one" if "nonce" in claims else "none",
    )


def _named(claims: dict[str, Any], checks: Checks) -> tuple[str | None, str | None]:
    subject = claims.get("sub")
    checks.require(
        "sub",
        good="sub" not in claims or is_subject(subject),
        reason=Reason.SUBJECT,
        expected="1 to 255 ASCII characters, or none",
        received=subject,
    )
    session_id = _text(claims, "sid", checks) if "sid" in claims else None
    checks.require(
        "sub or sid",
        good=subject is not None or session_id is not None,
        reason=Reason.LOGOUT,
        expected="a person or a session",
        received="neither" if subject is None and session_id is None else "one",
    )
    return subject, session_id


def _text(claims: dict[str, Any], name: str, checks: Checks) -> str:
    value = claims.get(name)
    checks.require(
        name,
        good=isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable(),
        reason=Reason.LOGOUT,
        expected=f"{name}: 1 to {_LONGEST} characters",
        received=value,
    )
    return str(value)
