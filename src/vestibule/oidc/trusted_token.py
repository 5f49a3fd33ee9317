"""Verifying a trusted token: somebody else's JWT about a member, and what its claims mean here."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any, Final

from vestibule.oidc.checks import Checks
from vestibule.oidc.claims import check_addressed
from vestibule.oidc.errors import Reason, Step
from vestibule.oidc.expectation import TrustedExpectation
from vestibule.oidc.jwks import Key
from vestibule.oidc.signed import verify_signature
from vestibule.oidc.userinfo import read_email

REQUIRED: Final = frozenset({"email", "token_id"})
OPTIONAL: Final = frozenset({"organization_id", "external_member_id", "role_ids"})
# An access token may call itself one (RFC 9068 2.1).
_TYPES: Final = ("jwt", "at+jwt")
_SECOND: Final = 1_000_000
_LONGEST: Final = 255
_MOST_ROLES: Final = 100
_PROOF: Final = object()


@dataclass(frozen=True, kw_only=True)
class VerifiedTrustedToken:
    """Whom a token speaks of; '' and () where its issuer does not say.

    `token_id` must not be accepted twice until `replay_until` (microseconds). Only this module
    can make one.
    """

    email_address: str
    token_id: str
    organization_id: str
    external_member_id: str
    role_ids: tuple[str, ...]
    replay_until: int
    steps: tuple[Step, ...] = field(repr=False)
    proof: InitVar[object] = None

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("a VerifiedTrustedToken is made by verify_trusted_token only")


def verify_trusted_token(
    token: str, keys: tuple[Key, ...], expectation: TrustedExpectation, *, now: int
) -> VerifiedTrustedToken:
    """Verify `token` at `now` (microseconds) and read the claims that the mapping names.

    It has to say when it was issued and when it expires, at most a day later. Raises OidcError:
    oidc.idtoken (shape), oidc.alg, oidc.key, oidc.sig, oidc.iss, oidc.aud, oidc.exp, oidc.iat,
    oidc.nbf, oidc.email (none, or said not to be verified), and oidc.trusted for other claims.
    """
    checks = Checks()
    signed = verify_signature(
        token,
        keys,
        algorithms=expectation.algorithms,
        types=_TYPES,
        checks=checks,
        pinned=expectation.pinned,
    )
    claims, mapping = signed.claims, expectation.mapping
    check_addressed(
        claims,
        expectation,
        key_issuer=signed.signer.issuer,
        as_client=False,
        now=now,
        checks=checks,
    )
    return VerifiedTrustedToken(
        email_address=_address(claims, mapping["email"], checks),
        token_id=_text(claims, mapping["token_id"], checks, required=True),
        organization_id=_text(claims, mapping.get("organization_id"), checks),
        external_member_id=_text(claims, mapping.get("external_member_id"), checks),
        role_ids=_role_ids(claims, mapping.get("role_ids"), checks),
        replay_until=int(claims["exp"] * _SECOND) + expectation.clock_skew,
        steps=checks.steps,
        proof=_PROOF,
    )


def _address(claims: Mapping[str, Any], name: str, checks: Checks) -> str:
    said = {"email": claims.get(name), "email_verified": claims.get("email_verified")}
    email = read_email(id_token=said)
    checks.require(
        name, good=email is not None, reason=Reason.EMAIL, expected="an address", received=None
    )
    return email.address if email else ""


def _text(
    claims: Mapping[str, Any], name: str | None, checks: Checks, *, required: bool = False
) -> str:
    """Return the text of a claim; '' when it is not mapped, or absent where it may be."""
    if name is None or (not required and claims.get(name) is None):
        return ""
    value = claims.get(name)
    checks.require(
        name,
        good=isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable(),
        reason=Reason.TRUSTED,
        expected=f"{name}: 1 to {_LONGEST} characters",
        received=value,
    )
    return str(value)


def _role_ids(claims: Mapping[str, Any], name: str | None, checks: Checks) -> tuple[str, ...]:
    if name is None or claims.get(name) is None:
        return ()
    value = claims[name]
    checks.require(
        name,
        good=isinstance(value, list)
        and len(value) <= _MOST_ROLES
        and all(isinstance(each, str) for each in value),
        reason=Reason.TRUSTED,
        expected=f"{name}: a list of at most {_MOST_ROLES} texts",
        received=value,
    )
    return tuple(value)
