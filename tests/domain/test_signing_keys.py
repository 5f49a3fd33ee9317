"""Signing keys below the endpoints; tests/domain/test_session_jwt.py rotates them."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate
from msgspec.structs import replace

from tests.support.saml_key_kinds import curve_certificate
from vestibule.clock import DAY, MINUTE
from vestibule.domain import signing_keys
from vestibule.domain.context import Context
from vestibule.records import Project, SigningKey

NOW = 1_000_000 * DAY


def key(name: str, *, active_from: int, created_at: int = 0, retires_at: int = 0) -> SigningKey:
    return SigningKey(
        key_id=name,
        project_id="p",
        private_key=b"",
        certificate=b"",
        created_at=created_at,
        active_from=active_from,
        retires_at=retires_at,
    )


def test_the_newest_key_that_is_active_signs() -> None:
    old, new, next_one = (
        key("old", active_from=NOW - DAY),
        key("new", active_from=NOW),
        key("next", active_from=NOW + 1),
    )
    for order in ([old, new, next_one], [next_one, new, old]):
        assert signing_keys.current(order, now=NOW) == new
    assert signing_keys.current([next_one], now=NOW) is None
    assert signing_keys.current([], now=NOW) is None


async def test_a_key_is_published_until_it_retires(context: Context, project: Project) -> None:
    now = context.clock.now()
    async with context.store.write() as tx:
        for name, retires_at in (("gone", now), ("going", now + 1), ("open", 0)):
            made = key(name, active_from=now, retires_at=retires_at, created_at=now)
            await tx.signing_keys.insert(replace(made, project_id=project.project_id))
        found = await signing_keys.published(tx, project.project_id, now=now)
    assert {item.key_id for item in found} >= {"going", "open"}
    assert "gone" not in {item.key_id for item in found}


@pytest.mark.case("ST-19")
async def test_a_new_key_is_sealed_and_its_certificate_is_its_own(
    context: Context, project: Project
) -> None:
    made = await signing_keys.new(context, project, active_from=NOW)
    assert made.key_id.startswith("jwk-test-")
    assert made.active_from == NOW
    assert b"PRIVATE KEY" not in made.private_key
    public = load_der_x509_certificate(made.certificate).public_key()
    assert isinstance(public, RSAPublicKey)
    assert public.key_size == 2048
    private = signing_keys.signer(context, made).as_dict(private=True)
    shown = signing_keys.jwk(made)
    assert (private["n"], private["e"]) == (shown["n"], shown["e"])


async def test_a_jwk_has_what_the_sdks_insist_on(context: Context, project: Project) -> None:
    made = await signing_keys.new(context, project, active_from=NOW)
    shown = signing_keys.jwk(made)
    digest = hashlib.sha256(made.certificate).digest()
    thumbprint = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert shown["x5t#S256"] == shown["x5tS256"] == thumbprint
    assert shown["x5c"] == [base64.b64encode(made.certificate).decode()]
    assert shown["kid"] == made.key_id
    assert shown["key_ops"] == ["verify"]
    assert not shown.keys() & {"d", "p", "q", "dp", "dq", "qi"}


async def test_rotation_retires_every_older_key(context: Context, project: Project) -> None:
    made = await signing_keys.rotate(context, project)
    takes_over = context.clock.now() + 15 * MINUTE
    async with context.store.read() as tx:
        stored = {item.key_id: item for item in await tx.signing_keys.all()}
    assert stored.pop(made.key_id) == made
    assert (made.active_from, made.retires_at) == (takes_over, 0)
    assert [item.retires_at for item in stored.values()] == [takes_over + 30 * DAY]


def test_a_certificate_of_another_kind_is_a_mistake() -> None:
    pem = curve_certificate("P-256").encode()
    der = load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    with pytest.raises(TypeError):
        signing_keys.verifier(der)
