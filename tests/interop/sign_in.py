"""One sign-in through a provider's own form, finished with the official SDK as an application."""

import pytest
from stytch.b2b.models.sso import AuthenticateResponse

from tests.interop.browser import Browser, DeadEndError
from tests.interop.parties import Person
from tests.interop.server import Server


async def sign_in(server: Server, browser: Browser, *, url: str) -> AuthenticateResponse:
    """Begins at `url`, in the server or at the provider; what `sso.authenticate` answers."""
    query = await browser.go(url, until=server.application_url)
    assert query["stytch_token_type"] == "sso"
    return server.sdk.sso.authenticate(sso_token=query["token"], session_duration_minutes=30)


async def refused(server: Server, browser: Browser, *, url: str, connection_id: str) -> str:
    """Begins at `url` and ends on our plain page; the reason that the trace gives."""
    with pytest.raises(DeadEndError, match="Sign-in did not work"):
        await browser.go(url, until=server.application_url)
    last = browser.visits[-1]
    assert last.status == 400
    assert last.url.partition("?")[0].endswith(f"/v1/b2b/sso/callback/{connection_id}")
    return server.refusal(connection_id)


def assert_signed_in(
    server: Server,
    answer: AuthenticateResponse,
    *,
    person: Person,
    connection_id: str,
    external_id: str,
) -> None:
    """The member, its registration, the session and the JWT are those of `person`."""
    assert answer.member_authenticated is True
    member = answer.member
    assert (member.email_address, member.name) == (person.email, person.name)
    assert (member.status, member.email_address_verified) == ("active", True)
    registrations = [(r.connection_id, r.external_id) for r in member.sso_registrations]
    assert registrations == [(connection_id, external_id)]
    _assert_session(answer, connection_id=connection_id, external_id=external_id)
    again = server.sdk.sessions.authenticate(session_token=answer.session_token)
    assert again.member.member_id == answer.member_id
    local = server.sdk.sessions.authenticate_jwt_local(answer.session_jwt)
    assert local is not None
    assert local.member_id == answer.member_id
    assert local.organization_id == answer.organization_id


def member_emails(server: Server, organization_id: str) -> list[str]:
    found = server.sdk.organizations.members.search(organization_ids=[organization_id])
    return [member.email_address for member in found.members]


def _assert_session(answer: AuthenticateResponse, *, connection_id: str, external_id: str) -> None:
    """The session rests on one factor: this connection."""
    assert answer.member_session is not None
    assert answer.member_session.member_id == answer.member_id
    (factor,) = answer.member_session.authentication_factors
    protocol = connection_id.partition("-")[0]
    assert (factor.type.value, factor.delivery_method.value) == ("sso", f"sso_{protocol}")
    detail = factor.saml_sso_factor or factor.oidc_sso_factor
    assert detail is not None
    assert (detail.provider_id, detail.external_id) == (connection_id, external_id)
