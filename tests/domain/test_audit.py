"""One place writes the audit log: what an event holds, and that it shares its change's fate."""

import asyncio
import hashlib

import pytest
from msgspec.structs import replace

from tests.support.audit import checked, events
from tests.support.determinism import NOW
from tests.support.scenario import Scenario
from vestibule.domain import audit, projects
from vestibule.records import (
    SYSTEM,
    AuditEvent,
    OidcConfiguration,
    Origin,
    SamlConfiguration,
    SamlPolicy,
)


async def test_event_says_what_who_and_from_where(scenario: Scenario) -> None:
    made = await scenario.api.good(
        "POST",
        "/v1/b2b/organizations",
        {"organization_name": "Acme"},
        headers={"user-agent": "curl/8\x7f"},
    )
    organization_id = made["organization"]["organization_id"]
    (event,) = await events(scenario, organization_id)
    assert event == AuditEvent(
        project_id=scenario.project.project_id,
        organization_id=organization_id,
        sequence=1,
        occurred_at=NOW,
        action="organization.create",
        object_id=organization_id,
        changed=("organization_name", "organization_slug"),
        actor_type="project_secret",
        actor_id="secret-id-first",
        address="192.0.2.7",
        user_agent="curl/8?",
        request_id=made["request_id"],
        previous_hash=bytes(32),
        hash=event.hash,
    )


async def test_hash_is_what_the_documentation_says(scenario: Scenario) -> None:
    """Somebody else's program can check a chain with these bytes alone."""
    event = AuditEvent(
        project_id="p",
        organization_id="o",
        sequence=1,
        occurred_at=2,
        action="member.update",
        object_id="m",
        member_id="m",
        changed=("name",),
        actor_type="system",
        actor_id="",
        previous_hash=bytes(3),
        hash=b"left out",
    )
    plain = (
        b'{"action":"member.update","actor_id":"","actor_type":"system","changed":["name"],'
        b'"member_id":"m","object_id":"m","occurred_at":2,"organization_id":"o",'
        b'"previous_hash":"AAAA","project_id":"p","sequence":1}'
    )
    assert audit.digest(event) == hashlib.sha256(plain).digest()


async def test_each_event_has_the_hash_of_the_one_before(scenario: Scenario) -> None:
    organization_id = (await scenario.organization())["organization_id"]
    path = f"/v1/b2b/organizations/{organization_id}"
    for name in ("One", "Two"):
        await scenario.api.good("PUT", path, {"organization_name": name})
    chain = await events(scenario, organization_id)
    assert [event.sequence for event in chain] == [1, 2, 3]
    assert [event.previous_hash for event in chain] == [
        bytes(32),
        *(event.hash for event in chain[:-1]),
    ]


async def test_chains_of_organizations_and_of_the_project_are_apart(scenario: Scenario) -> None:
    one = (await scenario.organization("One"))["organization_id"]
    two = (await scenario.organization("Two"))["organization_id"]
    await projects.rotate_secret(scenario.context, scenario.project)
    for organization_id in (one, two):
        assert len(await events(scenario, organization_id)) == 1
    actions = [event.action for event in await events(scenario, "")]
    assert actions == ["project.add_redirect_url", "project.add_redirect_url", "project.add_secret"]


@pytest.mark.case("AD-43")
async def test_change_that_fails_leaves_no_event(scenario: Scenario) -> None:
    organization_id = (await scenario.organization())["organization_id"]
    await scenario.organization(organization_slug="taken")
    path = f"/v1/b2b/organizations/{organization_id}"
    refused = await scenario.api.bad("PUT", path, {"organization_slug": "taken"})
    assert refused == (400, "organization_slug_already_used")
    assert len(await events(scenario, organization_id)) == 1


async def test_event_that_cannot_be_written_undoes_its_change(scenario: Scenario) -> None:
    organization_id = (await scenario.organization())["organization_id"]
    path = f"/v1/b2b/organizations/{organization_id}"
    (first,) = await events(scenario, organization_id)
    async with scenario.context.store.write() as tx:
        await tx.audit_events.insert(replace(first, sequence=2))
    answer = await scenario.api.call("PUT", path, {"organization_external_id": "changed"})
    assert answer.status == 500
    assert answer.json["error_type"] == "internal_server_error"
    found = await scenario.api.good("GET", path)
    assert found["organization"]["organization_external_id"] is None


async def test_changes_at_the_same_moment_make_one_chain(scenario: Scenario) -> None:
    organization_id = (await scenario.organization())["organization_id"]
    path = f"/v1/b2b/organizations/{organization_id}/members"
    await asyncio.gather(
        *(
            scenario.api.good("POST", path, {"email_address": f"m{number}@acme.test"})
            for number in range(12)
        )
    )
    verdict = await checked(scenario, organization_id)
    assert (verdict.events, verdict.problem) == (13, "")


def test_nothing_said_means_the_server_itself() -> None:
    assert Origin(actor_type="system") == SYSTEM


def test_differing_names_the_fields_of_nested_records_and_no_values() -> None:
    before = SamlConfiguration(idp_sso_url="https://old.example.com")
    after = SamlConfiguration(
        idp_sso_url="https://new.example.com", policy=SamlPolicy(allow_cbc=True)
    )
    assert audit.differing(before, after) == {"idp_sso_url", "allow_cbc"}
    assert audit.differing(OidcConfiguration(), OidcConfiguration()) == set()


async def test_secrets_are_named_and_never_written(scenario: Scenario) -> None:
    organization_id = (await scenario.organization())["organization_id"]
    await scenario.oidc_connection(organization_id, client_secret="very-secret-value")
    written = await events(scenario, organization_id)
    assert "client_secret" in written[-1].changed
    assert "very-secret-value" not in repr(written)
