"""Session JWTs: what they say, and which ones are taken back (semantics 6.2, ST-16 to ST-18)."""

import base64
import hmac
import json
from typing import Any

import jwt as pyjwt
import pytest

from tests.support.asgi import call
from tests.support.doors import Door, open_door
from tests.support.oidc_documents import Signer, raw_token
from tests.support.saml_keys import signer
from tests.support.scenario import Scenario, add_project
from vestibule.clock import DAY, HOUR, MINUTE, SECOND, rfc3339
from vestibule.domain import signing_keys

AUTHENTICATE = "/v1/b2b/sessions/authenticate"
SESSION = "https://stytch.com/session"
ORGANIZATION = "https://stytch.com/organization"
UNPARSABLE = (400, "unable_to_parse_session_jwt")


@pytest.fixture
async def door(scenario: Scenario) -> Door:
    return await open_door(scenario, "saml")


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, payload, _ = text.split(".")
    return json.loads(decode(header)), json.loads(decode(payload))


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(document: object) -> str:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: object, *, key: str = "session-jwt") -> str:
    """Sign with one of the test's keys, without the server's library."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return raw_token(json.dumps(header).encode(), payload, signer=Signer(key, signer(key).key))


async def refused(door: Door, text: str) -> tuple[int, str]:
    return await door.scenario.api.bad("POST", AUTHENTICATE, {"session_jwt": text})


async def authenticated(door: Door, text: str) -> dict[str, Any]:
    return dict(await door.scenario.api.good("POST", AUTHENTICATE, {"session_jwt": text}))


async def test_it_says_exactly_what_the_sdks_read(door: Door) -> None:
    result = await door.scenario.authenticate(
        await door.token(), session_duration_minutes=60, session_custom_claims={"plan": "gold"}
    )
    header, claims = parts(result["session_jwt"])
    project_id = door.scenario.project.project_id
    assert header == {"alg": "RS256", "kid": "jwk-test-first", "typ": "JWT"}
    now, session = door.scenario.clock.now(), result["member_session"]
    assert claims == {
        "iss": f"stytch.com/{project_id}",
        "aud": [project_id],
        "sub": result["member_id"],
        "iat": now // SECOND,
        "nbf": now // SECOND,
        "exp": now // SECOND + 300,
        SESSION: {
            "id": session["member_session_id"],
            "started_at": rfc3339(now),
            "last_accessed_at": rfc3339(now),
            "expires_at": rfc3339(now + HOUR),
            "attributes": {"ip_address": "", "user_agent": ""},
            "authentication_factors": session["authentication_factors"],
            "roles": ["stytch_member"],
        },
        ORGANIZATION: {"organization_id": door.organization_id, "slug": "acme"},
        "plan": "gold",
    }


async def test_anybody_can_verify_it_with_the_published_key(door: Door) -> None:
    text = (await door.log_in())["session_jwt"]
    project_id = door.scenario.project.project_id
    answer = await call(door.scenario.app, "GET", f"/v1/b2b/sessions/jwks/{project_id}")
    (key,) = pyjwt.PyJWKSet.from_dict(answer.json).keys
    verified = pyjwt.decode(
        text,
        key.key,
        algorithms=["RS256"],
        audience=project_id,
        issuer=f"stytch.com/{project_id}",
        options={"require": ["aud", "iss", "exp", "iat", "nbf"], "verify_exp": False},
    )
    assert verified[SESSION]["roles"] == ["stytch_member"]


async def test_it_ends_with_its_session_when_that_is_sooner(door: Door) -> None:
    result = await door.scenario.authenticate(await door.token(), session_duration_minutes=5)
    door.scenario.clock.advance(2 * MINUTE)
    text = (await authenticated(door, result["session_jwt"]))["session_jwt"]
    _, claims = parts(text)
    assert claims["exp"] - claims["iat"] == 180
    _, first = parts(result["session_jwt"])
    assert claims["exp"] == first["exp"]


async def test_an_expired_one_still_names_its_living_session(door: Door) -> None:
    result = await door.log_in()
    door.scenario.clock.advance(59 * MINUTE)
    again = await authenticated(door, result["session_jwt"])
    assert again["session_token"] == result["session_token"]
    door.scenario.clock.advance(MINUTE)
    assert await refused(door, result["session_jwt"]) == (404, "session_not_found")
    assert await refused(door, again["session_jwt"]) == (404, "session_not_found")


@pytest.mark.case("ST-18")
async def test_headers_that_are_not_ours_are_refused(door: Door) -> None:
    text = (await door.log_in())["session_jwt"]
    header, claims = parts(text)
    assert (await authenticated(door, signed(header, claims)))["session_jwt"]
    for changes in (
        {"alg": "none"},
        {"alg": "nOnE"},
        {"alg": "HS256"},
        {"alg": "RS512"},
        {"alg": "PS256"},
        {"alg": None},
        {"typ": "at+jwt"},
        {"typ": "jwt"},
        {"typ": None},
        {"kid": "jwk-test-second"},
        {"kid": ""},
        {"kid": None},
        {"kid": 7},
        {"kid": ["jwk-test-first"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
    ):
        changed = signed({**header, **changes}, claims)
        assert await refused(door, changed) == UNPARSABLE, changes


@pytest.mark.case("ST-18")
async def test_signatures_that_are_not_ours_are_refused(door: Door) -> None:
    text = (await door.log_in())["session_jwt"]
    header, claims = parts(text)
    head, body, signature = text.split(".")
    public = signer("session-jwt").pem.encode()
    forged = {**claims, "sub": "member-test-evil"}
    confused = f"{encode({**header, 'alg': 'HS256'})}.{encode(forged)}"
    mac = hmac.digest(public, confused.encode(), "sha256")
    for other in (
        f"{head}.{body}.",
        f"{head}.{encode(forged)}.{signature}",
        f"{head}.{body}.{encode(bytes(256))}",
        f"{encode({**header, 'alg': 'none'})}.{body}.",
        f"{confused}.{encode(mac)}",
        signed(header, claims, key="evil"),
        signed(
            {**header, "jwk": {"kty": "RSA"}, "jku": "https://evil.example"}, forged, key="evil"
        ),
    ):
        assert await refused(door, other) == UNPARSABLE


@pytest.mark.case("ST-18", "MT-26")
async def test_claims_of_somebody_else_are_refused(door: Door) -> None:
    header, claims = parts((await door.log_in())["session_jwt"])
    project_id = door.scenario.project.project_id
    for changes, error in (
        ({"iss": "stytch.com/project-test-second"}, "jwt_invalid_issuer"),
        ({"iss": f"stytch.com/{project_id}/"}, "jwt_invalid_issuer"),
        ({"iss": None}, "jwt_invalid_issuer"),
        ({"iss": [f"stytch.com/{project_id}"]}, "jwt_invalid_issuer"),
        ({"aud": ["project-test-second"]}, "jwt_invalid_audience"),
        ({"aud": [project_id, "project-test-second"]}, "jwt_invalid_audience"),
        ({"aud": []}, "jwt_invalid_audience"),
        ({"aud": None}, "jwt_invalid_audience"),
        ({SESSION: None}, "jwt_invalid_claims"),
        ({SESSION: "x"}, "jwt_invalid_claims"),
        ({ORGANIZATION: []}, "jwt_invalid_claims"),
    ):
        assert await refused(door, signed(header, {**claims, **changes})) == (400, error)
    nobodies: list[dict[str, Any]] = [
        {"sub": "x"},
        {"sub": None},
        {SESSION: {}},
        {ORGANIZATION: {}},
    ]
    for nobody in nobodies:
        text = signed(header, {**claims, **nobody})
        assert await refused(door, text) == (404, "session_not_found")


@pytest.mark.case("ST-18")
async def test_what_is_no_jwt_is_refused(door: Door) -> None:
    header, claims = parts((await door.log_in())["session_jwt"])
    nested = b"[" * 5000 + b"]" * 5000
    for text in (
        "x",
        "..",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "\u00e9.b.c",
        " ",
        "x" * 100_000,
        "e30.e30.e30",
        f"{encode([])}.e30.e30",
        f"{encode('x')}.e30.e30",
        f"{encode(7)}.e30.e30",
        f"{encode(None)}.e30.e30",
        f"{encode(nested)}.e30.e30",
        f"{encode(b'{')}.e30.e30",
        f"{encode(bytes([0xFF, 0xFE]))}.e30.e30",
        signed(header, []),
        signed(header, "x"),
        signed(header, b"{"),
        signed(header, nested),
        signed(header, b"\xff"),
        signed(header, claims) + "\n",
        signed(header, claims) + "=",
        " " + signed(header, claims),
    ):
        assert await refused(door, text) == UNPARSABLE, text[:80]


@pytest.mark.case("MT-26")
async def test_another_projects_key_does_not_count_here(door: Door) -> None:
    """Both projects of this test sign with the same key; what differs is whose it is said to be."""
    other = await add_project(door.scenario.app, door.scenario.context, name="second")
    header, claims = parts((await door.log_in())["session_jwt"])
    assert await refused(door, signed({**header, "kid": "jwk-test-second"}, claims)) == UNPARSABLE
    text = signed({**header, "kid": "jwk-test-second"}, claims)
    refusal = await other.api.bad("POST", AUTHENTICATE, {"session_jwt": text})
    assert refusal == (400, "jwt_invalid_issuer")


# Rotation --------------------------------------------------------------------------------------


async def published(scenario: Scenario) -> list[str]:
    path = f"/v1/b2b/sessions/jwks/{scenario.project.project_id}"
    answer = await call(scenario.app, "GET", path)
    return [key["kid"] for key in answer.json["keys"]]


async def kid(door: Door) -> str:
    header, _ = parts((await door.log_in())["session_jwt"])
    return str(header["kid"])


@pytest.mark.case("ST-16", "ST-17")
async def test_a_new_key_is_published_first_and_the_old_one_stays_for_a_month(
    door: Door,
) -> None:
    scenario = door.scenario
    old = (await door.scenario.authenticate(await door.token(), session_duration_minutes=527_040))[
        "session_jwt"
    ]
    made = await signing_keys.rotate(scenario.context, scenario.project)
    new_id, old_id = made.key_id, "jwk-test-first"
    assert sorted(await published(scenario)) == sorted([new_id, old_id])
    assert await kid(door) == old_id
    scenario.clock.advance(15 * MINUTE - 1)
    assert await kid(door) == old_id
    scenario.clock.advance(1)
    assert await kid(door) == new_id
    new = (await authenticated(door, old))["session_jwt"]
    assert parts(new)[0]["kid"] == new_id
    scenario.clock.advance(30 * DAY - 1)
    assert sorted(await published(scenario)) == sorted([new_id, old_id])
    await authenticated(door, old)
    scenario.clock.advance(1)
    assert await published(scenario) == [new_id]
    assert await refused(door, old) == UNPARSABLE
    await authenticated(door, new)


async def test_rotating_twice_at_once_leaves_the_last_key_alone(door: Door) -> None:
    scenario = door.scenario
    first = await signing_keys.rotate(scenario.context, scenario.project)
    scenario.clock.advance(MINUTE)
    second = await signing_keys.rotate(scenario.context, scenario.project)
    assert len(await published(scenario)) == 3
    scenario.clock.advance(15 * MINUTE - 1)
    assert await kid(door) == first.key_id
    scenario.clock.advance(1)
    assert await kid(door) == second.key_id
    scenario.clock.advance(30 * DAY)
    assert await published(scenario) == [second.key_id]
