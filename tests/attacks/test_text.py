"""Text that a database or a pattern would trip over, wherever it is taken: AD-23, AD-25, AD-26."""

from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from tests.support.asgi import call
from tests.support.bad_input import send
from tests.support.database_dump import dump
from tests.support.every_endpoint import authorization_of, path_of
from tests.support.member_session import sign_in
from tests.support.scenario import Scenario
from vestibule.api.groups import endpoints

FORM: Final = "application/x-www-form-urlencoded"
BAD_TEXT: Final = ("%00", "a%00b", "%ED%A0%80", "%ED%B0%80x", "%FF", "%C0%AF")
"""NUL, half surrogate pairs and other bytes that are no UTF-8, as a URL or a form carries them."""


# NUL and lone surrogates -----------------------------------------------------------------------


@pytest.mark.case("AD-25")
async def test_no_field_of_a_query_takes_text_that_cannot_be_stored(scenario: Scenario) -> None:
    organization = await scenario.organization()
    before = await dump(scenario)
    asked = 0
    for endpoint in endpoints():
        if endpoint.method not in {"GET", "DELETE"}:
            continue
        path = path_of(endpoint, organization).partition("?")[0]
        for name in {*endpoint.request.__struct_fields__} - {*endpoint.path_names} | {"unknown"}:
            for text in BAD_TEXT:
                answer = await call(
                    scenario.app,
                    endpoint.method,
                    f"{path}?{name}={text}",
                    headers=authorization_of(endpoint, scenario),
                )
                refused = (answer.status, answer.json.get("error_type"))
                assert refused == (400, "bad_request"), (endpoint.operation_id, name, text)
                asked += 1
    assert asked > 200
    assert await dump(scenario) == before


@pytest.mark.case("AD-25", verdict="refused", reason="bad_request")
async def test_no_field_of_a_page_takes_text_that_cannot_be_stored(scenario: Scenario) -> None:
    organization = await scenario.organization()
    saml = await scenario.saml_connection(organization["organization_id"])
    oidc = await scenario.oidc_connection(organization["organization_id"])
    token = f"public_token={scenario.public_token}"
    start = f"/v1/public/sso/start?{token}&connection_id={oidc['connection_id']}"
    callback = f"/v1/b2b/sso/callback/{oidc['connection_id']}?state=a&code=b"
    queries = {
        start: (
            "login_redirect_url",
            "signup_redirect_url",
            "pkce_code_challenge",
            "custom_scopes",
        ),
        f"/v1/public/sso/start?{token}": ("connection_id", "organization_id"),
        callback: ("error", "error_description", "iss", "session_state"),
        f"/v1/b2b/sso/callback/{oidc['connection_id']}?x=": ("state", "code"),
        f"/v1/public/sso/logout/{saml['connection_id']}?x=": ("SAMLRequest", "RelayState"),
        "/v1/public/email_update?x=": ("token",),
        "/v1/public/member_unlock?x=": ("token",),
    }
    before = await dump(scenario)
    for target, names in queries.items():
        for name in names:
            for text in BAD_TEXT:
                answer = await scenario.browser().get(f"{target}&{name}={text}")
                assert answer.status == 400, (target, name, text, answer.text)
                assert "location" not in answer.headers
    path, form = urlsplit(saml["acs_url"]).path, {"content-type": FORM}
    for name in ("SAMLResponse", "RelayState", "unknown"):
        for text in BAD_TEXT:
            body = f"{name}={text}".encode()
            answer = await call(scenario.app, "POST", path, headers=form, body=body)
            assert answer.status == 400, (name, text)
    after = await dump(scenario)
    # A refused callback is traced; nothing else is written.
    for table in before.keys() - {"traces"}:
        assert after[table] == before[table], table


@pytest.mark.case("AD-25", verdict="holds")
async def test_no_header_leads_to_text_that_cannot_be_stored(scenario: Scenario) -> None:
    """The audit log keeps who asked: what a header cannot be shown as, it keeps as ?."""
    for agent in ("a\0b", "\xed\xa0\x80", "\xff\xfe", "\x1b[31m", "x" * 10_000):
        headers = {"user-agent": agent, "x-forwarded-for": agent}
        body = {"organization_name": "Acme"}
        made = await scenario.api.call("POST", "/v1/b2b/organizations", body, headers=headers)
        assert made.status == 200
        organization_id = made.json["organization"]["organization_id"]
        path = f"/v1/b2b/organizations/{organization_id}/audit_events"
        (event,) = (await scenario.api.good("GET", path))["audit_events"]
        assert len(event["user_agent"]) <= 200
        assert event["user_agent"].isprintable()


# Names that mean something elsewhere -------------------------------------------------------------

NAMES: Final = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "",
    " ",
    "$where",
]
AWKWARD: Final[dict[str, Any]] = {name: {name: ["x", {name: True}]} for name in NAMES}


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"end": 1}
    for _ in range(levels - 1):
        value = {"n": value}
    return value


@pytest.mark.case("AD-26", verdict="holds")
async def test_names_of_prototypes_and_deep_values_are_data(scenario: Scenario) -> None:
    organization = await scenario.organization()
    ada = await sign_in(scenario, organization)
    path = f"/v1/b2b/organizations/{ada.organization_id}"
    for metadata in (AWKWARD, nested(20)):
        clean = dict.fromkeys([*NAMES, "n", "end"])
        for where, kind, shown in (
            (path, "trusted_metadata", "organization"),
            (ada.path, "trusted_metadata", "member"),
            (ada.path, "untrusted_metadata", "member"),
        ):
            await scenario.api.good("PUT", where, {kind: clean})
            changed = await scenario.api.good("PUT", where, {kind: metadata})
            assert changed[shown][kind] == metadata
            # Nothing of it became a field of its own.
            assert not changed[shown].keys() & set(NAMES)
        token = {"session_token": ada.headers["x-stytch-member-session"]}
        answer = await scenario.api.good(
            "POST",
            "/v1/b2b/sessions/authenticate",
            {**token, "session_custom_claims": {**clean, **metadata}},
        )
        claims = answer["member_session"]["custom_claims"]
        assert claims.keys() >= metadata.keys()
    got = await scenario.api.good("GET", path)
    assert got["organization"]["trusted_metadata"] == nested(20)


@pytest.mark.case("AD-26")
async def test_the_twenty_first_name_is_refused_whatever_it_is(scenario: Scenario) -> None:
    organization = await scenario.organization()
    ada = await sign_in(scenario, organization)
    path = f"/v1/b2b/organizations/{ada.organization_id}"
    for more in ("__proto__", "constructor", "k20"):
        for where, kind in (
            (path, "trusted_metadata"),
            (ada.path, "trusted_metadata"),
            (ada.path, "untrusted_metadata"),
        ):
            twenty = {f"k{number}": number for number in range(20)}
            await scenario.api.good("PUT", where, {kind: twenty})
            for changes in ({more: 1}, {**twenty, more: 1}):
                refused = await scenario.api.bad("PUT", where, {kind: changes})
                assert refused == (400, "metadata_too_many_keys")
            await scenario.api.good("PUT", where, {kind: {"k0": None, more: 1}})
            await scenario.api.good("PUT", where, {kind: {more: None}})
    body = b'{"trusted_metadata": {"__proto__": 1, "__proto__": 2}}'
    answer = await send(scenario, "PUT", path, body)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")


# Patterns --------------------------------------------------------------------------------------

SEARCHES: Final = {
    "/v1/b2b/organizations/search": (
        "organization_slug_fuzzy",
        "organization_name_fuzzy",
        "member_email_fuzzy",
        "allowed_domain_fuzzy",
    ),
    "/v1/b2b/organizations/members/search": (
        "member_email_fuzzy",
        "member_mfa_phone_number_fuzzy",
    ),
}


def question(path: str, name: str, value: Any) -> dict[str, Any]:
    operands = [{"filter_name": name, "filter_value": value}]
    within = {"organization_ids": ["acme"]} if "members" in path else {}
    return {**within, "query": {"operator": "AND", "operands": operands}}


@pytest.mark.case("AD-23", verdict="refused", reason="bad_request")
async def test_a_search_text_of_ten_kilobytes_is_refused_and_a_thousand_characters_are_not(
    scenario: Scenario,
) -> None:
    await scenario.organization(email_allowed_domains=["acme.test"])
    for path, names in SEARCHES.items():
        for name in names:
            for unit in ("a", "%", "_", "!", "\\", "%_", "a%", "\u00e9"):
                text = unit * (10_000 // len(unit))
                answer = await scenario.api.call("POST", path, question(path, name, text))
                assert (answer.status, answer.json["error_type"]) == (400, "bad_request"), name
                assert answer.json["error_message"].startswith(f"{name}: expected at most 1000")
                body = question(path, name, text[:1000])
                assert (await scenario.api.good("POST", path, body))["results_metadata"][
                    "total"
                ] == 0


@pytest.mark.case("AD-23", verdict="holds")
async def test_wildcards_find_only_themselves(scenario: Scenario) -> None:
    await scenario.organization("100% of_it! C:\\temp", organization_slug="percent")
    await scenario.organization("100 of it C:temp", organization_slug="plain")
    await scenario.organization("Acme", email_allowed_domains=["acme.test"])
    member = {"email_address": "a_da@acme.test", "mfa_phone_number": "+14155552671"}
    await scenario.api.good("POST", "/v1/b2b/organizations/acme/members", member)
    organizations, members = SEARCHES
    for text, found in (
        ("100%", 1),
        ("of_it", 1),
        ("it!", 1),
        ("C:\\t", 1),
        ("100", 2),
        ("%%%", 0),
        ("___", 0),
        ("1%t", 0),
        ("1__", 0),
        ("' OR 1=1 --", 0),
    ):
        body = question(organizations, "organization_name_fuzzy", text)
        answer = await scenario.api.good("POST", organizations, body)
        assert answer["results_metadata"]["total"] == found, text
    for text, found in (("a_da", 1), ("a%a@", 0), ("a__a", 0), ("%%%", 0), ("@acme", 1)):
        body = question(members, "member_email_fuzzy", text)
        answer = await scenario.api.good("POST", members, body)
        assert answer["results_metadata"]["total"] == found, text
