"""Ending sessions: those that a call names, at once (semantics 6.4)."""

from dataclasses import dataclass
from typing import Final

from vestibule import errors
from vestibule.domain import audit, sessions
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Project, Session
from vestibule.store.interface import Transaction


@dataclass(frozen=True)
class Named:
    """Whose sessions a revocation is about, and those there are; '' when it is about nobody."""

    organization_id: str
    member_id: str
    sessions: tuple[Session, ...]


_NOBODY: Final = Named("", "", ())


async def find(
    context: Context,
    project: Project,
    *,
    member_session_id: str = "",
    session_token: str = "",
    session_jwt: str = "",
    member_id: str = "",
) -> Named:
    """Return the sessions that a revocation names by exactly one of its four arguments.

    A session that has ended already is no error: there is nothing left to revoke. Raises Failure
    for none or several arguments, a malformed token or JWT, or an unknown member.
    """
    given = [name for name in (member_session_id, session_token, session_jwt, member_id) if name]
    if not given:
        raise Failure(errors.no_session_revoke_arguments)
    if len(given) > 1:
        raise Failure(errors.too_many_session_revoke_arguments)
    now = context.clock.now()
    async with context.store.read() as tx:
        if member_id:
            return await _of_member_id(tx, project, member_id)
        if member_session_id:
            return _one(
                await tx.sessions.find(project_id=project.project_id, session_id=member_session_id)
            )
        try:
            return _one(
                await sessions.find(
                    tx,
                    project,
                    session_token=session_token,
                    session_jwt_text=session_jwt,
                    now=now,
                )
            )
        except Failure as failure:
            if failure.error is errors.session_not_found:
                return _NOBODY
            raise


async def revoke(context: Context, named: Named) -> None:
    """End these sessions at once."""
    async with context.store.write() as tx:
        for session in named.sessions:
            await tx.sessions.delete(
                project_id=session.project_id,
                organization_id=session.organization_id,
                session_id=session.session_id,
            )
        await audit.record_end(tx, context, "session.revoke", named.sessions)


def _one(session: Session | None) -> Named:
    if session is None:
        return _NOBODY
    return Named(session.organization_id, session.member_id, (session,))


async def _of_member_id(tx: Transaction, project: Project, member_id: str) -> Named:
    member = await tx.members.find(project_id=project.project_id, member_id=member_id)
    if member is None:
        raise Failure(errors.member_not_found)
    found = await tx.sessions.all(
        project_id=project.project_id,
        organization_id=member.organization_id,
        member_id=member.member_id,
    )
    return Named(member.organization_id, member.member_id, tuple(found))
