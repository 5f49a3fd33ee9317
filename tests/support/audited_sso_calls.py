"""One good call of every endpoint about connections, and what the audit log has to say of it."""

from typing import Any

from tests.support.application_logout import register
from tests.support.audited_calls import (
    CALLS,
    Event,
    Json,
    Prepared,
    Stage,
    begun,
    call,
    written,
)
from tests.support.doors import open_door, open_external
from tests.support.metadata_host import FedConnection, MetadataHost
from tests.support.refusals import traces
from tests.support.saml_keys import signer
from tests.support.scenario import CLIENT_ID
from vestibule.clock import MINUTE
from vestibule.saml.keys import private_key_pem


def of(stage: Stage, action: str, object_id: str = "", **body: Any) -> Prepared:
    """Return a call about the stage's connection."""
    path = {"organization_id": stage.organization_id, "connection_id": stage.door.connection_id}
    event = Event(action, object_id or stage.door.connection_id)
    return Prepared(path, body, written(event) if action else written())


def _made(answer: Json) -> list[Event]:
    return [Event("connection.create", answer["connection"]["connection_id"])]


@call("sso.authenticate")
async def _(stage: Stage) -> Prepared:
    def events(answer: Json) -> list[Event]:
        made = Event("member.create", answer["member_id"], answer["member_id"])
        return begun(made)(answer)

    token = await stage.door.token(subject="new", email="new@acme.test")
    return Prepared(body={"sso_token": token}, events=events)


@call("sso.logout.start")
async def _(stage: Stage) -> Prepared:
    await register(stage.scenario)
    login = await stage.door.log_in()
    session = login["member_session"]
    event = Event("session.log_out", session["member_session_id"], session["member_id"])
    return Prepared(body={"session_token": login["session_token"]}, events=written(event))


@call("sdk.sso.discover_connections")
async def _(_stage: Stage) -> Prepared:
    return Prepared({"email_address": "ada@acme.test"})


@call("sso.delete_connection")
async def _(stage: Stage) -> Prepared:
    other = await open_external(stage.door, "A later one")
    prepared = of(stage, "connection.delete")
    sever = Event("connection.sever", other.connection_id, "", other.organization_id)
    return Prepared(prepared.path, events=lambda answer: [*prepared.events(answer), sever])


@call("sso.saml.create_connection")
@call("sso.oidc.create_connection")
async def _(stage: Stage) -> Prepared:
    return Prepared({"organization_id": stage.organization_id}, {"display_name": "New"}, _made)


async def _referring(stage: Stage) -> Json:
    """Return the body of an external connection."""
    owner = await open_door(stage.scenario, "oidc", "Owner")
    return {
        "external_organization_id": owner.organization_id,
        "external_connection_id": owner.connection_id,
    }


@call("sso.external.create_connection")
async def _(stage: Stage) -> Prepared:
    path = {"organization_id": stage.organization_id}
    return Prepared(path, await _referring(stage), _made)


@call("sso.saml.update_connection")
async def _(stage: Stage) -> Prepared:
    return of(stage, "connection.update", display_name="New")


@call("sso.oidc.update_connection")
async def _(stage: Stage) -> Prepared:
    made = await stage.scenario.oidc_connection(stage.organization_id)
    path = {"organization_id": stage.organization_id, "connection_id": made["connection_id"]}
    event = Event("connection.update", made["connection_id"])
    return Prepared(path, {"client_id": CLIENT_ID}, written(event))


@call("sso.external.update_connection")
async def _(stage: Stage) -> Prepared:
    path = f"/v1/b2b/sso/external/{stage.organization_id}"
    body = await _referring(stage)
    made = (await stage.scenario.api.good("POST", path, body))["connection"]
    named = {"organization_id": stage.organization_id, "connection_id": made["connection_id"]}
    event = Event("connection.update", made["connection_id"])
    return Prepared(named, {"display_name": "New"}, written(event))


@call("sso.saml.update_by_url")
async def _(stage: Stage) -> Prepared:
    host = MetadataHost(stage.scenario.fetch)
    return of(stage, "connection.update", metadata_url=host.url)


async def _keys(stage: Stage, **body: Any) -> Json:
    path = f"/v1/b2b/sso/saml/{stage.organization_id}/connections/{stage.door.connection_id}"
    return dict((await stage.give(path, **body))["connection"])


@call("sso.saml.delete_verification_certificate")
async def _(stage: Stage) -> Prepared:
    shown = await _keys(stage, x509_certificate=signer("idp2").pem)
    named = shown["verification_certificates"][1]["certificate_id"]
    prepared = of(stage, "connection.delete_certificate", named)
    return Prepared({**prepared.path, "certificate_id": named}, events=prepared.events)


@call("sso.saml.delete_encryption_private_key")
async def _(stage: Stage) -> Prepared:
    pem = private_key_pem(signer("encryption").key)
    shown = await _keys(stage, saml_encryption_private_key=pem)
    named = shown["encryption_private_keys"][0]["private_key_id"]
    prepared = of(stage, "connection.delete_encryption_key", named)
    return Prepared({**prepared.path, "private_key_id": named}, events=prepared.events)


@call("sso.settings.get")
@call("sso.settings.signing_key.get")
async def _(stage: Stage) -> Prepared:
    return of(stage, "")


@call("sso.settings.update")
async def _(stage: Stage) -> Prepared:
    return of(stage, "connection.update_settings", force_authn=True)


@call("sso.settings.signing_key.start")
async def _(stage: Stage) -> Prepared:
    return of(stage, "connection.start_key_rotation")


async def _started(stage: Stage) -> None:
    ids = f"{stage.organization_id}/connections/{stage.door.connection_id}"
    await stage.scenario.api.good("POST", f"/v1/b2b/sso/{ids}/settings/signing_key/start")


@call("sso.settings.signing_key.complete")
async def _(stage: Stage) -> Prepared:
    await _started(stage)
    return of(stage, "connection.complete_key_rotation")


@call("sso.settings.signing_key.cancel")
async def _(stage: Stage) -> Prepared:
    await _started(stage)
    return of(stage, "connection.cancel_key_rotation")


@call("sso.traces.search")
@call("sso.traces.get")
async def _(stage: Stage) -> Prepared:
    await stage.door.log_in()
    trace = (await traces(stage.scenario))[-1]
    return Prepared({"organization_id": stage.organization_id, "trace_id": trace.trace_id})


async def _fed(stage: Stage) -> FedConnection:
    host = MetadataHost(stage.scenario.fetch)
    path = f"/v1/b2b/sso/saml/{stage.organization_id}/connections/{stage.door.connection_id}"
    shown = (await stage.give(f"{path}/url", metadata_url=host.url))["connection"]
    return FedConnection(stage.scenario, host, shown)


async def _offered(stage: Stage, action: str) -> Prepared:
    """Let the metadata offer a new certificate; return the call that decides over it."""
    fed = await _fed(stage)
    fed.host.publish("idp", "idp2")
    return of(stage, action, digest=(await fed.refresh())["offer"]["digest"])


@call("sso.settings.metadata.accept")
async def _(stage: Stage) -> Prepared:
    return await _offered(stage, "connection.accept_metadata")


@call("sso.settings.metadata.refuse")
async def _(stage: Stage) -> Prepared:
    return await _offered(stage, "connection.refuse_metadata")


@call("sso.settings.metadata.refresh")
async def _(stage: Stage) -> Prepared:
    """What needs nobody's yes is taken over; a reading that brings nothing new is no event."""
    fed = await _fed(stage)
    await fed.put_settings(trust_metadata_certificates=True)
    fed.host.publish("idp", "idp2")
    stage.scenario.clock.advance(MINUTE)
    return of(stage, "connection.follow_metadata")


@call("sso.settings.metadata.stop")
async def _(stage: Stage) -> Prepared:
    await _fed(stage)
    return of(stage, "connection.stop_metadata")


__all__ = ["CALLS"]
