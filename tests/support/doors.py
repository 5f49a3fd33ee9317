"""A connection of either protocol, as the people who sign in through it see it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.support.asgi import Answer, Browser
from tests.support.scenario import Scenario, token_of

Protocol = Literal["saml", "oidc"]


@dataclass(frozen=True)
class Door:
    """One connection and the server it belongs to."""

    scenario: Scenario
    protocol: Protocol
    connection: dict[str, Any]

    @property
    def connection_id(self) -> str:
        return str(self.connection["connection_id"])

    @property
    def organization_id(self) -> str:
        return str(self.connection["organization_id"])

    async def come_back(
        self,
        *,
        subject: str = "ada",
        email: str = "ada@acme.test",
        first: str = "Ada",
        last: str = "Lovelace",
        browser: Browser | None = None,
        start: dict[str, str] | None = None,
        between: Callable[[], Awaitable[None]] | None = None,
        **more: Any,
    ) -> Answer:
        """Sign in up to the callback's answer; `more` are further attributes or claims.

        `between` is what happens while the person is at the identity provider.
        """
        used, scenario = browser or self.scenario.browser(), self.scenario
        if self.protocol == "oidc":
            return await scenario.oidc_callback(
                used,
                self.connection,
                start=start,
                between=between,
                sub=subject,
                email=email,
                name=f"{first} {last}",
                **more,
            )
        attributes = {"email": [email], "firstName": [first], "lastName": [last]}
        for name, value in more.items():
            attributes[name] = value if isinstance(value, list) else [value]
        fields = await scenario.saml_fields(
            used, self.connection, start=start, subject=subject, attributes=attributes
        )
        if between is not None:
            await between()
        return await scenario.post_callback(used, self.connection, fields)

    async def token(self, **person: Any) -> str:
        """Sign in up to the sso_token."""
        return token_of(await self.come_back(**person))

    async def log_in(self, **person: Any) -> dict[str, Any]:
        """Sign in to the end, which must be good."""
        return await self.scenario.authenticate(await self.token(**person))

    async def refused(self, **person: Any) -> tuple[int, str]:
        """Sign in up to a token that must be refused; return the status and the error's type."""
        body = {"sso_token": await self.token(**person)}
        return await self.scenario.api.bad("POST", "/v1/b2b/sso/authenticate", body)

    async def settings(self, **changes: Any) -> dict[str, Any]:
        """Change the organization and return it."""
        path = f"/v1/b2b/organizations/{self.organization_id}"
        return dict((await self.scenario.api.good("PUT", path, changes))["organization"])

    async def add_member(self, email: str = "ada@acme.test", **fields: Any) -> dict[str, Any]:
        """Add a member by the API and return it."""
        path = f"/v1/b2b/organizations/{self.organization_id}/members"
        body = {"email_address": email, **fields}
        return dict((await self.scenario.api.good("POST", path, body))["member"])

    async def member(self, member_id: str) -> dict[str, Any]:
        """Return a member as the API shows it."""
        path = f"/v1/b2b/organizations/{self.organization_id}/member?member_id={member_id}"
        return dict((await self.scenario.api.good("GET", path))["member"])


async def open_door(
    scenario: Scenario, protocol: Protocol, name: str = "Acme", **settings: Any
) -> Door:
    """Make an organization with one active connection."""
    organization = await scenario.organization(name, **settings)
    make = scenario.saml_connection if protocol == "saml" else scenario.oidc_connection
    return Door(scenario, protocol, await make(organization["organization_id"]))


async def open_external(owner: Door, name: str = "User", **settings: Any) -> Door:
    """Make an organization whose external connection is to that of `owner`."""
    organization = await owner.scenario.organization(name, **settings)
    path = f"/v1/b2b/sso/external/{organization['organization_id']}"
    body = {
        "external_organization_id": owner.organization_id,
        "external_connection_id": owner.connection_id,
    }
    made = (await owner.scenario.api.good("POST", path, body))["connection"]
    # The identity provider goes on knowing the owner's addresses.
    return Door(owner.scenario, owner.protocol, {**owner.connection, **made})
