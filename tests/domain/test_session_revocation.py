import pytest

from tests.support.member_session import SignedIn, sign_in
from tests.support.scenario import Scenario
from vestibule.domain import session_revocation
from vestibule.domain.session_revocation import Named
from vestibule.errors import Failure

NOBODY = Named("", "", ())


@pytest.fixture
async def ada(scenario: Scenario) -> SignedIn:
    return await sign_in(scenario, await scenario.organization())


async def find(ada: SignedIn, **name: str) -> Named:
    scenario = ada.scenario
    return await session_revocation.find(scenario.context, scenario.project, **name)


async def names(ada: SignedIn) -> list[dict[str, str]]:
    """Return the four names of Ada's session."""
    token = ada.headers["x-stytch-member-session"]
    path = "/v1/b2b/sessions/authenticate"
    seen = await ada.scenario.api.good("POST", path, {"session_token": token})
    return [
        {"member_session_id": seen["member_session"]["member_session_id"]},
        {"session_token": token},
        {"session_jwt": seen["session_jwt"]},
        {"member_id": ada.member_id},
    ]


async def test_each_name_finds_the_session_and_whose_it_is(ada: SignedIn) -> None:
    for name in await names(ada):
        named = await find(ada, **name)
        assert (named.organization_id, named.member_id) == (ada.organization_id, ada.member_id)
        assert [each.member_id for each in named.sessions] == [ada.member_id]


async def test_revoked_session_names_nobody_but_a_member_without_sessions_is_one(
    ada: SignedIn,
) -> None:
    *of_session, of_member = await names(ada)
    context = ada.scenario.context
    await session_revocation.revoke(context, await find(ada, **of_session[0]))
    assert [await find(ada, **name) for name in of_session] == [NOBODY] * 3
    assert await find(ada, **of_member) == Named(ada.organization_id, ada.member_id, ())


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "no_session_revoke_arguments"),
        ({"session_token": "a", "member_id": "b"}, "too_many_session_revoke_arguments"),
        ({"session_token": "garbled"}, "invalid_session_token"),
        ({"session_jwt": "a.b.c"}, "unable_to_parse_session_jwt"),
        ({"member_id": "member-test-unknown"}, "member_not_found"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_unusable_name_is_refused(ada: SignedIn, given: dict[str, str], error: str) -> None:
    with pytest.raises(Failure) as refused:
        await find(ada, **given)
    assert refused.value.error.name == error
