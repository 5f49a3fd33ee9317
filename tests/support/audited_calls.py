"""One good call of every endpoint, made ready for, and what the audit log has to say of it.

Those about members, sessions and second factors are here, those about connections in
`audited_sso_calls`.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support import oidc_documents
from tests.support.authenticators import AtSecondFactor, Authenticator
from tests.support.doors import Door, open_door, open_external
from tests.support.oidc_documents import rsa_signer
from tests.support.phones import PHONE, SEND, newest_code
from tests.support.proofs import add_member, prove
from tests.support.scenario import Scenario
from vestibule.clock import SECOND
from vestibule.domain import impersonation, letters, session_migration, trusted_tokens
from vestibule.fetch import FetchResponse
from vestibule.mail import MemoryMail

Json = dict[str, Any]
ADA: Final = "ada@acme.test"
_SECRET: Final = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
_USERINFO: Final = "https://legacy.example.com/userinfo"
_ISSUER: Final = "https://tokens.example.com"


@dataclass(frozen=True)
class Stage:
    """An organization with a SAML connection, on which a call is made."""

    scenario: Scenario
    door: Door

    @property
    def organization_id(self) -> str:
        return self.door.organization_id

    async def ada(self, **fields: Any) -> AtSecondFactor:
        """Add Ada."""
        return AtSecondFactor(self.door, (await self.door.add_member(ADA, **fields))["member_id"])

    async def enrolled(self) -> tuple[AtSecondFactor, Authenticator, list[str]]:
        """Add Ada with an authenticator; return it and its recovery codes, too."""
        ada = await self.ada()
        return (ada, *await ada.enrol())

    async def give(self, path: str, **body: Any) -> Json:
        """Change something that the call needs."""
        return dict(await self.scenario.api.good("PUT", path, body))


@dataclass(frozen=True)
class Event:
    """What the audit log has to say; the organization is the stage's unless it is named."""

    action: str
    object_id: str
    member_id: str = ""
    organization_id: str = ""


@dataclass(frozen=True)
class Prepared:
    """The names in a path, the body, and the events that the answer tells; none of a reading."""

    path: Mapping[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)
    events: Callable[[Json], list[Event]] = lambda _answer: []


Prepare = Callable[[Stage], Awaitable[Prepared]]
CALLS: Final[dict[str, Prepare]] = {}
# Endpoints that only ever refuse: what they are about is not there yet.
REFUSED: Final = frozenset({
    "organizations.get_connected_app", "organizations.members.connected_apps.revoke",
    "organizations.members.delete_password", "sessions.exchange_access_token",
    *(f"organizations.members.oauth_providers.{name}"
      for name in ("google", "microsoft", "slack", "hubspot", "github")),
})  # fmt: skip


def call(operation_id: str) -> Callable[[Prepare], Prepare]:
    """Register how a call of an endpoint is made ready for."""

    def register(prepare: Prepare) -> Prepare:
        assert operation_id not in CALLS
        CALLS[operation_id] = prepare
        return prepare

    return register


def written(*events: Event) -> Callable[[Json], list[Event]]:
    """Return the events that are known before the answer is."""
    return lambda _answer: list(events)


def begun(*more: Event, action: str = "session.create") -> Callable[[Json], list[Event]]:
    """Return the event of the session in the answer, and others."""

    def events(answer: Json) -> list[Event]:
        session = answer["member_session"]
        organization_id = session["organization_id"]
        named = session["member_session_id"], session["member_id"], organization_id
        return [Event(action, *named), *more]

    return events


def updated(member_id: str, organization_id: str = "") -> Event:
    """Return the event of a member that was changed."""
    return Event("member.update", member_id, member_id, organization_id)


# Organizations ----------------------------------------------------------------------------------


@call("organizations.create")
async def _(_stage: Stage) -> Prepared:
    def events(answer: Json) -> list[Event]:
        made = answer["organization"]["organization_id"]
        return [Event("organization.create", made, organization_id=made)]

    return Prepared(body={"organization_name": "New"}, events=events)


async def _of_organization(stage: Stage, action: str, **body: Any) -> Prepared:
    events = written(Event(action, stage.organization_id))
    return Prepared({"organization_id": stage.organization_id}, body, events)


@call("organizations.update")
async def _(stage: Stage) -> Prepared:
    return await _of_organization(stage, "organization.update", mfa_policy="OPTIONAL")


@call("organizations.delete")
async def _(stage: Stage) -> Prepared:
    other = await open_external(stage.door, "Other")
    sever = Event("connection.sever", other.connection_id, "", other.organization_id)
    delete = Event("organization.delete", stage.organization_id)
    path = {"organization_id": stage.organization_id}
    return Prepared(path, events=written(delete, sever))


@call("organizations.delete_external_id")
async def _(stage: Stage) -> Prepared:
    await stage.door.settings(organization_external_id="acme-1")
    return await _of_organization(stage, "organization.update")


@call("rbac.organizations.set_org_policy")
async def _(stage: Stage) -> Prepared:
    return await _of_organization(stage, "organization.set_roles", org_policy={"roles": []})


async def _reading(stage: Stage) -> Prepared:
    return Prepared({"organization_id": stage.organization_id})


for _name in ("get", "metrics", "audit_events.get", "connected_apps"):
    call(f"organizations.{_name}")(_reading)
for _name in ("rbac.policy", "rbac.organizations.get_org_policy", "sso.get_connections"):
    call(_name)(_reading)
for _name in ("project.metrics", "debug.whoami"):
    call(_name)(_reading)


@call("organizations.search")
async def _(_stage: Stage) -> Prepared:
    return Prepared(body={"limit": 10})


# Members ----------------------------------------------------------------------------------------


@call("organizations.members.create")
async def _(stage: Stage) -> Prepared:
    return Prepared(
        {"organization_id": stage.organization_id},
        {"email_address": "new@acme.test", "roles": ["stytch_admin"]},
        lambda answer: [Event("member.create", answer["member_id"], answer["member_id"])],
    )


async def _of_ada(stage: Stage, action: str, **body: Any) -> Prepared:
    ada = await stage.ada(external_id="hr-1")
    return Prepared(ada.who, body, written(Event(action, ada.member_id, ada.member_id)))


@call("organizations.members.update")
async def _(stage: Stage) -> Prepared:
    return await _of_ada(stage, "member.update", roles=["stytch_admin"], name="Ada")


@call("organizations.members.delete")
async def _(stage: Stage) -> Prepared:
    return await _of_ada(stage, "member.delete")


@call("organizations.members.delete_external_id")
async def _(stage: Stage) -> Prepared:
    return await _of_ada(stage, "member.update")


@call("organizations.members.reactivate")
async def _(stage: Stage) -> Prepared:
    member_id = (await stage.door.log_in())["member_id"]
    ada = AtSecondFactor(stage.door, member_id)
    await stage.scenario.api.good("DELETE", ada.path)
    return Prepared(ada.who, events=written(Event("member.reactivate", member_id, member_id)))


@call("organizations.members.unlink_retired_email")
async def _(stage: Stage) -> Prepared:
    ada = await stage.ada()
    await stage.give(ada.path, email_address="new@acme.test")
    event = Event("member.unlink_retired_email", ada.member_id, ada.member_id)
    return Prepared(ada.who, {"email_address": ADA}, written(event))


async def _of_address(stage: Stage, action: str, **body: Any) -> Prepared:
    ada = AtSecondFactor(stage.door, (await stage.door.log_in())["member_id"])
    return Prepared(ada.who, body, written(Event(action, ada.member_id, ada.member_id)))


@call("organizations.members.start_email_update")
async def _(stage: Stage) -> Prepared:
    return await _of_address(stage, "member.start_email_update", email_address="new@acme.test")


@call("organizations.members.confirm_email_update")
async def _(stage: Stage) -> Prepared:
    prepared = await _of_address(stage, "member.confirm_email_update")
    path = (
        f"/v1/b2b/organizations/{stage.organization_id}/members/{prepared.path['member_id']}"
        "/start_email_update"
    )
    body = {"email_address": "new@acme.test", "delivery_method": "EMAIL_OTP"}
    await stage.scenario.api.good("POST", path, body)
    assert isinstance(stage.scenario.context.mail, MemoryMail)
    await letters.deliver(stage.scenario.context)
    lines = stage.scenario.context.mail.messages[-1].text.splitlines()
    (code,) = (line for line in lines if len(line) == 6 and line.isdecimal())
    return Prepared(prepared.path, {"code": code}, prepared.events)


@call("organizations.members.get")
@call("organizations.members.get_connected_apps")
@call("organizations.members.dangerously_get")
@call("sessions.get")
async def _(stage: Stage) -> Prepared:
    return Prepared((await stage.ada()).who)


@call("organizations.members.search")
async def _(stage: Stage) -> Prepared:
    return Prepared(body={"organization_ids": [stage.organization_id]})


@call("organizations.members.oidc_providers")
async def _(stage: Stage) -> Prepared:
    oidc = await stage.scenario.oidc_connection(stage.organization_id)
    door = Door(stage.scenario, "oidc", oidc)
    return Prepared(AtSecondFactor(door, (await door.log_in())["member_id"]).who)


# Sessions ---------------------------------------------------------------------------------------


@call("sessions.authenticate")
async def _(stage: Stage) -> Prepared:
    """The use of a session is no event, also where it is to last longer: there are too many."""
    token = (await stage.door.log_in())["session_token"]
    return Prepared(body={"session_token": token, "session_duration_minutes": 120})


@call("sessions.revoke")
async def _(stage: Stage) -> Prepared:
    session = (await stage.door.log_in())["member_session"]
    session_id = session["member_session_id"]
    event = Event("session.revoke", session_id, session["member_id"])
    return Prepared(body={"member_session_id": session_id}, events=written(event))


@call("sessions.get_jwks")
async def _(stage: Stage) -> Prepared:
    return Prepared({"project_id": stage.scenario.project.project_id})


@call("sessions.exchange")
async def _(stage: Stage) -> Prepared:
    session = await stage.door.log_in()
    other = await open_external(stage.door, "Other")
    member_id = (await other.add_member(ADA, create_member_as_pending=True))["member_id"]
    organization_id = other.organization_id
    body = {"organization_id": organization_id, "session_token": session["session_token"]}
    return Prepared(body=body, events=begun(updated(member_id, organization_id)))


@call("sessions.migrate")
async def _(stage: Stage) -> Prepared:
    scenario = stage.scenario

    async def userinfo(_method: str, url: str, _body: bytes) -> FetchResponse:
        headers = {"content-type": "application/json"}
        body = json.dumps({"email": ADA}).encode()
        return FetchResponse(status=200, headers=headers, body=body, url=url)

    scenario.fetch.answers[_USERINFO] = userinfo
    await session_migration.set_source(scenario.context, scenario.project, _USERINFO)
    ada = await stage.ada()
    body = {"session_token": "legacy-1", "organization_id": stage.organization_id}
    # The other system's word verifies her address.
    return Prepared(body=body, events=begun(updated(ada.member_id)))


@call("sessions.attest")
async def _(stage: Stage) -> Prepared:
    public = rsa_signer().key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    profile = {
        "name": "Ours",
        "issuer": _ISSUER,
        "audience": "vestibule",
        "public_keys": [pem],
        "attribute_mapping": {"email": "email", "token_id": "jti", "organization_id": "org"},
        "can_jit_provision": True,
    }
    context, project = stage.scenario.context, stage.scenario.project
    added = await trusted_tokens.add(
        context, project, trusted_tokens.read(json.dumps(profile).encode())
    )
    issued = stage.scenario.clock.now() // SECOND
    claims = {"iss": _ISSUER, "aud": "vestibule", "iat": issued, "exp": issued + 60}
    claims |= {"jti": "token-1", "email": "new@acme.test", "org": stage.organization_id}
    body = {"profile_id": added.profile_id, "token": oidc_documents.token(claims)}

    def events(answer: Json) -> list[Event]:
        made = Event("member.create", answer["member_id"], answer["member_id"])
        return begun(made)(answer)

    return Prepared(body=body, events=events)


@call("impersonation.authenticate")
async def _(stage: Stage) -> Prepared:
    context, project = stage.scenario.context, stage.scenario.project
    await impersonation.allow(context, project, allowed=True)
    ada = await stage.ada()
    token = await impersonation.make_token(
        context, project, **ada.who, impersonator="support@vestibule.test", reason="Ticket 7"
    )
    return Prepared(body={"impersonation_token": token}, events=begun())


# Discovery --------------------------------------------------------------------------------------


@call("discovery.organizations.list")
async def _(stage: Stage) -> Prepared:
    return Prepared(body={"intermediate_session_token": await prove(stage.scenario)})


@call("discovery.organizations.create")
async def _(stage: Stage) -> Prepared:
    def events(answer: Json) -> list[Event]:
        organization_id, member_id = answer["organization"]["organization_id"], answer["member_id"]
        return [
            Event("organization.create", organization_id, "", organization_id),
            Event("member.create", member_id, member_id, organization_id),
            *begun()(answer),
        ]

    return Prepared(body={"intermediate_session_token": await prove(stage.scenario)}, events=events)


@call("discovery.intermediate_sessions.exchange")
async def _(stage: Stage) -> Prepared:
    scenario = stage.scenario
    other = await scenario.organization(
        "Other", email_allowed_domains=["acme.test"], email_jit_provisioning="RESTRICTED"
    )
    first = await add_member(scenario, other, "first@acme.test")
    async with scenario.context.store.write() as tx:
        await tx.members.change({"email_address_verified": True}, member_id=first["member_id"])
    token, organization_id = await prove(scenario), other["organization_id"]

    def events(answer: Json) -> list[Event]:
        member_id = answer["member_id"]
        return [
            Event("member.create", member_id, member_id, organization_id),
            *begun()(answer),
        ]

    body = {"intermediate_session_token": token, "organization_id": organization_id}
    return Prepared(body=body, events=events)


# Second factors ---------------------------------------------------------------------------------


@call("totps.create")
async def _(stage: Stage) -> Prepared:
    ada = await stage.ada()
    return Prepared(
        body=ada.who,
        events=lambda answer: [
            Event("member.add_totp", answer["totp_registration_id"], ada.member_id)
        ],
    )


@call("totps.migrate")
async def _(stage: Stage) -> Prepared:
    prepared = await CALLS["totps.create"](stage)
    return Prepared(body={**prepared.body, "secret": _SECRET}, events=prepared.events)


@call("totps.authenticate")
async def _(stage: Stage) -> Prepared:
    ada = await stage.ada()
    session = await ada.session()
    made = await ada.good("/v1/b2b/totp")
    code = Authenticator(stage.scenario.clock, made["secret"]).code()
    # The first code activates the authenticator.
    return Prepared(
        body={**ada.who, **session, "code": code},
        events=begun(updated(ada.member_id), action="session.add_factor"),
    )


@call("otps.sms.send")
async def _(stage: Stage) -> Prepared:
    ada = await stage.ada()
    event = Event("member.send_sms_code", ada.member_id, ada.member_id)
    return Prepared(body={**ada.who, "mfa_phone_number": PHONE}, events=written(event))


@call("otps.sms.authenticate")
async def _(stage: Stage) -> Prepared:
    ada = await stage.ada(mfa_phone_number=PHONE)
    await ada.good(SEND)
    code = await newest_code(stage.scenario.context)
    # The first code verifies the number.
    return Prepared(
        body={**ada.who, **await ada.session(), "code": code},
        events=begun(updated(ada.member_id), action="session.add_factor"),
    )


@call("organizations.members.delete_mfa_phone_number")
async def _(stage: Stage) -> Prepared:
    ada = await stage.ada(mfa_phone_number=PHONE)
    event = Event("member.delete_phone_number", ada.member_id, ada.member_id)
    return Prepared(ada.who, events=written(event))


@call("recovery_codes.recover")
async def _(stage: Stage) -> Prepared:
    ada, _app, codes = await stage.enrolled()
    await stage.door.settings(mfa_policy="REQUIRED_FOR_ALL")
    body = {**ada.who, **await ada.waiting(), "recovery_code": codes[0]}
    # Whoever uses a second factor where all have to is enrolled.
    return Prepared(body=body, events=begun(updated(ada.member_id)))


@call("recovery_codes.get")
async def _(stage: Stage) -> Prepared:
    return Prepared((await stage.enrolled())[0].who)


@call("recovery_codes.rotate")
async def _(stage: Stage) -> Prepared:
    ada = (await stage.enrolled())[0]
    event = Event("member.rotate_recovery_codes", ada.member_id, ada.member_id)
    return Prepared(body=ada.who, events=written(event))


@call("organizations.members.delete_totp")
async def _(stage: Stage) -> Prepared:
    ada = (await stage.enrolled())[0]
    event = Event("member.delete_totp", ada.member_id, ada.member_id)
    return Prepared(ada.who, events=written(event))


async def stage_of(scenario: Scenario) -> Stage:
    """Make the organization in which everything happens."""
    return Stage(scenario, await open_door(scenario, "saml"))
