"""Sessions that begin with a trusted token, on both databases (semantics 6.4)."""

import asyncio
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support import oidc_documents
from tests.support.audit import events
from tests.support.member_session import sign_in
from tests.support.oidc_documents import ABSENT, Signer, rsa_signer
from tests.support.scenario import Scenario, add_project
from vestibule.clock import HOUR, MINUTE, SECOND, rfc3339
from vestibule.domain import suspension, trusted_tokens
from vestibule.fetch import FetchResponse
from vestibule.records import TrustedTokenProfile

ATTEST = "/v1/b2b/sessions/attest"
ISSUER = "https://tokens.example.com"
AUDIENCE = "vestibule"
JWKS = f"{ISSUER}/jwks"
MAPPING = {
    "email": "email",
    "token_id": "jti",
    "organization_id": "https://tokens.example.com/organization",
    "external_member_id": "sub",
    "role_ids": "roles",
}
INVALID = (400, "invalid_trusted_auth_token")
FACTOR = "trusted_auth_token_factor"


def pem(signer: Signer) -> str:
    public = signer.key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Issuer:
    """Somebody who signs tokens that the scenario's project trusts."""

    def __init__(self, scenario: Scenario, organization_id: str) -> None:
        self.scenario = scenario
        self.organization_id = organization_id
        self.profile: TrustedTokenProfile
        self._made = 0
        scenario.fetch.answers[JWKS] = self._jwks

    async def _jwks(self, _method: str, url: str, _body: bytes) -> FetchResponse:
        body = json.dumps({"keys": [rsa_signer().jwk()]}).encode()
        headers = {"content-type": "application/json"}
        return FetchResponse(status=200, headers=headers, body=body, url=url)

    async def trust(self, **changes: Any) -> None:
        given = {
            "name": "Ours",
            "issuer": ISSUER,
            "audience": AUDIENCE,
            "jwks_url": JWKS,
            "attribute_mapping": MAPPING,
            **changes,
        }
        context, project = self.scenario.context, self.scenario.project
        read = trusted_tokens.read(json.dumps(given).encode())
        self.profile = await trusted_tokens.add(context, project, read)

    def token(self, *, signer: Signer | None = None, **changes: Any) -> str:
        """Return a token of its own about Ada."""
        self._made += 1
        issued = self.scenario.clock.now() // SECOND
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": issued,
            "exp": issued + 60,
            "jti": f"token-{self._made}",
            "email": "ada@acme.test",
        }
        return oidc_documents.token(oidc_documents.changed(claims, changes), signer=signer)

    def body(self, **changes: Any) -> dict[str, Any]:
        named = {} if "organization_id" in changes else {"organization_id": self.organization_id}
        body = {"profile_id": self.profile.profile_id, **named, **changes}
        return body if "token" in body else {**body, "token": self.token()}

    async def attest(self, **changes: Any) -> dict[str, Any]:
        return dict(await self.scenario.api.good("POST", ATTEST, self.body(**changes)))

    async def refused(self, **changes: Any) -> tuple[int, str]:
        return await self.scenario.api.bad("POST", ATTEST, self.body(**changes))

    async def add_member(self, **fields: Any) -> dict[str, Any]:
        path = f"/v1/b2b/organizations/{self.organization_id}/members"
        body = {"email_address": "ada@acme.test", **fields}
        return dict((await self.scenario.api.good("POST", path, body))["member"])

    async def settings(self, **changes: Any) -> None:
        path = f"/v1/b2b/organizations/{self.organization_id}"
        await self.scenario.api.good("PUT", path, changes)

    async def rows(self) -> tuple[int, int, int]:
        """Return how many sessions, members and used tokens there are."""
        async with self.scenario.context.store.read() as tx:
            counts = (tx.sessions.count(), tx.members.count(), tx.trusted_tokens.count())
            return tuple([await each for each in counts])  # type: ignore[return-value]  # three


@pytest.fixture
async def issuer(scenario: Scenario) -> Issuer:
    organization = await scenario.organization(organization_external_id="acme-1")
    made = Issuer(scenario, organization["organization_id"])
    await made.trust()
    return made


async def test_session_begins_for_whom_the_token_names(issuer: Issuer) -> None:
    member = await issuer.add_member()
    token = issuer.token(jti="one", roles=["stytch_admin", "stytch_member"], sub="ada-1")
    result = await issuer.attest(
        token=token,
        session_duration_minutes=30,
        session_custom_claims={"plan": "gold", "iss": "reserved"},
    )
    assert result.keys() == {
        "status_code",
        "request_id",
        "member_id",
        "member_session",
        "session_token",
        "session_jwt",
        "member",
        "organization",
        "member_device",
    }
    now = rfc3339(issuer.scenario.clock.now())
    session = result["member_session"]
    assert session["authentication_factors"] == [
        {
            "type": "trusted_auth_token",
            "delivery_method": "trusted_token_exchange",
            "sequence_order": "PRIMARY",
            "last_authenticated_at": now,
            "created_at": now,
            "updated_at": now,
            FACTOR: {"token_id": "one"},
        }
    ]
    assert session["expires_at"] == rfc3339(issuer.scenario.clock.now() + 30 * MINUTE)
    assert session["custom_claims"] == {"plan": "gold"}
    assert session["roles"] == ["stytch_member", "stytch_admin"]
    assert result["member_id"] == member["member_id"]
    assert result["member"]["external_id"] == "ada-1"
    assert result["member"]["email_address_verified"] is True
    assert result["member_device"] is None
    body = {"session_jwt": result["session_jwt"]}
    seen = await issuer.scenario.api.good("POST", "/v1/b2b/sessions/authenticate", body)
    assert seen["member_session"] == session


@pytest.mark.parametrize("proof", ["session_token", "session_jwt"])
async def test_session_that_is_there_gains_the_factor(issuer: Issuer, proof: str) -> None:
    await sign_in(issuer.scenario, {"organization_id": issuer.organization_id})
    first = await issuer.attest(session_duration_minutes=120)
    again = await issuer.attest(**{proof: first[proof]}, session_custom_claims={"step": 2})
    before, after = first["member_session"], again["member_session"]
    assert again["session_token"] == first["session_token"]
    assert after["member_session_id"] == before["member_session_id"]
    token_ids = [each[FACTOR]["token_id"] for each in after["authentication_factors"]]
    assert token_ids == ["token-1", "token-2"]
    assert after["custom_claims"] == {"step": 2}
    assert after["expires_at"] == before["expires_at"]


@pytest.mark.parametrize("kid", [ABSENT, "any"])
async def test_keys_may_be_given_by_hand(issuer: Issuer, kid: Any) -> None:
    await issuer.add_member()
    old, new = rsa_signer("old"), rsa_signer("new")
    await issuer.trust(jwks_url="", public_keys=[pem(old), pem(new)])
    for signer in (old, new):
        named = Signer(kid, signer.key)
        assert (await issuer.attest(token=issuer.token(signer=named)))["session_token"]
    assert await issuer.refused(token=issuer.token()) == INVALID
    assert issuer.scenario.fetch.requests == []


@pytest.mark.parametrize("name", ["organization_id", "slug", "external"])
async def test_token_may_name_the_organization_itself(issuer: Issuer, name: str) -> None:
    await issuer.add_member()
    named = {"organization_id": issuer.organization_id, "slug": "acme", "external": "acme-1"}[name]
    claim: dict[str, Any] = {MAPPING["organization_id"]: named}
    token = issuer.token(**claim)
    result = await issuer.attest(token=token, organization_id=None)
    assert result["organization"]["organization_id"] == issuer.organization_id
    both = issuer.token(**claim)
    assert (await issuer.attest(token=both))["session_token"]


async def test_address_is_compared_in_its_canonical_form(issuer: Issuer) -> None:
    member = await issuer.add_member()
    result = await issuer.attest(token=issuer.token(email="ADA@Acme.Test"))
    assert result["member_id"] == member["member_id"]


async def test_new_people_become_members_where_the_profile_lets_them(issuer: Issuer) -> None:
    await issuer.trust(can_jit_provision=True)
    named: dict[str, Any] = {MAPPING["organization_id"]: "acme"}
    result = await issuer.attest(token=issuer.token(sub="ada-1", **named))
    assert result["member"]["status"] == "active"
    assert result["member"]["email_address"] == "ada@acme.test"
    assert result["member"]["email_address_verified"] is True
    assert result["member"]["external_id"] == "ada-1"
    again = await issuer.attest(token=issuer.token(sub="ada-1", **named))
    assert again["member_id"] == result["member_id"]


# Refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jit", "named"), [(False, True), (True, False)], ids=["no_jit", "no_organization_claim"]
)
async def test_new_people_are_refused_elsewhere(issuer: Issuer, jit: bool, named: bool) -> None:
    await issuer.trust(can_jit_provision=jit)
    claim: dict[str, Any] = {MAPPING["organization_id"]: "acme"} if named else {}
    assert await issuer.refused(token=issuer.token(**claim)) == (404, "member_not_found")
    assert await issuer.rows() == (0, 0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://tokens.example.com/"},
        {"iss": ABSENT},
        {"aud": "another"},
        {"aud": ABSENT},
        {"exp": 1},
        {"exp": ABSENT},
        {"exp": "tomorrow"},
        {"iat": ABSENT},
        {"jti": ABSENT},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 256},
        {"email": ABSENT},
        {"email": ["ada@acme.test"]},
        {"email_verified": False},
        {"roles": "stytch_admin"},
        {"roles": [7]},
        {"sub": ["ada-1"]},
        {"sub": "größe"},
        {"sub": "member-test-00000000-0000-7000-8000-000000000001"},
        {MAPPING["organization_id"]: "another"},
        {MAPPING["organization_id"]: 7},
    ],
    ids=",".join,
)
async def test_token_that_says_something_else_is_refused(
    issuer: Issuer, changes: dict[str, Any]
) -> None:
    await issuer.add_member()
    assert await issuer.refused(token=issuer.token(**changes)) == INVALID
    assert await issuer.rows() == (0, 1, 0)


@pytest.mark.parametrize("text", ["x", "", "a.b.c", "e30.e30.e30", "größe", "x" * 70_000])
async def test_text_that_is_no_token_is_refused(issuer: Issuer, text: str) -> None:
    assert await issuer.refused(token=text) == INVALID


async def test_token_that_somebody_else_signed_is_refused(issuer: Issuer) -> None:
    await issuer.add_member()
    attacker = Signer(rsa_signer().kid, rsa_signer("attacker").key)
    unsigned = issuer.token().rpartition(".")[0] + "."
    hmac = oidc_documents.hmac_token(pem(rsa_signer()).encode())
    for token in (issuer.token(signer=attacker), unsigned, hmac):
        assert await issuer.refused(token=token) == INVALID
    session = await issuer.attest()
    assert await issuer.refused(token=session["session_jwt"]) == INVALID


@pytest.mark.parametrize("again", ["sequential", "parallel"])
async def test_token_is_used_once(issuer: Issuer, again: str) -> None:
    await issuer.add_member()
    body = issuer.body()
    calls = [issuer.scenario.api.call("POST", ATTEST, body) for _ in range(5)]
    if again == "parallel":
        answers = list(await asyncio.gather(*calls))
    else:
        answers = [await each for each in calls]
    assert sorted(each.status for each in answers) == [200, 400, 400, 400, 400]
    refused = [each.json for each in answers if each.status == 400]
    assert {each["error_message"] for each in refused} == {"token: it has been used before."}
    assert await issuer.rows() == (1, 1, 1)


async def test_token_is_remembered_for_as_long_as_it_could_be_used(issuer: Issuer) -> None:
    await issuer.add_member()
    clock = issuer.scenario.clock
    over = (clock.now() // SECOND + 60 + 60) * SECOND
    body = issuer.body()
    await issuer.scenario.api.good("POST", ATTEST, body)
    clock.advance(over - 1 - clock.now())
    async with issuer.scenario.context.store.read() as tx:
        (used,) = await tx.trusted_tokens.all()
    assert used.expires_at == over
    for reason in ("it has been used before", "(oidc.exp)"):
        answer = await issuer.scenario.api.call("POST", ATTEST, body)
        assert reason in answer.json["error_message"]
        clock.advance(1)


async def test_refused_token_can_be_used_when_what_was_missing_is_there(issuer: Issuer) -> None:
    token = issuer.token()
    assert await issuer.refused(token=token) == (404, "member_not_found")
    await issuer.add_member()
    assert (await issuer.attest(token=token))["session_token"]


async def test_organization_that_restricts_logins_is_not_entered_by_a_token_alone(
    issuer: Issuer,
) -> None:
    signed_in = await sign_in(issuer.scenario, {"organization_id": issuer.organization_id})
    session = {"session_token": signed_in.headers["x-stytch-member-session"]}
    await issuer.settings(auth_methods="RESTRICTED", allowed_auth_methods=["sso"])
    restricted = (400, "operation_restricted_by_organization_auth_methods")
    assert await issuer.refused() == restricted
    factors = (await issuer.attest(**session))["member_session"]["authentication_factors"]
    assert [each["type"] for each in factors] == ["sso", "trusted_auth_token"]
    await issuer.scenario.api.good("PUT", signed_in.path, {"is_breakglass": True})
    assert (await issuer.attest())["session_token"]


async def test_organization_that_demands_a_second_factor_is_not_entered_either(
    issuer: Issuer,
) -> None:
    await issuer.add_member()
    first = await issuer.attest()
    await issuer.settings(mfa_policy="REQUIRED_FOR_ALL")
    assert await issuer.refused() == (401, "insufficient_factors")
    again = await issuer.attest(session_token=first["session_token"])
    assert (
        again["member_session"]["member_session_id"]
        == (first["member_session"]["member_session_id"])
    )


@pytest.mark.case("AD-06")
@pytest.mark.case("AD-43")
async def test_what_a_token_changes_of_its_member_is_told_once(issuer: Issuer) -> None:
    await issuer.add_member(external_id="ada-1")
    for role_ids, changed in (
        ([], [("email_address_verified",)]),
        (["stytch_admin"], [("roles",)]),
        (["stytch_admin"], []),  # she has it already
    ):
        before = await events(issuer.scenario, issuer.organization_id)
        await issuer.attest(token=issuer.token(roles=role_ids))
        after = await events(issuer.scenario, issuer.organization_id)
        session, *others = after[len(before) :]
        assert session.action == "session.create"
        assert [each.changed for each in others] == changed
        assert all(each.action == "member.update" for each in others)


async def test_token_gives_no_role_that_does_not_exist(issuer: Issuer) -> None:
    await issuer.add_member()
    refusal = (400, "invalid_rbac_role_assignment")
    assert await issuer.refused(token=issuer.token(roles=["owner"])) == refusal
    assert await issuer.rows() == (0, 1, 0)


@pytest.mark.case("AD-06")
async def test_profile_without_a_mapping_for_roles_gives_none(issuer: Issuer) -> None:
    await issuer.add_member()
    mapping = {"email": "email", "token_id": "jti"}
    await issuer.trust(attribute_mapping=mapping)
    result = await issuer.attest(token=issuer.token(roles=["stytch_admin"], sub="ada-1"))
    assert result["member_session"]["roles"] == ["stytch_member"]
    assert result["member"]["external_id"] is None


async def test_external_id_is_neither_changed_nor_taken_from_another_member(
    issuer: Issuer,
) -> None:
    await issuer.add_member(external_id="ada-1")
    assert await issuer.refused(token=issuer.token(sub="ada-2")) == INVALID
    await issuer.add_member(email_address="eve@acme.test")
    taken = issuer.token(email="eve@acme.test", sub="ada-1")
    assert await issuer.refused(token=taken) == (400, "duplicate_member_external_id")
    assert (await issuer.attest(token=issuer.token(sub="ada-1")))["session_token"]


async def test_session_of_somebody_else_gains_nothing(issuer: Issuer) -> None:
    await issuer.add_member()
    eve = await sign_in(
        issuer.scenario, {"organization_id": issuer.organization_id}, "eve@acme.test"
    )
    token = eve.headers["x-stytch-member-session"]
    refusal = (400, "member_session_member_id_mismatch")
    assert await issuer.refused(session_token=token) == refusal
    assert (await issuer.rows())[2] == 0


async def test_profile_counts_in_its_own_project_only(issuer: Issuer) -> None:
    other = await add_project(issuer.scenario.app, issuer.scenario.context, name="second")
    refusal = await other.api.bad("POST", ATTEST, issuer.body())
    assert refusal == (404, "trusted_token_profile_not_found")


async def test_removed_profile_is_believed_no_longer(issuer: Issuer) -> None:
    await issuer.add_member()
    session = await issuer.attest()
    context, project = issuer.scenario.context, issuer.scenario.project
    await trusted_tokens.remove(context, project, issuer.profile.profile_id)
    assert await issuer.refused() == (404, "trusted_token_profile_not_found")
    body = {"session_token": session["session_token"]}
    await issuer.scenario.api.good("POST", "/v1/b2b/sessions/authenticate", body)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"session_duration_minutes": 4}, (400, "invalid_session_duration_minutes")),
        ({"session_custom_claims": {"a": "x" * 5000}}, (400, "custom_claims_too_large")),
        ({"session_token": "a", "session_jwt": "b"}, (400, "too_many_session_arguments")),
        ({"session_token": "garbled"}, (400, "invalid_session_token")),
        ({"session_jwt": "a.b.c"}, (400, "unable_to_parse_session_jwt")),
        ({"profile_id": "none"}, (404, "trusted_token_profile_not_found")),
        ({"organization_id": "none"}, (404, "organization_not_found")),
        ({"organization_id": None}, (400, "trusted_token_profile_invalid_request")),
    ],
    ids=str,
)
async def test_bad_request_is_refused(
    issuer: Issuer, changes: dict[str, Any], refusal: tuple[int, str]
) -> None:
    await issuer.add_member()
    assert await issuer.refused(**changes) == refusal
    assert await issuer.rows() == (0, 1, 0)


async def test_who_may_not_log_in_may_not_do_so_by_a_token(issuer: Issuer) -> None:
    member = await issuer.add_member(create_member_as_pending=True)
    assert await issuer.refused() == (400, "action_available_only_for_active_members")
    context, project = issuer.scenario.context, issuer.scenario.project
    async with context.store.write() as tx:
        until = {"lock_expires_at": context.clock.now() + HOUR}
        await tx.members.change(until, member_id=member["member_id"])
    assert await issuer.refused() == (429, "user_lock_limit_reached")
    await suspension.suspend(context, project, issuer.organization_id)
    assert await issuer.refused() == (403, "organization_suspended")


async def test_issuer_that_cannot_be_reached_is_no_error_of_ours(issuer: Issuer) -> None:
    await issuer.add_member()
    del issuer.scenario.fetch.answers[JWKS]
    answer = await issuer.scenario.api.call("POST", ATTEST, issuer.body())
    assert (answer.status, answer.json["error_type"]) == INVALID
    assert "nothing is at" not in answer.text


# Access tokens ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"access_token": "x"}, (400, "oauth_access_token_exchange_token_invalid_grant")),
        ({"access_token": ""}, (400, "oauth_access_token_exchange_token_invalid_grant")),
        (
            {"access_token": "x", "session_duration_minutes": 4},
            (400, "invalid_session_duration_minutes"),
        ),
        (
            {"access_token": "x", "session_custom_claims": {"a": "x" * 5000}},
            (400, "custom_claims_too_large"),
        ),
        ({}, (400, "bad_request")),
        ({"access_token": 7}, (400, "bad_request")),
    ],
    ids=str,
)
async def test_access_token_is_nobodys(
    scenario: Scenario, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    path = "/v1/b2b/sessions/exchange_access_token"
    assert await scenario.api.bad("POST", path, body) == refusal


async def test_session_jwt_of_ours_is_no_access_token(issuer: Issuer) -> None:
    await issuer.add_member()
    body = {"access_token": (await issuer.attest())["session_jwt"]}
    path = "/v1/b2b/sessions/exchange_access_token"
    refusal = await issuer.scenario.api.bad("POST", path, body)
    assert refusal == (400, "oauth_access_token_exchange_token_invalid_grant")
