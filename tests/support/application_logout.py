"""An application that signs people out, and the identity provider's answers to it."""

import zlib
from base64 import b64decode
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from lxml import etree
from lxml.etree import _Element

from tests.support.asgi import Answer, Browser
from tests.support.scenario import Scenario
from tests.support.single_logout import SLO, Provider
from vestibule.domain import projects
from vestibule.saml.logout import LogoutStatus, logout_response

GOODBYE: Final = "https://app.example.test/goodbye"
START: Final = "/v1/b2b/sso/logout/start"


async def register(scenario: Scenario, url: str = GOODBYE) -> None:
    """Register where browsers may be sent after a logout."""
    await projects.add_redirect_url(
        scenario.context, scenario.project, url, login=False, signup=False, logout=True
    )


async def begin(scenario: Scenario, session: dict[str, Any], **fields: Any) -> str:
    """Begin the logout of a session as its application's backend; return the URL."""
    body = {"session_token": session["session_token"], **fields}
    return str((await scenario.api.good("POST", START, body))["logout_url"])


async def follow(browser: Browser, url: str) -> Answer:
    """Visit a URL of ours."""
    place = urlsplit(url)
    assert place.netloc == "sso.example.test"
    return await browser.get(f"{place.path}?{place.query}")


def asked(answer: Answer) -> _Element:
    """Return the LogoutRequest in a redirect of ours to the identity provider."""
    assert answer.status == 302, answer.text
    place = urlsplit(answer.headers["location"])
    assert place._replace(query="").geturl() == SLO
    query = parse_qs(place.query, strict_parsing=True)
    assert {"SigAlg", "Signature"} <= query.keys()
    message = zlib.decompress(b64decode(query["SAMLRequest"][0]), wbits=-zlib.MAX_WBITS)
    return etree.fromstring(message)


async def request_of(idp: Provider, session: dict[str, Any]) -> str:
    """Begin a logout, go to the identity provider, and return the ID of the request there."""
    url = await begin(idp.scenario, session)
    return str(asked(await follow(idp.scenario.browser(), url)).get("ID"))


def answer(
    idp: Provider,
    in_response_to: str,
    *,
    status: LogoutStatus = LogoutStatus.SUCCESS,
    **changes: Any,
) -> bytes:
    """Return an unsigned LogoutResponse of the identity provider, of now."""
    idp.made += 1
    values = {
        "issued_at": idp.scenario.clock.now(),
        "destination": idp.logout_url,
        "issuer": idp.issuer,
        **changes,
    }
    return logout_response(
        response_id=f"_answer{idp.made}", in_response_to=in_response_to, status=status, **values
    )
