"""A server with all that a request can be about, and what makes each changing endpoint succeed.

Two worlds that are told the same are alike to the last row, but for the RSA keys they make.
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.authenticators import AUTHENTICATE, CREATE, Authenticator
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import Door
from tests.support.every_endpoint import full_body
from tests.support.member_session import SignedIn, sign_in
from tests.support.proofs import add_member, holding, link
from tests.support.saml_keys import signer
from tests.support.scenario import Scenario, open_scenario
from vestibule.api.endpoint import Endpoint
from vestibule.clock import SECOND
from vestibule.domain import impersonation, projects
from vestibule.store.open import open_store

LOGOUT_URL: Final = "https://app.example.test/bye"
Prepared = tuple[dict[str, str], dict[str, Any]]
"""Values for the path, and a body."""


@dataclass
class World:
    """A server on a database of its own; `caller` are the headers of a member, or none.

    `foreign` are ids of another organization by the names of fields.
    """

    scenario: Scenario
    ada: SignedIn
    saml: dict[str, Any]
    oidc: dict[str, Any]
    external: dict[str, Any]
    foreign: dict[str, str]
    caller: Mapping[str, str] = field(default_factory=dict)
    made: int = 0

    @property
    def who(self) -> dict[str, str]:
        return {"organization_id": self.ada.organization_id, "member_id": self.ada.member_id}

    def name(self) -> str:
        """Return a text that was not used before, the same one in both worlds."""
        self.made += 1
        return f"new-{self.made}"

    def address(self) -> str:
        return f"{self.name()}@acme.test"

    async def session(self) -> dict[str, str]:
        """Let Ada sign in once more."""
        result = await Door(self.scenario, "saml", self.saml).log_in(subject="ada@acme.test")
        return {"session_token": result["session_token"]}

    def path_values(self, endpoint: Endpoint) -> dict[str, str]:
        """Return what stands in the path of `endpoint`."""
        group = endpoint.group.rpartition(".")[2]
        about = {"oidc": self.oidc, "external": self.external}.get(group, self.saml)
        return {**self.who, "connection_id": about["connection_id"]}


@asynccontextmanager
async def world(migrated: Path, file: Path) -> AsyncIterator[World]:
    """Open a server on `file`, a copy of the empty database `migrated`."""
    shutil.copyfile(migrated, file)
    store = await open_store(f"sqlite:{file}", connections=1)
    scenario = await open_scenario(store, clock=HandClock(), entropy=SeededEntropy())
    await impersonation.allow(scenario.context, scenario.project, allowed=True)
    await projects.add_redirect_url(
        scenario.context, scenario.project, LOGOUT_URL, login=False, signup=False, logout=True
    )
    ada = await sign_in(scenario, await scenario.organization())
    await ada.hold("stytch_admin")
    mine = f"/v1/b2b/sso/{ada.organization_id}"
    (saml,) = (await scenario.api.good("GET", mine))["saml_connections"]
    oidc = await scenario.oidc_connection(ada.organization_id)
    globex = await scenario.organization("Globex")
    theirs = await scenario.saml_connection(globex["organization_id"])
    eve = await add_member(scenario, globex, "eve@globex.test")
    path = f"/v1/b2b/sso/external/{ada.organization_id}"
    external = (await scenario.api.good("POST", path, _external_to(theirs)))["connection"]
    foreign = {
        "organization_id": globex["organization_id"],
        "connection_id": theirs["connection_id"],
        "member_id": eve["member_id"],
        "certificate_id": theirs["verification_certificates"][0]["certificate_id"],
    }
    yield World(scenario, ada, saml, oidc, external, foreign)
    await store.close()


async def prepared(endpoint: Endpoint, here: World) -> Prepared:
    """Return path values and a body with which `endpoint` succeeds, and do what it needs."""
    values, prepare = here.path_values(endpoint), _PREPARE.get(endpoint.operation_id)
    more, body = await prepare(here) if prepare else ({}, full_body(endpoint))
    return {**values, **more}, body


# What each endpoint needs ------------------------------------------------------------------------


async def _gone_member(here: World) -> Prepared:
    made = await add_member(here.scenario, here.who, here.address())
    async with here.scenario.context.store.write() as tx:
        await tx.members.change({"email_address_verified": True}, member_id=made["member_id"])
    path = f"/v1/b2b/organizations/{made['organization_id']}/members/{made['member_id']}"
    await here.scenario.api.good("DELETE", path)
    return {"member_id": made["member_id"]}, {}


async def _enrolled(here: World) -> tuple[dict[str, Any], list[str]]:
    """Give Ada a new authenticator; return a body with a code that is good, and her codes."""
    await _without_authenticator(here)
    body = {**here.who, **await here.session()}
    made = await here.scenario.api.good("POST", CREATE, body)
    here.scenario.clock.advance(30 * SECOND)
    code = Authenticator(here.scenario.clock, made["secret"]).code()
    return {**body, "code": code}, made["recovery_codes"]


async def _without_authenticator(here: World) -> None:
    await here.scenario.api.call("DELETE", f"{here.ada.path}/totp")


async def _totps_create(here: World) -> Prepared:
    await _without_authenticator(here)
    return {}, {**here.who, **await here.session()}


async def _totps_authenticate(here: World) -> Prepared:
    return {}, (await _enrolled(here))[0]


async def _totps_migrate(here: World) -> Prepared:
    await _without_authenticator(here)
    secret = {"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}
    return {}, {**here.who, **secret, "recovery_codes": ["aaaa-bbbb-cccc"]}


async def _recover(here: World) -> Prepared:
    body, codes = await _enrolled(here)
    await here.scenario.api.good("POST", AUTHENTICATE, body)
    del body["code"]
    return {}, {**body, "recovery_code": codes[0]}


async def _impersonation(here: World) -> Prepared:
    token = await impersonation.make_token(
        here.scenario.context,
        here.scenario.project,
        **here.who,
        impersonator="support@vestibule.test",
        reason="Ticket 7",
    )
    return {}, {"impersonation_token": token}


async def _next_signing_key(here: World) -> Prepared:
    connection = f"/v1/b2b/sso/{here.ada.organization_id}/connections/{here.saml['connection_id']}"
    await here.scenario.api.good("POST", f"{connection}/settings/signing_key/start", {})
    return {}, {}


async def _external(here: World) -> Prepared:
    made = await here.scenario.saml_connection(
        here.foreign["organization_id"], idp_entity_id=f"https://{here.name()}.test"
    )
    return {}, _external_to(made)


def _external_to(connection: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "external_organization_id": connection["organization_id"],
        "external_connection_id": connection["connection_id"],
    }


async def _sso_token(here: World) -> Prepared:
    return {}, {"sso_token": await here.scenario.saml_token(here.saml)}


Make = Callable[[World], Mapping[str, Any]]
Prepare = Callable[[World], Awaitable[Prepared]]


def _body(make: Make) -> Prepare:
    async def prepare(here: World) -> Prepared:
        return {}, dict(make(here))

    return prepare


def _with_session(make: Make = lambda _: {}) -> Prepare:
    async def prepare(here: World) -> Prepared:
        return {}, {**make(here), **await here.session()}

    return prepare


def _with_proof(make: Make) -> Prepare:
    async def prepare(here: World) -> Prepared:
        proven = link("ada@acme.test", now=here.scenario.clock.now())
        token = await holding(here.scenario, here.who, proven)
        return {}, {**make(here), "intermediate_session_token": token}

    return prepare


def _own_organization(here: World) -> dict[str, str]:
    return {"organization_id": here.ada.organization_id}


_PREPARE: Final[dict[str, Prepare]] = {
    "organizations.create": _body(lambda here: {"organization_name": here.name()}),
    "organizations.members.create": _body(lambda here: {"email_address": here.address()}),
    "organizations.members.search": _body(
        lambda here: {"organization_ids": [here.ada.organization_id]}
    ),
    "organizations.members.reactivate": _gone_member,
    "organizations.members.start_email_update": _body(
        lambda here: {"email_address": here.address()}
    ),
    "sessions.authenticate": _with_session(),
    "sessions.exchange": _with_session(_own_organization),
    "sessions.revoke": _body(lambda here: {"member_id": here.ada.member_id}),
    "discovery.organizations.list": _with_proof(lambda _: {}),
    "discovery.organizations.create": _with_proof(lambda here: {"organization_name": here.name()}),
    "discovery.intermediate_sessions.exchange": _with_proof(_own_organization),
    "totps.create": _totps_create,
    "totps.authenticate": _totps_authenticate,
    "totps.migrate": _totps_migrate,
    "recovery_codes.recover": _recover,
    "recovery_codes.rotate": _body(lambda here: here.who),
    "impersonation.authenticate": _impersonation,
    "sso.authenticate": _sso_token,
    "sso.saml.update_connection": _body(
        lambda here: {"display_name": here.name(), "x509_certificate": signer("other").pem}
    ),
    "sso.external.create_connection": _external,
    "sso.settings.update": _body(lambda _: {"force_authn": True}),
    "sso.settings.signing_key.complete": _next_signing_key,
    "sso.logout.start": _with_session(),
}
