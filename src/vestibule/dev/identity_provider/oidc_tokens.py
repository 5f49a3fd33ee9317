"""What the test OpenID provider says: claims about a person, and id_tokens that carry them."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import RSAKey

from vestibule.clock import HOUR, SECOND
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.dev.identity_provider.people import Login

_ALGORITHM: Final = "RS256"
# What the protocol says with these names; an extra attribute never replaces it.
_OURS: Final = frozenset({"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"})
_TRUTH: Final = {"true": True, "false": False}


@dataclass(frozen=True)
class Grant:
    """A login that a client has been told of by a code; `code_challenge` is "" without PKCE."""

    client_id: str
    redirect_url: str
    nonce: str
    code_challenge: str
    scope: str
    login: Login
    authenticated_at: int


def claims_of(login: Login) -> dict[str, Any]:
    """Return the claims about the person of `login` (OpenID Connect Core 5.1), extras last.

    An extra attribute with several values becomes a list; `true` and `false` become booleans.
    """
    person = login.person
    claims: dict[str, Any] = {
        "sub": person.user_id,
        "email": person.email,
        "email_verified": True,
        "given_name": person.first_name,
        "family_name": person.last_name,
        "name": person.full_name,
        "groups": list(login.groups),
    }
    claims = {name: value for name, value in claims.items() if value not in ("", [])}
    extra = {name: _claim(values) for name, values in login.extra.items() if name not in _OURS}
    return claims | extra


def _claim(values: tuple[str, ...]) -> Any:
    read = [_TRUTH.get(value, value) for value in values]
    return read[0] if len(read) == 1 else read


def challenge_of(verifier: str) -> str:
    """Return the S256 code challenge of `verifier` (RFC 7636 4.2)."""
    return _base64url(hashlib.sha256(verifier.encode()).digest())


class TokenSigner:
    """Signs id_tokens of `issuer` with RS256 under the key of `identity`."""

    def __init__(self, *, issuer: str, identity: SigningIdentity) -> None:
        self._issuer = issuer
        key = RSAKey.import_key(identity.key)
        self._header = {"alg": _ALGORITHM, "kid": key.thumbprint()}
        self._key = key

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a JWK Set (RFC 7517)."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, **self._header, "use": "sig"}]}

    def id_token(self, grant: Grant, *, access_token: str, now: int) -> str:
        """Return the id_token of `grant`, good for an hour (OpenID Connect Core 2, 3.1.3.6)."""
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        protocol: Mapping[str, Any] = {
            "iss": self._issuer,
            "aud": grant.client_id,
            "iat": now // SECOND,
            "exp": (now + HOUR) // SECOND,
            "auth_time": grant.authenticated_at // SECOND,
            "at_hash": _base64url(half),
        }
        nonce = {"nonce": grant.nonce} if grant.nonce else {}
        claims = {**claims_of(grant.login), **protocol, **nonce}
        return jwt.encode(dict(self._header), claims, self._key, algorithms=[_ALGORITHM])


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
