"""A member who is signed in and holds exactly the permissions that a test gives."""

from dataclasses import dataclass
from typing import Any

from tests.support.browsing import Door
from tests.wire.sdk import Sdk

ROLE = "tested"
DENIED = (403, "session_authorization_error")


@dataclass(frozen=True)
class Acting:
    """The member's session, and the project's policy to choose permissions from."""

    sdk: Sdk
    organization_id: str
    member_id: str
    session_token: str
    session_jwt: str

    @property
    def token(self) -> dict[str, str]:
        """The session as the SDKs' authorization takes it."""
        return {"session_token": self.session_token}

    @property
    def jwt(self) -> dict[str, str]:
        return {"session_jwt": self.session_jwt}

    def hold(self, permissions: dict[str, list[str]]) -> None:
        """Make this all that the member may do, beside what every member may do to itself."""
        given = [
            {"resource_id": resource, "actions": actions}
            for resource, actions in permissions.items()
            if actions
        ]
        roles = [{"role_id": ROLE, "description": "", "permissions": given}]
        self.sdk.call(
            "rbac.organizations.set_org_policy",
            organization_id=self.organization_id,
            org_policy={"roles": roles},
        )

    def needs(self, method: str, resource: str, action: str, /, **fields: Any) -> dict[str, Any]:
        """See that a call is refused to who may do all but this, and granted to who may do this.

        Returns the answer.
        """
        others = self._everything()
        others[resource].remove(action)
        self.hold(others)
        for authorization in (self.token, self.jwt):
            refused = self.sdk.refused(method, authorization, **fields)
            assert refused == DENIED, f"{method} {sorted(fields)}: {refused}"
        self.hold({resource: [action]})
        return self.sdk.call(method, self.token, **fields)

    def _everything(self) -> dict[str, list[str]]:
        policy = self.sdk.call("rbac.policy")["policy"]
        return {each["resource_id"]: list(each["actions"]) for each in policy["resources"]}


async def sign_in(sdk: Sdk, door: Door, connection: dict[str, Any]) -> Acting:
    """Sign Alice in; she holds a role that has no permissions yet."""
    token = await door.sign_in(connection["connection_id"])
    answer = sdk.call("sso.authenticate", sso_token=token)
    made = Acting(
        sdk=sdk,
        organization_id=answer["organization_id"],
        member_id=answer["member_id"],
        session_token=answer["session_token"],
        session_jwt=answer["session_jwt"],
    )
    made.hold({"stytch.sso": ["get"]})
    sdk.call(
        "organizations.members.update",
        organization_id=made.organization_id,
        member_id=made.member_id,
        roles=[ROLE],
    )
    return made
