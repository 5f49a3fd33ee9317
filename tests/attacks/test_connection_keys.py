"""What is uploaded as a connection's certificate or private key, and whose it is: AD-04, 30, 31."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
)

from tests.support.asgi import call
from tests.support.audit import events
from tests.support.database_dump import dump, dumped_bytes
from tests.support.every_endpoint import authorization_of, path_of
from tests.support.saml_key_kinds import RSA_512, curve_key, rsa_key, with_serial
from tests.support.saml_keys import certificate, signer
from tests.support.scenario import Scenario, add_project
from vestibule.api.groups import endpoints
from vestibule.clock import DAY
from vestibule.saml.keys import private_key_pem

Connection = dict[str, Any]


def path(connection: Connection) -> str:
    organization_id, connection_id = connection["organization_id"], connection["connection_id"]
    return f"/v1/b2b/sso/saml/{organization_id}/connections/{connection_id}"


@pytest.fixture
async def connection(scenario: Scenario) -> Connection:
    organization = await scenario.organization()
    return await scenario.saml_connection(organization["organization_id"])


# Whose it is -----------------------------------------------------------------------------------


async def with_keys(scenario: Scenario, organization_id: str, name: str) -> Connection:
    """Make a connection with two certificates and a decryption key of its own."""
    made = await scenario.saml_connection(
        organization_id, idp_entity_id=f"https://{name}.test", idp=name
    )
    changes = {
        "x509_certificate": signer(f"{name} second").pem,
        "saml_encryption_private_key": private_key_pem(signer(name).key),
    }
    return dict((await scenario.api.good("PUT", path(made), changes))["connection"])


@pytest.mark.case("AD-04")
async def test_a_key_of_another_connection_is_not_found_there(scenario: Scenario) -> None:
    acme, globex = [await scenario.organization(name) for name in ("Acme", "Globex")]
    stranger = await add_project(scenario.app, scenario.context, name="second")
    far = await stranger.organization("Far")
    mine = await with_keys(scenario, acme["organization_id"], "mine")
    others = [
        await with_keys(scenario, acme["organization_id"], "same-organization"),
        await with_keys(scenario, globex["organization_id"], "other-organization"),
        await with_keys(stranger, far["organization_id"], "other-project"),
    ]
    before = await dump(scenario)
    for other in others:
        certificate_id = other["verification_certificates"][0]["certificate_id"]
        key_id = other["encryption_private_keys"][0]["private_key_id"]
        signing_id = other["signing_certificates"][0]["certificate_id"]
        for foreign in (certificate_id, signing_id, key_id, mine["connection_id"]):
            target = f"{path(mine)}/verification_certificates/{foreign}"
            refused = await scenario.api.bad("DELETE", target)
            assert refused == (404, "sso_verification_key_not_found"), foreign
        for foreign in (key_id, signing_id, certificate_id, mine["connection_id"]):
            target = f"{path(mine)}/encryption_private_keys/{foreign}"
            refused = await scenario.api.bad("DELETE", target)
            assert refused == (404, "sso_encryption_private_key_not_found"), foreign
        # Nor under its own connection's id in the path of my organization.
        stolen = path({**other, "organization_id": acme["organization_id"]})
        if other is not others[0]:
            for part in (
                f"verification_certificates/{certificate_id}",
                f"encryption_private_keys/{key_id}",
            ):
                refused = await scenario.api.bad("DELETE", f"{stolen}/{part}")
                assert refused == (404, "saml_connection_not_found")
    assert await dump(scenario) == before


# Certificates ----------------------------------------------------------------------------------


@cache
def _several(number: int) -> str:
    other = certificate("other", not_before=0, not_after=DAY, key=signer("idp").key)
    return (signer("idp").pem + other) * (number // 2)


def _pkcs7(encoding: Encoding) -> str:
    loaded = x509.load_pem_x509_certificate(signer("idp").pem.encode())
    made = pkcs7.serialize_certificates([loaded], encoding)
    return made.decode() if encoding is Encoding.PEM else b64encode(made).decode()


def _pkcs8(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


NO_CERTIFICATE: Final[dict[str, Callable[[], str]]] = {
    "1 MB": lambda: f"-----BEGIN CERTIFICATE-----\n{'A' * 950_000}\n-----END CERTIFICATE-----\n",
    "100 certificates": lambda: _several(100),
    "2 certificates": lambda: _several(2),
    "private key": lambda: private_key_pem(signer("pasted").key),
    "private key of PKCS#8": lambda: _pkcs8(signer("pasted").key),
    "private key, bare": lambda: "".join(
        private_key_pem(signer("pasted").key).strip().splitlines()[1:-1]
    ),
    "private key called a certificate": lambda: private_key_pem(signer("pasted").key).replace(
        "RSA PRIVATE KEY", "CERTIFICATE"
    ),
    "certificate with its key": lambda: signer("idp").pem + private_key_pem(signer("pasted").key),
    "key before the certificate": lambda: private_key_pem(signer("pasted").key) + signer("idp").pem,
    "PKCS#7": lambda: _pkcs7(Encoding.PEM),
    "PKCS#7 called a certificate": lambda: _pkcs7(Encoding.PEM).replace("PKCS7", "CERTIFICATE"),
    "PKCS#7, bare": lambda: _pkcs7(Encoding.DER),
    "RSA-512": lambda: RSA_512,
    "negative serial": lambda: with_serial(signer("idp").certificate.der, b"\xff"),
    "request": lambda: signer("idp").pem.replace("CERTIFICATE", "CERTIFICATE REQUEST"),
    "cut off": lambda: signer("idp").pem[:600],
    "garbage": lambda: "\U0001f6c2\r\n\t<xml/>",
    "garbage in base64": lambda: b64encode(bytes(range(256)) * 4).decode(),
}


def pieces(key: rsa.RSAPrivateKey) -> list[str]:
    """Return what would betray a private key: lines behind its modulus, and its numbers."""
    lines = private_key_pem(key).splitlines()[8:-2]
    numbers = key.private_numbers()
    ints = [numbers.d, numbers.p, numbers.q]
    return lines + [str(each) for each in ints] + [f"{each:x}" for each in ints]


@pytest.mark.case("AD-30")
@pytest.mark.parametrize("kind", NO_CERTIFICATE)
async def test_what_is_no_certificate_is_refused_and_leaves_no_trace(
    scenario: Scenario, connection: Connection, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = await dump(scenario)
    sent = NO_CERTIFICATE[kind]()
    answer = await scenario.api.call("PUT", path(connection), {"x509_certificate": sent})
    assert (answer.status, answer.json["error_type"]) == (400, "invalid_x509_certificate")
    assert answer.json["error_message"].startswith("x509_certificate: ")
    assert len(answer.text) < 1000
    assert await dump(scenario) == before
    said = "".join(capfd.readouterr())
    for piece in (*pieces(signer("pasted").key), "PRIVATE KEY"):
        assert piece not in answer.text + said


@pytest.mark.case("AD-30")
async def test_the_signer_of_metadata_is_a_certificate_too(
    scenario: Scenario, connection: Connection
) -> None:
    organization_id, connection_id = connection["organization_id"], connection["connection_id"]
    settings = f"/v1/b2b/sso/{organization_id}/connections/{connection_id}/settings"
    before = await dump(scenario)
    for kind, make in NO_CERTIFICATE.items():
        answer = await scenario.api.call("PUT", settings, {"metadata_certificate": make()})
        assert (answer.status, answer.json["error_type"]) == (400, "bad_request"), kind
        assert answer.json["error_message"].startswith("metadata_certificate: ")
        assert not any(piece in answer.text for piece in pieces(signer("pasted").key))
    assert await dump(scenario) == before


@pytest.mark.case("AD-30")
async def test_a_certificate_beyond_the_size_of_a_body_is_not_read(
    scenario: Scenario, connection: Connection
) -> None:
    sent = {"x509_certificate": "A" * 1_048_576}
    assert await scenario.api.bad("PUT", path(connection), sent) == (413, "bad_request")


# Private keys ----------------------------------------------------------------------------------

NOT_SUPPORTED: Final = "saml_signing_private_key_format_not_supported"
INVALID: Final = "saml_signing_private_key_invalid"


def _encrypted(form: PrivateFormat) -> str:
    key = signer("pasted").key
    return key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"password")).decode()


def _curve() -> str:
    traditional = PrivateFormat.TraditionalOpenSSL
    return curve_key("P-256").private_bytes(Encoding.PEM, traditional, NoEncryption()).decode()


def _mismatch() -> str:
    """Return a key whose private half belongs to another one's public half."""
    der = b64decode("".join(private_key_pem(signer("pasted").key).splitlines()[1:-1]))
    numbers = [signer(each).key.public_key().public_numbers().n for each in ("pasted", "other")]
    mine, theirs = (number.to_bytes(256, "big") for number in numbers)
    assert der.count(mine) == 1
    body = b64encode(der.replace(mine, theirs)).decode()
    return f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n"


NO_PRIVATE_KEY: Final[dict[str, tuple[Callable[[], str], str]]] = {
    "encrypted": (lambda: _encrypted(PrivateFormat.TraditionalOpenSSL), NOT_SUPPORTED),
    "encrypted PKCS#8": (lambda: _encrypted(PrivateFormat.PKCS8), NOT_SUPPORTED),
    "PKCS#8": (lambda: _pkcs8(signer("pasted").key), NOT_SUPPORTED),
    "EC": (_curve, NOT_SUPPORTED),
    "EC called RSA": (lambda: _curve().replace("EC PRIVATE", "RSA PRIVATE"), INVALID),
    "1024 bits": (lambda: private_key_pem(rsa_key(1024)), INVALID),
    "mismatch": (_mismatch, INVALID),
    "public key": (
        lambda: re.sub(r"PRIVATE", "PUBLIC", private_key_pem(signer("pasted").key)),
        NOT_SUPPORTED,
    ),
    "certificate": (lambda: signer("idp").pem, NOT_SUPPORTED),
    "half": (lambda: private_key_pem(signer("pasted").key)[:800], INVALID),
}


@pytest.mark.case("AD-31")
@pytest.mark.parametrize("kind", NO_PRIVATE_KEY)
async def test_what_is_no_private_key_is_refused_and_leaves_no_trace(
    scenario: Scenario, connection: Connection, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    make, error = NO_PRIVATE_KEY[kind]
    before = await dump(scenario)
    for name in ("signing_private_key", "saml_encryption_private_key"):
        answer = await scenario.api.call("PUT", path(connection), {name: make()})
        assert (answer.status, answer.json["error_type"]) == (400, error)
        assert answer.json["error_message"].startswith(f"{name}: ")
        said = "".join(capfd.readouterr())
        for piece in (*pieces(signer("pasted").key), *pieces(rsa_key(1024))):
            assert piece not in answer.text + said
    assert await dump(scenario) == before


@pytest.mark.case("AD-31", verdict="holds")
async def test_a_private_key_comes_out_of_no_endpoint_page_event_or_log_line(
    scenario: Scenario, connection: Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    signing, decrypting = signer("signing key").key, signer("decryption key").key
    secret = [*pieces(signing), *pieces(decrypting), "PRIVATE KEY-----"]
    changes = {
        "signing_private_key": private_key_pem(signing),
        "saml_encryption_private_key": private_key_pem(decrypting),
    }
    updated = await scenario.api.call("PUT", path(connection), changes)
    assert updated.status == 200
    values = {
        "organization_id": connection["organization_id"],
        "connection_id": connection["connection_id"],
        "project_id": scenario.project.project_id,
    }
    public = f"public_token={scenario.public_token}&connection_id={connection['connection_id']}"
    targets = [
        (path_of(endpoint, values), authorization_of(endpoint, scenario))
        for endpoint in endpoints()
        if endpoint.method == "GET"
    ]
    targets.append((f"/v1/public/sso/metadata/{connection['connection_id']}", {}))
    targets.append((f"/v1/public/sso/start?{public}", {}))
    answers = [await call(scenario.app, "GET", each, headers=sent) for each, sent in targets]
    good = [answer for answer in answers if answer.status in {200, 302}]
    shows = [each for each in good if "certificate" in each.text.lower()]
    assert len(good) >= 10
    assert len(shows) >= 3
    answers.append(updated)
    held = (await dumped_bytes(scenario)).decode("latin-1")
    said = "".join(capfd.readouterr()) + str(await events(scenario)) + held
    for piece in secret:
        assert not any(piece in answer.text + str(answer.headers) for answer in answers)
        assert piece not in said
    for key in updated.json["connection"]["encryption_private_keys"]:
        assert key["private_key"] == ""
