"""Who a verified answer may name, and bytes nobody compares with (cases SP-46, SP-72, XS-77)."""

from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.refusals import assert_refused
from tests.support.scenario import Scenario
from vestibule import errors
from vestibule.ids import same_secret

Connection = dict[str, Any]
LONG = "a" * 400


@pytest.fixture
async def connection(scenario: Scenario) -> Connection:
    organization = await scenario.organization()
    return await scenario.saml_connection(organization["organization_id"])


@pytest.mark.case("SP-46")
@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        '"Ada Lovelace" <ada@acme.test>',
        "ada@acme@evil.test",
        f"{LONG}@acme.test",
        "ada@acme.test\nBcc: evil@evil.test",
        "ada@acme.test,evil@evil.test",
        " ada@acme.test evil@evil.test",
    ],
)
async def test_sp_46_an_address_that_is_none_lets_nobody_in(
    scenario: Scenario, connection: Connection, address: str
) -> None:
    attributes = {"email": [address], "firstName": ["Ada"], "lastName": ["Lovelace"]}
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection, attributes=attributes)
    answer = await scenario.post_callback(browser, connection, fields)
    await assert_refused(
        scenario,
        answer,
        error=errors.invalid_saml_response_email,
        reason="invalid_saml_response_email",
    )


@pytest.mark.case("SP-46")
async def test_sp_46_two_addresses_are_not_chosen_from(
    scenario: Scenario, connection: Connection
) -> None:
    attributes = {"email": ["ada@acme.test", "evil@acme.test"]}
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection, attributes=attributes)
    answer = await scenario.post_callback(browser, connection, fields)
    trace = await assert_refused(
        scenario,
        answer,
        error=errors.invalid_saml_response_email,
        reason="invalid_saml_response_email",
    )
    assert "ada@acme.test" not in answer.text
    assert trace.steps[-1].received


@pytest.mark.case("SP-72")
async def test_sp_72_one_provider_stands_for_one_connection_of_an_organization(
    scenario: Scenario,
) -> None:
    organization = await scenario.organization()
    await scenario.saml_connection(organization["organization_id"])
    path = f"/v1/b2b/sso/saml/{organization['organization_id']}"
    made = (await scenario.api.good("POST", path, {}))["connection"]
    entity = {"idp_entity_id": "https://idp.example.com/metadata"}
    refusal = await scenario.api.bad("PUT", f"{path}/connections/{made['connection_id']}", entity)
    error = errors.duplicate_saml_connection
    assert refusal == (error.status, error.name)
    other = await scenario.organization("Beta")
    await scenario.saml_connection(other["organization_id"])


@pytest.mark.case("XS-77")
@pytest.mark.parametrize("cookie", ["ü" * 43, "a" * 43, "a", "\xff"])
async def test_xs_77_a_cookie_of_any_bytes_is_compared_and_refused(
    scenario: Scenario, connection: Connection, cookie: str
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    (name,) = browser.cookies
    browser.cookies[name] = cookie
    answer = await scenario.post_callback(browser, connection, fields)
    error = errors.saml_csrf_cookie_mismatch
    await assert_refused(scenario, answer, error=error, reason=error.name)


@pytest.mark.case("XS-77")
@pytest.mark.parametrize("relay_state", ["ü", "sign-in-test-ü", "\u2028" * 60])
async def test_xs_77_a_relay_state_of_any_characters_names_nothing(
    scenario: Scenario, connection: Connection, relay_state: str
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    answer = await browser.post(
        urlsplit(connection["acs_url"]).path, {**fields, "RelayState": relay_state}
    )
    error = errors.missing_saml_relay_state
    await assert_refused(scenario, answer, error=error, reason=error.name)


@pytest.mark.case("XS-77")
def test_xs_77_ten_thousand_wrong_secrets_are_no_secret() -> None:
    random = Random(77)  # noqa: S311 - repeatable on purpose
    secret = random.randbytes(32)
    for _ in range(10_000):
        wrong = bytearray(secret)
        wrong[random.randrange(32)] ^= 1 << random.randrange(8)
        assert not same_secret(secret, bytes(wrong))
        assert not same_secret(secret, secret[: random.randrange(32)])
    assert same_secret(secret, bytes(secret))
