import json
from typing import Any

import pytest
from stytch.b2b.models.sso_oidc import CreateConnectionResponse, UpdateConnectionResponse

from tests.support.scenario import CLIENT_ID, CLIENT_SECRET, ISSUER, Scenario
from vestibule.fetch import FetchError, FetchResponse, Reason

BASE = "/v1/b2b/sso/oidc/acme"
URLS = ("authorization_url", "token_url", "userinfo_url", "jwks_url")
WELL_KNOWN = "/.well-known/openid-configuration"
DOCUMENT: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "jwks_uri": f"{ISSUER}/jwks",
}
DISCOVERED = {
    "authorization_url": f"{ISSUER}/authorize",
    "token_url": f"{ISSUER}/token",
    "userinfo_url": f"{ISSUER}/userinfo",
    "jwks_url": f"{ISSUER}/jwks",
}
BY_HAND = {name: f"https://hand.example.com/{name}" for name in URLS}


async def create(scenario: Scenario, **fields: Any) -> dict[str, Any]:
    await scenario.organization()
    return dict((await scenario.api.good("POST", BASE, fields))["connection"])


def path_of(connection: dict[str, Any]) -> str:
    return f"{BASE}/connections/{connection['connection_id']}"


async def update(
    scenario: Scenario, connection: dict[str, Any], **changes: Any
) -> tuple[dict[str, Any], str]:
    answer = await scenario.api.good("PUT", path_of(connection), changes)
    UpdateConnectionResponse.model_validate(answer)
    return answer["connection"], answer["warning"]


async def shown(scenario: Scenario) -> list[dict[str, Any]]:
    return list((await scenario.api.good("GET", "/v1/b2b/sso/acme"))["oidc_connections"])


def publish(
    scenario: Scenario,
    body: bytes | None = None,
    *,
    issuer: str = ISSUER,
    status: int = 200,
    **changes: Any,
) -> None:
    document = {k: v for k, v in {**DOCUMENT, **changes}.items() if v is not None}

    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        content = json.dumps(document).encode() if body is None else body
        return FetchResponse(status=status, headers={}, body=content, url=url)

    scenario.fetch.answers[issuer.removesuffix("/") + WELL_KNOWN] = answer


# Life ------------------------------------------------------------------------------------------


async def test_new_connection_is_pending_and_complete(scenario: Scenario) -> None:
    organization = await scenario.organization()
    body = {"display_name": "Okta", "identity_provider": "okta"}
    answer = await scenario.api.good("POST", BASE, body)
    CreateConnectionResponse.model_validate(answer)
    connection = answer["connection"]
    connection_id = connection["connection_id"]
    assert connection_id.startswith("oidc-connection-test-")
    blank = ("client_id", "client_secret", "issuer", "custom_scopes", *URLS)
    assert connection == {
        "organization_id": organization["organization_id"],
        "connection_id": connection_id,
        "status": "pending",
        "display_name": "Okta",
        "identity_provider": "okta",
        "redirect_url": f"https://sso.example.test/v1/b2b/sso/callback/{connection_id}",
        "attribute_mapping": {},
        **dict.fromkeys(blank, ""),
    }
    assert await shown(scenario) == [connection]


async def test_connection_is_active_once_nothing_is_missing(scenario: Scenario) -> None:
    connection = await create(scenario)
    needed = {"issuer": ISSUER, "client_id": "c", "client_secret": "s", **BY_HAND}
    for name, value in needed.items():
        assert connection["status"] == "pending", name
        connection, _ = await update(scenario, connection, **{name: value})
    assert connection["status"] == "active"
    got = await scenario.api.good("GET", "/v1/b2b/organizations/acme")
    default = got["organization"]["sso_default_connection_id"]
    assert default == connection["connection_id"]
    emptied, _ = await update(scenario, connection, client_id="")
    assert (emptied["status"], emptied["client_id"]) == ("active", "")


async def test_every_field_can_be_set_and_what_is_absent_stays(scenario: Scenario) -> None:
    connection = await create(scenario)
    changes = {
        "display_name": "Zoë's",
        "identity_provider": "microsoft-entra",
        "issuer": ISSUER,
        "client_id": "0oa-\U0001f6c2 é",
        "client_secret": "päss:word%+&= ",
        "custom_scopes": "openid email groups",
        "attribute_mapping": {"department": "dep", "https://x/y": "z"},
        **BY_HAND,
    }
    changed, _ = await update(scenario, connection, **changes)
    assert {name: changed[name] for name in changes} == changes
    assert await update(scenario, connection) == (changed, "")
    assert await shown(scenario) == [changed]


async def test_client_secret_is_sealed_in_the_database(scenario: Scenario) -> None:
    await update(scenario, await create(scenario), client_secret="very-secret")
    async with scenario.context.store.read() as tx:
        (stored,) = await tx.connections.all(project_id=scenario.project.project_id)
    assert stored.oidc is not None
    assert b"very-secret" not in stored.oidc.client_secret
    opened = scenario.context.sealer.unseal(stored.oidc.client_secret, purpose="oidc-client-secret")
    assert opened == b"very-secret"


# Refused values --------------------------------------------------------------------------------

BAD_URLS = [
    "x",
    "/authorize",
    "http://op.example.com/x",
    "file:///etc/passwd",
    "data:application/json,{}",
    "javascript:alert(1)",
    "https://u@op.example.com/",
    "https://op.example.com/#x",
    "https://op.example.com/\r\nx: y",
    "https://op.example.com:0/",
    "https://[::1/",
    "https://\u2024/",
    "HTTPS://op.example.com/",
    "https://op.example.com/" + "x" * 3000,
]


@pytest.mark.case("OI-50")
@pytest.mark.parametrize("name", ["issuer", *URLS])
async def test_url_that_is_not_https_is_refused_by_its_name(scenario: Scenario, name: str) -> None:
    connection = await create(scenario)
    for value in BAD_URLS:
        answer = await scenario.api.call(
            "PUT", path_of(connection), {"display_name": "New", name: value}
        )
        kind = f"oidc_connection_{name if name != 'issuer' else 'issuer_url'}_invalid_format"
        assert (answer.status, answer.json["error_type"]) == (400, kind), value
        assert answer.json["error_message"] == f"{name}: expected an https URL."
    assert scenario.fetch.requests == []
    assert await shown(scenario) == [connection]


@pytest.mark.parametrize(
    ("changes", "error", "start"),
    [
        ({"display_name": "x" * 257}, "invalid_display_name", "display_name: "),
        ({"identity_provider": "saml"}, "invalid_sso_idp", "identity_provider: "),
        ({"client_id": "x" * 1025}, "invalid_client_id", "client_id: "),
        ({"client_id": "a\nb"}, "invalid_client_id", "client_id: "),
        ({"client_secret": "x" * 1025}, "client_secret_too_long", "client_secret: "),
        ({"client_secret": "a\tb"}, "client_secret_too_long", "client_secret: "),
        ({"custom_scopes": 'a "b"'}, "bad_request", "custom_scopes: "),
        ({"custom_scopes": "a\\b"}, "bad_request", "custom_scopes: "),
        ({"custom_scopes": "é"}, "bad_request", "custom_scopes: "),
        ({"custom_scopes": "x " * 257}, "bad_request", "custom_scopes: "),
        (
            {"attribute_mapping": {"a": {"b": "c"}}},
            "saml_connection_no_nested_keys_in_attribute_mapping",
            "attribute_mapping.a: ",
        ),
        (
            {"attribute_mapping": {str(n): "x" for n in range(51)}},
            "saml_connection_no_nested_keys_in_attribute_mapping",
            "attribute_mapping: ",
        ),
        (
            {"authorization_url": f"{ISSUER}/authorize?client_id=x"},
            "oidc_connection_authorization_url_invalid_format",
            "authorization_url: ",
        ),
    ],
)
async def test_bad_value_is_refused_by_name_and_changes_nothing(
    scenario: Scenario, changes: dict[str, Any], error: str, start: str
) -> None:
    connection = await create(scenario)
    body = {"client_id": "new", **changes}
    answer = await scenario.api.call("PUT", path_of(connection), body)
    assert (answer.status, answer.json["error_type"]) == (400, error)
    assert answer.json["error_message"].startswith(start)
    assert len(answer.body) < 700
    assert await shown(scenario) == [connection]


async def test_null_is_refused_by_name(scenario: Scenario) -> None:
    connection = await create(scenario)
    for name in ("issuer", "client_secret", "custom_scopes", "attribute_mapping", *URLS):
        answer = await scenario.api.call("PUT", path_of(connection), {name: None})
        assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
        assert answer.json["error_message"].startswith(f"{name}: expected ")


async def test_saml_connection_and_unknown_one_are_not_found(scenario: Scenario) -> None:
    organization = await scenario.organization()
    saml = await scenario.saml_connection(organization["organization_id"])
    for connection in (saml, {"connection_id": "oidc-connection-test-none"}):
        refused = await scenario.api.bad("PUT", path_of(connection), {"issuer": ISSUER})
        assert refused == (404, "oidc_connection_not_found")
    assert scenario.fetch.requests == []


# Discovery -------------------------------------------------------------------------------------


async def test_new_issuer_fills_in_the_endpoints(scenario: Scenario) -> None:
    connection = await create(scenario)
    publish(scenario)
    changed, warning = await update(scenario, connection, issuer=ISSUER)
    assert {name: changed[name] for name in URLS} == DISCOVERED
    assert warning == ""


async def test_endpoint_that_is_sent_along_wins(scenario: Scenario) -> None:
    connection = await create(scenario)
    publish(scenario)
    for name in URLS:
        changed, warning = await update(
            scenario, connection, issuer=ISSUER, **{name: BY_HAND[name]}
        )
        assert {each: changed[each] for each in URLS} == {**DISCOVERED, name: BY_HAND[name]}
        assert warning == ""
        await update(scenario, connection, issuer="", **dict.fromkeys(URLS, ""))


async def test_issuer_that_stays_is_not_asked_again(scenario: Scenario) -> None:
    connection = await create(scenario)
    publish(scenario)
    changed, _ = await update(scenario, connection, issuer=ISSUER)
    publish(scenario, token_endpoint="https://evil.example.com/token")
    assert await update(scenario, connection, issuer=ISSUER) == (changed, "")
    changed, warning = await update(scenario, connection, client_id="c")
    assert changed["client_id"] == "c"
    assert warning == "client_secret: Give the connection its client_secret (Client secret)."
    assert len(scenario.fetch.requests) == 1


async def test_failed_discovery_can_be_tried_again(scenario: Scenario) -> None:
    connection = await create(scenario)
    _, warning = await update(scenario, connection, issuer=ISSUER, token_url=BY_HAND["token_url"])
    assert "it could not be fetched" in warning
    publish(scenario)
    changed, warning = await update(scenario, connection, issuer=ISSUER)
    expected = {**DISCOVERED, "token_url": BY_HAND["token_url"]}
    assert {name: changed[name] for name in URLS} == expected
    assert warning == ""


async def test_pasted_discovery_url_becomes_its_issuer(scenario: Scenario) -> None:
    connection = await create(scenario)
    publish(scenario)
    changed, warning = await update(scenario, connection, issuer=f"{ISSUER}{WELL_KNOWN}")
    assert changed["issuer"] == ISSUER
    assert {name: changed[name] for name in URLS} == DISCOVERED
    assert warning.startswith("issuer: this was the address of a discovery document")


@pytest.mark.case("OI-49")
@pytest.mark.parametrize("named", ["https://other.example.com", f"{ISSUER}/", ISSUER.upper(), None])
async def test_document_of_another_issuer_is_not_used(
    scenario: Scenario, named: str | None
) -> None:
    connection = await create(scenario)
    publish(scenario, json.dumps({**DOCUMENT, "issuer": named}).encode())
    changed, warning = await update(scenario, connection, issuer=ISSUER)
    assert changed == {**connection, "issuer": ISSUER}
    assert f"expected issuer {ISSUER}" in warning
    assert (f"received issuer {named}" in warning) == (named is not None)
    assert ("slash at its end" in warning) == (named == f"{ISSUER}/")


@pytest.mark.case("OI-50")
@pytest.mark.parametrize("endpoint", list(DOCUMENT)[1:])
async def test_document_with_an_endpoint_that_is_not_https_is_not_used(
    scenario: Scenario, endpoint: str
) -> None:
    connection = await create(scenario)
    for url in BAD_URLS:
        publish(scenario, json.dumps({**DOCUMENT, endpoint: url}).encode())
        changed, warning = await update(scenario, connection, issuer=ISSUER)
        assert changed == {**connection, "issuer": ISSUER}
        assert f"expected {endpoint}: an https URL" in warning
        assert len(warning) < 700


@pytest.mark.case("OI-50")
async def test_endpoints_on_other_hosts_are_taken_over_https(scenario: Scenario) -> None:
    # As Google's are; each is fetched through the guard of outbound requests when it is used.
    connection = await create(scenario)
    publish(scenario, token_endpoint="https://oauth.example.net/token")
    changed, warning = await update(scenario, connection, issuer=ISSUER)
    assert (changed["token_url"], warning) == ("https://oauth.example.net/token", "")


UNUSABLE: list[tuple[bytes | None, int]] = [
    (b"", 200),
    (b"<html>Log in to the internal wiki</html>", 200),
    (b"[]", 200),
    (b'{"issuer": NaN}', 200),
    (b"\xff", 200),
    (b"[" * 100_000, 200),
    (b"{}", 500),
    (None, 404),
    (None, 302),
]


async def test_document_that_cannot_be_used_is_a_warning(scenario: Scenario) -> None:
    connection = await create(scenario)
    for body, status in UNUSABLE:
        publish(scenario, body, status=status)
        changed, warning = await update(scenario, connection, issuer=ISSUER, client_id="c")
        assert changed == {**connection, "issuer": ISSUER, "client_id": "c"}
        assert warning.startswith("The discovery document of this issuer could not be used")
        assert "internal wiki" not in warning


async def test_reason_why_a_host_cannot_be_reached_is_not_told(scenario: Scenario) -> None:
    connection = await create(scenario)
    warnings = set()
    for reason in Reason:

        async def fail(_method: str, _url: str, _body: bytes, why: Reason = reason) -> Any:
            raise FetchError(why, detail="10.0.0.7 refused")

        scenario.fetch.answers[ISSUER + WELL_KNOWN] = fail
        warnings.add((await update(scenario, connection, issuer=ISSUER))[1])
    (only,) = warnings
    assert "(it could not be fetched)" in only
    assert "10.0.0.7" not in only


async def test_issuer_with_a_query_has_no_document(scenario: Scenario) -> None:
    connection = await create(scenario)
    changed, warning = await update(scenario, connection, issuer=f"{ISSUER}?x=1")
    assert changed["issuer"] == f"{ISSUER}?x=1"
    assert "an issuer without a query" in warning
    assert scenario.fetch.requests == []


async def test_provider_without_userinfo_leaves_that_to_the_admin(scenario: Scenario) -> None:
    connection = await create(scenario)
    publish(scenario, userinfo_endpoint=None)
    changed, warning = await update(
        scenario, connection, issuer=ISSUER, client_id="c", client_secret="s"
    )
    assert (changed["userinfo_url"], changed["status"]) == ("", "pending")
    assert warning.startswith("userinfo_url: it is missing, and nobody can sign in without it.")
    assert "give the address that the provider documents" in warning
    changed, warning = await update(scenario, connection, userinfo_url=BY_HAND["userinfo_url"])
    assert (changed["status"], warning) == ("active", "")


@pytest.mark.case("OI-48")
@pytest.mark.parametrize(
    ("methods", "told"),
    [
        (["private_key_jwt"], "names only private_key_jwt; allow client_secret_basic or"),
        (["tls_client_auth", "x" * 5000], "names only tls_client_auth, xxx"),
        (["private_key_jwt", "client_secret_post"], ""),
        (["client_secret_basic"], ""),
        ([], ""),
        (None, ""),
    ],
)
async def test_provider_that_wants_no_secret_is_told_of(
    scenario: Scenario, methods: list[str] | None, told: str
) -> None:
    """private_key_jwt is not offered: no assertion of ours has an audience to be confused."""
    connection = await create(scenario)
    publish(scenario, token_endpoint_auth_methods_supported=methods)
    changed, warning = await update(
        scenario, connection, issuer=ISSUER, client_id="c", client_secret="s"
    )
    assert changed["status"] == "active"
    assert told in warning
    assert bool(warning) == bool(told)
    assert len(warning) < 500


async def test_what_the_old_document_said_does_not_hold_for_a_new_issuer(
    scenario: Scenario,
) -> None:
    connection = await create(scenario)
    publish(
        scenario,
        authorization_response_iss_parameter_supported=True,
        token_endpoint_auth_methods_supported=["client_secret_post"],
    )
    await update(scenario, connection, issuer=ISSUER)
    assert await protocol(scenario) == ("client_secret_post", True)
    await update(scenario, connection, issuer="https://new.example.com")
    assert await protocol(scenario) == ("", False)


async def protocol(scenario: Scenario) -> tuple[str, bool]:
    async with scenario.context.store.read() as tx:
        (stored,) = await tx.connections.all(project_id=scenario.project.project_id)
    assert stored.oidc is not None
    return stored.oidc.token_auth_method, stored.oidc.iss_parameter_supported


async def test_admin_says_how_the_client_authenticates(scenario: Scenario) -> None:
    connection = await active(scenario)
    path = f"/v1/b2b/sso/acme/connections/{connection['connection_id']}/settings"
    await scenario.api.good("PUT", path, {"client_authentication": "client_secret_post"})
    # What the document says when it is read again changes nothing about it.
    await update(scenario, connection, issuer=ISSUER)
    await scenario.authenticate(await scenario.oidc_token(connection))
    sent = zip(scenario.fetch.requests, scenario.fetch.headers, strict=True)
    ((body, headers),) = [
        (body, headers) for (method, _, body), headers in sent if method == "POST"
    ]
    assert f"client_secret={CLIENT_SECRET}".encode() in body
    assert "authorization" not in {name.lower() for name in headers}
    refused = await scenario.api.bad("PUT", path, {"client_authentication": "none"})
    assert refused == (400, "bad_request")


# Where the secret goes -------------------------------------------------------------------------


async def active(scenario: Scenario) -> dict[str, Any]:
    organization = await scenario.organization()
    return await scenario.oidc_connection(organization["organization_id"])


@pytest.mark.case("OI-46")
async def test_secret_does_not_follow_the_providers_document(scenario: Scenario) -> None:
    connection = await active(scenario)
    publish(scenario, token_endpoint="https://evil.example.com/token")
    await update(scenario, connection, issuer=ISSUER)
    await scenario.authenticate(await scenario.oidc_token(connection))
    posted = [url for method, url, _ in scenario.fetch.requests if method == "POST"]
    assert posted == [f"{ISSUER}/token"]


@pytest.mark.case("OI-46")
@pytest.mark.parametrize("by_issuer", [False, True])
async def test_admin_who_moves_the_token_url_is_told_where_the_secret_goes(
    scenario: Scenario, by_issuer: bool
) -> None:
    connection = await active(scenario)
    new = "https://new.example.com"
    if by_issuer:
        document = {k: v.replace(ISSUER, new) for k, v in DOCUMENT.items()}
        publish(scenario, json.dumps(document).encode(), issuer=new)
    changes = {"issuer": new} if by_issuer else {"token_url": f"{new}/token"}
    changed, warning = await update(scenario, connection, **changes)
    assert changed["token_url"] == f"{new}/token"
    assert warning.startswith("token_url: it was at op.example.com and is now at new.example.com,")
    assert CLIENT_SECRET not in warning
    # Told once, at the change.
    assert (await update(scenario, connection, client_id=CLIENT_ID))[1] == ""


@pytest.mark.case("OI-46")
async def test_new_secret_or_the_same_host_is_no_reason_to_warn(scenario: Scenario) -> None:
    connection = await active(scenario)
    for changes in (
        {"token_url": f"{ISSUER}/token/v2"},
        {"token_url": "https://new.example.com/token", "client_secret": "new"},
    ):
        assert (await update(scenario, connection, **changes))[1] == "", changes
    _, warning = await update(scenario, connection, client_secret="")
    assert warning.startswith("client_secret: Give the connection")
    _, warning = await update(scenario, connection, token_url=f"{ISSUER}/token")
    assert "will be sent" not in warning
