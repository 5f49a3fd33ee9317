"""Who reaches what: every route against every kind of credentials, and nothing by side doors."""

from collections.abc import Mapping
from typing import Final

import msgspec
import pytest
from starlette.routing import Route

from tests.support.asgi import Answer, basic, call
from tests.support.every_endpoint import full_body, needs_the_secret_alone, path_of
from tests.support.member_session import sign_in
from tests.support.refusals import left
from tests.support.scenario import LOGIN_URL, Scenario, add_project
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints
from vestibule.browser import pages
from vestibule.clock import SECOND
from vestibule.domain import projects
from vestibule.errors import Failure
from vestibule.permissions import Permission, ProjectSecret, Public, PublicToken

UNKNOWN: Final = (401, "unauthorized_credentials")
SECRET_ALONE: Final = (403, "session_authorization_error")
ELSEWHERE: Final = (403, "session_authorization_tenancy_error")
ABOUT_THE_CALLER: Final = {UNKNOWN, SECRET_ALONE, ELSEWHERE}
OPEN: Final = None
"""The endpoint itself answers: whatever it says, it is not about who is asking."""
Row = Mapping[str, tuple[int, str] | None]

NOBODY: Final = {
    "no credentials": UNKNOWN,
    "public token": UNKNOWN,
    "wrong secret": UNKNOWN,
    "secret of another project": UNKNOWN,
}
ANY_SESSION: Final = {
    "member without a role": OPEN,
    "member of another organization": OPEN,
    "ended session": OPEN,
    "project secret": OPEN,
}
EXPECTED: Final[Mapping[type, Row]] = {
    Public: {**dict.fromkeys(NOBODY), **ANY_SESSION},
    ProjectSecret: {**NOBODY, **ANY_SESSION},
    Permission: {
        **NOBODY,
        "member without a role": SECRET_ALONE,
        "member of another organization": ELSEWHERE,
        "ended session": (404, "session_not_found"),
        "project secret": OPEN,
    },
    PublicToken: {**NOBODY, "public token": OPEN, **dict.fromkeys(ANY_SESSION, UNKNOWN)},
}
# Pages and addresses for browsers and identity providers ask nobody for credentials: what is sent
# to them (a public token, a signature, a one-time token) is judged by tests of their own. How each
# answers GET and POST without any of that:
BROWSER: Final[Mapping[str, tuple[int, int]]] = {
    "/v1/public/sso/start": (400, 405),
    "/v1/b2b/sso/callback/{connection_id}": (404, 404),
    "/v1/public/sso/metadata/{connection_id}": (404, 405),
    "/v1/public/sso/logout/{connection_id}": (404, 404),
    "/v1/public/sso/logout/{connection_id}/start": (404, 405),
    "/v1/public/sso/backchannel_logout/{connection_id}": (405, 404),
    "/v1/public/email_update": (401, 401),
    "/v1/public/member_unlock": (401, 401),
    "/errors": (200, 405),
    "/assets/submit.js": (200, 405),
    "/assets/vestibule.css": (200, 405),
    "/assets/icon.svg": (200, 405),
}


async def credentials(scenario: Scenario) -> tuple[dict[str, dict[str, str]], str]:
    """Return the headers of each kind, and a member of theirs that is none of the callers."""
    acme = await scenario.organization()
    weak = await sign_in(scenario, acme)
    foreign = await sign_in(scenario, await scenario.organization("Globex"), "eve@globex.test")
    await foreign.hold("stytch_admin")
    short = await scenario.saml_connection(acme["organization_id"], idp_entity_id="https://b.test")
    token = await scenario.saml_token(short, issuer="https://b.test", email="bob@acme.test")
    ended = await scenario.authenticate(token, session_duration_minutes=5)
    scenario.clock.advance(301 * SECOND)
    await add_project(scenario.app, scenario.context, name="other")
    mine = scenario.project.project_id
    own = {"authorization": scenario.api.authorization}
    public = {"authorization": basic(scenario.public_token, scenario.public_token)}
    return {
        "no credentials": {},
        "public token": public,
        "wrong secret": {"authorization": basic(mine, "wrong")},
        "secret of another project": {"authorization": basic(mine, "secret-test-other")},
        "member without a role": {**own, **weak.headers},
        "member of another organization": {**own, **foreign.headers},
        "ended session": {**own, "x-stytch-member-session": ended["session_token"]},
        "project secret": own,
    }, ended["member_id"]


def told(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json.get("error_type", "")


@pytest.mark.case("AD-01")
@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda item: item.operation_id)
async def test_every_endpoint_answers_each_kind_of_credentials_as_it_should(
    scenario: Scenario, endpoint: Endpoint
) -> None:
    headers, target = await credentials(scenario)
    expected = EXPECTED[type(endpoint.access)]
    assert headers.keys() == expected.keys()
    path = path_of(endpoint, {"organization_id": "acme", "member_id": target})
    body = full_body(endpoint)
    if endpoint.operation_id == "sessions.revoke":
        body = {"member_id": target}
    for kind, row in expected.items():
        wanted = row
        if kind == "member of another organization" and needs_the_secret_alone(endpoint):
            wanted = SECRET_ALONE
        sent = {"content-type": "application/json", **headers[kind]}
        answer = await call(
            scenario.app, endpoint.method, path, headers=sent, body=msgspec.json.encode(body)
        )
        if wanted is OPEN:
            assert told(answer) not in ABOUT_THE_CALLER, kind
        else:
            assert told(answer) == wanted, kind


def page_paths(scenario: Scenario) -> list[str]:
    return [route.path for route in pages.routes(scenario.context) if isinstance(route, Route)]


@pytest.mark.case("AD-01")
async def test_every_page_has_its_row(scenario: Scenario) -> None:
    assert sorted(page_paths(scenario)) == sorted(BROWSER)
    for path, wanted in BROWSER.items():
        target = path.replace("{connection_id}", "none")
        for headers in ({}, {"authorization": scenario.api.authorization}):
            for method, status in zip(("GET", "POST"), wanted, strict=True):
                answer = await call(scenario.app, method, target, headers=headers)
                assert answer.status == status, (method, path)


@pytest.mark.case("AD-14")
async def test_no_page_lets_itself_be_framed(scenario: Scenario) -> None:
    for path in BROWSER:
        target = path.replace("{connection_id}", "none")
        for method in ("GET", "POST", "PUT"):
            answer = await call(scenario.app, method, target, headers={"accept": "text/html"})
            if answer.headers["content-type"].startswith("text/html"):
                assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
                assert answer.headers["x-frame-options"] == "DENY", path


@pytest.mark.case("AD-17")
async def test_no_line_break_gets_into_a_header(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    evil = "a%0d%0aSet-Cookie:%20evil=1%0d%0a%0d%0a"
    named = f"public_token={scenario.public_token}&connection_id={connection['connection_id']}"
    known = ["login_redirect_url", "signup_redirect_url", "state", "login_hint", "RelayState"]
    targets = [f"{path.replace('{connection_id}', evil)}?token={evil}" for path in BROWSER]
    targets += [f"/v1/public/sso/start?{named}&{name}={evil}" for name in known]
    targets += [f"/v1/public/sso/start?{named}&login_redirect_url={LOGIN_URL}%0d%0aX:1", f"/{evil}"]
    for target in targets:
        for accept in ("text/html", "application/json"):
            answer = await call(scenario.app, "GET", target, headers={"accept": accept})
            assert answer.status < 500, target
            for name, value in answer.headers.items():
                assert not {"\r", "\n"} & {*name, *value}, (target, name)
            assert not any("evil" in line for line in answer.set_cookies)


@pytest.mark.case("AD-17")
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x00", "\u2028", "\x85"])
async def test_no_line_break_gets_into_what_becomes_a_header_later(
    scenario: Scenario, end: str
) -> None:
    """Where browsers are sent is stored: a redirect URL, an identity provider's, a logo."""
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    evil = f"https://app.example.test/{end}Set-Cookie: evil=1"
    with pytest.raises(Failure):
        await projects.add_redirect_url(
            scenario.context, scenario.project, evil, login=True, signup=True, logout=True
        )
    own = f"/v1/b2b/sso/saml/{organization['organization_id']}/connections"
    changes: dict[str, dict[str, str]] = {
        f"{own}/{connection['connection_id']}": {"idp_sso_url": evil},
        f"/v1/b2b/organizations/{organization['organization_id']}": {"organization_logo_url": evil},
    }
    for path, change in changes.items():
        answer = await scenario.api.call("PUT", path, change)
        assert answer.status == 400, path
    metadata = f"/v1/public/sso/metadata/{connection['connection_id']}"
    answer = await call(scenario.app, "GET", metadata)
    assert "content-disposition" not in answer.headers


@pytest.mark.case("AD-17")
async def test_a_relay_state_with_line_breaks_goes_nowhere(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    fields["RelayState"] += "\r\nSet-Cookie: evil=1"
    answer = await scenario.post_callback(browser, connection, fields)
    assert not any({"\r", "\n"} & set(value) for value in answer.headers.values())
    assert "evil" not in browser.cookies


@pytest.mark.case("AD-46")
@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda item: item.operation_id)
async def test_other_methods_and_overrides_do_nothing(
    scenario: Scenario, endpoint: Endpoint
) -> None:
    organization = await scenario.organization()
    path = path_of(endpoint, {"organization_id": organization["organization_id"]})
    allowed = {each.method for each in endpoints() if each.path == endpoint.path}
    for method in {"GET", "HEAD", "OPTIONS", "TRACE", "PATCH", "PUT", "DELETE", "X"} - allowed:
        answer = await scenario.api.call(method, path)
        assert told(answer) == (405, "method_not_allowed"), method
        assert answer.headers["allow"] == ", ".join(sorted(allowed))
    overrides = {
        "x-http-method-override": "DELETE",
        "x-http-method": "DELETE",
        "x-method-override": "DELETE",
    }
    if "GET" in allowed:
        await scenario.api.call("GET", f"{path}&_method=DELETE", headers=overrides)
        await scenario.api.call("GET", f"{path}?_method=DELETE", headers=overrides)
    shown = f"/v1/b2b/organizations/{organization['organization_id']}"
    assert (await scenario.api.good("GET", shown))["organization"] == organization


@pytest.mark.case("AD-46")
async def test_other_methods_of_pages_leave_nothing(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    query = f"public_token={scenario.public_token}&connection_id={connection['connection_id']}"
    before = await left(scenario)
    for path in BROWSER:
        target = path.replace("{connection_id}", connection["connection_id"])
        for method in ("HEAD", "OPTIONS", "TRACE", "PATCH", "PUT", "DELETE"):
            answer = await call(scenario.app, method, f"{target}?{query}")
            static = method == "HEAD" and path.startswith(("/assets/", "/errors"))
            assert answer.status == (200 if static else 405), (method, path)
    assert await left(scenario) == before
    async with scenario.context.store.read() as tx:
        assert await tx.sign_ins.count(project_id=scenario.project.project_id) == 0


@pytest.mark.case("AD-47")
@pytest.mark.parametrize(
    "path",
    [
        "/assets/..%2fpage.py",
        "/assets/%2e%2e%2f%2e%2e%2fsettings.py",
        "/assets/vestibule.css;a=b",
        "/assets/..;/vestibule.css",
        "/v1/public/sso/metadata/..%2f..%2ferrors",
        "/v1/public/sso/metadata/x%2fy",
        "/v1/public/sso/metadata/x/../../../../errors",
        "/v1/b2b/sso/callback/%2e%2e",
        "/v1/b2b/organizations/acme;a=b",
        "/v1/b2b/organizations/acme%2fmember",
        "/v1/b2b/organizations/..%2forganizations%2facme",
        "//errors",
        "/errors/",
        "/v1/b2b/organizations/acme/",
    ],
)
async def test_no_path_leads_elsewhere_than_it_says(scenario: Scenario, path: str) -> None:
    await scenario.organization()
    headers = {"authorization": scenario.api.authorization}
    answer = await call(scenario.app, "GET", path, headers=headers)
    assert answer.status == 404


@pytest.mark.case("AD-45")
async def test_a_public_token_lists_nothing_but_the_ways_in_of_an_address(
    scenario: Scenario,
) -> None:
    organization = await scenario.organization(email_allowed_domains=["acme.test"])
    await scenario.saml_connection(organization["organization_id"], display_name="Secret plan")
    takes = [each for each in endpoints() if isinstance(each.access, PublicToken)]
    assert [each.operation_id for each in takes] == ["sdk.sso.discover_connections"]
    headers = {"authorization": basic(scenario.public_token, scenario.public_token)}
    for query in ("", "?organization_slug=acme", "?email_address=eve@other.test"):
        answer = await call(scenario.app, "GET", takes[0].path + query, headers=headers)
        assert "Secret plan" not in answer.text
        assert organization["organization_id"] not in answer.text


@pytest.mark.case("AD-45", verdict="holds")
async def test_a_start_by_slug_shows_one_way_in_and_nothing_of_the_others(
    scenario: Scenario,
) -> None:
    """The contract starts an organization's default connection by its slug; that is all of it."""
    organization = await scenario.organization("Acme")
    organization_id = organization["organization_id"]
    await scenario.organization("Without")
    default = await scenario.saml_connection(organization_id, display_name="Known")
    hidden = await scenario.saml_connection(
        organization_id,
        idp_entity_id="https://plan.test",
        idp_sso_url="https://plan.test/sso",
        display_name="Secret plan",
    )
    secrets = (organization_id, hidden["connection_id"], "Secret plan", "plan.test")
    statuses = {}
    for locator in ("acme", "without", "none", "ACM", "a%", "%25", "*", default["display_name"]):
        answer = await scenario.start(scenario.browser(), organization_id=locator)
        statuses[locator] = answer.status
        shown = answer.text + str(answer.headers)
        assert not any(secret in shown for secret in secrets), locator
    started = statuses.pop("acme")
    assert started == 302
    assert set(statuses.values()) <= {400, 404}


@pytest.mark.case("AD-13")
async def test_cookies_are_no_credentials_and_forms_are_no_calls(scenario: Scenario) -> None:
    """What a browser sends along by itself, from whatever page, gives nobody a right."""
    member = await sign_in(scenario, await scenario.organization())
    token = member.headers["x-stytch-member-session"]
    names = ("stytch_session", "stytch_session_jwt", "session_token", "vestibule")
    cookie = {"cookie": "; ".join(f"{name}={token}" for name in names)}
    path, body = "/v1/b2b/organizations", b'{"organization_name": "Made"}'
    sent = {**cookie, "content-type": "application/json", "origin": "https://evil.test"}
    answer = await call(scenario.app, "POST", path, headers=sent, body=body)
    assert told(answer) == UNKNOWN
    own = {"authorization": scenario.api.authorization}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        for origin in ({}, {"origin": "null"}, {"origin": "https://evil.test"}):
            headers = {**own, **origin, "content-type": kind}
            answer = await call(scenario.app, "POST", path, headers=headers, body=body)
            assert told(answer) == (415, "bad_request")


@pytest.mark.case("AD-07")
@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda item: item.operation_id)
async def test_without_an_organization_there_is_nothing(
    scenario: Scenario, endpoint: Endpoint
) -> None:
    """No organization is never every organization, nor the only one there is."""
    if "organization_id" not in endpoint.request.__struct_fields__:
        return
    await scenario.organization()
    if "organization_id" in endpoint.path_names:
        for name in ("null", "None", "%20", "undefined", "*"):
            path = path_of(endpoint, {"organization_id": name})
            answer = await scenario.api.call(endpoint.method, path, full_body(endpoint))
            assert told(answer) == (404, "organization_not_found"), name
        return
    for body in ({}, {"organization_id": None}, {"organization_id": ""}):
        sent = None if endpoint.method == "GET" else {**full_body(endpoint), **body}
        answer = await scenario.api.call(endpoint.method, endpoint.path, sent)
        assert answer.status in {400, 404}, answer.text
