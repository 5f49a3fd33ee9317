"""A SAML connection's certificates and keys: the identity provider's, and ours."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from vestibule import errors
from vestibule.clock import DAY
from vestibule.domain import tenancy
from vestibule.domain.connections import PRIVATE_KEY_PURPOSE
from vestibule.domain.context import Context
from vestibule.errors import ErrorType, Failure
from vestibule.ids import same_secret
from vestibule.records import Connection, ConnectionKey, Project
from vestibule.saml import keys
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.keys import Certificate
from vestibule.store.interface import Transaction

Purpose = Literal["verification", "signing", "next_signing", "encryption"]

MOST: Final = 5
_MAX_KEY_CHARS: Final = 16_384
_LIFE: Final = 3650 * DAY
# What the wire shows as the issuer of our certificates (semantics 1.4).
_ISSUER: Final = "Stytch"
_PREFIXES: Final[Mapping[Purpose, str]] = {
    "verification": "saml-verification-key",
    "signing": "saml-signing-key",
    "next_signing": "saml-signing-key",
    "encryption": "saml-encryption-key",
}


@dataclass(frozen=True)
class Added:
    """What a change brings along, read and checked."""

    certificates: Sequence[Certificate] = ()
    signing_key: RSAPrivateKey | None = None
    encryption_key: RSAPrivateKey | None = None


def read_changes(changes: Mapping[str, Any]) -> Added:
    """Read the PEM texts of a change. Slow (a key is checked): call it in a thread.

    Raises Failure naming the field.
    """
    certificates: list[Certificate] = []
    if changes.get("x509_certificate"):
        try:
            certificates.append(keys.read_certificate(changes["x509_certificate"]))
        except SamlError as error:
            raise Failure(
                errors.invalid_x509_certificate,
                f"{errors.invalid_x509_certificate.message[:-1]}; got {error.received}.",
            ) from error
    return Added(
        certificates,
        _private_key(changes, "signing_private_key"),
        _private_key(changes, "saml_encryption_private_key"),
    )


async def new_signing_key(
    context: Context,
    project: Project,
    connection: Connection,
    *,
    purpose: Literal["signing", "next_signing"] = "signing",
) -> ConnectionKey:
    """Return a new signing key with its certificate, not stored yet."""
    private = await asyncio.to_thread(keys.new_private_key)
    return _ours(context, project, connection, private, purpose)


async def add(
    tx: Transaction, context: Context, project: Project, connection: Connection, added: Added
) -> None:
    """Store what a change brings: certificates and decryption keys are added, each once.

    A signing key takes the place of the old ones. Raises Failure when there would be too many.
    """
    known = await of_purpose(tx, connection, "verification")
    held = {key.certificate for key in known}
    fresh = {item.pem: item for item in added.certificates if item.pem not in held}
    if len(known) + len(fresh) > MOST:
        raise Failure(errors.too_many_sso_verification_certificates)
    for certificate in fresh.values():
        await tx.connection_keys.insert(_theirs(context, project, connection, certificate))
    if added.signing_key is not None:
        for old in await of_purpose(tx, connection, "signing"):
            await remove(tx, connection, old.key_id)
        made = _ours(context, project, connection, added.signing_key, "signing")
        await tx.connection_keys.insert(made)
    if added.encryption_key is not None:
        await _add_encryption_key(tx, context, project, connection, added.encryption_key)


async def _add_encryption_key(
    tx: Transaction,
    context: Context,
    project: Project,
    connection: Connection,
    private: RSAPrivateKey,
) -> None:
    known = await of_purpose(tx, connection, "encryption")
    pem = keys.private_key_pem(private).encode()
    unseal = context.sealer.unseal
    if any(same_secret(pem, unseal(k.private_key, purpose=PRIVATE_KEY_PURPOSE)) for k in known):
        return
    if len(known) >= MOST:
        raise Failure(errors.too_many_encryption_certificates)
    made = _ours(context, project, connection, private, "encryption")
    await tx.connection_keys.insert(made)


async def of_purpose(
    tx: Transaction, connection: Connection, purpose: Purpose
) -> list[ConnectionKey]:
    """Return a connection's keys of one purpose, oldest first."""
    return await tx.connection_keys.all(**tenancy.of_connection(connection), purpose=purpose)


async def promote(tx: Transaction, connection: Connection, key_id: str, *, now: int) -> None:
    """Let a next signing key be the one that signs."""
    await tx.connection_keys.change(
        {"purpose": "signing", "updated_at": now},
        **tenancy.of_connection(connection),
        key_id=key_id,
        purpose="next_signing",
    )


async def remove(tx: Transaction, connection: Connection, key_id: str) -> None:
    """Remove one key of a connection."""
    await tx.connection_keys.delete(**tenancy.of_connection(connection), key_id=key_id)


def _private_key(changes: Mapping[str, Any], name: str) -> RSAPrivateKey | None:
    text = changes.get(name)
    if not text:
        return None
    if len(text) > _MAX_KEY_CHARS:
        raise Failure(errors.private_key_too_long, f"{name}: {errors.private_key_too_long.message}")
    try:
        return keys.read_private_key(text)
    except SamlError as error:
        kind: ErrorType = (
            errors.saml_signing_private_key_format_not_supported
            if error.reason is Reason.KEY_FORMAT
            else errors.saml_signing_private_key_invalid
        )
        raise Failure(kind, f"{name}: {kind.message}") from error


def _theirs(
    context: Context, project: Project, connection: Connection, certificate: Certificate
) -> ConnectionKey:
    now = context.clock.now()
    return ConnectionKey(
        key_id=context.new_id(_PREFIXES["verification"], project),
        **tenancy.of_connection(connection),
        purpose="verification",
        certificate=certificate.pem,
        issuer=certificate.issuer,
        expires_at=certificate.not_after,
        created_at=now,
        updated_at=now,
    )


def _ours(
    context: Context,
    project: Project,
    connection: Connection,
    private: RSAPrivateKey,
    purpose: Purpose,
) -> ConnectionKey:
    """Return one of our keys with a certificate made for it, the private part sealed."""
    now = context.clock.now()
    certificate = keys.self_signed_certificate(
        private,
        common_name=_ISSUER,
        serial=int.from_bytes(context.entropy.token_bytes(8), "big"),
        not_before=now,
        not_after=now + _LIFE,
    )
    pem = keys.private_key_pem(private).encode()
    return ConnectionKey(
        key_id=context.new_id(_PREFIXES[purpose], project),
        **tenancy.of_connection(connection),
        purpose=purpose,
        certificate=certificate,
        private_key=context.sealer.seal(pem, purpose=PRIVATE_KEY_PURPOSE),
        issuer=_ISSUER,
        expires_at=now + _LIFE,
        created_at=now,
        updated_at=now,
    )
