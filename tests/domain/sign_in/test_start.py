"""Which connection a start link means, and what is kept of a sign-in (semantics 2.2)."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.refusals import assert_page
from tests.support.scenario import IDP_SSO, ISSUER, LOGIN_URL, SIGNUP_URL, Scenario
from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain import projects
from vestibule.domain.sign_in.start import VERIFIER_PURPOSE
from vestibule.records import SignIn


async def only_sign_in(scenario: Scenario) -> SignIn:
    async with scenario.context.store.read() as tx:
        (sign_in,) = await tx.sign_ins.all()
    return sign_in


@pytest.mark.parametrize("locator", ["id", "acme", "acme-1"])
async def test_an_organization_with_one_connection_is_enough(
    scenario: Scenario, locator: str
) -> None:
    organization = await scenario.organization(organization_external_id="acme-1")
    connection = await scenario.saml_connection(organization["organization_id"])
    given = organization["organization_id"] if locator == "id" else locator
    answer = await scenario.start(scenario.browser(), organization_id=given)
    assert answer.headers["location"].startswith(IDP_SSO)
    assert (await only_sign_in(scenario)).connection_id == connection["connection_id"]


async def test_of_several_connections_the_default_is_meant(scenario: Scenario) -> None:
    organization = await scenario.organization()
    organization_id = organization["organization_id"]
    saml = await scenario.saml_connection(organization_id)
    oidc = await scenario.oidc_connection(organization_id)
    path = f"/v1/b2b/organizations/{organization_id}"
    for connection, location in ((oidc, ISSUER), (saml, IDP_SSO)):
        body = {"sso_default_connection_id": connection["connection_id"]}
        await scenario.api.good("PUT", path, body)
        answer = await scenario.start(scenario.browser(), organization_id=organization_id)
        assert answer.headers["location"].startswith(location)


async def test_without_a_default_several_connections_are_too_many(scenario: Scenario) -> None:
    organization = await scenario.organization()
    organization_id = organization["organization_id"]
    await scenario.saml_connection(organization_id)
    await scenario.oidc_connection(organization_id)
    async with scenario.context.store.write() as tx:
        await tx.organizations.change(
            {"sso_default_connection_id": None}, organization_id=organization_id
        )
    answer = await scenario.start(scenario.browser(), organization_id=organization_id)
    assert_page(answer, errors.indeterminate_sso_connection_for_organization)


async def test_an_organization_without_an_active_connection_cannot_be_started(
    scenario: Scenario,
) -> None:
    organization = await scenario.organization()
    organization_id = organization["organization_id"]
    for _ in range(2):
        answer = await scenario.start(scenario.browser(), organization_id=organization_id)
        assert_page(answer, errors.no_sso_connection_exists_for_organization)
        await scenario.api.good("POST", f"/v1/b2b/sso/saml/{organization_id}", {})
    answer = await scenario.start(scenario.browser(), organization_id="unknown")
    assert_page(answer, errors.organization_not_found)


async def test_what_is_kept_ends_after_ten_minutes_and_holds_no_secret(
    scenario: Scenario,
) -> None:
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    browser = scenario.browser()
    answer = await scenario.start(
        browser, connection_id=connection["connection_id"], pkce_code_challenge="c" * 43
    )
    query = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    sign_in = await only_sign_in(scenario)
    assert sign_in.expires_at == scenario.clock.now() + 10 * MINUTE
    assert sign_in.consumed_at == 0
    assert sign_in.pkce_code_challenge == "c" * 43
    assert sign_in.nonce == query["nonce"]
    assert (sign_in.login_redirect_url, sign_in.signup_redirect_url) == (LOGIN_URL, SIGNUP_URL)
    ((_, cookie),) = browser.cookies.items()
    assert sign_in.browser_hash == hashlib.sha256(cookie.encode()).digest()
    verifier = scenario.context.sealer.unseal(sign_in.code_verifier, purpose=VERIFIER_PURPOSE)
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
    assert query["code_challenge"] == digest
    assert len(verifier) == 43


@pytest.mark.case("OI-06")
async def test_every_sign_in_has_secrets_of_its_own(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    browser = scenario.browser()
    seen = []
    for _ in range(5):
        answer = await scenario.start(browser, connection_id=connection["connection_id"])
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        seen.append([query[name][0] for name in ("state", "nonce", "code_challenge")])
    assert len({value for values in seen for value in values}) == 15


async def test_registered_redirect_urls_are_kept(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    login, signup = f"{LOGIN_URL}2", f"{SIGNUP_URL}2"
    await projects.add_redirect_url(
        scenario.context, scenario.project, login, login=True, signup=False
    )
    await projects.add_redirect_url(
        scenario.context, scenario.project, signup, login=False, signup=True
    )
    given = {"login_redirect_url": login, "signup_redirect_url": signup}
    await scenario.start(scenario.browser(), connection_id=connection["connection_id"], **given)
    sign_in = await only_sign_in(scenario)
    assert (sign_in.login_redirect_url, sign_in.signup_redirect_url) == (login, signup)


@pytest.mark.parametrize("kept", ["urls without a default", "no url at all"])
async def test_without_a_signup_url_new_members_land_where_the_others_do(
    scenario: Scenario, kept: str
) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    async with scenario.context.store.write() as tx:
        if kept == "no url at all":
            await tx.redirect_urls.delete(url=SIGNUP_URL)
        else:
            await tx.redirect_urls.change({"default_signup": False}, url=SIGNUP_URL)
    await scenario.start(scenario.browser(), connection_id=connection["connection_id"])
    assert (await only_sign_in(scenario)).signup_redirect_url == LOGIN_URL


async def test_without_a_login_url_nothing_starts(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    async with scenario.context.store.write() as tx:
        await tx.redirect_urls.change({"default_login": False}, url=LOGIN_URL)
    locator = {"connection_id": connection["connection_id"]}
    answer = await scenario.start(scenario.browser(), **locator)
    assert_page(answer, errors.no_default_login_redirect_url_set)
    answer = await scenario.start(scenario.browser(), **locator, login_redirect_url=LOGIN_URL)
    assert answer.status == 302
    async with scenario.context.store.write() as tx:
        await tx.redirect_urls.delete(url=LOGIN_URL)
    answer = await scenario.start(scenario.browser(), **locator)
    assert_page(answer, errors.no_login_redirect_urls_set)
