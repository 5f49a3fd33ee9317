import base64
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp
import pytest

from tests.dev.identity_provider.test_oidc import (
    CLIENT_ID,
    NONCE,
    VERIFIER,
    answered,
    callback,
    changed,
    issuer,
    start,
)
from tests.support.determinism import NOW, HandClock
from vestibule.clock import HOUR, MINUTE
from vestibule.dev.browser import Browser
from vestibule.dev.credentials import OIDC_CLIENT_SECRET
from vestibule.oidc.expectation import Expectation
from vestibule.oidc.id_token import verify_id_token
from vestibule.oidc.jwks import parse_jwks
from vestibule.oidc.refreshed import verify_refreshed_id_token
from vestibule.oidc.token import (
    ClientAuthentication,
    TokenResponse,
    parse_token_response,
    token_request,
)
from vestibule.oidc.userinfo import parse_userinfo

PERSON: Final = {
    "person": "other",
    "email": "zoe@example.com",
    "user_id": "zoe-1",
    "first_name": "Zoë",
    "last_name": "Müller & Söhne",
    "groups": "sales, engineering",
    "attributes": "department=R&D\nteam=a\nteam=b\nemail_verified=false\niss=https://evil.example",
}
CLAIMS: Final[dict[str, Any]] = {
    "sub": "zoe-1",
    "email": "zoe@example.com",
    "email_verified": False,
    "given_name": "Zoë",
    "family_name": "Müller & Söhne",
    "name": "Zoë Müller & Söhne",
    "groups": ["sales", "engineering"],
    "department": "R&D",
    "team": ["a", "b"],
}


async def new_code(browser: Browser, base_url: str, **changes: str | None) -> str:
    page = await browser.visit(changed(start(base_url), **changes))
    return answered(await browser.submit(page.forms[0], PERSON))["code"]


async def redeem(
    http: aiohttp.ClientSession,
    base_url: str,
    code: str,
    *,
    method: ClientAuthentication = ClientAuthentication.BASIC,
) -> TokenResponse:
    request = token_request(
        code=code,
        redirect_url=callback(base_url),
        client_id=CLIENT_ID,
        client_secret=OIDC_CLIENT_SECRET,
        code_verifier=VERIFIER,
        method=method,
    )
    url = f"{issuer(base_url)}/token"
    async with http.post(url, data=request.body, headers=request.headers) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        return parse_token_response(answer.status, answer.content_type, await answer.read())


async def refused(
    http: aiohttp.ClientSession,
    base_url: str,
    fields: dict[str, str],
    headers: dict[str, str] | None = None,
) -> tuple[int, str, str]:
    """Return status, error and description of a token request that must fail."""
    async with http.post(f"{issuer(base_url)}/token", data=fields, headers=headers) as answer:
        body = await answer.json()
        assert set(body) == {"error", "error_description"}
        return answer.status, body["error"], body["error_description"]


def basic(client_id: str, secret: str) -> dict[str, str]:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def fields_for(base_url: str, good_code: str, **changes: str) -> dict[str, str]:
    good = {
        "grant_type": "authorization_code",
        "code": good_code,
        "redirect_uri": callback(base_url),
        "code_verifier": VERIFIER,
        "client_id": CLIENT_ID,
        "client_secret": OIDC_CLIENT_SECRET,
    }
    return good | changes


@pytest.mark.parametrize("method", ClientAuthentication)
async def test_code_becomes_tokens_that_a_relying_party_accepts(
    provider: str, browser: Browser, http: aiohttp.ClientSession, method: ClientAuthentication
) -> None:
    code = await new_code(browser, provider)
    tokens = await redeem(http, provider, code, method=method)
    async with http.get(f"{issuer(provider)}/jwks") as answer:
        keys = parse_jwks(await answer.read())
    verified = verify_id_token(
        tokens.id_token,
        keys,
        Expectation(issuer=issuer(provider), client_id=CLIENT_ID, nonce=NONCE),
        access_token=tokens.access_token,
        now=NOW,
    )
    assert {name: verified.claims[name] for name in CLAIMS} == CLAIMS
    assert verified.claims["auth_time"] == NOW // 1_000_000
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    async with http.get(f"{issuer(provider)}/userinfo", headers=bearer) as answer:
        body = await answer.read()
        claims = parse_userinfo(answer.status, answer.content_type, body, subject=verified.subject)
    assert dict(claims) == CLAIMS


async def test_code_is_good_once(
    provider: str, browser: Browser, http: aiohttp.ClientSession
) -> None:
    code = await new_code(browser, provider)
    await redeem(http, provider, code)
    status, error, description = await refused(http, provider, fields_for(provider, code))
    assert (status, error) == (400, "invalid_grant")
    assert "used" in description


async def test_code_is_good_for_a_minute(
    provider: str, browser: Browser, http: aiohttp.ClientSession, clock: HandClock
) -> None:
    code, late = await new_code(browser, provider), await new_code(browser, provider)
    clock.advance(MINUTE - 1)
    await redeem(http, provider, code)
    clock.advance(1)
    _, error, description = await refused(http, provider, fields_for(provider, late))
    assert error == "invalid_grant"
    assert "older than a minute" in description


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "unknown"}, "unknown"),
        ({"client_id": "somebody-else"}, "another client"),
        ({"redirect_uri": "https://other.example/"}, "redirect_uri"),
        ({"code_verifier": "w" * 43}, "does not fit"),
        ({"code_verifier": ""}, "does not fit"),
    ],
)
async def test_code_is_good_for_its_client_only(
    provider: str,
    browser: Browser,
    http: aiohttp.ClientSession,
    changes: dict[str, str],
    words: str,
) -> None:
    fields = fields_for(provider, await new_code(browser, provider), **changes)
    status, error, description = await refused(http, provider, fields)
    assert (status, error) == (400, "invalid_grant")
    assert words in description


async def test_verifier_without_a_challenge_is_refused(
    provider: str, browser: Browser, http: aiohttp.ClientSession
) -> None:
    code = await new_code(browser, provider, code_challenge=None, code_challenge_method=None)
    _, error, description = await refused(http, provider, fields_for(provider, code))
    assert error == "invalid_grant"
    assert "without a challenge" in description


async def test_any_client_id_will_do(
    provider: str, browser: Browser, http: aiohttp.ClientSession
) -> None:
    code = await new_code(
        browser, provider, client_id="a:b c", code_challenge=None, code_challenge_method=None
    )
    fields = fields_for(provider, code, code_verifier="")
    del fields["client_id"], fields["client_secret"]
    headers = basic("a:b c", OIDC_CLIENT_SECRET)
    async with http.post(f"{issuer(provider)}/token", data=fields, headers=headers) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("secret", "authorization"),
    [
        ("wrong", ""),
        ("", ""),
        (None, basic(CLIENT_ID, "wrong")["Authorization"]),
        (None, basic("", OIDC_CLIENT_SECRET)["Authorization"]),
        (None, "Basic %%%"),
        (None, "Basic " + base64.b64encode(b"no colon").decode()),
        (None, "Bearer x"),
    ],
)
async def test_client_must_prove_itself(
    provider: str,
    browser: Browser,
    http: aiohttp.ClientSession,
    secret: str | None,
    authorization: str,
) -> None:
    fields = fields_for(provider, await new_code(browser, provider))
    del fields["client_secret"]
    if secret is not None:
        fields["client_secret"] = secret
    headers = {"Authorization": authorization} if authorization else {}
    status, error, _ = await refused(http, provider, fields, headers)
    assert (status, error) == (401, "invalid_client")


async def test_client_proves_itself_in_one_way(provider: str, http: aiohttp.ClientSession) -> None:
    fields = fields_for(provider, "any")
    headers = basic(CLIENT_ID, OIDC_CLIENT_SECRET)
    status, error, description = await refused(http, provider, fields, headers)
    assert (status, error) == (400, "invalid_request")
    assert "two ways" in description


async def test_other_grant_is_refused(provider: str, http: aiohttp.ClientSession) -> None:
    fields = fields_for(provider, "any", grant_type="password")
    status, error, _ = await refused(http, provider, fields)
    assert (status, error) == (400, "unsupported_grant_type")


async def refreshed(
    http: aiohttp.ClientSession, base_url: str, refresh_token: str | None
) -> tuple[int, dict[str, Any]]:
    fields = fields_for(base_url, "", grant_type="refresh_token", refresh_token=refresh_token or "")
    async with http.post(f"{issuer(base_url)}/token", data=fields) as answer:
        return answer.status, await answer.json()


async def test_refresh_token_is_given_when_asked_for_and_good_once(
    provider: str, browser: Browser, http: aiohttp.ClientSession
) -> None:
    plain = await redeem(http, provider, await new_code(browser, provider))
    assert plain.refresh_token is None
    code = await new_code(browser, provider, scope="openid offline_access")
    first = await redeem(http, provider, code)
    status, second = await refreshed(http, provider, first.refresh_token)
    assert status == 200
    assert second["refresh_token"] != first.refresh_token
    assert second["access_token"] != first.access_token
    async with http.get(f"{issuer(provider)}/jwks") as answer:
        keys = parse_jwks(await answer.read())
    claims = verify_refreshed_id_token(
        second["id_token"],
        keys,
        Expectation(issuer=issuer(provider), client_id=CLIENT_ID, nonce=None, subject="zoe-1"),
        before=first.id_token,
        access_token=second["access_token"],
        now=NOW,
    ).claims
    assert "nonce" not in claims
    status, again = await refreshed(http, provider, first.refresh_token)
    assert (status, again["error"]) == (400, "invalid_grant")
    assert (await refreshed(http, provider, second["refresh_token"]))[0] == 200


async def test_refresh_token_is_good_for_its_client_only(
    provider: str, browser: Browser, http: aiohttp.ClientSession
) -> None:
    code = await new_code(browser, provider, scope="openid offline_access")
    tokens = await redeem(http, provider, code)
    fields = fields_for(provider, "", grant_type="refresh_token", client_id="other")
    fields["refresh_token"] = tokens.refresh_token or ""
    assert (await refused(http, provider, fields))[:2] == (400, "invalid_grant")


async def test_token_request_that_is_no_form_is_refused(
    provider: str, http: aiohttp.ClientSession
) -> None:
    async with http.post(f"{issuer(provider)}/token", json={}) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == "invalid_request"


@pytest.mark.parametrize("authorization", ["", "Bearer unknown", "Basic {token}"])
async def test_userinfo_needs_an_access_token(
    provider: str, browser: Browser, http: aiohttp.ClientSession, authorization: str
) -> None:
    tokens = await redeem(http, provider, await new_code(browser, provider))
    headers = {"Authorization": authorization.format(token=tokens.access_token)}
    async with http.get(f"{issuer(provider)}/userinfo", headers=headers) as answer:
        assert answer.status == 401
        assert await answer.json() == {"error": "invalid_token"}
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


async def test_access_token_is_good_for_an_hour(
    provider: str, browser: Browser, http: aiohttp.ClientSession, clock: HandClock
) -> None:
    tokens = await redeem(http, provider, await new_code(browser, provider))
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    clock.advance(HOUR - 1)
    async with http.post(f"{issuer(provider)}/userinfo", headers=headers) as answer:
        assert answer.status == 200
    clock.advance(1)
    async with http.post(f"{issuer(provider)}/userinfo", headers=headers) as answer:
        assert answer.status == 401
