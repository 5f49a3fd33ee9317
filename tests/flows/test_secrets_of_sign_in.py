"""No secret of a sign-in is in a log line or, readable, in the database (ST-06)."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.support import oidc_documents
from tests.support.asgi import Browser
from tests.support.authenticators import (
    AUTHENTICATE,
    CREATE,
    RECOVER,
    Authenticator,
    at_second_factor,
)
from tests.support.confidential import Secrets
from tests.support.database_dump import dumped_bytes
from tests.support.doors import Door, open_door
from tests.support.refusals import traces
from tests.support.saml_keys import signer
from tests.support.scenario import CLIENT_SECRET, ISSUER, Scenario, token_of
from vestibule.clock import MINUTE
from vestibule.domain import impersonation, letters, projects, signing_keys
from vestibule.mail import MemoryMail
from vestibule.saml.keys import private_key_pem

VERIFIER = "the-verifier-of-the-application-is-43-chars"
CODE = "the-code-of-the-provider"
ACCESS_TOKEN = "the-access-token-of-the-provider"
REFRESH_TOKEN = "the-refresh-token-of-the-provider"


def challenge() -> dict[str, str]:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    return {"pkce_code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}


def note_cookies(secrets: Secrets, browser: Browser, name: str) -> None:
    ((_, value),) = browser.cookies.items()
    secrets.add(**{f"cookie of {name}": value})


def note_result(secrets: Secrets, result: dict[str, Any], name: str) -> None:
    for field in ("session_token", "session_jwt", "intermediate_session_token"):
        if result.get(field):
            secrets.add(**{f"{field} of {name}": result[field]})


async def saml_login(secrets: Secrets, door: Door) -> dict[str, Any]:
    scenario, browser = door.scenario, door.scenario.browser()
    service = signer("service")
    path = f"/v1/b2b/sso/saml/{door.organization_id}/connections/{door.connection_id}"
    pem = private_key_pem(service.key)
    await scenario.api.good("PUT", path, {"saml_encryption_private_key": pem})
    secrets.add(private_key=pem.splitlines()[8], private_key_end=pem.splitlines()[-3])
    fields = await scenario.saml_fields(
        browser, door.connection, start=challenge(), encrypt_for=service.pem
    )
    note_cookies(secrets, browser, "saml")
    secrets.add(relay_state=fields["RelayState"], response=fields["SAMLResponse"][200:300])
    token = token_of(await scenario.post_callback(browser, door.connection, fields))
    await scenario.post_callback(browser, door.connection, fields)
    secrets.add(sso_token_saml=token, verifier=VERIFIER)
    wrong = {"sso_token": token, "pkce_code_verifier": VERIFIER.upper()}
    await scenario.api.bad("POST", "/v1/b2b/sso/authenticate", wrong)
    result = await scenario.authenticate(token, pkce_code_verifier=VERIFIER)
    note_result(secrets, result, "saml")
    return result


async def oidc_login(secrets: Secrets, door: Door, linked: dict[str, Any]) -> None:
    scenario, browser = door.scenario, door.scenario.browser()
    scenario.provider.access_token = ACCESS_TOKEN
    scenario.provider.refresh_token = REFRESH_TOKEN
    answer = await scenario.oidc_callback(browser, door.connection, code=CODE)
    note_cookies(secrets, browser, "oidc")
    secrets.add(client_secret=CLIENT_SECRET, code=CODE)
    secrets.add(access_token=ACCESS_TOKEN, refresh_token=REFRESH_TOKEN)
    secrets.add(id_token=oidc_documents.token(scenario.provider.claims))
    ((_, _, body),) = [r for r in scenario.fetch.requests if r[1] == f"{ISSUER}/token"]
    secrets.add(code_verifier=parse_qs(body.decode())["code_verifier"][0])
    token = token_of(answer)
    secrets.add(sso_token_oidc=token)
    result = await scenario.authenticate(token, session_jwt=linked["session_jwt"])
    note_result(secrets, result, "oidc")


async def refused_logins(secrets: Secrets, door: Door) -> None:
    """Refuse what a hostile or broken answer carries: its content is no less secret."""
    scenario = door.scenario
    scenario.provider.token_status = 400
    await scenario.oidc_callback(scenario.browser(), door.connection, code=f"{CODE}-2")
    scenario.provider.token_status = 200
    await scenario.oidc_callback(scenario.browser(), door.connection, nonce="another-nonce")
    started = await scenario.start(scenario.browser(), connection_id=door.connection_id)
    state = parse_qs(started.headers["location"].partition("?")[2])["state"][0]
    secrets.add(state=state)
    for query in (f"state={state}&code={CODE}", f"state={state}&error=x", f"state={state}x"):
        await scenario.browser().get(f"/v1/b2b/sso/callback/{door.connection_id}?{query}")
    assert len(await traces(scenario, outcome="failed")) >= 5


@pytest.mark.case("ST-06")
async def test_secrets_are_in_no_log_line_and_not_readable_in_the_database(
    scenario: Scenario, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = Secrets()
    made = await projects.create(scenario.context, name="other", environment="live")
    secrets.add(project_secret=made.secret, project_secret_first="secret-test-first")
    other = await projects.get(scenario.context, made.project_id)
    rotated = await signing_keys.rotate(scenario.context, other)
    secrets.add(second_secret=await projects.rotate_secret(scenario.context, other))
    key = signing_keys.signer(scenario.context, rotated).as_dict(private=True)
    secrets.add(signing_key=str(key["d"]))

    organization = await scenario.organization()
    saml = Door(scenario, "saml", await scenario.saml_connection(organization["organization_id"]))
    oidc = Door(scenario, "oidc", await scenario.oidc_connection(organization["organization_id"]))
    first = await saml_login(secrets, saml)
    await oidc_login(secrets, oidc, first)
    await refused_logins(secrets, oidc)
    await saml.settings(mfa_policy="REQUIRED_FOR_ALL")
    note_result(secrets, await saml.log_in(subject="ada@acme.test"), "mfa")
    scenario.clock.advance(MINUTE)
    body = {"session_jwt": first["session_jwt"]}
    again = await scenario.api.good("POST", "/v1/b2b/sessions/authenticate", body)
    secrets.add(second_jwt=again["session_jwt"])
    for wrong in ({"session_token": first["session_token"][:-1] + "!"}, {"session_jwt": "x.y.z"}):
        await scenario.api.bad("POST", "/v1/b2b/sessions/authenticate", wrong)

    assert len(secrets.texts) > 20
    held = await dumped_bytes(scenario)
    assert len(held.splitlines()) > 400
    assert secrets.found_in(held) == []
    captured = capfd.readouterr()
    logged = (captured.out + captured.err).encode()
    assert b"sign-in refused" in logged
    assert secrets.found_in(logged) == []
    for marker in (b"PRIVATE KEY", b"SignatureValue", b"SAMLResponse"):
        assert marker not in logged
        assert marker not in held


@pytest.mark.case("ST-06", verdict="holds")
async def test_secrets_of_a_member_are_in_no_log_line_and_not_readable_in_the_database(
    scenario: Scenario, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of the second factor, of letters that wait to leave, and of whoever steps in for it."""
    secrets = Secrets()
    ada = await at_second_factor(await open_door(scenario, "saml"))
    session = await ada.session()
    created = await ada.good(CREATE, **session)
    secrets.add(totp_secret=created["secret"], qr_code=created["qr_code"][100:200])
    for number, code in enumerate(created["recovery_codes"]):
        secrets.texts[f"recovery code {number}"] = code
        secrets.texts[f"recovery code {number}, bare"] = code.replace("-", "")
    await ada.bad(AUTHENTICATE, code="000000", **session)
    await ada.bad(RECOVER, recovery_code=f"{created['recovery_codes'][0]}x", **session)
    code = Authenticator(scenario.clock, created["secret"]).code()
    given = await ada.good(AUTHENTICATE, code=code, **session)
    note_result(secrets, given, "totp")
    headers = {"x-stytch-member-session": session["session_token"]}
    body = {"email_address": "lovelace@acme.test"}
    path = f"{ada.path}/start_email_update"
    await scenario.api.good("POST", path, body, headers=headers)
    await impersonation.allow(scenario.context, scenario.project, allowed=True)
    token = await impersonation.make_token(
        scenario.context,
        scenario.project,
        **ada.who,
        impersonator="support@vestibule.test",
        reason="Ticket 7",
    )
    secrets.add(impersonation=token)
    waiting = await dumped_bytes(scenario)
    await letters.deliver(scenario.context)
    assert isinstance(scenario.context.mail, MemoryMail)
    (letter,) = scenario.context.mail.messages
    (link,) = re.findall(r"token=([\w-]{64})", letter.text)
    secrets.add(link=link, letter=letter.text[:60])
    assert secrets.found_in(waiting) == []
    impersonated = await scenario.api.good(
        "POST", "/v1/b2b/impersonation/authenticate", {"impersonation_token": token}
    )
    note_result(secrets, impersonated, "impersonation")
    assert len(secrets.texts) > 15
    assert secrets.found_in(await dumped_bytes(scenario)) == []
    assert secrets.found_in("".join(capfd.readouterr()).encode()) == []
