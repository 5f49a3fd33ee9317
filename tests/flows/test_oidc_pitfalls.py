"""The usual mistakes of an OpenID Connect connection, told by name, with the side and the click.

Each test signs in as a provider that is set up in that way answers, and reads the trace. What only
the provider's own page shows (Okta and Entra end there on an unknown redirect URI) is recognised
where it does come back: in the callback's error, or at the token endpoint.
"""

import json
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from msgspec.structs import replace

from tests.support.asgi import Answer
from tests.support.doors import Door
from tests.support.pitfalls import assert_told, change, vendor_door
from tests.support.refusals import traces
from tests.support.scenario import ISSUER, Scenario, token_of
from vestibule import errors
from vestibule.fetch import FetchResponse

ENTRA = "https://login.microsoftonline.com"
TENANT = "7f3b1c2e-0000-4000-8000-0123456789ab"


async def come_back(door: Door, error: str, words: str = "") -> Answer:
    """Start, and come back with the provider's error."""
    browser = door.scenario.browser()
    started = await door.scenario.start(browser, connection_id=door.connection_id)
    (state,) = parse_qs(urlsplit(started.headers["location"]).query)["state"]
    answer = {"error": error, "state": state}
    if words:
        answer["error_description"] = words
    path = urlsplit(door.connection["redirect_url"]).path
    return await browser.get(f"{path}?{urlencode(answer)}")


def token_endpoint_says(scenario: Scenario, error: str, words: str, *, status: int = 400) -> None:
    async def refuse(_method: str, url: str, _body: bytes) -> FetchResponse:
        body = json.dumps({"error": error, "error_description": words}).encode()
        headers = {"content-type": "application/json"}
        return FetchResponse(status=status, headers=headers, body=body, url=url)

    scenario.fetch.answers[f"{ISSUER}/token"] = refuse


@pytest.mark.parametrize(
    ("vendor", "error", "words", "place"),
    [
        (
            "okta",
            "access_denied",
            "User is not assigned to the client application.",
            (
                "Okta: assign the person, or one of their groups, to the application (Assignments "
                "> Assign)."
            ),
        ),
        (
            "microsoft-entra",
            "access_denied",
            "AADSTS50105: Your administrator has configured the application to block users.",
            (
                "Microsoft Entra ID: assign the person, or one of their groups, to the application "
                "(Enterprise applications > Users and groups > Add user/group)."
            ),
        ),
        (
            "google-workspace",
            "org_internal",
            "",
            (
                "Google Workspace: assign the person, or one of their groups, to the application "
                "(Google Cloud > Auth Platform > Audience: Internal, and API controls > App access "
                "control)."
            ),
        ),
        (
            "generic",
            "access_denied",
            "The user was not assigned to this application",
            (
                "Assign the person, or one of their groups, to the application (Assignments or "
                "access of the application)."
            ),
        ),
    ],
)
async def test_a_person_who_is_not_assigned(
    scenario: Scenario, vendor: str, error: str, words: str, place: str
) -> None:
    door = await vendor_door(scenario, "oidc", vendor)
    await assert_told(
        scenario,
        await come_back(door, error, words),
        error=errors.oidc_user_not_assigned_to_app_in_idp,
        reason="oidc.code",
        pitfall="user-not-assigned",
        side="identity_provider",
        fix=place,
    )


@pytest.mark.parametrize(
    ("vendor", "words", "place"),
    [
        ("okta", "The 'redirect_uri' parameter must be a Login redirect URI.", "Sign-in redirect"),
        (
            "microsoft-entra",
            "AADSTS50011: The redirect URI does not match.",
            "Authentication > Web",
        ),
        ("microsoft-entra", "AADSTS500112: The reply address does not match.", "Authentication >"),
        ("keycloak", "Incorrect redirect_uri", "Client > Valid redirect URIs"),
        ("google-workspace", "redirect_uri_mismatch", "Authorized redirect URIs"),
        ("pingfederate", "The redirect URI is invalid", "OAuth client > Redirect URIs"),
    ],
)
async def test_a_redirect_uri_that_is_not_registered(
    scenario: Scenario, vendor: str, words: str, place: str
) -> None:
    door = await vendor_door(scenario, "oidc", vendor)
    token_endpoint_says(scenario, "invalid_grant", words)
    for answer, reason in (
        (await come_back(door, "invalid_request", words), "oidc.code"),
        (await door.come_back(), "oidc.code.grant"),
    ):
        trace = (await traces(scenario))[-1]
        await assert_told(
            scenario,
            answer,
            error=errors.oidc_auth_code_error,
            reason=reason,
            pitfall="redirect-uri-mismatch",
            side="identity_provider",
            fix=trace.steps[-1].fix,
        )
        assert "enter the connection's redirect_url as it is, character by character" in (
            trace.steps[-1].fix
        )
        assert place in trace.steps[-1].fix


@pytest.mark.parametrize(
    ("vendor", "error", "words", "pitfall", "fix"),
    [
        (
            "microsoft-entra",
            "invalid_client",
            "AADSTS7000215: Invalid client secret provided.",
            "wrong-secret",
            (
                "Microsoft Entra ID: compare client_id and client_secret with the application's "
                "and enter them anew (Certificates & secrets > Value (not the Secret ID))."
            ),
        ),
        (
            "microsoft-entra",
            "invalid_client",
            "AADSTS7000222: The provided client secret keys are expired.",
            "expired-secret",
            (
                "Microsoft Entra ID: the client secret has expired: make a new one and give it to "
                "the connection (Certificates & secrets > Value (not the Secret ID))."
            ),
        ),
        (
            "microsoft-entra",
            "invalid_client",
            "AADSTS7000218: The request body must contain: client_assertion or client_secret.",
            "missing-secret",
            (
                "Microsoft Entra ID: give the connection its client_secret (Certificates & secrets "
                "> Value (not the Secret ID))."
            ),
        ),
        (
            "keycloak",
            "unauthorized_client",
            "Invalid client or Invalid client credentials",
            "wrong-secret",
            (
                "Keycloak: compare client_id and client_secret with the application's and enter "
                "them anew (Client > Credentials > Client Secret)."
            ),
        ),
        (
            "onelogin",
            "invalid_client",
            "client authentication failed",
            "wrong-secret",
            (
                "OneLogin: compare client_id and client_secret with the application's and enter "
                "them anew (SSO > Client Secret)."
            ),
        ),
    ],
)
async def test_a_client_secret_that_does_not_fit(
    scenario: Scenario, vendor: str, *, error: str, words: str, pitfall: str, fix: str
) -> None:
    door = await vendor_door(scenario, "oidc", vendor)
    token_endpoint_says(scenario, error, words, status=401)
    await assert_told(
        scenario,
        await door.come_back(),
        error=errors.oidc_auth_code_error,
        reason="oidc.code.client",
        pitfall=pitfall,
        side="vestibule",
        fix=fix,
    )


async def test_a_connection_without_its_secret(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "oidc", "okta")
    fix = "Okta: give the connection its client_secret (General > Client Secrets)."
    answer = await change(door, client_secret="")
    assert answer["warning"] == f"client_secret: {fix}"
    asked = len(scenario.fetch.requests)
    trace = await assert_told(
        scenario,
        await door.come_back(),
        error=errors.oidc_auth_code_error,
        reason="oidc.code.client",
        pitfall="missing-secret",
        side="vestibule",
        fix=fix,
    )
    assert trace.steps[-1].received == "none"
    assert len(scenario.fetch.requests) == asked


async def test_a_connection_that_never_had_a_secret_cannot_be_started(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"], client_secret="")
    assert connection["status"] == "pending"
    answer = await scenario.start(scenario.browser(), connection_id=connection["connection_id"])
    assert answer.status == 400
    assert "client_secret missing" in answer.text


@pytest.mark.parametrize(
    ("vendor", "issuer", "place"),
    [
        ("jumpcloud", f"{ISSUER}/", "https://oauth.id.jumpcloud.com/"),
        ("okta", f"{ISSUER}/oauth2/default", "Your Okta address"),
        ("onelogin", ISSUER.replace("https", "http"), "SSO > Issuer URL"),
    ],
)
async def test_an_issuer_that_is_not_exact(
    scenario: Scenario, vendor: str, issuer: str, place: str
) -> None:
    door = await vendor_door(scenario, "oidc", vendor)
    answer = await door.come_back(iss=issuer)
    trace = (await traces(scenario))[-1]
    assert place in trace.steps[-1].fix
    await assert_told(
        scenario,
        answer,
        error=errors.oidc_invalid_id_token,
        reason="oidc.iss",
        pitfall="issuer-not-exact",
        side="vestibule",
        fix=trace.steps[-1].fix,
    )
    assert (trace.steps[-1].expected, trace.steps[-1].received) == (ISSUER, issuer)


async def test_a_token_of_entras_first_version_is_an_issuer_that_is_not_exact(
    scenario: Scenario,
) -> None:
    """Endpoints without /v2.0 give tokens of another issuer, on another host."""
    door = await vendor_door(scenario, "oidc", "microsoft-entra")
    await change(door, issuer=f"{ENTRA}/{TENANT}/v2.0")
    answer = await door.come_back(iss=f"https://sts.windows.net/{TENANT}/")
    await assert_told(
        scenario,
        answer,
        error=errors.oidc_invalid_id_token,
        reason="oidc.iss",
        pitfall="issuer-not-exact",
        side="vestibule",
        fix=(
            "Microsoft Entra ID: enter the issuer into the connection exactly as the console shows "
            "it, to the last slash "
            "(https://login.microsoftonline.com/<Directory (tenant) ID>/v2.0)."
        ),
    )


async def test_another_issuer_is_no_inexact_one(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "oidc", "okta")
    for issuer in ("https://evil.example.com", "evil", "https://[::1", 7):
        assert (await door.come_back(iss=issuer)).status == 400
    found = await traces(scenario)
    assert {(trace.reason, trace.steps[-1].pitfall) for trace in found} == {("oidc.iss", "")}


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "{tenantid}"])
async def test_an_issuer_that_all_tenants_share_is_refused(scenario: Scenario, tenant: str) -> None:
    door = await vendor_door(scenario, "oidc", "microsoft-entra")
    path = f"/v1/b2b/sso/oidc/{door.organization_id}/connections/{door.connection_id}"
    for suffix in ("", "/.well-known/openid-configuration"):
        body = {"issuer": f"{ENTRA}/{tenant}/v2.0{suffix}"}
        answer = await scenario.api.call("PUT", path, body)
        assert (answer.status, answer.json["error_type"]) == (
            400,
            "oidc_connection_issuer_url_invalid_format",
        )
        assert answer.json["error_message"] == (
            "issuer: this one of Microsoft Entra ID is shared by all tenants, and no token names "
            "it; expected https://login.microsoftonline.com/<Directory (tenant) ID>/v2.0."
        )


@pytest.mark.parametrize(
    ("pasted", "issuer"),
    [
        ("https://a.example.com/.well-known/openid-configuration", "https://a.example.com"),
        ("https://a.example.com/.well-known/openid-configuration", "https://a.example.com/"),
        ("https://a.example.com/.well-known/openid-configuration/", "https://a.example.com"),
        (
            f"{ENTRA}/{TENANT}/v2.0/.well-known/openid-configuration?appid=1",
            f"{ENTRA}/{TENANT}/v2.0",
        ),
        (
            "https://a.example.com/realms/r/.well-known/oauth-authorization-server",
            "https://a.example.com/realms/r",
        ),
    ],
)
async def test_a_pasted_discovery_url_becomes_the_issuer_that_its_document_names(
    scenario: Scenario, pasted: str, issuer: str
) -> None:
    door = await vendor_door(scenario, "oidc", "generic")
    scenario.publish(issuer)
    answer = await change(door, issuer=pasted)
    assert answer["connection"]["issuer"] == issuer
    assert answer["connection"]["status"] == "active"
    assert answer["warning"] == (
        "issuer: this was the address of a discovery document; its issuer is used."
    )
    token_of(await door.come_back(iss=issuer))


async def test_a_discovery_url_that_was_stored_as_issuer_is_named(scenario: Scenario) -> None:
    """Connections that another server wrote may hold one: here it is written past the API."""
    door = await vendor_door(scenario, "oidc", "okta")
    await _store_issuer(door, f"{ISSUER}/.well-known/openid-configuration")
    await assert_told(
        scenario,
        await door.come_back(),
        error=errors.oidc_invalid_id_token,
        reason="oidc.iss",
        pitfall="discovery-url-as-issuer",
        side="vestibule",
        fix=(
            "Okta: the connection's issuer is the address of a discovery document: enter the "
            "issuer itself (Your Okta address (menu under your e-mail))."
        ),
    )


async def _store_issuer(door: Door, issuer: str) -> None:
    async with door.scenario.context.store.write() as tx:
        stored = await tx.connections.find(connection_id=door.connection_id)
        assert stored is not None
        assert stored.oidc is not None
        await tx.connections.update(replace(stored, oidc=replace(stored.oidc, issuer=issuer)))
