from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec import UNSET, UnsetType

from tests.support.member_session import sign_in
from tests.support.scenario import Scenario
from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response, given, sent
from vestibule.domain import sessions
from vestibule.errors import Failure
from vestibule.permissions import ProjectSecret


class Ask(Request):
    organization_id: str
    name: str | UnsetType | None = UNSET
    count: int | UnsetType = UNSET


class Told(Response):
    pass


async def ask(request: Ask, call: Call) -> Told:
    return Told()


def declare(path: str) -> Callable[[Ask, Call], Awaitable[Told]]:
    group = Group("things.parts")
    handler = group.endpoint("GET", path, access=ProjectSecret(), errors=(errors.bad_request,))(ask)
    (endpoint,) = group.endpoints
    assert endpoint.operation_id == "things.parts.ask"
    assert (endpoint.request, endpoint.response) == (Ask, Told)
    assert endpoint.errors == (errors.bad_request,)
    return handler


def test_declared_handler_stays_a_function() -> None:
    assert declare("/v1/things/{organization_id}") is ask


def test_name_in_the_path_must_be_a_field() -> None:
    with pytest.raises(TypeError) as caught:
        declare("/v1/things/{organisation_id}")
    assert str(caught.value) == "/v1/things/{organisation_id}: ['organisation_id'] not in Ask"


@pytest.mark.parametrize(
    ("request_", "with_null", "without_null"),
    [
        (Ask(organization_id="o"), {}, {}),
        (Ask(organization_id="o", name=None, count=0), {"name": None, "count": 0}, {"count": 0}),
        (Ask(organization_id="o", name=""), {"name": ""}, {"name": ""}),
    ],
)
def test_what_was_sent_is_told_from_what_was_not(
    request_: Ask, with_null: dict[str, Any], without_null: dict[str, Any]
) -> None:
    assert given(request_, without=("organization_id",)) == with_null
    assert sent(request_, "organization_id") == without_null


async def test_call_without_a_member_session_may_do_everything(scenario: Scenario) -> None:
    call = Call(scenario.context, scenario.project, None, "r")
    call.require("any.resource", "any", organization_id="o")


async def test_call_with_a_member_session_may_do_what_its_roles_grant(scenario: Scenario) -> None:
    member = await sign_in(scenario, await scenario.organization())
    token = member.headers["x-stytch-member-session"]
    caller = await sessions.caller(
        scenario.context, scenario.project, session_token=token, session_jwt=""
    )
    call = Call(scenario.context, scenario.project, caller, "r")
    mine = member.organization_id
    with pytest.raises(Failure) as caught:
        call.require("stytch.member", "delete", organization_id=mine)
    assert caught.value.error is errors.session_authorization_error
    call.require("stytch.member", "delete", organization_id=mine, member_id=member.member_id)
    with pytest.raises(Failure) as caught:
        call.require("stytch.member", "delete", organization_id="other")
    assert caught.value.error is errors.session_authorization_tenancy_error
