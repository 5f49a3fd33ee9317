"""Verifying an ID token: shape, algorithm, key, signature, then the claims (OIDC Core 3.1.3.7)."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType
from typing import Any, Final

from vestibule.oidc.checks import Checks
from vestibule.oidc.claims import check_claims
from vestibule.oidc.errors import Step
from vestibule.oidc.expectation import Expectation
from vestibule.oidc.jwks import Algorithm, Key, parse_jwks
from vestibule.oidc.signed import verify_signature

__all__ = [
    "Algorithm",
    "Expectation",
    "Key",
    "VerifiedIdToken",
    "parse_jwks",
    "verify_id_token",
]

_PROOF: Final = object()


@dataclass(frozen=True)
class VerifiedIdToken:
    """Claims whose signature and contents were checked. Only this module can make one."""

    subject: str
    claims: Mapping[str, Any] = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)
    proof: InitVar[object] = None

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("a VerifiedIdToken is made by verify_id_token only")


def verify_id_token(
    token: str,
    keys: tuple[Key, ...],
    expectation: Expectation,
    *,
    access_token: str | None,
    code: str | None = None,
    now: int,
) -> VerifiedIdToken:
    """Verify `token` against the provider's keys at `now` (microseconds).

    `access_token` and `code` are compared with at_hash and c_hash where the token has them.
    Raises OidcError: oidc.idtoken (shape), oidc.alg, oidc.key (none fits: fetch the keys once
    more, see `needs_refetch`), oidc.sig, then one reason per claim.
    """
    checks = Checks()
    signed = verify_signature(
        token, keys, algorithms=expectation.algorithms, types=("jwt",), checks=checks
    )
    subject = check_claims(
        signed.claims,
        expectation,
        algorithm=signed.algorithm,
        key_issuer=signed.signer.issuer,
        access_token=access_token,
        code=code,
        now=now,
        checks=checks,
    )
    return VerifiedIdToken(subject, MappingProxyType(signed.claims), checks.steps, _PROOF)
