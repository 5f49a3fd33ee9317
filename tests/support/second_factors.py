"""A member who has proven a primary factor, below the endpoints, and what comes of a second one."""

from dataclasses import dataclass
from typing import Any

import pytest

from vestibule import errors
from vestibule.domain import intermediate_sessions, sessions
from vestibule.domain.context import Context
from vestibule.domain.mfa import completion
from vestibule.domain.mfa.completion import Completion, Proven, Tokens, Wrong
from vestibule.domain.outcome import Party, Wanted
from vestibule.domain.sessions import SessionView
from vestibule.errors import ErrorType, Failure
from vestibule.records import Factor, Member, Organization, Project
from vestibule.store.interface import Transaction

SSO = Factor(
    type="sso",
    delivery_method="sso_saml",
    details_name="saml_sso_factor",
    details={"provider_id": "c-1"},
    last_authenticated_at=1,
    created_at=1,
    updated_at=1,
)
RIGHT = "right"
NOTHING_WANTED = Wanted(duration_minutes=None, custom_claims={})


async def judge(_tx: Transaction, party: Party, code: str, *, now: int) -> Proven:
    """Prove an authenticator by the one code that is right."""
    if code != RIGHT:
        raise Wrong(Failure(errors.unable_to_authenticate_totp))
    factor = Factor(
        type="totp",
        delivery_method="authenticator_app",
        details_name="authenticator_app_factor",
        details={"totp_id": "totp-1"},
        sequence_order="SECONDARY",
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )
    return Proven(factor, party.member)


@dataclass(frozen=True)
class Arrived:
    """The member, and what is done in its name."""

    context: Context
    project: Project
    organization: Organization
    member: Member

    async def waiting(self, *factors: Factor) -> Tokens:
        """Return a new intermediate session's token; it holds a login by SSO unless told."""
        async with self.context.store.write() as tx:
            made = await intermediate_sessions.start(
                tx, self.context, self.member, factors=factors or (SSO,)
            )
        return Tokens(intermediate_session_token=made.token)

    async def session(self, *, minutes: int = 60, claims: Any = None) -> Tokens:
        """Return a new session's token."""
        async with self.context.store.write() as tx:
            _, token = await sessions.start(
                tx,
                self.context,
                self.project,
                self.member,
                factors=(SSO,),
                duration=sessions.lifetime(minutes),
                custom_claims=claims or {},
            )
        return Tokens(session_token=token)

    async def complete(self, tokens: Tokens, code: str = RIGHT, **fields: Any) -> SessionView:
        """Send a code along with `tokens`."""
        request = Completion(
            **{
                "organization_id": self.organization.organization_id,
                "member_id": self.member.member_id,
                "tokens": tokens,
                "wanted": NOTHING_WANTED,
                **fields,
            }
        )
        now = self.context.clock.now()
        return await completion.complete(
            self.context,
            self.project,
            request,
            method="totp",
            prove=lambda tx, party: judge(tx, party, code, now=now),
        )

    async def refusal(self, tokens: Tokens, code: str = RIGHT, **fields: Any) -> ErrorType:
        """Send a code that is refused, and return why."""
        with pytest.raises(Failure) as caught:
            await self.complete(tokens, code, **fields)
        return caught.value.error

    async def now(self) -> Member:
        """Return the member as it is stored now."""
        async with self.context.store.read() as tx:
            found = await tx.members.find(
                project_id=self.project.project_id,
                organization_id=self.organization.organization_id,
                member_id=self.member.member_id,
            )
        assert found is not None
        return found

    async def change_member(self, **values: Any) -> None:
        async with self.context.store.write() as tx:
            await tx.members.change(values, member_id=self.member.member_id)

    async def change_organization(self, **values: Any) -> None:
        of = self.organization.organization_id
        async with self.context.store.write() as tx:
            await tx.organizations.change(values, organization_id=of)
