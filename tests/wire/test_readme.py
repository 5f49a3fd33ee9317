"""The README's examples run as they stand, with only the address of the server changed."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from tests.interop.server import Server, vestibule_dev
from vestibule.dev.browser import Browser
from vestibule.dev.client import open_session

ROOT = Path(__file__).parents[2]
ALICE = {"person": "alice", "groups": "engineering"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with vestibule_dev(tmp_path_factory.mktemp("readme")) as running:
        yield running


def example(language: str, server: Server) -> str:
    """Return the README's example in a language, made to call this server."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert code.count("http://127.0.0.1:8080/") == 1
    return str(code).replace("http://127.0.0.1:8080", server.base_url)


async def sso_token(server: Server) -> str:
    """Sign in by SAML as Alice; return the token that the application is sent."""
    (connection,) = server.sdk.sso.get_connections("acme").saml_connections
    async with open_session(None, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        browser = Browser(http)
        step = await browser.visit(server.start_url(connection.connection_id))
        while not step.location.startswith(server.application_url):
            if step.location:
                step = await browser.visit(step.location)
            else:
                step = await browser.submit(step.forms[0], {} if step.method == "POST" else ALICE)
    return parse_qs(urlsplit(step.location).query)["token"][0]


def run(command: list[str], folder: Path) -> str:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


async def test_python_example_prints_the_member(server: Server) -> None:
    code = f"token = {await sso_token(server)!r}\n{example('python', server)}"
    assert run([sys.executable, "-c", code], ROOT).startswith("alice@example.com eyJ")


async def test_node_example_prints_the_member(server: Server) -> None:
    code = f"const token = {await sso_token(server)!r};\n{example('js', server)}"
    command = ["node", "--input-type=module", "--eval", code]
    assert run(command, ROOT / "tests/wire/node").startswith("alice@example.com eyJ")
