from pathlib import Path

from tests.support.determinism import NOW, SeededEntropy
from vestibule.clock import DAY, SECOND
from vestibule.dev.identity_provider.keys import kept_signing_identity, new_signing_identity
from vestibule.saml.keys import read_certificate


def test_new_identity_has_the_certificate_of_its_key(entropy: SeededEntropy) -> None:
    made = new_signing_identity(now=NOW, entropy=entropy)
    certificate = read_certificate(made.certificate_pem)
    assert certificate.public_key == made.key.public_key()
    assert certificate.not_before == NOW // SECOND * SECOND - DAY
    assert certificate.not_after == NOW // SECOND * SECOND + 3650 * DAY


async def test_kept_identity_is_the_same_at_the_next_start(
    tmp_path: Path, entropy: SeededEntropy
) -> None:
    directory = tmp_path / "idp"
    first = await kept_signing_identity(directory, now=NOW, entropy=entropy)
    second = await kept_signing_identity(directory, now=NOW + DAY, entropy=entropy)
    assert second.certificate_pem == first.certificate_pem
    assert second.key.private_numbers() == first.key.private_numbers()


async def test_private_key_is_the_owners_alone(tmp_path: Path, entropy: SeededEntropy) -> None:
    await kept_signing_identity(tmp_path / "idp", now=NOW, entropy=entropy)
    assert (tmp_path / "idp").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "idp" / "test-identity-provider.key").stat().st_mode & 0o777 == 0o600


async def test_identity_does_not_show_its_key(tmp_path: Path, entropy: SeededEntropy) -> None:
    made = await kept_signing_identity(tmp_path, now=NOW, entropy=entropy)
    assert "RSAPrivateKey" not in repr(made)
    assert "BEGIN CERTIFICATE" in repr(made)


async def test_half_of_an_identity_is_made_anew(tmp_path: Path, entropy: SeededEntropy) -> None:
    first = await kept_signing_identity(tmp_path, now=NOW, entropy=entropy)
    (tmp_path / "test-identity-provider.crt").unlink()
    second = await kept_signing_identity(tmp_path, now=NOW, entropy=entropy)
    assert second.certificate_pem != first.certificate_pem
    assert read_certificate(second.certificate_pem).public_key == second.key.public_key()
