"""Whole flows against a real server whose libraries log all they can: no secret comes out (AD-19).

Another test reads the database and the log of every kind of sign-in: test_secrets_of_sign_in.py.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pyotp
import pytest

from tests.support import production
from tests.support.asgi import basic
from tests.support.browsing import Door, a_browser
from tests.support.confidential import Secrets
from tests.support.databases import SharedPostgres
from tests.support.production import Operator
from tests.support.saml_keys import signer
from tests.support.server_process import READY_SECONDS, TALKATIVE, ServerProcess, free_port, serving
from vestibule.dev.client import Client, open_session
from vestibule.dev.credentials import OIDC_CLIENT_SECRET, Credentials
from vestibule.saml.keys import private_key_pem

APPLICATION: Final = "http://127.0.0.1/app/callback"
TELLING: Final = re.compile(
    rb"PRIVATE KEY|SAMLResponse|otpauth|Basic [\w+/]{8}|Bearer [\w.-]{8}|token=[\w-]{8}|\n\d{6}\n"
)
MAIL_PASSWORD: Final = "the-password-of-the-mail-server"


@dataclass
class World:
    """The server, what was told to it in confidence, and all that it has answered to refusals."""

    api: Client
    http: aiohttp.ClientSession
    made: Credentials
    door: Door
    customer: production.Customer
    process: ServerProcess
    secrets: Secrets = field(default_factory=Secrets)
    answers: list[str] = field(default_factory=list)

    @property
    def organization_path(self) -> str:
        return f"/v1/b2b/organizations/{self.customer.organization_id}"

    async def refused(self, path: str, body: Any, *, user: str = "", password: str = "") -> None:
        """Post what must be refused, and keep the answer."""
        own = basic(user or self.made.project_id, password or self.made.secret)
        data = body if isinstance(body, str) else json.dumps(body)
        headers = {"authorization": own, "content-type": "application/json"}
        url = f"{self.door.base_url}{path}"
        async with self.http.post(url, data=data.encode(), headers=headers) as answer:
            assert 400 <= answer.status < 500, await answer.text()
            self.answers.append(f"{dict(answer.headers)} {await answer.text()}")


@pytest.fixture(params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, shared_postgres: SharedPostgres
) -> AsyncIterator[World]:
    """A server as `vestibule serve` runs it, on an empty database, with one customer."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    with shared_postgres.blank() as postgres_url:
        sqlite = request.param == "sqlite"
        settings = {
            "VESTIBULE_DATABASE": f"sqlite:{tmp_path / 'data.db'}" if sqlite else postgres_url,
            "VESTIBULE_BASE_URL": base_url,
            "VESTIBULE_OUTBOUND_HOSTS": "127.0.0.1",
            "VESTIBULE_OUTBOUND_NETWORKS": "127.0.0.0/8",
            "VESTIBULE_MASTER_KEY_FILE": "master.key",
            # Nothing listens there: every letter is put off, and the log says why.
            "VESTIBULE_MAIL_URL": f"smtp://login:{MAIL_PASSWORD}@127.0.0.1:{free_port()}",
            "VESTIBULE_MAIL_FROM": "Acme <login@acme.test>",
        }
        operator = Operator(tmp_path, settings)
        await operator.command("migrate")
        made = Credentials(**await operator.values("project", "create", "Acme"))
        await operator.command("redirect-url", "add", made.project_id, APPLICATION)
        door = Door(base_url=base_url, public_token=made.public_token, application_url=APPLICATION)
        with serving(tmp_path, port=port, environ=settings, program=TALKATIVE) as process:
            async with (
                production.identity_provider_for(base_url, tmp_path) as idp_url,
                open_session() as http,
            ):
                api = Client(http, base_url=base_url, credentials=made)
                customer = await production.set_up(api, idp_url)
                world = World(api, http, made, door, customer, process)
                world.secrets.add(
                    project_secret=made.secret,
                    client_secret=OIDC_CLIENT_SECRET,
                    mail_password=MAIL_PASSWORD,
                    master_key=(tmp_path / "master.key").read_text().strip(),
                )
                yield world


async def keys(world: World) -> None:
    """Give the connection a private key, and private keys where none belong."""
    pem = private_key_pem(signer("service").key)
    # The first lines hold the modulus, which is in the certificate, too.
    world.secrets.add(private_key=pem.splitlines()[8], private_key_end=pem.splitlines()[-3])
    path = f"/v1/b2b/sso/saml/{world.customer.organization_id}/connections/{world.customer.saml}"
    await world.api.call("PUT", path, {"saml_encryption_private_key": pem})
    broken = pem.replace("-----END", "x-----END")
    for name in ("x509_certificate", "saml_encryption_private_key", "signing_private_key"):
        for value in (pem if name == "x509_certificate" else broken, [pem], {"key": pem}):
            await changed(world, path, {name: value})


async def changed(world: World, path: str, body: dict[str, Any]) -> None:
    """Try a change of the connection, and keep the answer if it is refused."""
    headers = {"authorization": basic(world.made.project_id, world.made.secret)}
    url = f"{world.door.base_url}{path}"
    async with world.http.put(url, json=body, headers=headers) as answer:
        assert answer.status < 500
        if answer.status >= 400:
            world.answers.append(await answer.text())


async def log_in(world: World, connection_id: str, name: str) -> dict[str, Any]:
    """Sign in through a browser; note what it carried, and send it where it does not count."""
    async with a_browser() as browser:
        step = await browser.visit(world.door.start_url(connection_id))
        while not step.location.startswith(APPLICATION):
            note(world, name, step.location)
            if step.location:
                step = await browser.visit(step.location)
                continue
            (form,) = step.forms
            if "SAMLResponse" in form.fields:
                response = form.fields["SAMLResponse"]
                world.secrets.add(response=response[400:500], relay=form.fields["RelayState"])
                bad = {"SAMLResponse": response[:-40] + "A" * 40}
                world.answers.append((await browser.submit(form, bad)).text)
            answers = {"person": "alice", "decision": "allow"} if "person" in form.fields else {}
            step = await browser.submit(form, answers)
    token = parse_qs(urlsplit(step.location).query)["token"][0]
    world.secrets.add(**{f"sso_token {name}": token})
    await world.refused("/v1/b2b/sso/authenticate", {"sso_token": token}, password="wrong")
    await world.refused("/v1/b2b/sso/authenticate", {"sso_token": [token]})
    await world.refused("/v1/b2b/sso/authenticate", f'{{"sso_token": "{token}"')
    found = await world.api.call("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})
    await world.refused("/v1/b2b/sso/authenticate", {"sso_token": token})
    world.secrets.add(
        **{f"session_token {name}": found["session_token"], f"jwt {name}": found["session_jwt"]}
    )
    return found


def note(world: World, name: str, url: str) -> None:
    """Note the secrets of one address that a browser has visited."""
    for parameter, values in parse_qs(urlsplit(url).query).items():
        if parameter in {"code", "state", "RelayState"}:
            world.secrets.add(**{f"{parameter} {name}": values[0]})


async def second_factor(world: World, session: dict[str, Any]) -> None:
    """Enrol an authenticator, use and misuse its codes and the recovery codes."""
    who = {"organization_id": world.customer.organization_id, "member_id": session["member_id"]}
    proof = {"session_token": session["session_token"]}
    made = await world.api.call("POST", "/v1/b2b/totp", {**who, **proof})
    world.secrets.add(totp_secret=made["secret"], qr_code=made["qr_code"][-200:-100])
    codes = made["recovery_codes"]
    world.secrets.add(**{f"recovery code {n}": code for n, code in enumerate(codes)})
    code = {"code": pyotp.TOTP(made["secret"]).now()}
    done = await world.api.call("POST", "/v1/b2b/totp/authenticate", {**who, **proof, **code})
    world.secrets.add(session_token_mfa=done["session_token"], jwt_mfa=done["session_jwt"])
    await world.refused("/v1/b2b/totp/authenticate", {**who, **proof, **code})
    for wrong in (made["secret"], codes[0], "000000"):
        await world.refused("/v1/b2b/totp/authenticate", {**who, **proof, "code": wrong})
    recover = {**who, **proof, "recovery_code": codes[1]}
    await world.api.call("POST", "/v1/b2b/recovery_codes/recover", recover)
    await world.refused("/v1/b2b/recovery_codes/recover", recover)
    await world.refused("/v1/b2b/recovery_codes/recover", {**recover, "recovery_code": [codes[2]]})


async def misuse(world: World, session: dict[str, Any]) -> None:
    """Send secrets where they are wrong, damaged, or of another kind."""
    token, jwt = session["session_token"], session["session_jwt"]
    for path in ("sessions/authenticate", "sessions/revoke", "sessions/exchange", "totp"):
        for body in (
            {"session_token": token[:-1] + "!", "session_jwt": ""},
            {"session_token": jwt},
            {"session_jwt": token},
            {"session_jwt": jwt[:-10] + "A" * 10},
            {"session_token": {"a": token}, "session_jwt": [jwt]},
        ):
            await world.refused(f"/v1/b2b/{path}", body)
    await world.refused("/v1/b2b/organizations", {}, user=world.made.secret, password=token)
    await world.refused(f"{world.organization_path}/members", {"email_address": token})
    update = f"{world.organization_path}/members/{session['member_id']}/start_email_update"
    new = {"email_address": "new@example.com"}
    # The letter cannot leave; what it says would let somebody in.
    await world.api.call("POST", update, {**new, "login_redirect_url": APPLICATION})
    await world.api.call("POST", update, {**new, "delivery_method": "EMAIL_OTP"})


async def told_of_letters(world: World) -> bytes:
    """Return the log once it tells that both letters cannot leave."""
    deadline = time.monotonic() + READY_SECONDS
    while world.process.said().count(b"message put off") < 2:
        assert time.monotonic() < deadline, "no letter was tried"
        await asyncio.sleep(0.1)
    return world.process.said()


@pytest.mark.case("AD-19")
async def test_no_secret_is_in_a_log_an_error_a_trace_or_the_audit_log(
    world: World, tmp_path: Path
) -> None:
    await keys(world)
    saml = await log_in(world, world.customer.saml, "saml")
    oidc = await log_in(world, world.customer.oidc, "oidc")
    await second_factor(world, oidc)
    await misuse(world, saml)
    audit = await world.api.call("GET", f"{world.organization_path}/audit_events?limit=1000")
    traces = await world.api.call("GET", f"/v1/b2b/sso/{world.customer.organization_id}/traces")
    log = await told_of_letters(world)

    named = {"relay", "code oidc", "state oidc", "totp_secret", "recovery code 9"}
    assert named < world.secrets.texts.keys()
    assert len(world.answers) > 30
    assert world.secrets.found_in("\n".join(world.answers).encode()) == []
    assert {each["outcome"] for each in traces["traces"]} == {"succeeded", "failed"}
    assert world.secrets.found_in(json.dumps([audit, traces]).encode()) == []
    # The log is as talkative as it should be.
    assert b"INFO:alembic" in log
    assert b"sign-in refused" in log
    assert world.secrets.found_in(log) == []
    assert not TELLING.search(log)
    assert world.secrets.found_in(stored(tmp_path)) == []


def stored(folder: Path) -> bytes:
    """Return the files of the database, where it has files of its own."""
    return b"".join(path.read_bytes() for path in folder.glob("data.db*"))
