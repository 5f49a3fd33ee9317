"""The claims of an ID token, one function per rule, in the order of OIDC Core 3.1.3.7."""

import base64
import hashlib
import hmac
import math
from collections.abc import Mapping
from typing import Any, Final

from vestibule.oidc.checks import Checks
from vestibule.oidc.discovery import TENANT
from vestibule.oidc.errors import Reason
from vestibule.oidc.expectation import Expectation, Recipient
from vestibule.oidc.jwks import Algorithm

_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_YEAR_9999: Final = 253_402_300_799
_LONGEST_SUBJECT: Final = 255
# What a token says of itself and of its transaction (RFC 7519 4.1, OIDC Core 2 and 3.3.2.11).
_OF_THE_TOKEN: Final = frozenset(
    {
        "iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "s_hash",
        "auth_time", "sid",
    }
)  # fmt: skip

Claims = Mapping[str, Any]


def check_claims(
    claims: Claims,
    expectation: Expectation,
    *,
    algorithm: Algorithm,
    key_issuer: str | None,
    access_token: str | None,
    code: str | None,
    now: int,
    checks: Checks,
) -> str:
    """Check all of `claims` and return the subject; raises OidcError at the first failure."""
    check_addressed(
        claims, expectation, key_issuer=key_issuer, as_client=True, now=now, checks=checks
    )
    _check_auth_time(claims, expectation, now=now, checks=checks)
    _check_nonce(claims, expectation, checks)
    _check_hash(claims, "at_hash", access_token, algorithm=algorithm, checks=checks)
    _check_hash(claims, "c_hash", code, algorithm=algorithm, checks=checks)
    return _check_subject(claims, expectation, checks)


def about_person(claims: Claims) -> dict[str, Any]:
    """Return the claims that say something of the person, without those about the token."""
    return {name: value for name, value in claims.items() if name not in _OF_THE_TOKEN}


def check_addressed(
    claims: Claims,
    recipient: Recipient,
    *,
    key_issuer: str | None,
    as_client: bool,
    now: int,
    checks: Checks,
) -> None:
    """Check who issued a token, for whom, and when; raises OidcError at the first failure.

    `as_client`: the issuer handed it to us. Otherwise it is somebody else's, passed on, and to be
    one of its audiences is enough (RFC 7519 4.1.3, RFC 9068 4).
    """
    _check_issuer(claims, recipient, key_issuer=key_issuer, checks=checks)
    _check_audience(claims, recipient, checks)
    if as_client:
        _check_authorized_party(claims, recipient, checks)
    _check_times(claims, recipient, now=now, checks=checks)


def is_subject(value: object) -> bool:
    """Tell whether `value` can be a sub: 1 to 255 printable ASCII characters (OIDC Core 2)."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_SUBJECT
        and value.isascii()
        and value.isprintable()
    )


def _check_issuer(
    claims: Claims, recipient: Recipient, *, key_issuer: str | None, checks: Checks
) -> None:
    expected = recipient.issuer
    if recipient.tenants:
        tenant = claims.get("tid")
        checks.require(
            "tenant",
            good=isinstance(tenant, str) and tenant in recipient.tenants,
            reason=Reason.ISSUER,
            expected="tid: one of " + ", ".join(recipient.tenants),
            received=tenant,
        )
        expected = expected.replace(TENANT, str(tenant))
        # Microsoft's shared key set says for which tenants each key signs.
        checks.require(
            "key issuer",
            good=key_issuer is None or key_issuer.replace(TENANT, str(tenant)) == expected,
            reason=Reason.ISSUER,
            expected=f"a key of {expected}",
            received=key_issuer,
        )
    issuer = claims.get("iss")
    checks.require(
        "iss", good=issuer == expected, reason=Reason.ISSUER, expected=expected, received=issuer
    )


def _check_audience(claims: Claims, recipient: Recipient, checks: Checks) -> None:
    audience = claims.get("aud")
    audiences: list[Any] = audience if isinstance(audience, list) else [audience]
    sound = all(isinstance(one, str) for one in audiences)
    checks.require(
        "aud",
        good=sound and recipient.client_id in audiences,
        reason=Reason.AUDIENCE,
        expected=recipient.client_id,
        received=", ".join(audiences) or "an empty list" if sound else audience,
    )


def _check_authorized_party(claims: Claims, recipient: Recipient, checks: Checks) -> None:
    """A token for several audiences is ours only if it was issued to us."""
    audience, party = claims.get("aud"), claims.get("azp")
    client = recipient.client_id
    alone = set(audience if isinstance(audience, list) else [audience]) == {client}
    checks.require(
        "azp",
        good=party == client or (alone and "azp" not in claims),
        reason=Reason.AUDIENCE,
        expected=f"azp: {client}" + (" or absent" if alone else ""),
        received=party,
    )


def _check_times(claims: Claims, recipient: Recipient, *, now: int, checks: Checks) -> None:
    skew = recipient.clock_skew
    expires, issued = _instant(claims.get("exp")), _instant(claims.get("iat"))
    checks.require(
        "exp",
        good=expires is not None and now < expires + skew,
        reason=Reason.EXPIRED,
        expected=f"a time after {now // _SECOND}",
        received=claims.get("exp"),
    )
    checks.require(
        "iat",
        good=issued is not None and now - _DAY - skew <= issued <= now + skew,
        reason=Reason.ISSUED_AT,
        expected=f"a time within the day before {now // _SECOND}",
        received=claims.get("iat"),
    )
    life = (expires or 0) - (issued or 0)
    checks.require(
        "life",
        good=life <= _DAY,
        reason=Reason.EXPIRED,
        expected="a life of at most a day",
        received=f"{life // _SECOND} seconds",
    )
    if "nbf" in claims:
        begins = _instant(claims["nbf"])
        checks.require(
            "nbf",
            good=begins is not None and begins <= now + skew,
            reason=Reason.NOT_BEFORE,
            expected=f"a time up to {now // _SECOND}",
            received=claims["nbf"],
        )


def _check_auth_time(claims: Claims, expectation: Expectation, *, now: int, checks: Checks) -> None:
    if expectation.max_age is None:
        return
    authenticated = _instant(claims.get("auth_time"))
    oldest = now - expectation.max_age - expectation.clock_skew
    checks.require(
        "auth_time",
        good=authenticated is not None and oldest <= authenticated <= now + expectation.clock_skew,
        reason=Reason.AUTH_TIME,
        expected=f"a time from {oldest // _SECOND} to {now // _SECOND}",
        received=claims.get("auth_time"),
    )


def _check_nonce(claims: Claims, expectation: Expectation, checks: Checks) -> None:
    nonce = claims.get("nonce")
    if expectation.nonce is None:
        return
    checks.require(
        "nonce",
        good=isinstance(nonce, str)
        and hmac.compare_digest(nonce.encode("utf-8"), expectation.nonce.encode("utf-8")),
        reason=Reason.NONCE,
        expected="the nonce of this sign-in",
        received="none" if nonce is None else "another" if nonce != expectation.nonce else "it",
    )


def _check_hash(
    claims: Claims, name: str, value: str | None, *, algorithm: Algorithm, checks: Checks
) -> None:
    """Compare at_hash or c_hash: the left half of the hash that the algorithm uses (3.1.3.6)."""
    if name not in claims or value is None:
        return
    digest = hashlib.new(f"sha{algorithm.value[2:]}", value.encode("utf-8")).digest()
    expected = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    received = claims[name]
    good = isinstance(received, str) and hmac.compare_digest(received.encode("utf-8"), expected)
    checks.require(
        name,
        good=good,
        reason=Reason.ACCESS_TOKEN_HASH if name == "at_hash" else Reason.CODE_HASH,
        expected="the hash of what came with the token",
        received="it" if good else "another",
    )


def _check_subject(claims: Claims, expectation: Expectation, checks: Checks) -> str:
    subject = claims.get("sub")
    expected = expectation.subject
    checks.require(
        "sub",
        good=is_subject(subject) and expected in {None, subject},
        reason=Reason.SUBJECT,
        expected=expected or "1 to 255 ASCII characters",
        received=subject,
    )
    return str(subject)


def _instant(value: object) -> int | None:
    """Return a NumericDate in microseconds, or None when it is none (RFC 7519 2)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or not 0 <= value <= _YEAR_9999:
        return None
    return value * _SECOND if isinstance(value, int) else round(value * _SECOND)
