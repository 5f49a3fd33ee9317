"""Claims to e-mail domains, spelled in every way: MT-21 and MT-22.

There is no proof by DNS: whoever holds the project secret decides which domains an organization
claims. What is guarded is that a domain has one owner, and that a claim ends when it is taken back.
"""

from typing import Any
from urllib.parse import quote

import pytest

from tests.support.asgi import basic, call
from tests.support.doors import open_door
from tests.support.scenario import Scenario
from vestibule import errors

PATH = "/v1/b2b/organizations"
TAKEN = errors.organization_settings_duplicate_claimed_domain
COMMON = errors.organization_settings_claimed_domain_too_common
INVALID = errors.organization_settings_invalid_claimed_domain
CLAIMED = errors.action_not_allowed_email_domain_is_claimed


async def claim(scenario: Scenario, *domains: str, name: str = "second") -> Any:
    """Let a second organization claim these domains, and return the API's answer."""
    return await scenario.api.call("PUT", f"{PATH}/{name}", {"claimed_email_domains": domains})


@pytest.fixture
async def two(scenario: Scenario) -> Scenario:
    """Return a project with two organizations; the first one claims two domains."""
    claims = ["acme.test", "b\u00fccher.test"]
    await scenario.organization("First", claimed_email_domains=claims)
    await scenario.organization("Second")
    return scenario


@pytest.mark.case("MT-21")
@pytest.mark.parametrize(
    ("domain", "error"),
    [
        ("acme.test", TAKEN),
        ("ACME.Test", TAKEN),
        ("\uff41cme.test", INVALID),
        ("b\u00fccher.test", TAKEN),
        ("xn--bcher-kva.test", TAKEN),
        ("XN--BCHER-KVA.test", TAKEN),
        ("acme.test.", INVALID),
        (" acme.test", INVALID),
        ("acme.test\u3002", INVALID),
        ("@acme.test", INVALID),
        ("*.acme.test", INVALID),
        ("gmail.com", COMMON),
        ("GMAIL.com", COMMON),
        ("outlook.co.uk", COMMON),
        ("test", INVALID),
    ],
)
async def test_a_domain_is_claimed_once_however_it_is_spelled(
    two: Scenario, domain: str, error: errors.ErrorType
) -> None:
    refused = await claim(two, domain)
    assert (refused.status, refused.json["error_type"]) == (error.status, error.name)
    body = {"organization_name": "Third", "claimed_email_domains": [domain]}
    assert await two.api.bad("POST", PATH, body) == (error.status, error.name)


@pytest.mark.case("MT-21")
@pytest.mark.parametrize("domain", ["mail.acme.test", "\u0430cme.test", "xn--cme-7cd.test"])
async def test_another_domain_gains_nothing_of_one_that_looks_like_it(
    two: Scenario, domain: str
) -> None:
    assert (await claim(two, domain)).status == 200
    members = f"{PATH}/second/members"
    taken = await two.api.bad("POST", members, {"email_address": "ada@acme.test"})
    assert taken == (CLAIMED.status, CLAIMED.name)
    await two.api.good("POST", f"{PATH}/first/members", {"email_address": "ada@acme.test"})


@pytest.mark.case("MT-21")
@pytest.mark.parametrize("domain", ["acme.test", "ACME.test", "B\u00fccher.test"])
async def test_addresses_of_a_claimed_domain_are_refused_however_they_are_spelled(
    two: Scenario, domain: str
) -> None:
    body = {"email_address": f"ada@{domain}"}
    refused = await two.api.bad("POST", f"{PATH}/second/members", body)
    assert refused == (CLAIMED.status, CLAIMED.name)


@pytest.mark.case("MT-22")
async def test_a_claim_that_is_taken_back_counts_no_more(scenario: Scenario) -> None:
    owner = await open_door(scenario, "oidc", "First", claimed_email_domains=["acme.test"])
    other = await open_door(scenario, "oidc", "Second", email_allowed_domains=["acme.test"])
    assert await routed(scenario) == [owner.connection_id]
    assert await other.refused() == (CLAIMED.status, CLAIMED.name)
    await owner.settings(claimed_email_domains=[])
    assert await routed(scenario) == [other.connection_id]
    assert (await other.log_in())["organization_id"] == other.organization_id


@pytest.mark.case("MT-22")
async def test_a_claim_ends_with_its_organization(scenario: Scenario) -> None:
    owner = await open_door(scenario, "oidc", "First", claimed_email_domains=["acme.test"])
    await scenario.organization("Second")
    assert (await claim(scenario, "acme.test")).status == TAKEN.status
    await scenario.api.good("DELETE", f"{PATH}/{owner.organization_id}")
    assert await routed(scenario) == []
    assert (await claim(scenario, "acme.test")).status == 200


async def routed(scenario: Scenario) -> list[str]:
    """Return where a stranger with an address of the domain is sent to sign in."""
    query = f"email_address={quote('ada@acme.test')}"
    headers = {"authorization": basic(scenario.public_token, scenario.public_token)}
    path = f"/sdk/v1/b2b/sso/discovery/connections?{query}"
    answer = await call(scenario.app, "GET", path, headers=headers)
    assert answer.status == 200, answer.text
    return [each["connection_id"] for each in answer.json["data"]["connections"]]
