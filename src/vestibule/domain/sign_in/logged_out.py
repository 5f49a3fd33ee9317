"""What a logout at the identity provider ended: it must not begin again with what came before.

A mark beside the used assertions says when a NameID, or one SessionIndex of it, was logged out.
It stays as long as an assertion from before could be accepted (SP-65). Between a login and a
logout in the same instant, either may come first.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain.sign_in.callback import Target
from vestibule.errors import Failure
from vestibule.records import Replay
from vestibule.saml.response import VerifiedAssertion
from vestibule.store.interface import Transaction

# Longer than the oldest assertion we accept, with the largest clock skew on both of its ends.
_REMEMBERED: Final = 30 * MINUTE
_EVERY_SESSION: Final = ""


async def remember(
    tx: Transaction, found: Target, name_id: str, session_indexes: Sequence[str], *, now: int
) -> None:
    """Note that these sessions of `name_id` were logged out now; without indexes, all of them."""
    for index in session_indexes or (_EVERY_SESSION,):
        mark = Replay(
            project_id=found.project.project_id,
            organization_id=found.organization.organization_id,
            connection_id=found.connection.connection_id,
            assertion_id=_mark(name_id, index),
            expires_at=now + _REMEMBERED,
        )
        if not await tx.replays.insert_if_absent(mark):
            await tx.replays.change(
                {"expires_at": mark.expires_at},
                project_id=mark.project_id,
                connection_id=mark.connection_id,
                assertion_id=mark.assertion_id,
            )


async def refuse(
    tx: Transaction, found: Target, assertion: VerifiedAssertion, *, begun: int
) -> None:
    """Pass unless the session of `assertion` was logged out after `begun` (microseconds UTC).

    `begun` is when the sign-in was; where the identity provider began it, when the assertion was
    issued.
    Raises Failure expired_saml_response.
    """
    name_id = assertion.name_id or ""
    marks = await tx.replays.all(
        project_id=found.project.project_id,
        connection_id=found.connection.connection_id,
        assertion_id=(
            _mark(name_id, assertion.session_index or _EVERY_SESSION),
            _mark(name_id, _EVERY_SESSION),
        ),
    )
    if any(begun <= mark.expires_at - _REMEMBERED for mark in marks):
        raise Failure(
            errors.expired_saml_response,
            "This session was logged out at the identity provider; sign in again.",
        )


def _mark(name_id: str, session_index: str) -> str:
    # An assertion's ID has no colon, and no value of XML has NUL.
    digest = hashlib.sha256(f"{name_id}\0{session_index}".encode()).hexdigest()
    return f"logout:{digest}"
