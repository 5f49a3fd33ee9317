"""The RS256 keys of a project's session JWTs: made, published, used, retired.

A key is published when it is made, signs once every verifier's cache has had time to see it, and
stays published for a month after its successor took over (contract d: the SDKs cache a JWKS for
5 to 10 minutes and raise on an unknown `kid`).
"""

import asyncio
import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_der_x509_certificate
from joserfc.jwk import RSAKey

from vestibule.clock import DAY, MINUTE
from vestibule.domain import audit
from vestibule.domain.context import Context
from vestibule.domain.private_keys import load
from vestibule.records import Project, SigningKey
from vestibule.saml import keys
from vestibule.store.interface import Transaction

_PURPOSE: Final = "session-jwt-key"
_PUBLISH_BEFORE_USE: Final = 15 * MINUTE
_PUBLISH_AFTER_USE: Final = 30 * DAY
_CERTIFICATE_LIFE: Final = 3650 * DAY


async def published(tx: Transaction, project_id: str, *, now: int) -> list[SigningKey]:
    """Return the keys whose JWTs may be accepted now, newest first."""
    found = await tx.signing_keys.all(project_id=project_id, order="created_at", descending=True)
    return [key for key in found if not key.retires_at or key.retires_at > now]


def current(published_keys: Sequence[SigningKey], *, now: int) -> SigningKey | None:
    """Return the key that signs now: the newest one that is active."""
    active = [key for key in published_keys if key.active_from <= now]
    return max(active, key=lambda key: key.active_from) if active else None


async def rotate(context: Context, project: Project) -> SigningKey:
    """Publish a new key that takes over in 15 minutes, and retire the others a month later."""
    now = context.clock.now()
    takes_over = now + _PUBLISH_BEFORE_USE
    key = await new(context, project, active_from=takes_over)
    async with context.store.write() as tx:
        await tx.signing_keys.change(
            {"retires_at": takes_over + _PUBLISH_AFTER_USE},
            project_id=project.project_id,
            retires_at=0,
        )
        await tx.signing_keys.insert(key)
        await audit.record(tx, context, "project.rotate_key", project, key.key_id)
    return key


def signer(context: Context, key: SigningKey) -> RSAKey:
    """Return the private key, ready to sign."""
    return _signer(context.sealer.unseal(key.private_key, purpose=_PURPOSE))


@lru_cache(maxsize=256)
def verifier(certificate: bytes) -> RSAKey:
    """Return the public key inside a DER certificate, ready to verify."""
    public = load_der_x509_certificate(certificate).public_key()
    if not isinstance(public, RSAPublicKey):
        raise TypeError("a session key is always RSA")
    return RSAKey.import_key(public)


def jwk(key: SigningKey) -> dict[str, object]:
    """Return the public JWK with every member the SDKs insist on (contract d)."""
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(key.certificate).digest())
    x5t = thumbprint.rstrip(b"=").decode()
    numbers = verifier(key.certificate).as_dict(private=False)
    return {
        "kty": "RSA",
        "use": "sig",
        "key_ops": ["verify"],
        "alg": "RS256",
        "kid": key.key_id,
        "x5c": [base64.b64encode(key.certificate).decode()],
        # The SDK's model spells it without the '#'; JOSE (RFC 7517 4.9) with it.
        "x5tS256": x5t,
        "x5t#S256": x5t,
        "n": numbers["n"],
        "e": numbers["e"],
    }


@lru_cache(maxsize=64)
def _signer(pem: bytes) -> RSAKey:
    return RSAKey.import_key(load(pem))


async def new(context: Context, project: Project, *, active_from: int) -> SigningKey:
    """Return a new key, not stored yet, that signs from `active_from` on."""
    now = context.clock.now()
    private = await asyncio.to_thread(keys.new_private_key)
    certificate = keys.self_signed_certificate(
        private,
        common_name=project.project_id,
        serial=int.from_bytes(context.entropy.token_bytes(8), "big"),
        not_before=now,
        not_after=now + _CERTIFICATE_LIFE,
    )
    return SigningKey(
        key_id=context.new_id("jwk", project),
        project_id=project.project_id,
        private_key=context.sealer.seal(keys.private_key_pem(private).encode(), purpose=_PURPOSE),
        certificate=keys.read_certificate(certificate).der,
        created_at=now,
        active_from=active_from,
    )
