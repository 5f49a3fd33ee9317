"""A token that a provider signed: its shape, algorithm, key and signature (RFC 7515, 8725).

joserfc does the mathematics; which tokens, algorithms and keys get that far is decided here.
"""

from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from vestibule.oidc.base64url import decode_base64url
from vestibule.oidc.checks import Checks
from vestibule.oidc.errors import OidcError, Reason, shown
from vestibule.oidc.jwks import Algorithm, Key
from vestibule.oidc.strict_json import parse_object

_LONGEST_TOKEN: Final = 65_536
_LONGEST_HEADER: Final = 16_384  # room for the certificate chains that AD FS sends in x5c
_LONGEST_SIGNATURE: Final = 1_400  # RSA of 8192 bits in base64url
_MOST_CANDIDATES: Final = 5
# Extensions change what is signed or how it is read (RFC 7515 4.1.11, RFC 7797, RFC 7516).
_FORBIDDEN_HEADERS: Final = ("crit", "b64", "zip", "enc")


@dataclass(frozen=True)
class Signed:
    """The claims of a token whose signature is good; nothing has been checked in them."""

    claims: dict[str, Any]
    algorithm: Algorithm
    signer: Key


@dataclass(frozen=True)
class _Parts:
    header: dict[str, Any]
    payload: bytes


def verify_signature(
    token: str,
    keys: tuple[Key, ...],
    *,
    algorithms: tuple[Algorithm, ...],
    types: tuple[str, ...],
    checks: Checks,
    pinned: bool = False,
) -> Signed:
    """Verify the signature of `token` by one of the provider's keys.

    `types` are the values that `typ` may have, in small letters; it may always be left out. Keys
    that are `pinned` were given by hand and have no kid: the token may name any, or none. Raises
    OidcError: oidc.idtoken (shape), oidc.alg, oidc.key (none fits: fetch the keys once more, see
    `needs_refetch`), oidc.sig.
    """
    parts = _split(token)
    _check_type(parts.header, types)
    checks.passed("token", expected="a signed compact JWT", received="a signed compact JWT")
    algorithm = _algorithm(parts.header, algorithms, checks)
    if pinned:
        candidates = tuple(key for key in keys if key.fits(algorithm))[:_MOST_CANDIDATES]
    else:
        candidates = _candidates(parts.header, algorithm, keys)
    signer = _signer(token, algorithm, candidates, checks)
    claims = parse_object(parts.payload, reason=Reason.ID_TOKEN, max_bytes=_LONGEST_TOKEN)
    return Signed(claims, algorithm, signer)


def needs_refetch(token: str, keys: tuple[Key, ...]) -> bool:
    """Tell whether no key in `keys` signed `token`, as after a rotation at the provider.

    A rotation may keep the kid, or there may be none, so the signature decides. A forged token
    asks for keys too: the caller must limit how often it fetches. False for a token that cannot
    be read: newer keys would not help.
    """
    try:
        header = _split(token).header
        candidates = _candidates(header, Algorithm(str(header.get("alg"))), keys)
    except (OidcError, ValueError):
        return False
    return not any(_is_signed_by(token, key) for key in candidates)


def _split(token: str) -> _Parts:
    if len(token) > _LONGEST_TOKEN:
        raise OidcError(
            Reason.ID_TOKEN,
            expected=f"at most {_LONGEST_TOKEN} characters",
            received=f"{len(token)}",
        )
    segments = token.split(".")
    if len(segments) != 3 or not all(segments[:2]):
        kind = "an encrypted token" if len(segments) == 5 else f"{len(segments)} segments"
        raise OidcError(Reason.ID_TOKEN, expected="three segments, signed", received=kind)
    if len(segments[0]) > _LONGEST_HEADER:
        raise OidcError(
            Reason.ID_TOKEN, expected=f"a header of at most {_LONGEST_HEADER}", received="longer"
        )
    try:
        header, payload, _ = (decode_base64url(segment) for segment in segments)
    except ValueError as error:
        raise OidcError(Reason.ID_TOKEN, expected="base64url", received=str(error)) from None
    return _Parts(_read_header(header), payload)


def _read_header(data: bytes) -> dict[str, Any]:
    header = parse_object(data, reason=Reason.ID_TOKEN, max_bytes=_LONGEST_HEADER)
    for name in _FORBIDDEN_HEADERS:
        if name in header:
            raise OidcError(Reason.ID_TOKEN, expected=f"no {name} in the header", received=name)
    if not isinstance(header.get("kid", ""), str):
        raise OidcError(Reason.ID_TOKEN, expected="kid: text", received=shown(header["kid"]))
    return header


def _check_type(header: dict[str, Any], types: tuple[str, ...]) -> None:
    kind = header.get("typ", types[0])
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in types:
        raise OidcError(
            Reason.ID_TOKEN,
            expected=f"typ {' or '.join(types)}, or absent",
            received=shown(kind),
        )


def _algorithm(
    header: dict[str, Any], algorithms: tuple[Algorithm, ...], checks: Checks
) -> Algorithm:
    named = header.get("alg")
    checks.require(
        "algorithm",
        good=isinstance(named, str) and named in algorithms,
        reason=Reason.ALGORITHM,
        expected=" or ".join(algorithms),
        received=named,
    )
    return Algorithm(str(named))


def _candidates(
    header: dict[str, Any], algorithm: Algorithm, keys: tuple[Key, ...]
) -> tuple[Key, ...]:
    """Choose by kind first: providers publish an RSA and an EC key under one kid."""
    fitting = tuple(key for key in keys if key.fits(algorithm))
    kid = header.get("kid")
    if kid is None:
        # OIDC Core 10.1: without a kid the set must leave no choice.
        return fitting if len(fitting) == 1 else ()
    return tuple(key for key in fitting if key.kid == kid)[:_MOST_CANDIDATES]


def _signer(token: str, algorithm: Algorithm, candidates: tuple[Key, ...], checks: Checks) -> Key:
    checks.require(
        "key",
        good=bool(candidates),
        reason=Reason.KEY,
        expected=f"a published key for this token's kid and {algorithm}",
        received=f"{len(candidates)} keys",
    )
    for key in candidates:
        if _is_signed_by(token, key):
            checks.passed("signature", expected=f"{algorithm}", received=f"{algorithm}, good")
            return key
    raise OidcError(
        Reason.SIGNATURE,
        expected=f"an {algorithm} signature by the provider's key",
        received="another signature",
        steps=checks.steps,
    )


def _is_signed_by(token: str, key: Key) -> bool:
    try:
        jws.deserialize_compact(token, key.material, registry=_registry())
    except (JoseError, ValueError):
        return False
    return True


def _registry() -> jws.JWSRegistry:
    """Return joserfc's rules widened to the limits kept above; its own header limit is 512."""
    registry = jws.JWSRegistry(algorithms=list(Algorithm), strict_check_header=False)
    registry.max_header_length = _LONGEST_HEADER
    registry.max_payload_length = _LONGEST_TOKEN
    registry.max_signature_length = _LONGEST_SIGNATURE
    return registry
