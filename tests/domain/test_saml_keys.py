import pytest

from tests.support.saml_keys import certificate, signer, weak_certificate
from vestibule import errors
from vestibule.clock import DAY
from vestibule.domain import organizations, saml_connections, saml_keys
from vestibule.domain.context import Context
from vestibule.domain.saml_keys import Added
from vestibule.errors import Failure
from vestibule.records import Connection, Project
from vestibule.saml.keys import new_private_key, private_key_pem, read_certificate

KEY = signer("mine").key


@pytest.fixture
async def connection(context: Context, project: Project) -> Connection:
    await organizations.create(context, project, {"organization_name": "Acme"})
    return (await saml_connections.create(context, project, "acme", {})).connection


def test_change_without_keys_brings_none() -> None:
    blank = dict.fromkeys(
        ("x509_certificate", "signing_private_key", "saml_encryption_private_key"), ""
    )
    for changes in ({}, blank, {"display_name": "x"}):
        added = saml_keys.read_changes(changes)
        assert (list(added.certificates), added.signing_key, added.encryption_key) == (
            [],
            None,
            None,
        )


def test_keys_of_a_change_are_read() -> None:
    pem = private_key_pem(KEY)
    added = saml_keys.read_changes(
        {
            "x509_certificate": signer("idp").pem,
            "signing_private_key": pem,
            "saml_encryption_private_key": pem,
        }
    )
    assert [each.pem for each in added.certificates] == [signer("idp").pem]
    for key in (added.signing_key, added.encryption_key):
        assert key is not None
        assert private_key_pem(key) == pem


def test_weak_certificate_is_refused_with_what_came() -> None:
    with pytest.raises(Failure) as caught:
        saml_keys.read_changes({"x509_certificate": weak_certificate()})
    assert caught.value.error is errors.invalid_x509_certificate
    assert caught.value.message.endswith("got RSA 1024.")


async def test_new_signing_key_says_stytch_and_lives_ten_years(
    context: Context, project: Project, connection: Connection
) -> None:
    made = await saml_keys.new_signing_key(context, project, connection)
    assert (made.purpose, made.issuer) == ("signing", "Stytch")
    assert made.key_id.startswith("saml-signing-key-test-")
    assert made.expires_at == context.clock.now() + 3650 * DAY
    assert read_certificate(made.certificate).issuer == "CN=Stytch"
    other = await saml_keys.new_signing_key(context, project, connection)
    assert other.certificate != made.certificate


async def test_certificate_twice_in_one_change_is_kept_once(
    context: Context, project: Project, connection: Connection
) -> None:
    same = read_certificate(signer("idp").pem)
    async with context.store.write() as tx:
        added = Added(certificates=(same, same))
        await saml_keys.add(tx, context, project, connection, added)
        await saml_keys.add(tx, context, project, connection, added)
        assert len(await saml_keys.of_purpose(tx, connection, "verification")) == 1


async def test_five_decryption_keys_are_the_most(
    context: Context, project: Project, connection: Connection
) -> None:
    keys = [signer(f"decrypt-{n}").key for n in range(5)]
    for key in [*keys, *keys]:
        async with context.store.write() as tx:
            await saml_keys.add(tx, context, project, connection, Added(encryption_key=key))
    more = Added(encryption_key=new_private_key())
    async with context.store.write() as tx:
        with pytest.raises(Failure) as caught:
            await saml_keys.add(tx, context, project, connection, more)
    assert caught.value.error is errors.too_many_encryption_certificates
    async with context.store.read() as tx:
        assert len(await saml_keys.of_purpose(tx, connection, "encryption")) == 5


@pytest.mark.case("AD-04")
async def test_removal_takes_one_key_of_one_connection(
    context: Context, project: Project, connection: Connection
) -> None:
    other = (await saml_connections.create(context, project, "acme", {})).connection
    pem = certificate("c", not_before=0, not_after=DAY, key=KEY)
    added = Added(certificates=(read_certificate(pem),))
    async with context.store.write() as tx:
        for each in (connection, other):
            await saml_keys.add(tx, context, project, each, added)
        (mine,) = await saml_keys.of_purpose(tx, connection, "verification")
        await saml_keys.remove(tx, other, mine.key_id)
        assert await saml_keys.of_purpose(tx, connection, "verification") == [mine]
        await saml_keys.remove(tx, connection, mine.key_id)
        assert await saml_keys.of_purpose(tx, connection, "verification") == []
        assert len(await saml_keys.of_purpose(tx, connection, "signing")) == 1
        assert len(await saml_keys.of_purpose(tx, other, "verification")) == 1
