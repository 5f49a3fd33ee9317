"""Our pages in a real browser: the cookie hop across sites, the form that sends itself, refusals.

The server is at 127.0.0.1 and the identity provider at localhost: two sites, so that cookies and
content security policies matter as they do in the world.
"""

import zlib
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from lxml import etree
from msgspec.structs import replace
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.dev.serving import serving_app
from tests.support.chromium import open_chromium
from tests.support.context import RoutedFetch, open_test_context
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.dom import HOSTILE, oddities
from tests.support.refusals import left, traces
from tests.support.scenario import Scenario, add_project
from vestibule.app import App
from vestibule.clock import MINUTE
from vestibule.dev.tls import TlsFiles, local_authority
from vestibule.domain import projects
from vestibule.domain.mfa import unlocking
from vestibule.domain.outcome import Party
from vestibule.settings import Settings
from vestibule.store.interface import Store

FORM = """<!doctype html><link rel=icon href=data:,><h1>Identity provider</h1>
<form method=post action="{action}"><input name=SAMLResponse value="{response}">
<input name=RelayState value="{relay_state}">{extra}<button>Sign in</button></form>"""


@dataclass
class World:
    """A server, an identity provider on another site, and the application beside it."""

    scenario: Scenario
    base_url: str
    elsewhere: str
    connection: dict[str, Any]
    posts: list[str]
    extra: str = ""

    @property
    def start_url(self) -> str:
        query = urlencode(
            {
                "public_token": self.scenario.public_token,
                "connection_id": self.connection["connection_id"],
                "login_redirect_url": f"{self.elsewhere}/app",
                "signup_redirect_url": f"{self.elsewhere}/app",
            }
        )
        return f"{self.base_url}/v1/public/sso/start?{query}"


@pytest.fixture(params=["http", "https"])
async def tls(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> TlsFiles | None:
    return local_authority(tmp_path / "tls", now=clock.now()) if request.param == "https" else None


@pytest.fixture
async def world(
    store: Store, clock: HandClock, entropy: SeededEntropy, tls: TlsFiles | None
) -> AsyncIterator[World]:
    made: list[World] = []

    async def build(base_url: str) -> App:
        context = await open_test_context(
            store,
            clock=clock,
            entropy=entropy,
            fetch=RoutedFetch(),
            settings=Settings(base_url=base_url),
        )
        app = App(context)
        scenario = await add_project(app, context, name="first")
        organization = await scenario.organization()
        connection = await scenario.saml_connection(organization["organization_id"])
        made.append(World(scenario, base_url, "", connection, []))
        return app

    async def identity_provider(request: Request) -> Response:
        world = made[0]
        given = dict(request.query_params)
        if request.method == "POST":
            given = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        response = world.scenario.saml_response(
            world.connection, in_response_to=request_id(given["SAMLRequest"])
        )
        page = FORM.format(
            action=world.connection["acs_url"],
            response=response,
            relay_state=given.get("RelayState", ""),
            extra=world.extra,
        )
        return HTMLResponse(page)

    async def elsewhere(request: Request) -> Response:
        """Send the browser on to another host with what it has posted."""
        return RedirectResponse(f"{made[0].base_url.replace('127.0.0.1', 'localhost')}/errors", 303)

    async def application(_request: Request) -> Response:
        return HTMLResponse("<!doctype html><link rel=icon href=data:,><h1>Application</h1>")

    async def beside(_base_url: str) -> Starlette:
        return Starlette(
            routes=[
                Route("/sso", identity_provider, methods=["GET", "POST"]),
                Route("/elsewhere", elsewhere, methods=["POST"]),
                Route("/app", application),
            ]
        )

    async with serving_app(build, tls=tls), serving_app(beside, tls=tls) as beside_url:
        (world,) = made
        world.elsewhere = beside_url.replace("127.0.0.1", "localhost")
        await projects.add_redirect_url(
            world.scenario.context,
            world.scenario.project,
            f"{world.elsewhere}/app",
            login=True,
            signup=True,
        )
        await by(world, "redirect")
        yield world


async def by(world: World, binding: str, path: str = "/sso") -> None:
    """Let requests go to the identity provider of this world by this binding."""
    async with world.scenario.context.store.write() as tx:
        stored = await tx.connections.find(connection_id=world.connection["connection_id"])
        assert stored is not None
        assert stored.saml is not None
        saml = replace(stored.saml, idp_sso_url=f"{world.elsewhere}{path}", idp_sso_binding=binding)
        await tx.connections.update(replace(stored, saml=saml))


def request_id(message: str) -> str:
    raw = b64decode(message)
    text = raw if raw.startswith(b"<") else zlib.decompress(raw, wbits=-zlib.MAX_WBITS)
    return str(etree.fromstring(text).get("ID"))


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


async def open_page(chromium: Browser, world: World, **options: Any) -> tuple[Page, list[str]]:
    """Return a page and what it complains about; it notes what is posted to the server."""
    context = await chromium.new_context(ignore_https_errors=True, **options)
    page, complaints = await context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            world.posts.append(urlsplit(request.url).path)
            if request.method == "POST" and request.url.startswith(world.base_url)
            else None
        ),
    )
    return page, complaints


@pytest.mark.case("SP-54", "ST-22")
@pytest.mark.parametrize("binding", ["redirect", "post"])
async def test_a_login_across_sites(world: World, chromium: Browser, binding: str) -> None:
    await by(world, binding)
    page, complaints = await open_page(chromium, world)
    await page.goto(world.start_url)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Application")).to_be_visible()
    assert page.url.startswith(f"{world.elsewhere}/app?stytch_token_type=sso&token=")
    # Over https the cookie comes along at once; over http our own page has to post again.
    assert len(world.posts) == (1 if world.base_url.startswith("https") else 2)
    assert complaints == []
    token = page.url.rpartition("=")[2]
    assert (await world.scenario.authenticate(token))["member_authenticated"] is True


@pytest.mark.case("SP-54")
async def test_a_login_without_scripts(world: World, chromium: Browser) -> None:
    await by(world, "post")
    page, _ = await open_page(chromium, world, java_script_enabled=False)
    await page.goto(world.start_url)
    await expect(page.get_by_role("heading", name="Signing you in")).to_be_visible()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Sign in").click()
    if world.base_url.startswith("http:"):
        await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Application")).to_be_visible()


@pytest.mark.case("SP-53", "ST-23")
async def test_what_is_refused_is_said_on_a_plain_page(world: World, chromium: Browser) -> None:
    page, complaints = await open_page(chromium, world)
    await page.goto(world.start_url)
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Sign-in did not work")).to_be_visible()
    (trace,) = await traces(world.scenario)
    assert trace.reason == "missing_saml_csrf_cookie"
    await expect(page.get_by_text(trace.trace_id)).to_be_visible()
    assert len(world.posts) == 2
    assert [text for text in complaints if "status of 400" not in text] == []
    assert (await left(world.scenario)).sso_tokens == 0


@pytest.mark.case("ST-23")
async def test_going_back_to_the_identity_provider_makes_no_second_login(
    world: World, chromium: Browser
) -> None:
    page, _ = await open_page(chromium, world)
    await page.goto(world.start_url)
    asked = page.url
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Application")).to_be_visible()
    # Chromium's button may lead to the page between, which posted by itself: it is a step of the
    # history or none, as fast as it was.
    await page.goto(asked)
    await expect(page.get_by_role("heading", name="Identity provider")).to_be_visible()
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Identity provider")).to_be_hidden()
    await expect(page.get_by_role("heading")).to_be_visible()
    assert (await left(world.scenario)).sso_tokens == 1


@pytest.mark.case("AD-15")
async def test_what_somebody_writes_into_an_address_stays_text(
    world: World, chromium: Browser
) -> None:
    page, _ = await open_page(chromium, world)
    hostile, connection_id = quote(HOSTILE, safe=""), world.connection["connection_id"]
    twice = f"{hostile}=1&{hostile}=2"
    named = [
        "/v1/public/sso/start",
        f"/v1/b2b/sso/callback/{connection_id}",
        f"/v1/public/sso/metadata/{hostile}",
        f"/v1/public/sso/logout/{connection_id}",
        f"/v1/public/sso/logout/{connection_id}/start",
        "/v1/public/email_update",
        "/errors",
    ]
    for path in named:
        for query in ("", twice, f"token={hostile}&public_token={hostile}&connection_id={hostile}"):
            await page.goto(f"{world.base_url}{path}?{query}#{hostile}")
            assert await oddities(page) == [], (path, query)
    await page.goto(f"{world.base_url}/v1/public/sso/start?{twice}")
    await expect(page.get_by_text(HOSTILE[:100])).to_be_visible()


@pytest.mark.case("AD-15")
async def test_what_an_identity_provider_says_is_not_on_the_page(
    world: World, chromium: Browser
) -> None:
    organization = await world.scenario.organization("Second")
    connection = await world.scenario.oidc_connection(organization["organization_id"])
    page, _ = await open_page(chromium, world)
    callback = f"{world.base_url}{urlsplit(connection['redirect_url']).path}"
    query = urlencode({"error": HOSTILE, "error_description": HOSTILE, "state": HOSTILE})
    await page.goto(f"{callback}?{query}")
    await expect(page.get_by_role("heading", name="Sign-in did not work")).to_be_visible()
    assert await oddities(page) == []
    assert "pwned" not in await page.inner_text("body")


@pytest.mark.case("AD-16")
async def test_the_form_to_an_identity_provider_keeps_its_address_whole(
    world: World, chromium: Browser
) -> None:
    path = "/sso?a='onfocus=window.pwned=1'&amp;b=(1);&c=%22%3E%3Cb%20id=pwned%3E"
    await by(world, "post", path)
    page, _ = await open_page(chromium, world, java_script_enabled=False)
    answer = await page.goto(world.start_url)
    assert answer is not None
    form = page.locator("form")
    assert await form.get_attribute("action") == f"{world.elsewhere}{path}"
    assert await page.locator("form input").count() == 2
    assert await page.locator("script").count() == 1
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy


@pytest.mark.case("AD-16")
async def test_fields_with_markup_are_posted_again_as_they_are(
    world: World, chromium: Browser
) -> None:
    """Without the cookie our page posts again whatever the identity provider has posted."""
    world.extra = f'<input name="{escape(HOSTILE)}" value="{escape(HOSTILE)}">'
    page, _ = await open_page(chromium, world, java_script_enabled=False)
    await page.goto(world.start_url)
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Signing you in")).to_be_visible()
    names = [await each.get_attribute("name") for each in await page.locator("input").all()]
    assert names == ["SAMLResponse", "RelayState", HOSTILE, "reposted"]
    assert await page.locator("input").nth(2).input_value() == HOSTILE
    assert await oddities(page) == []


@pytest.mark.case("AD-16")
async def test_an_identity_provider_may_send_the_browser_on_to_another_host(
    world: World, chromium: Browser
) -> None:
    """Why the policy of our form names no host: Chromium holds redirects against it, too."""
    await by(world, "post", "/elsewhere")
    page, complaints = await open_page(chromium, world)
    await page.goto(world.start_url)
    await expect(page.get_by_role("heading", name="Errors of this API")).to_be_visible()
    assert complaints == []


@pytest.mark.case("AD-16")
async def test_a_locked_member_is_let_in_by_the_button_of_its_page(
    world: World, chromium: Browser
) -> None:
    scenario = world.scenario
    organization = (await scenario.organization("Locked"))["organization_id"]
    made = await scenario.api.good(
        "POST", f"/v1/b2b/organizations/{organization}/members", {"email_address": "ada@acme.test"}
    )
    ada = made["member_id"]
    now = scenario.context.clock.now()
    lock = {"lock_created_at": now, "lock_expires_at": now + MINUTE}
    async with scenario.context.store.write() as tx:
        (before,) = await tx.members.change({"email_address_verified": True}, member_id=ada)
        (known,) = await tx.organizations.all(organization_id=organization)
        await tx.members.change(lock, member_id=ada)
    project = replace(scenario.project, user_lock_self_serve=True)
    page, complaints = await open_page(chromium, world)
    await page.goto(unlocking.link(scenario.context, Party(project, known, before), now=now))
    await page.get_by_role("button", name="Let me sign in again").click()
    await expect(page.get_by_role("heading", name="You can sign in again")).to_be_visible()
    assert complaints == []


@pytest.mark.case("AD-16")
@pytest.mark.parametrize("binding", ["redirect", "post"])
async def test_a_login_may_end_in_an_application_on_the_device(
    world: World, chromium: Browser, binding: str
) -> None:
    """Chromium holds the way there against the policy of the form that it began with, too."""
    await by(world, binding)
    url = "com.example.app://callback"
    await projects.add_redirect_url(
        world.scenario.context, world.scenario.project, url, login=True, signup=True
    )
    page, complaints = await open_page(chromium, world)
    native = urlencode({"login_redirect_url": url, "signup_redirect_url": url})
    challenge = urlencode({"pkce_code_challenge": "a" * 43})
    start = world.start_url.partition("&login_redirect_url")[0]
    await page.goto(f"{start}&{native}&{challenge}")
    async with page.expect_request(f"{url}?stytch_token_type=sso&token=*"):
        await page.get_by_role("button", name="Sign in").click()
    assert complaints == []
    assert (await left(world.scenario)).sso_tokens == 1


ASK = """async ([url, token]) => {
    const headers = {authorization: "Basic " + btoa(token + ":" + token)};
    headers["content-type"] = "application/json";
    headers["x-sdk-client"] = headers["x-sdk-parent-host"] = "x";
    const answers = [];
    for (const credentials of ["include", "omit"]) {
        try {
            const answer = await fetch(url, {headers, credentials});
            answers.push([answer.status, Object.keys(await answer.json())]);
        } catch (error) {
            answers.push(error.name);
        }
    }
    return answers;
}"""


@pytest.mark.case("AD-44")
async def test_only_pages_of_the_application_may_ask_for_connections(
    world: World, chromium: Browser
) -> None:
    page, _ = await open_page(chromium, world)
    path = f"{world.base_url}/sdk/v1/b2b/sso/discovery/connections"
    good, bad = f"{path}?email_address=ada%40acme.test", f"{path}?email_address=ada"
    token = world.scenario.public_token
    await page.goto(f"{world.elsewhere}/app")
    assert await page.evaluate(ASK, [good, token]) == [[200, ["data"]]] * 2
    assert [status for status, _ in await page.evaluate(ASK, [bad, token])] == [400, 400]
    # The same pages under another name are of another origin.
    await page.goto(f"{world.elsewhere.replace('localhost', '127.0.0.1')}/app")
    assert await page.evaluate(ASK, [good, token]) == ["TypeError"] * 2
    await page.set_content("<iframe sandbox='allow-scripts' srcdoc='<p>'></iframe>")
    inner = page.frames[1]
    assert await inner.evaluate("origin") == "null"
    assert await inner.evaluate(ASK, [good, token]) == ["TypeError"] * 2
