"""A provider's new signing key: its metadata read again, the key offered, accepted and used."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.browser import Browser
from tests.interop.connections import settings_path
from tests.interop.doors import Door, simplesamlphp_doors
from tests.interop.server import Server
from tests.interop.sign_in import refused
from tests.interop.simplesamlphp import SimpleSamlPhp

BOTH_KEYS = {"new_privatekey": "new.key", "new_certificate": "new.crt"}
NEW_KEY = {"privatekey": "new.key", "certificate": "new.crt"}


@pytest.fixture
def provider_door(server: Server, tmp_path: Path) -> Iterator[Door]:
    """A door to a SimpleSAMLphp that is nobody else's."""
    with simplesamlphp_doors(server, tmp_path) as doors:
        yield doors()


def provider_of(door: Door) -> SimpleSamlPhp:
    assert isinstance(door.provider, SimpleSamlPhp)
    return door.provider


def make_new_key(provider: SimpleSamlPhp) -> str:
    """The provider's admin makes its next key; the certificate."""
    folder = provider.home / "cert"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]
    files = ["-keyout", "new.key", "-out", "new.crt", "-subj", "/CN=next"]
    subprocess.run([*request, *files], check=True, capture_output=True, cwd=folder)
    return (folder / "new.crt").read_text()


def metadata(door: Door, act: str, **body: str) -> dict[str, Any]:
    path = f"{settings_path(door.organization_id, door.connection_id)}/metadata/{act}"
    found: dict[str, Any] = door.server.call("POST", path, body)["metadata"]
    return found


def offer_of(door: Door) -> dict[str, Any] | None:
    """What the provider's metadata offers, read anew."""
    door.server.let_a_minute_pass(door.connection_id)
    found = metadata(door, "refresh")
    assert found["last_error"] == ""
    offer: dict[str, Any] | None = found["offer"]
    return offer


async def why_refused(door: Door) -> str:
    async with Browser(door.person) as browser:
        to = door.connection_id
        return await refused(door.server, browser, url=door.url, connection_id=to)


async def test_a_new_signing_key_is_offered_accepted_and_used(provider_door: Door) -> None:
    door, provider = provider_door, provider_of(provider_door)
    assert offer_of(door) is None
    certificate = make_new_key(provider)
    # As SimpleSAMLphp's manual has it: the new key is published first, and signs later.
    provider.configure(**BOTH_KEYS)
    offer = offer_of(door)
    assert offer is not None
    assert (offer["caution"], offer["changes"], offer["certificates_removed"]) == ([], [], [])
    (added,) = offer["certificates_added"]
    assert added["certificate"].split() == certificate.split()
    await door.sign_in()
    provider.configure(**NEW_KEY)
    assert await why_refused(door) == "sig.value"
    metadata(door, "accept", digest=offer["digest"])
    await door.sign_in()
    # The old key goes where the metadata has it no longer.
    offer = offer_of(door)
    assert offer is not None
    assert (offer["certificates_added"], len(offer["certificates_removed"])) == ([], 1)
    metadata(door, "accept", digest=offer["digest"])
    await door.sign_in()
    provider.configure()
    assert await why_refused(door) == "sig.value"


async def test_a_new_signing_key_is_taken_where_the_metadata_is_trusted(
    provider_door: Door,
) -> None:
    door, provider = provider_door, provider_of(provider_door)
    door.change_settings(trust_metadata_certificates=True)
    make_new_key(provider)
    provider.configure(**BOTH_KEYS)
    assert offer_of(door) is None
    provider.configure(**NEW_KEY)
    await door.sign_in()
