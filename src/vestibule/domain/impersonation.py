"""Impersonation: somebody of the operator's sees what a member sees, for an hour (semantics 8).

It is off until a project allows it. The session says who is behind it, cannot be extended, gains no
factor and changes nothing that people log in with; both its steps are logged.
"""

from typing import Final

from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain import audit, members, organizations, outcome, requirements
from vestibule.domain.context import Context
from vestibule.domain.email import read_email
from vestibule.domain.outcome import Party, Wanted
from vestibule.domain.sessions import SessionView
from vestibule.errors import Failure
from vestibule.ids import read_token, same_secret
from vestibule.log import logger
from vestibule.records import Factor, ImpersonationToken, Member, Organization, Project
from vestibule.store.interface import Transaction

TOKEN_LIFE: Final = 5 * MINUTE
_MINUTES: Final = 60
_LONGEST_REASON: Final = 500


async def allow(context: Context, project: Project, *, allowed: bool) -> None:
    """Let members of the project be impersonated from now on, or no longer.

    Tokens that are not redeemed yet are worth nothing while it is not allowed; a session that has
    begun goes on.
    """
    async with context.store.write() as tx:
        values = {"impersonation_allowed": allowed}
        await tx.projects.change(values, project_id=project.project_id)
        reason = "allowed" if allowed else "not allowed"
        await audit.record(
            tx, context, "project.set_impersonation", project, project.project_id, reason=reason
        )
    logger().info("impersonation allowed", project_id=project.project_id, allowed=allowed)


async def make_token(
    context: Context,
    project: Project,
    *,
    organization_id: str,
    member_id: str,
    impersonator: str,
    reason: str,
) -> str:
    """Return a token with which `impersonator` (an e-mail address) becomes a member, once.

    It is good for five minutes. Raises Failure user_impersonation_not_allowed, invalid_email,
    invalid_impersonation_reason, organization_not_found, member_not_found, organization_suspended
    or member_impersonation_not_allowed.
    """
    address, _ = read_email(impersonator)
    if not 0 < len(reason.strip()) <= _LONGEST_REASON:
        raise Failure(errors.invalid_impersonation_reason)
    now, token = context.clock.now(), context.mint_token()
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, organization_id)
        member = await members.load(tx, organization, member_id, lock=True)
        await _require_allowed(tx, organization, member, now=now)
        made = ImpersonationToken(
            token_id=token.token_id,
            secret_hash=token.secret_hash,
            project_id=project.project_id,
            organization_id=organization.organization_id,
            member_id=member.member_id,
            impersonator=address,
            reason=reason,
            created_at=now,
            expires_at=now + TOKEN_LIFE,
        )
        await tx.impersonation_tokens.insert(made)
        await audit.record(
            tx,
            context,
            "member.impersonate",
            member,
            member.member_id,
            reason=f"{address}: {reason}",
        )
    _log("impersonation token made", made)
    return token.text


async def authenticate(context: Context, project: Project, text: str) -> SessionView:
    """Use up a token, and begin an hour's session of its member; no second factor is asked for.

    Raises Failure unable_to_auth_impersonation_token, and those of `make_token` that have come
    true meanwhile.
    """
    now = context.clock.now()
    async with context.store.write() as tx:
        token = await _consume(tx, project, text, now=now)
        organization = await organizations.load(tx, project, token.organization_id)
        member = await members.load(tx, organization, token.member_id, lock=True)
        await _require_allowed(tx, organization, member, now=now)
        begun = await outcome.begin(
            tx,
            context,
            Party(project, organization, member),
            (_factor(token, now=now),),
            waiting=None,
            wanted=Wanted(duration_minutes=_MINUTES, custom_claims={}),
        )
    _log("member impersonated", token, member_session_id=begun.session.session_id)
    return begun


async def _consume(tx: Transaction, project: Project, text: str, *, now: int) -> ImpersonationToken:
    read = read_token(text)
    used = read and await tx.impersonation_tokens.change(
        {"consumed_at": now},
        project_id=project.project_id,
        token_id=read.token_id,
        consumed_at=0,
        expires_at__gt=now,
    )
    if not read or not used or not same_secret(used[0].secret_hash, read.secret_hash):
        raise Failure(errors.unable_to_auth_impersonation_token)
    return used[0]


async def _require_allowed(
    tx: Transaction, organization: Organization, member: Member, *, now: int
) -> None:
    project = await tx.projects.find(project_id=organization.project_id)
    if project is None or not project.impersonation_allowed:
        raise Failure(errors.user_impersonation_not_allowed)
    # A lock keeps out those who guess; who comes with a token guesses nothing.
    requirements.require_standing(organization, None, now=now)
    if member.status != "active":
        raise Failure(errors.member_impersonation_not_allowed)


def _factor(token: ImpersonationToken, *, now: int) -> Factor:
    return Factor(
        type="impersonated",
        delivery_method="impersonation",
        details_name="impersonated_factor",
        # Who operates Vestibule has no account in it: the address is all that names a person.
        details={
            "impersonator_id": token.impersonator,
            "impersonator_email_address": token.impersonator,
        },
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )


def _log(event: str, token: ImpersonationToken, **more: str) -> None:
    logger().info(
        event,
        project_id=token.project_id,
        organization_id=token.organization_id,
        member_id=token.member_id,
        impersonator=token.impersonator,
        reason=token.reason,
        **more,
    )
