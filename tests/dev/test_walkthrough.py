import re

import pytest

from tests.dev.conftest import Development
from vestibule.dev.application import start_path
from vestibule.dev.credentials import TEST_PROJECT
from vestibule.dev.walkthrough import WalkError, walk


async def walked(development: Development) -> str:
    said: list[str] = []
    await walk(development.base_url, TEST_PROJECT, said.append)
    return "\n".join(said)


async def test_both_logins_are_told_step_by_step(development: Development) -> None:
    seeded = await development.seeded()
    said = await walked(development)
    steps = [
        f"SAML: Alice Adams signs in through {seeded.saml_connection_id}",
        "GET  /v1/public/sso/start?",
        "GET  /dev/idp/saml/sso?SAMLRequest=",
        "POST /dev/idp/saml/login",
        f"POST /v1/b2b/sso/callback/{seeded.saml_connection_id}",
        "back to the application: /dev/app/callback?stytch_token_type=sso&token=",
        "POST /v1/b2b/sso/authenticate",
        "Alice Adams <alice@example.com> member-test-",
        "session  session-test-",
        "JWT  signature good, lives 300 seconds",
        f"iss           stytch.com/{TEST_PROJECT.project_id}",
        "organization  acme",
        ", by sso_saml",
        f"OpenID Connect: Alice Adams signs in through {seeded.oidc_connection_id}",
        "GET  /dev/idp/oidc/authorize?",
        "POST /dev/idp/oidc/login",
        f"GET  /v1/b2b/sso/callback/{seeded.oidc_connection_id}?code=",
        "POST /v1/b2b/sso/authenticate",
        ", by sso_oidc",
        "Both logins reached the same member",
    ]
    at = 0
    for step in steps:
        assert step in said[at:], f"{step}\nafter\n{said[:at]}"
        at = said.index(step, at) + len(step)


async def test_it_can_be_walked_again(development: Development) -> None:
    await development.seeded()
    await walked(development)
    assert "Both logins reached the same member" in await walked(development)


async def test_no_secret_is_told(development: Development) -> None:
    await development.seeded()
    said = await walked(development)
    assert TEST_PROJECT.secret not in said
    # Tokens, codes and signatures are long; what is told of them is not enough to use them.
    long = re.findall(r"[A-Za-z0-9_-]{60,}", said)
    assert [word for word in long if "-test-" not in word] == []


async def test_missing_connection_is_an_error(development: Development) -> None:
    seeded = await development.seeded()
    path = f"/v1/b2b/sso/acme/connections/{seeded.oidc_connection_id}"
    await development.api.call("DELETE", path)
    with pytest.raises(WalkError, match="acme has no active OpenID Connect connection"):
        await walked(development)


async def test_login_that_does_not_arrive_is_an_error(development: Development) -> None:
    seeded = await development.seeded()
    path = f"/v1/b2b/sso/saml/acme/connections/{seeded.saml_connection_id}"
    elsewhere = {"idp_sso_url": f"{development.base_url}/dev/mailbox"}
    await development.api.call("PUT", path, elsewhere)
    with pytest.raises(WalkError, match="expected a page with one form, got 200 with 0 forms"):
        await walked(development)


async def test_pending_connection_is_passed_over(development: Development) -> None:
    await development.api.call(
        "POST",
        "/v1/b2b/organizations",
        {"organization_name": "Acme", "organization_slug": "acme"},
    )
    await development.api.call("POST", "/v1/b2b/sso/saml/acme", {"display_name": "Pending"})
    with pytest.raises(WalkError, match="acme has no active SAML connection"):
        await walked(development)


async def test_login_that_goes_in_circles_is_an_error(development: Development) -> None:
    seeded = await development.seeded()
    start = start_path(
        seeded.saml_connection_id,
        base_url=development.base_url,
        public_token=TEST_PROJECT.public_token,
    )
    path = f"/v1/b2b/sso/saml/acme/connections/{seeded.saml_connection_id}"
    await development.api.call("PUT", path, {"idp_sso_url": development.base_url + start})
    with pytest.raises(WalkError, match="no end after 10 steps"):
        await walked(development)


async def test_other_name_than_the_persons_is_an_error(development: Development) -> None:
    seeded = await development.seeded()
    path = f"/v1/b2b/sso/saml/acme/connections/{seeded.saml_connection_id}"
    swapped = {"email": "email", "first_name": "lastName", "last_name": "firstName"}
    await development.api.call("PUT", path, {"attribute_mapping": swapped})
    with pytest.raises(WalkError, match="expected Alice Adams, got Adams Alice"):
        await walked(development)
