"""The secret that an identity provider gave an OIDC connection, and where it may be seen: AD-33.

The contract shows it to whoever may read the connection: the official SDKs demand the field, and
the documented answer holds it. Nobody else sees it, and nothing but a secret takes its place.
"""

from typing import Any, Final

import pytest
import structlog

from tests.support.asgi import call
from tests.support.audit import events
from tests.support.database_dump import dumped_bytes
from tests.support.doors import Door, open_door
from tests.support.every_endpoint import authorization_of, path_of
from tests.support.member_session import sign_in
from tests.support.refusals import traces
from tests.support.scenario import CLIENT_SECRET, ISSUER, Scenario
from vestibule.api.groups import endpoints
from vestibule.fetch import FetchResponse

SHOWN_BY: Final = {"sso.get_connections"}
"""The contract's only read of a connection; its creation and its update answer with it, too."""


def path_to(door: Door) -> str:
    return f"/v1/b2b/sso/oidc/{door.organization_id}/connections/{door.connection_id}"


async def shown(door: Door) -> dict[str, Any]:
    listed = await door.scenario.api.good("GET", f"/v1/b2b/sso/{door.organization_id}")
    (connection,) = listed["oidc_connections"]
    return dict(connection)


@pytest.mark.case("AD-33", verdict="holds")
async def test_only_the_contracts_own_answers_show_the_secret(scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")
    member = await door.log_in()
    values = {
        "organization_id": door.organization_id,
        "connection_id": door.connection_id,
        "member_id": member["member_id"],
        "project_id": scenario.project.project_id,
    }
    seen_by, answered = set(), 0
    for endpoint in endpoints():
        if endpoint.method != "GET":
            continue
        headers = authorization_of(endpoint, scenario)
        answer = await call(scenario.app, "GET", path_of(endpoint, values), headers=headers)
        answered += answer.status == 200
        if CLIENT_SECRET in answer.text + str(answer.headers):
            seen_by.add(endpoint.operation_id)
    assert answered >= 10
    assert seen_by == SHOWN_BY
    assert not any(each.own for each in endpoints() if each.operation_id in SHOWN_BY)
    settings = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}/settings"
    changed = await scenario.api.call("PUT", settings, {"end_session_url": f"{ISSUER}/logout"})
    assert changed.status == 200
    assert CLIENT_SECRET not in changed.text


@pytest.mark.case("AD-33")
async def test_a_member_without_the_permission_to_read_connections_does_not_see_it(
    scenario: Scenario,
) -> None:
    organization = await scenario.organization()
    door = Door(scenario, "oidc", await scenario.oidc_connection(organization["organization_id"]))
    caller = await sign_in(scenario, organization)
    listing = f"/v1/b2b/sso/{door.organization_id}"
    await caller.hold_permission("stytch.sso", ["create", "update", "delete"])
    assert await caller.bad("GET", listing) == (403, "session_authorization_error")
    await caller.hold_permission("stytch.sso", ["get"])
    (seen,) = (await caller.good("GET", listing))["oidc_connections"]
    assert seen["client_secret"] == CLIENT_SECRET


@pytest.mark.case("AD-33", verdict="holds")
async def test_the_secret_is_in_no_log_line_event_trace_or_row(
    scenario: Scenario, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever goes wrong with it, a provider that sends it back included."""
    door = await open_door(scenario, "oidc")
    await door.log_in()
    await scenario.api.good("PUT", path_to(door), {"client_secret": f"{CLIENT_SECRET}-second"})

    async def repeat(_method: str, url: str, body: bytes) -> FetchResponse:
        text = f'{{"error": "invalid_client", "error_description": "{CLIENT_SECRET}-second"}}'
        return FetchResponse(status=401, headers={}, body=text.encode() + body, url=url)

    good = scenario.fetch.answers[f"{ISSUER}/token"]
    with structlog.testing.capture_logs() as lines:
        for answer in (repeat, good):
            scenario.fetch.answers[f"{ISSUER}/token"] = answer
            page = await door.come_back(nonce="another")
            assert page.status == 400
            assert CLIENT_SECRET not in page.text
        too_long = {"client_secret": CLIENT_SECRET * 100}
        refused = await scenario.api.call("PUT", path_to(door), too_long)
        assert (refused.status, refused.json["error_type"]) == (400, "client_secret_too_long")
        assert CLIENT_SECRET not in refused.text
    assert len(await traces(scenario, outcome="failed")) == 2
    assert len(await events(scenario)) >= 4
    assert CLIENT_SECRET.encode() not in await dumped_bytes(scenario)
    assert CLIENT_SECRET not in "".join(map(str, lines)) + "".join(capfd.readouterr())


@pytest.mark.case("AD-33")
@pytest.mark.parametrize(
    "masked",
    ["****", "********", "\u2022" * 8, "\u25cf" * 12, "clie****", "****et-1", "cl*****-1"],
)
async def test_a_masked_value_sent_back_never_becomes_the_secret(
    scenario: Scenario, masked: str
) -> None:
    door = await open_door(scenario, "oidc")
    before = await shown(door)
    sent = {"client_secret": masked, "display_name": "New"}
    answer = await scenario.api.call("PUT", path_to(door), sent)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    assert answer.json["error_message"].startswith("client_secret: expected the secret itself")
    assert await shown(door) == before
    await door.log_in()


@pytest.mark.case("AD-33", verdict="holds")
@pytest.mark.parametrize("secret", ["a*b*c*d*", "***", "$2y$10$x/.", "SeiGwdj5lKkr=", "\u2022"])
async def test_a_secret_with_stars_in_it_is_a_secret(scenario: Scenario, secret: str) -> None:
    door = await open_door(scenario, "oidc")
    await scenario.api.good("PUT", path_to(door), {"client_secret": secret})
    # What was read is sent back as it is, as an SDK's object is.
    kept = await shown(door)
    assert kept["client_secret"] == secret
    again = await scenario.api.good("PUT", path_to(door), {"client_secret": kept["client_secret"]})
    assert again["connection"]["client_secret"] == secret
