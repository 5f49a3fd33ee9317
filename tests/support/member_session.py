"""A member who is signed in, and the headers of calls on that member's behalf."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.scenario import Scenario


@dataclass(frozen=True)
class SignedIn:
    """A member with a session."""

    scenario: Scenario
    member_id: str
    organization_id: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return f"/v1/b2b/organizations/{self.organization_id}/members/{self.member_id}"

    async def hold(self, *role_ids: str) -> None:
        """Make these the member's direct roles; they count in the session from now on."""
        await self.scenario.api.good("PUT", self.path, {"roles": role_ids})

    async def hold_permission(self, resource: str, actions: Sequence[str]) -> None:
        """Make `actions` on `resource` all that the member may do beside its own affairs."""
        permission = {"resource_id": resource, "actions": actions}
        role = {"role_id": "tested", "description": "", "permissions": [permission]}
        path = f"/v1/b2b/rbac/organizations/{self.organization_id}"
        await self.scenario.api.good("PUT", path, {"org_policy": {"roles": [role]}})
        await self.hold("tested")

    async def good(self, method: str, path: str, body: Any = None) -> Any:
        return await self.scenario.api.good(method, path, body, headers=self.headers)

    async def bad(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        return await self.scenario.api.bad(method, path, body, headers=self.headers)


async def sign_in(
    scenario: Scenario, organization: dict[str, Any], email: str = "ada@acme.test"
) -> SignedIn:
    """Sign a new member in to `organization` through a SAML connection."""
    connection = await scenario.saml_connection(organization["organization_id"])
    result = await scenario.authenticate(await scenario.saml_token(connection, email=email))
    return SignedIn(
        scenario=scenario,
        member_id=result["member_id"],
        organization_id=result["organization_id"],
        headers={"x-stytch-member-session": result["session_token"]},
    )
