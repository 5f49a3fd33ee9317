import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.dev.serving import serving
from tests.support.saml_keys import signer
from vestibule.clock import DAY, SystemClock
from vestibule.dev.client import open_session
from vestibule.dev.tls import TlsFiles, local_authority
from vestibule.saml.keys import private_key_pem

# Other programs judge the certificate by the machine's clock, whatever it says.
NOW = SystemClock().now()

WITH_REQUESTS = """
import sys, requests
session = requests.Session()
session.trust_env = False
print(session.get(sys.argv[1], verify=sys.argv[2] or None).text)
"""
WITH_NODE = "fetch(process.argv[1]).then(answer => answer.text()).then(console.log)"


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    return local_authority(tmp_path / "tls", now=NOW)


@pytest.fixture
async def server(files: TlsFiles) -> AsyncIterator[str]:
    async with serving(lambda _: [Route("/", hello)], tls=files) as base_url:
        yield base_url


async def run(*command: str, environ: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a program and return its exit status and what it said."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environ or {},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_python_trusts_it_with_the_authority(server: str, files: TlsFiles) -> None:
    async with open_session(files.ca_file) as http, http.get(server) as answer:
        assert await answer.text() == "hello"


async def test_python_does_not_trust_it_without(server: str) -> None:
    async with open_session() as http:
        with pytest.raises(aiohttp.ClientConnectorCertificateError, match="unable to get local"):
            await http.get(server)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
async def test_each_name_of_the_loopback_is_vouched_for(
    server: str, files: TlsFiles, name: str
) -> None:
    url = server.replace("127.0.0.1", name)
    async with open_session(files.ca_file) as http, http.get(url) as answer:
        assert await answer.text() == "hello"


async def test_requests_trusts_it(server: str, files: TlsFiles) -> None:
    said = await run(sys.executable, "-c", WITH_REQUESTS, server, str(files.ca_file))
    assert said == (0, "hello\n")


async def test_node_trusts_it(server: str, files: TlsFiles) -> None:
    environ = {"NODE_EXTRA_CA_CERTS": str(files.ca_file)}
    assert await run("/usr/bin/env", "node", "-e", WITH_NODE, server) != (0, "hello\n")
    assert await run(
        "/usr/bin/env", "-S", "PATH=/usr/local/bin:/usr/bin:/bin", "node", "-e", WITH_NODE, server,
        environ=environ,
    ) == (0, "hello\n")  # fmt: skip


async def test_openssl_finds_nothing_amiss(files: TlsFiles) -> None:
    code, said = await run(
        "/usr/bin/openssl", "verify", "-x509_strict", "-purpose", "sslserver",
        "-CAfile", str(files.ca_file), str(files.certificate_file),
    )  # fmt: skip
    assert (code, said) == (0, f"{files.certificate_file}: OK\n")


async def test_authority_cannot_vouch_for_other_names(files: TlsFiles, tmp_path: Path) -> None:
    """Sign a certificate for another name with the authority's key, as a thief would."""
    other = local_authority(tmp_path / "other", now=NOW, hosts=("other.example",))
    stolen = tmp_path / "stolen"
    stolen.mkdir()
    request, forged = stolen / "request.pem", stolen / "forged.pem"
    (stolen / "names").write_text("subjectAltName=DNS:other.example\n")
    await run(
        "/usr/bin/openssl", "req", "-new", "-key", str(other.key_file),
        "-subj", "/CN=other", "-out", str(request),
    )  # fmt: skip
    await run(
        "/usr/bin/openssl", "x509", "-req", "-in", str(request), "-days", "2",
        "-CA", str(files.ca_file), "-CAkey", str(files.ca_file.with_suffix(".key")),
        "-extfile", str(stolen / "names"), "-out", str(forged),
    )  # fmt: skip
    code, said = await run("/usr/bin/openssl", "verify", "-CAfile", str(files.ca_file), str(forged))
    assert code != 0
    assert "permitted subtree violation" in said


def test_keys_are_the_owners_alone(files: TlsFiles) -> None:
    directory = files.ca_file.parent
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in directory.glob("*.key")} == {
        "ca.key": 0o600,
        "server.key": 0o600,
    }


def test_files_are_used_again_while_they_last(files: TlsFiles) -> None:
    authority, server = files.ca_file.read_bytes(), files.certificate_file.read_bytes()
    again = local_authority(files.ca_file.parent, now=NOW + 365 * DAY)
    assert again == files
    assert again.ca_file.read_bytes() == authority
    assert again.certificate_file.read_bytes() == server


def test_server_certificate_near_its_end_is_made_anew_by_the_same_authority(
    files: TlsFiles,
) -> None:
    authority, server = files.ca_file.read_bytes(), files.certificate_file.read_bytes()
    again = local_authority(files.ca_file.parent, now=NOW + 370 * DAY)
    assert again.ca_file.read_bytes() == authority
    assert again.certificate_file.read_bytes() != server
    certificate(again.certificate_file).verify_directly_issued_by(certificate(again.ca_file))


def test_authority_near_its_end_is_made_anew_with_the_server_certificate(files: TlsFiles) -> None:
    authority = files.ca_file.read_bytes()
    again = local_authority(files.ca_file.parent, now=NOW + 3630 * DAY)
    assert again.ca_file.read_bytes() != authority
    certificate(again.certificate_file).verify_directly_issued_by(certificate(again.ca_file))


def test_other_hosts_get_other_certificates(files: TlsFiles) -> None:
    authority = files.ca_file.read_bytes()
    again = local_authority(files.ca_file.parent, now=NOW, hosts=("localhost", "dev.example"))
    assert again.ca_file.read_bytes() != authority
    names = (
        certificate(again.certificate_file)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "dev.example"]


@pytest.mark.parametrize("name", ["ca.pem", "ca.key", "server.pem", "server.key"])
@pytest.mark.parametrize("content", [None, b"damaged"])
def test_what_is_missing_or_damaged_is_made_anew(
    files: TlsFiles, name: str, content: bytes | None
) -> None:
    broken = files.ca_file.parent / name
    broken.unlink() if content is None else broken.write_bytes(content)
    again = local_authority(files.ca_file.parent, now=NOW)
    certificate(again.certificate_file).verify_directly_issued_by(certificate(again.ca_file))
    context = ssl.create_default_context(cafile=str(again.ca_file))
    context.load_cert_chain(again.certificate_file, again.key_file)


def test_server_certificate_lives_no_longer_than_browsers_allow(files: TlsFiles) -> None:
    found = certificate(files.certificate_file)
    lifetime = found.not_valid_after_utc - found.not_valid_before_utc
    assert lifetime.days == 397


def test_key_of_another_certificate_is_made_anew(files: TlsFiles) -> None:
    other = files.ca_file.with_suffix(".key").read_bytes()
    files.key_file.write_bytes(other)
    again = local_authority(files.ca_file.parent, now=NOW)
    assert again.key_file.read_bytes() != other
    context = ssl.create_default_context()
    context.load_cert_chain(again.certificate_file, again.key_file)


def test_certificate_of_the_future_is_made_anew(files: TlsFiles) -> None:
    server = files.certificate_file.read_bytes()
    again = local_authority(files.ca_file.parent, now=NOW - 2 * DAY)
    assert again.certificate_file.read_bytes() != server


def test_key_of_another_kind_is_made_anew(files: TlsFiles) -> None:
    files.key_file.write_text(private_key_pem(signer("not for TLS").key))
    again = local_authority(files.ca_file.parent, now=NOW)
    context = ssl.create_default_context()
    context.load_cert_chain(again.certificate_file, again.key_file)
