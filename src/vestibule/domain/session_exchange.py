"""From a session in one organization to a session in another (semantics 3.4)."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from vestibule import errors
from vestibule.domain import audit, organizations, outcome, requirements, sessions, transfer
from vestibule.domain.context import Context
from vestibule.domain.factors import method_of
from vestibule.domain.outcome import Party, Unfinished, Wanted
from vestibule.domain.sessions import SessionView
from vestibule.domain.sign_in.provisioning import Overtaken
from vestibule.errors import Failure
from vestibule.log import logger
from vestibule.records import Project
from vestibule.store.interface import Conflict, ParentMissing, Transaction

_TRIES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What the application sends: one of the two names of a session, and where it wants to go."""

    organization_id: str
    session_token: str = ""
    session_jwt: str = ""
    wanted: Wanted


async def exchange(
    context: Context, project: Project, request: Exchange
) -> SessionView | Unfinished:
    """Begin a session of another organization's member who is the same person; the old one stays.

    Nobody is created. Raises Failure: those of `sessions.find` and `sessions.owner`,
    organization_not_found, insufficient_factors_for_session_exchange when no factor counts there,
    member_not_found, duplicate_member_email when the address is tied to another account of that
    identity provider, and those of `requirements.require_standing`.
    """
    sessions.one_of(request.session_token, request.session_jwt)
    request.wanted.check()
    for _ in range(_TRIES):
        try:
            async with context.store.write() as tx:
                return await _exchange(tx, context, project, request)
        except (Conflict, ParentMissing, Overtaken) as error:
            logger().info("session exchange overtaken", detail=str(error))
    raise Failure(errors.server_unavailable, retry_after=1)


async def _exchange(
    tx: Transaction, context: Context, project: Project, request: Exchange
) -> SessionView | Unfinished:
    now = context.clock.now()
    named = partial(
        sessions.find,
        session_token=request.session_token,
        session_jwt_text=request.session_jwt,
        now=now,
    )
    session = await named(tx, project)
    await sessions.owner(tx, project, session)
    target = await organizations.load(tx, project, request.organization_id)
    offers = await transfer.offers(tx, project, session, target)
    if not offers:
        raise Failure(errors.insufficient_factors_for_session_exchange)
    member = transfer.who(offers)
    if member is None:
        raise Failure(errors.member_not_found)
    requirements.require_standing(target, member, now=now)
    taken = [
        offer
        for offer in offers
        if offer.member_id == member.member_id
        and requirements.allows(target, member, method_of(offer.factor))
    ]
    factors = [await transfer.carried(tx, context, offer, member) for offer in taken]
    settled = await transfer.settle(tx, context, member, taken)
    factors += transfer.proofs_of_phone(session.factors, target, settled)
    # A logout either is seen here, or waits and then sees what was made of the session.
    await named(tx, project, lock=True)
    result = await outcome.conclude(
        tx,
        context,
        Party(project, target, settled),
        tuple(factors),
        waiting=None,
        wanted=request.wanted,
    )
    await audit.record_login(tx, context, member, settled, also=transfer.changed_ties(taken))
    return result
