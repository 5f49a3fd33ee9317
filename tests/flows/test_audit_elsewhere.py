"""What the audit log says of everything that is no endpoint: browsers, providers, the background.

The endpoints are in `test_audit_trail.py`, the commands in `tests/cli/test_audit_of_commands.py`.
"""

import re
from typing import Any

import pytest

from tests.support.application_logout import answer, begin, follow, register, request_of
from tests.support.asgi import call
from tests.support.audit import checked, events
from tests.support.authenticators import AUTHENTICATE, at_second_factor, wrong
from tests.support.doors import Door, Protocol, open_door
from tests.support.metadata_host import MetadataHost, fed_connection
from tests.support.oidc_documents import SECOND, logout_claims, token
from tests.support.refreshing import RefreshingProvider
from tests.support.scenario import CLIENT_ID, ISSUER, Scenario
from tests.support.single_logout import provider
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain import letters
from vestibule.domain.upkeep.certificate_warnings import warn_due
from vestibule.domain.upkeep.metadata_refresh import refresh_due
from vestibule.mail import MemoryMail
from vestibule.records import AuditEvent
from vestibule.store.cleanup import remove_expired

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    protocol: Protocol = request.param
    return await open_door(scenario, protocol)


class Watch:
    """What is written from now on."""

    def __init__(self, scenario: Scenario, seen: int) -> None:
        self.scenario = scenario
        self._seen = seen

    async def new(self) -> list[AuditEvent]:
        """Return the events since the last look, chain by chain; the chains are whole."""
        written = await events(self.scenario)
        for organization_id in {event.organization_id for event in written}:
            assert (await checked(self.scenario, organization_id)).problem == ""
        latest = sorted(written, key=lambda event: (event.occurred_at, event.sequence))
        new, self._seen = latest[self._seen :], len(latest)
        return new

    async def said(self) -> list[tuple[str, str, tuple[str, ...], str]]:
        """Return action, kind of actor, changed fields and reason of the events since then."""
        return [
            (event.action, event.actor_type, event.changed, event.reason)
            for event in await self.new()
        ]


async def watch(scenario: Scenario) -> Watch:
    """Begin to watch; what happens from now on is later than what has happened."""
    scenario.clock.advance(SECOND)
    return Watch(scenario, len(await events(scenario)))


def created(*changed: str, reason: str = "by a login") -> list[tuple[str, str, Any, str]]:
    """Return what a login of a known member says: its session, and what it changed."""
    said: list[tuple[str, str, Any, str]] = [("session.create", "project_secret", (), "")]
    if changed:
        said.append(("member.update", "project_secret", tuple(sorted(changed)), reason))
    return said


# Logins ------------------------------------------------------------------------------------------


@pytest.mark.case("AD-43")
async def test_login_in_the_browser_is_told_of_once_it_is_redeemed(door: Door) -> None:
    seen = await watch(door.scenario)
    sso_token = await door.token()
    assert await seen.said() == []
    result = await door.scenario.authenticate(sso_token)
    session, made = await seen.new()
    assert (session.action, session.object_id) == (
        "session.create",
        result["member_session"]["member_session_id"],
    )
    assert (made.action, made.object_id) == ("member.create", result["member_id"])
    await door.log_in()
    assert await seen.said() == created()


@pytest.mark.case("AD-43")
async def test_login_that_the_callback_refuses_is_no_event(door: Door) -> None:
    await door.settings(sso_jit_provisioning="NOT_ALLOWED")
    seen = await watch(door.scenario)
    refused = await door.come_back(email="no address")
    assert refused.status >= 400
    assert await seen.said() == []


@pytest.mark.case("AD-43")
async def test_login_that_is_refused_when_it_is_redeemed_is_one_event(door: Door) -> None:
    sso_token = await door.token()
    await door.settings(sso_jit_provisioning="NOT_ALLOWED")
    seen = await watch(door.scenario)
    body = {"sso_token": sso_token}
    refused = await door.scenario.api.bad("POST", "/v1/b2b/sso/authenticate", body)
    assert await seen.said() == [("session.refuse", "project_secret", (), refused[1])]


@pytest.mark.case("AD-43")
async def test_what_a_login_changes_of_its_member_is_told(door: Door) -> None:
    await door.add_member(create_member_as_pending=True)
    seen = await watch(door.scenario)
    await door.log_in(groups=["ops"])
    assert await seen.said() == created(
        "email_address_verified", "name", "sso_registrations", "status"
    )
    for groups, changed in ((["ops"], ()), (["ops", "all"], ("groups",)), ([], ("groups",))):
        await door.log_in(groups=groups)
        assert await seen.said() == created(*changed)
    await door.log_in(email="lovelace@acme.test")
    assert await seen.said() == created("email_address")


@pytest.mark.case("AD-43")
async def test_factor_that_is_linked_is_told_of(scenario: Scenario) -> None:
    saml = await open_door(scenario, "saml")
    oidc = Door(scenario, "oidc", await scenario.oidc_connection(saml.organization_id))
    session = await saml.log_in()
    sso_token = await oidc.token()
    seen = await watch(scenario)
    await scenario.authenticate(sso_token, session_token=session["session_token"])
    assert await seen.said() == [
        ("session.add_factor", "project_secret", (), ""),
        ("member.update", "project_secret", ("sso_registrations",), "by a login"),
    ]


@pytest.mark.case("AD-43")
async def test_login_that_waits_for_a_second_factor_is_told_of(door: Door) -> None:
    ada = await at_second_factor(door)
    app, _ = await ada.enrol()
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    seen = await watch(door.scenario)
    waiting = await ada.waiting()
    assert await seen.said() == [("session.await_factor", "project_secret", (), "")]
    await ada.good(AUTHENTICATE, code=app.code(), **waiting)
    assert await seen.said() == created("mfa_enrolled")


@pytest.mark.case("MF-06")
async def test_wrong_codes_are_told_of_when_they_lock_the_member(door: Door) -> None:
    ada = await at_second_factor(door)
    app, _ = await ada.enrol()
    session = await ada.session()
    seen = await watch(door.scenario)
    for _ in range(9):
        await ada.bad(AUTHENTICATE, code=wrong(app.code()), **session)
    assert await seen.said() == []
    refused = await ada.bad(AUTHENTICATE, code=wrong(app.code()), **session)
    assert refused == (401, "unable_to_authenticate_totp")
    assert await seen.said() == [("member.lock", "project_secret", (), "")]
    door.scenario.clock.advance(MINUTE)
    refused = await ada.bad(AUTHENTICATE, code=app.code(), **session)
    assert refused == (429, "user_lock_limit_reached")
    assert await seen.said() == []
    door.scenario.clock.advance(HOUR)
    await ada.good(AUTHENTICATE, code=app.code(), **await ada.session())
    # That the count begins anew is nothing that anybody changed.
    assert [action for action, *_ in await seen.said()] == ["session.create", "session.add_factor"]


# Logouts -----------------------------------------------------------------------------------------


def assert_by_visitor(event: AuditEvent, session: dict[str, Any], connection_id: str) -> None:
    """See that a session ended because its identity provider asked for it."""
    assert (event.action, event.actor_type, event.actor_id) == ("session.log_out", "visitor", "")
    assert event.object_id == session["member_session"]["member_session_id"]
    assert event.member_id == session["member_id"]
    assert event.reason == f"asked by the identity provider of {connection_id}"
    assert event.address == "192.0.2.7"
    assert event.request_id.startswith("request-id-")


@pytest.mark.case("AD-43")
async def test_logout_by_saml_is_told_of_once(scenario: Scenario) -> None:
    idp = await provider(scenario)
    session = await idp.sign_in()
    seen = await watch(scenario)
    message = idp.request(request_id="_logout")
    assert (await idp.redirect(message)).status == 302
    (event,) = await seen.new()
    assert_by_visitor(event, session, idp.connection["connection_id"])
    await idp.redirect(message)
    await idp.redirect(idp.request(), key="attacker")
    assert await seen.said() == []


@pytest.mark.case("AD-43")
async def test_logout_by_back_channel_is_told_of_once(scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")
    session = await door.log_in()
    seen = await watch(scenario)
    issued = scenario.clock.now() // SECOND
    claims = logout_claims(iss=ISSUER, aud=CLIENT_ID, iat=issued, exp=issued + 120, sub="ada")
    body = b"logout_token=" + token(claims, header={"typ": "logout+jwt"}).encode()
    path = f"/v1/public/sso/backchannel_logout/{door.connection_id}"
    assert (await call(scenario.app, "POST", path, headers=FORM, body=body)).status == 200
    (event,) = await seen.new()
    assert_by_visitor(event, session, door.connection_id)
    assert (await call(scenario.app, "POST", path, headers=FORM, body=body)).status == 400
    assert await seen.said() == []


@pytest.mark.case("AD-43")
async def test_way_of_a_logout_through_the_browser_is_no_event(scenario: Scenario) -> None:
    await register(scenario)
    idp = await provider(scenario)
    session, other = await idp.sign_in(), await idp.sign_in(session_index="_session-2")
    seen = await watch(scenario)
    request_id = await request_of(idp, session)
    assert await seen.said() == [("session.log_out", "project_secret", (), "")]
    message = answer(idp, request_id)
    assert (await idp.redirect(message, parameter="SAMLResponse")).status in {302, 303}
    url = await begin(scenario, other)
    assert await seen.said() == [("session.log_out", "project_secret", (), "")]
    await follow(scenario.browser(), url)
    assert await seen.said() == []


# Links of letters --------------------------------------------------------------------------------


@pytest.mark.case("AD-43")
async def test_address_that_a_link_confirms_is_told_of_once(door: Door) -> None:
    scenario, ada = door.scenario, await door.log_in()
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{ada['member_id']}"
    body = {"email_address": "new@acme.test"}
    await scenario.api.good("POST", f"{path}/start_email_update", body)
    await letters.deliver(scenario.context)
    assert isinstance(scenario.context.mail, MemoryMail)
    (link,) = re.findall(
        r"https://sso\.example\.test(/\S+)", scenario.context.mail.messages[-1].text
    )
    seen = await watch(scenario)
    browser = scenario.browser()
    await browser.get(link)
    assert await seen.said() == []
    await browser.post(link, {})
    (event,) = await seen.new()
    assert (event.action, event.actor_type) == ("member.confirm_email_update", "visitor")
    assert (event.object_id, event.member_id) == (ada["member_id"], ada["member_id"])
    assert event.address == "192.0.2.7"
    await browser.post(link, {})
    assert await seen.said() == []


# What providers and the clock bring --------------------------------------------------------------


@pytest.mark.case("AD-43")
async def test_sessions_that_end_because_tokens_are_somebody_elses_are_told_of(
    scenario: Scenario,
) -> None:
    door = await open_door(scenario, "oidc")
    tokens = RefreshingProvider(scenario)
    member = await scenario.authenticate(await door.token(), session_duration_minutes=1440)
    scenario.clock.advance(HOUR)
    tokens.refreshed["sub"] = "mallory"
    seen = await watch(scenario)
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{member['member_id']}"
    await scenario.api.bad("GET", f"{path}/oidc_providers")
    assert await seen.said() == [
        (
            "session.revoke",
            "project_secret",
            (),
            f"{door.connection_id} gave out tokens of somebody else",
        )
    ]


@pytest.mark.case("AD-43")
async def test_background_is_told_of_where_it_changes_a_connection(scenario: Scenario) -> None:
    host = MetadataHost(scenario.fetch)
    fed = await fed_connection(scenario, host)
    seen = await watch(scenario)
    await fed.refresh()
    host.publish("idp", "idp2")
    assert (await fed.refresh())["offer"] is not None
    assert await seen.said() == []  # an offer is no change
    await fed.put_settings(trust_metadata_certificates=True)
    host.publish("idp", "idp3")
    await seen.new()
    scenario.clock.advance(DAY)
    await refresh_due(scenario.context)
    (event,) = await seen.new()
    assert (event.action, event.object_id) == ("connection.follow_metadata", fed.connection_id)
    assert event.changed == ("x509_certificate",)
    who = (event.actor_type, event.actor_id, event.address, event.user_agent, event.request_id)
    assert who == ("system", "", "", "", "")


@pytest.mark.case("AD-43")
async def test_background_that_only_tells_and_tidies_is_no_event(door: Door) -> None:
    scenario = door.scenario
    await door.log_in()
    seen = await watch(scenario)
    scenario.clock.advance(3650 * DAY)
    await warn_due(scenario.context)
    assert await remove_expired(scenario.context.store, now=scenario.clock.now()) > 0
    assert await seen.said() == []


@pytest.mark.case("AD-43")
async def test_rotation_that_is_begun_twice_or_ended_twice_is_told_of_once(
    scenario: Scenario,
) -> None:
    door = await open_door(scenario, "saml")
    path = (
        f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}/settings/signing_key"
    )
    seen = await watch(scenario)
    for what in ("cancel", "start", "start", "cancel", "cancel"):
        await scenario.api.good("POST", f"{path}/{what}")
    assert [action for action, *_ in await seen.said()] == [
        "connection.start_key_rotation",
        "connection.cancel_key_rotation",
    ]
