"""Sessions taken over from another system, on both databases (semantics 6.4)."""

import json
from typing import Any

import pytest

from tests.support.asgi import call
from tests.support.member_session import sign_in
from tests.support.scenario import Scenario
from vestibule.clock import HOUR, MINUTE, rfc3339
from vestibule.domain import projects, session_migration, suspension
from vestibule.errors import Failure
from vestibule.fetch import FetchError, FetchResponse, Reason

MIGRATE = "/v1/b2b/sessions/migrate"
USERINFO = "https://legacy.example.com/userinfo"
JSON = "application/json"
UNEXPECTED = (400, "migrate_from_external_unexpected_response")
NOBODY = (400, "migrate_from_external_email_does_not_exist")


class Legacy:
    """The system that the application comes from; it knows one person, by any token."""

    def __init__(self, scenario: Scenario, organization_id: str) -> None:
        self.scenario = scenario
        self.organization_id = organization_id
        self.answer: tuple[int, str, bytes] = (200, JSON, b'{"email": "ada@acme.test"}')
        scenario.fetch.answers[USERINFO] = self._userinfo

    def says(self, **claims: Any) -> None:
        self.answer = (200, JSON, json.dumps(claims).encode())

    async def _userinfo(self, _method: str, url: str, _body: bytes) -> FetchResponse:
        status, kind, body = self.answer
        return FetchResponse(status=status, headers={"content-type": kind}, body=body, url=url)

    async def set_source(self, url: str) -> None:
        """Set it, and see the project as the next request sees it."""
        context, project = self.scenario.context, self.scenario.project
        await session_migration.set_source(context, project, url)

    def body(self, **changes: Any) -> dict[str, Any]:
        return {"session_token": "legacy-1", "organization_id": self.organization_id, **changes}

    async def migrate(self, **changes: Any) -> dict[str, Any]:
        return dict(await self.scenario.api.good("POST", MIGRATE, self.body(**changes)))

    async def refused(self, **changes: Any) -> tuple[int, str]:
        return await self.scenario.api.bad("POST", MIGRATE, self.body(**changes))

    async def sessions(self) -> int:
        async with self.scenario.context.store.read() as tx:
            return await tx.sessions.count()

    async def add_member(self, **fields: Any) -> dict[str, Any]:
        path = f"/v1/b2b/organizations/{self.organization_id}/members"
        body = {"email_address": "ada@acme.test", **fields}
        return dict((await self.scenario.api.good("POST", path, body))["member"])


@pytest.fixture
async def legacy(scenario: Scenario) -> Legacy:
    made = Legacy(scenario, (await scenario.organization())["organization_id"])
    await made.set_source(USERINFO)
    return made


async def test_session_begins_for_whom_the_other_system_names(legacy: Legacy) -> None:
    member = await legacy.add_member()
    assert member["email_address_verified"] is False
    result = await legacy.migrate(
        session_duration_minutes=30, session_custom_claims={"plan": "gold", "iss": "reserved"}
    )
    now = legacy.scenario.clock.now()
    assert result.keys() == {
        "status_code",
        "request_id",
        "member_id",
        "member_session",
        "session_token",
        "session_jwt",
        "member",
        "organization",
    }
    assert result["member"] == {**member, "email_address_verified": True}
    assert result["member_id"] == member["member_id"]
    assert result["organization"]["organization_id"] == legacy.organization_id
    session = result["member_session"]
    assert session["authentication_factors"] == [
        {
            "type": "imported",
            "delivery_method": "imported_auth0",
            "sequence_order": "PRIMARY",
            "last_authenticated_at": rfc3339(now),
            "created_at": rfc3339(now),
            "updated_at": rfc3339(now),
        }
    ]
    assert session["expires_at"] == rfc3339(now + 30 * MINUTE)
    assert session["custom_claims"] == {"plan": "gold"}
    for name in ("session_token", "session_jwt"):
        body = {name: result[name]}
        seen = await legacy.scenario.api.good("POST", "/v1/b2b/sessions/authenticate", body)
        assert seen["member_session"] == session


async def test_the_other_system_is_asked_as_userinfo_endpoints_are(legacy: Legacy) -> None:
    await legacy.add_member()
    await legacy.migrate(session_token="abc.DEF-._~+/=")
    fetch = legacy.scenario.fetch
    assert fetch.requests[-1] == ("GET", USERINFO, b"")
    assert fetch.headers[-1]["Authorization"] == "Bearer abc.DEF-._~+/="
    # Requests of one organization wait for one another, and for nobody else's.
    assert fetch.tenants[-1] == legacy.organization_id


@pytest.mark.parametrize("locator", ["acme", "acme-1"])
async def test_organization_is_named_as_everywhere(scenario: Scenario, locator: str) -> None:
    made = await scenario.organization(organization_external_id="acme-1")
    legacy = Legacy(scenario, made["organization_id"])
    await legacy.set_source(USERINFO)
    await legacy.add_member()
    result = await legacy.migrate(organization_id=locator)
    assert result["organization"]["organization_id"] == made["organization_id"]
    default = rfc3339(scenario.clock.now() + HOUR)
    assert result["member_session"]["expires_at"] == default


@pytest.mark.parametrize("address", ["ADA@Acme.Test", "ada@acme.test"])
async def test_address_is_compared_in_its_canonical_form(legacy: Legacy, address: str) -> None:
    member = await legacy.add_member()
    legacy.says(email=address, email_verified=True, sub="legacy-user-1")
    assert (await legacy.migrate())["member_id"] == member["member_id"]


async def test_what_a_login_needs_is_not_asked_for_again(legacy: Legacy) -> None:
    """The session goes on; it began before anything was demanded here."""
    path = f"/v1/b2b/organizations/{legacy.organization_id}"
    demands = {
        "auth_methods": "RESTRICTED",
        "allowed_auth_methods": ["sso"],
        "mfa_policy": "REQUIRED_FOR_ALL",
    }
    await legacy.scenario.api.good("PUT", path, demands)
    await legacy.add_member()
    assert (await legacy.migrate())["session_token"]


# Refusals --------------------------------------------------------------------------------------


async def test_project_that_names_no_system_takes_nothing_over(legacy: Legacy) -> None:
    await legacy.add_member()
    await legacy.set_source("")
    assert await legacy.refused() == (400, "migrate_from_external_missing_userinfo")
    assert legacy.scenario.fetch.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        (401, JSON, b'{"email": "ada@acme.test"}'),
        (302, JSON, b'{"email": "ada@acme.test"}'),
        (500, JSON, b""),
        (200, "text/html", b'{"email": "ada@acme.test"}'),
        (200, "application/jwt", b"e30.e30.e30"),
        (200, JSON, b"not json"),
        (200, JSON, b"[]"),
        (200, JSON, b"{}"),
        (200, JSON, b'{"email": null}'),
        (200, JSON, b'{"email": ["ada@acme.test"]}'),
        (200, JSON, b'{"email": ""}'),
        (200, JSON, b'{"email": "ada@acme.test", "email_verified": false}'),
        (200, JSON, b'{"email": "ada@acme.test", "email_verified": "false"}'),
        (200, JSON, b'{"email": "eve@acme.test", "email": "ada@acme.test"}'),
    ],
    ids=str,
)
async def test_answer_that_proves_nothing_begins_nothing(
    legacy: Legacy, answer: tuple[int, str, bytes]
) -> None:
    await legacy.add_member()
    legacy.answer = answer
    assert await legacy.refused() == UNEXPECTED
    assert await legacy.sessions() == 0


async def test_system_that_cannot_be_reached_is_no_error_of_ours(legacy: Legacy) -> None:
    await legacy.add_member()

    async def unreachable(_method: str, _url: str, _body: bytes) -> FetchResponse:
        raise FetchError(Reason.ADDRESS, detail="10.0.0.7 is private")

    legacy.scenario.fetch.answers[USERINFO] = unreachable
    answer = await legacy.scenario.api.call("POST", MIGRATE, legacy.body())
    assert (answer.status, answer.json["error_type"]) == UNEXPECTED
    assert "10.0.0.7" not in answer.text


@pytest.mark.parametrize(
    "address",
    ["eve@acme.test", "ada@acme.test.evil.test", "ada", "", "@", "ada@acme.test\n", "a@" * 100],
)
async def test_address_of_nobody_is_refused(legacy: Legacy, address: str) -> None:
    await legacy.add_member()
    legacy.says(email=address)
    expected = UNEXPECTED if not address else NOBODY
    assert await legacy.refused() == expected


async def test_member_of_another_organization_is_nobody_here(legacy: Legacy) -> None:
    await legacy.add_member()
    other = await legacy.scenario.organization("Other")
    assert await legacy.refused(organization_id=other["organization_id"]) == NOBODY


async def test_retired_address_is_nobodys(legacy: Legacy) -> None:
    member = await legacy.add_member()
    path = f"/v1/b2b/organizations/{legacy.organization_id}/members/{member['member_id']}"
    await legacy.scenario.api.good("PUT", path, {"email_address": "lovelace@acme.test"})
    assert await legacy.refused() == NOBODY


async def test_deleted_member_is_nobody(legacy: Legacy) -> None:
    member = await legacy.add_member()
    path = f"/v1/b2b/organizations/{legacy.organization_id}/members/{member['member_id']}"
    await legacy.scenario.api.good("DELETE", path)
    assert await legacy.refused() == NOBODY


async def test_member_who_is_not_active_yet_is_refused(legacy: Legacy) -> None:
    await legacy.add_member(create_member_as_pending=True)
    assert await legacy.refused() == (400, "action_available_only_for_active_members")


async def test_suspended_organization_and_locked_member_are_refused(legacy: Legacy) -> None:
    member = await legacy.add_member()
    context, project = legacy.scenario.context, legacy.scenario.project
    async with context.store.write() as tx:
        until = {"lock_expires_at": context.clock.now() + HOUR}
        await tx.members.change(until, member_id=member["member_id"])
    assert await legacy.refused() == (429, "user_lock_limit_reached")
    await suspension.suspend(context, project, legacy.organization_id)
    assert await legacy.refused() == (403, "organization_suspended")
    assert await legacy.sessions() == 0


@pytest.mark.case("ST-11")
@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"session_duration_minutes": 4}, (400, "invalid_session_duration_minutes")),
        ({"session_duration_minutes": 527_041}, (400, "invalid_session_duration_minutes")),
        ({"session_custom_claims": {"a": "x" * 5000}}, (400, "custom_claims_too_large")),
        ({"organization_id": "unknown"}, (404, "organization_not_found")),
        ({"session_token": ""}, (400, "bad_request")),
        ({"session_token": "a b"}, (400, "bad_request")),
        ({"session_token": "a\r\nX-Admin: 1"}, (400, "bad_request")),
        ({"session_token": "größe"}, (400, "bad_request")),
        ({"session_token": "x" * 8193}, (400, "bad_request")),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_bad_request_is_refused_before_anybody_is_asked(
    legacy: Legacy, changes: dict[str, Any], refusal: tuple[int, str]
) -> None:
    await legacy.add_member()
    assert await legacy.refused(**changes) == refusal
    assert legacy.scenario.fetch.requests == []


@pytest.mark.case("ST-14")
async def test_member_who_is_deleted_meanwhile_gets_no_session(legacy: Legacy) -> None:
    """The other system takes its time; when it answers, the member is gone."""
    member = await legacy.add_member()
    path = f"/v1/b2b/organizations/{legacy.organization_id}/members/{member['member_id']}"

    async def slow(_method: str, url: str, _body: bytes) -> FetchResponse:
        await legacy.scenario.api.good("DELETE", path)
        headers = {"content-type": JSON}
        return FetchResponse(status=200, headers=headers, body=legacy.answer[2], url=url)

    legacy.scenario.fetch.answers[USERINFO] = slow
    assert await legacy.refused() == NOBODY
    assert await legacy.sessions() == 0


async def test_only_the_project_secret_migrates(legacy: Legacy) -> None:
    await legacy.add_member()
    answer = await call(legacy.scenario.app, "POST", MIGRATE, body=b"{}")
    assert (answer.status, answer.json["error_type"]) == (401, "unauthorized_credentials")


async def test_members_who_signed_in_here_have_another_session(legacy: Legacy) -> None:
    organization = {"organization_id": legacy.organization_id}
    signed_in = await sign_in(legacy.scenario, organization)
    result = await legacy.migrate()
    assert result["member_id"] == signed_in.member_id
    assert result["session_token"] not in signed_in.headers.values()
    assert await legacy.sessions() == 2


# The setting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://legacy.example.com/userinfo",
        "legacy.example.com",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://user:password@legacy.example.com/",
        "https://legacy.example.com/#fragment",
        "https://",
        "https://legacy.example.com/\u00e9",
    ],
)
async def test_url_that_nobody_may_be_asked_at_is_refused(legacy: Legacy, url: str) -> None:
    with pytest.raises(Failure) as refused:
        await legacy.set_source(url)
    assert refused.value.message == "session_migration_url: expected an https URL."
    stored = await projects.get(legacy.scenario.context, legacy.scenario.project.project_id)
    assert stored.session_migration_url == USERINFO


async def test_setting_is_of_one_project(legacy: Legacy) -> None:
    made = await projects.create(legacy.scenario.context, name="Other", environment="test")
    other = await projects.get(legacy.scenario.context, made.project_id)
    assert other.session_migration_url == ""
