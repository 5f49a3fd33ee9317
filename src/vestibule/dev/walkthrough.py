"""What `vestibule demo` shows: both logins step by step, as browser and application do them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import aiohttp
from joserfc import jwt
from joserfc.jwk import KeySet

from vestibule.dev.application import CALLBACK_PATH, start_path
from vestibule.dev.browser import Browser, Step
from vestibule.dev.client import Client, open_session
from vestibule.dev.credentials import ORGANIZATION_SLUG, Credentials
from vestibule.dev.identity_provider.people import PEOPLE, Person

Say = Callable[[str], None]

_MAX_STEPS: Final = 10
_PERSON: Final = "alice"
_ANSWERS: Final = {"person": _PERSON, "groups": "engineering", "decision": "allow"}
_PROTOCOLS: Final = {"saml_connections": "SAML", "oidc_connections": "OpenID Connect"}


class WalkError(Exception):
    """A step did not go as it must; the text says which and what came instead."""


async def walk(
    base_url: str, credentials: Credentials, say: Say, *, ca_file: Path | None = None
) -> None:
    """Sign in once through SAML and once through OpenID Connect, telling each step to `say`.

    It needs what seed.py sets up, speaks to the server over HTTP only and trusts `ca_file` when the
    server shows a certificate of the local authority. Raises WalkError, or ApiError when the API
    refuses, at the first thing that is not as expected.
    """
    async with open_session(ca_file) as http:
        api = Client(http, base_url=base_url, credentials=credentials)
        connections = await api.call("GET", f"/v1/b2b/sso/{ORGANIZATION_SLUG}")
        members = [
            await _sign_in(
                api,
                _first_active(connections[kind], protocol),
                protocol=protocol,
                base_url=base_url,
                credentials=credentials,
                say=say,
                ca_file=ca_file,
            )
            for kind, protocol in _PROTOCOLS.items()
        ]
    _require(len(set(members)) == 1, "both logins end at one member", " and ".join(members))
    say("Both logins reached the same member: one person, known through two connections.")


def _first_active(connections: list[dict[str, Any]], protocol: str) -> dict[str, Any]:
    for connection in connections:
        if connection["status"] == "active":
            return connection
    raise WalkError(f"{ORGANIZATION_SLUG} has no active {protocol} connection")


async def _sign_in(
    api: Client,
    connection: dict[str, Any],
    *,
    protocol: str,
    base_url: str,
    credentials: Credentials,
    say: Say,
    ca_file: Path | None,
) -> str:
    """Do one login in a browser of its own and return the member's id."""
    person = PEOPLE[_PERSON]
    say(f"{protocol}: {person.full_name} signs in through {connection['connection_id']}")
    start = start_path(
        connection["connection_id"], base_url=base_url, public_token=credentials.public_token
    )
    async with open_session(ca_file, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        token = await _until_token(Browser(http), base_url + start, base_url=base_url, say=say)
    answer = await api.call("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})
    _check(answer, person)
    _tell(answer, say)
    claims = await _verified_claims(api, answer, credentials)
    _tell_claims(claims, say)
    say("")
    return str(answer["member_id"])


async def _until_token(browser: Browser, url: str, *, base_url: str, say: Say) -> str:
    """Go on until the browser is sent to the application; return the token it brings."""
    step = await browser.visit(url)
    for _ in range(_MAX_STEPS):
        say(f"  {step.method:4} {_short(step.url)}")
        if step.location.startswith(base_url + CALLBACK_PATH):
            say(f"       {step.status}, back to the application: {_short(step.location)}")
            return _token(step.location)
        step = await _next(browser, step, say)
    raise WalkError(f"no end after {_MAX_STEPS} steps; the last one was {_short(step.url)}")


async def _next(browser: Browser, step: Step, say: Say) -> Step:
    """Do what the page or redirect `step` asks of a person and their browser."""
    if step.location:
        say(f"       {step.status}, a redirect")
        return await browser.visit(step.location)
    _require(step.status == 200 and len(step.forms) == 1, "a page with one form", _described(step))
    form = step.forms[0]
    if "person" in form.fields:
        say(f"       {step.status}, the sign-in page of the identity provider; {_PERSON} is chosen")
        return await browser.submit(form, _ANSWERS)
    names = ", ".join(form.fields)
    say(f"       {step.status}, a form that sends itself: {names}")
    return await browser.submit(form)


def _token(url: str) -> str:
    query = parse_qs(urlsplit(url).query)
    _require(query.get("stytch_token_type") == ["sso"], "stytch_token_type=sso", str(sorted(query)))
    _require(len(query.get("token", [])) == 1, "one token", str(sorted(query)))
    return query["token"][0]


def _check(answer: Mapping[str, Any], person: Person) -> None:
    member = answer["member"]
    _require(answer["member_authenticated"] is True, "a full login", "an unfinished one")
    _require(member["email_address"] == person.email, person.email, member["email_address"])
    _require(member["name"] == person.full_name, person.full_name, member["name"])
    _require(bool(answer["session_token"]), "a session token", "none")


def _tell(answer: Mapping[str, Any], say: Say) -> None:
    member, session = answer["member"], answer["member_session"]
    roles = ", ".join(session["roles"]) or "none"
    say("  POST /v1/b2b/sso/authenticate, from the application's server")
    say(f"       member   {member['name']} <{member['email_address']}> {member['member_id']}")
    say(f"       session  {session['member_session_id']} until {session['expires_at']}")
    say(f"       roles    {roles}")
    say(f"       token    {_cut(answer['session_token'], 12)}")


def _tell_claims(claims: Mapping[str, Any], say: Say) -> None:
    session = claims["https://stytch.com/session"]
    factors = ", ".join(factor["delivery_method"] for factor in session["authentication_factors"])
    say(f"  JWT  signature good, lives {claims['exp'] - claims['iat']} seconds")
    say(f"       iss           {claims['iss']}")
    say(f"       sub           {claims['sub']}")
    say(f"       organization  {claims['https://stytch.com/organization']['slug']}")
    say(f"       session       {session['id']}, by {factors}")


async def _verified_claims(
    api: Client, answer: Mapping[str, Any], credentials: Credentials
) -> dict[str, Any]:
    """Return the claims of the session JWT after checking it as an application would."""
    jwks = await api.call("GET", f"/v1/b2b/sessions/jwks/{credentials.project_id}")
    keys = KeySet.import_key_set({"keys": jwks["keys"]})
    claims = jwt.decode(answer["session_jwt"], keys, algorithms=["RS256"]).claims
    _require(claims["sub"] == answer["member_id"], answer["member_id"], claims["sub"])
    _require(claims["aud"] == [credentials.project_id], credentials.project_id, str(claims["aud"]))
    return claims


def _require(holds: bool, expected: str, received: str) -> None:  # noqa: FBT001 - reads like assert
    if not holds:
        raise WalkError(f"expected {expected}, got {received}")


def _described(step: Step) -> str:
    return (
        f"{step.status} with {len(step.forms)} forms at {_short(step.url)}: {_cut(step.text, 400)}"
    )


def _short(url: str) -> str:
    """Return `url` without its origin, long values of its query cut."""
    parts = urlsplit(url)
    values = "&".join(_cut(pair, 34) for pair in parts.query.split("&") if pair)
    return f"{parts.path}?{values}" if values else parts.path


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"
