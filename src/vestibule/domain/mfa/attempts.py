"""Wrong guesses at a member's codes: each is counted, and the last one locks the member out.

Whoever judges a guess has locked the member's row before, so guesses are judged one after the
other, however many nodes they come in at; while the member is locked, none is judged at all
(`requirements.require_standing`). Those still right start the count anew (semantics 4.6).
"""

from vestibule.clock import DAY, SECOND, rfc3339
from vestibule.domain import audit, letter_texts, letters, tenancy
from vestibule.domain.context import Context
from vestibule.domain.mfa import unlocking
from vestibule.domain.outcome import Party
from vestibule.log import logger
from vestibule.store.interface import Transaction


async def count(tx: Transaction, context: Context, party: Party) -> None:
    """Count a wrong guess of the member, as it was read under the lock; the last one locks it."""
    member, settings = party.member, context.settings
    key = tenancy.of_member(member)
    failed = member.failed_attempts + 1
    if failed < settings.user_lock_threshold:
        await tx.members.change({"failed_attempts": failed}, **key)
        return
    now = context.clock.now()
    until = now + settings.user_lock_seconds * SECOND
    lock = {"failed_attempts": 0, "lock_created_at": now, "lock_expires_at": until}
    await tx.members.change(lock, **key)
    logger().warning("member locked", member_id=member.member_id, attempts=failed)
    if context.mail.ready:
        text = letter_texts.member_locked(
            party.organization.organization_name,
            rfc3339(until),
            link=unlocking.link(context, party, now=now),
        )
        await letters.write(
            tx,
            context,
            party.project,
            member.organization_id,
            to=member.email_address,
            subject=text.subject,
            text=text.body,
            until=now + DAY,
        )
    await audit.record(tx, context, "member.lock", member, member.member_id)
