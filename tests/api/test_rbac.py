from stytch.b2b.models.rbac import PolicyResponse

from tests.support.scenario import Scenario
from vestibule.domain.policy import PROJECT_POLICY


async def test_policy_is_the_projects_and_reads_in_the_sdk(scenario: Scenario) -> None:
    answer = await scenario.api.good("GET", "/v1/b2b/rbac/policy")
    policy = PolicyResponse.model_validate(answer).policy
    assert policy is not None
    assert [role.role_id for role in policy.roles] == ["stytch_member", "stytch_admin"]
    assert policy.roles[0].permissions[0].resource_id == "stytch.self"
    assert policy.roles[0].permissions[0].actions == ["*"]
    assert {each.resource_id: tuple(each.actions) for each in policy.resources} == {
        each.resource_id: each.actions for each in PROJECT_POLICY.resources
    }
    assert policy.scopes == []


async def test_policy_needs_the_projects_credentials(scenario: Scenario) -> None:
    got = await scenario.api.bad("GET", "/v1/b2b/rbac/policy", headers={"authorization": ""})
    assert got == (401, "unauthorized_credentials")
