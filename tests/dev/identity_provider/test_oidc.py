from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from vestibule.dev.browser import Browser, Step
from vestibule.oidc.discovery import parse_discovery
from vestibule.oidc.request import authorization_url, code_challenge, parse_callback

CLIENT_ID: Final = "vestibule-dev"
VERIFIER: Final = "v" * 43
STATE: Final = "state-1"
NONCE: Final = "nonce-1"


def issuer(base_url: str) -> str:
    return f"{base_url}/dev/idp/oidc"


def callback(base_url: str) -> str:
    return f"{base_url}/v1/b2b/sso/callback/oidc-connection-test-1"


def start(base_url: str) -> str:
    return authorization_url(
        endpoint=f"{issuer(base_url)}/authorize",
        client_id=CLIENT_ID,
        redirect_url=callback(base_url),
        scopes=("openid", "email", "profile"),
        state=STATE,
        nonce=NONCE,
        code_challenge=code_challenge(VERIFIER),
    )


def changed(url: str, **changes: str | None) -> str:
    """Return `url` with parameters replaced, or left out when None."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    kept = {name: value for name, value in (query | changes).items() if value is not None}
    return f"{url.partition('?')[0]}?{urlencode(kept)}"


def answered(step: Step) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(step.location).query).items()}


async def test_discovery_document_is_what_a_relying_party_reads(
    provider: str, http: aiohttp.ClientSession
) -> None:
    url = f"{issuer(provider)}/.well-known/openid-configuration"
    async with http.get(url) as answer:
        found = parse_discovery(await answer.read(), issuer=issuer(provider))
    assert found.authorization_url == f"{issuer(provider)}/authorize"
    assert found.token_url == f"{issuer(provider)}/token"
    assert found.userinfo_url == f"{issuer(provider)}/userinfo"
    assert found.jwks_url == f"{issuer(provider)}/jwks"
    assert found.iss_parameter_supported


async def test_login_sends_the_browser_back_with_a_code(provider: str, browser: Browser) -> None:
    page = await browser.visit(start(provider))
    assert CLIENT_ID in page.text
    answer = await browser.submit(page.forms[0], {"person": "alice"})
    assert answer.location.startswith(callback(provider) + "?")
    found = parse_callback(
        urlsplit(answer.location).query,
        issuer=issuer(provider),
        iss_parameter_supported=True,
    )
    assert found.state == STATE
    assert found.iss == issuer(provider)
    assert len(found.code) == 40


async def test_redirect_url_keeps_its_own_query(provider: str, browser: Browser) -> None:
    page = await browser.visit(changed(start(provider), redirect_uri=f"{provider}/back?a=b"))
    answer = await browser.submit(page.forms[0])
    assert answer.location.startswith(f"{provider}/back?a=b&code=")


async def test_state_is_left_out_when_none_was_sent(provider: str, browser: Browser) -> None:
    page = await browser.visit(changed(start(provider), state=None))
    answer = await browser.submit(page.forms[0])
    assert set(answered(answer)) == {"code", "iss"}


async def test_refusal_is_an_error_without_a_code(provider: str, browser: Browser) -> None:
    page = await browser.visit(start(provider))
    answer = await browser.submit(page.forms[0], {"decision": "deny"})
    expected: dict[str, Any] = {
        "error": "access_denied",
        "error_description": "The person refused.",
        "state": STATE,
        "iss": issuer(provider),
    }
    assert answered(answer) == expected


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
    ],
)
async def test_bad_request_is_answered_at_the_redirect_url(
    provider: str, browser: Browser, changes: dict[str, str | None], error: str
) -> None:
    answer = await browser.visit(changed(start(provider), **changes))
    assert answer.location.startswith(callback(provider))
    assert answered(answer)["error"] == error
    assert answered(answer)["state"] == STATE


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"redirect_uri": "https://attacker.example/"}, 403, "does not answer to"),
        ({"redirect_uri": None}, 400, "Unusable address"),
        ({"client_id": None}, 400, "names no client_id"),
    ],
)
async def test_request_without_a_safe_way_back_is_refused_on_the_spot(
    provider: str, browser: Browser, changes: dict[str, str | None], status: int, words: str
) -> None:
    answer = await browser.visit(changed(start(provider), **changes))
    assert answer.location == ""
    assert answer.status == status
    assert words in answer.text


async def test_login_form_does_not_send_a_code_to_a_foreign_site(
    provider: str, browser: Browser
) -> None:
    page = await browser.visit(start(provider))
    answer = await browser.submit(page.forms[0], {"redirect_uri": "https://attacker.example/"})
    assert answer.location == ""
    assert answer.status == 403
    assert "does not answer to https://attacker.example/" in answer.text
