"""Who may add or take away a second factor: who has one needs it for that (semantics 4.3)."""

from collections.abc import Iterable

from vestibule import errors
from vestibule.domain.context import Context
from vestibule.domain.intermediate_sessions import Waiting
from vestibule.domain.mfa.completion import Tokens, held_by, require_one_at_most
from vestibule.domain.outcome import Party
from vestibule.errors import Failure
from vestibule.records import Factor, Member
from vestibule.store.interface import Transaction


async def require_may_add(tx: Transaction, context: Context, party: Party, tokens: Tokens) -> None:
    """Pass when the member has no second factor yet, or `tokens` name a session that holds it.

    A session that is named must be the member's in any case. Raises Failure: those of `held_by`,
    session_enforced_factor_matching_session_required without one, insufficient_factors when the
    session does not hold the second factor.
    """
    require_one_at_most(tokens)
    held = await held_by(tx, context, party, tokens) if tokens.count() else None
    if not has_second(party.member):
        return
    if held is None:
        raise Failure(errors.session_enforced_factor_matching_session_required)
    require_proven(party.member, held.record.factors if isinstance(held, Waiting) else held.factors)


def require_proven(member: Member, factors: Iterable[Factor]) -> None:
    """Pass when `factors` hold a second factor that the member has. Raises insufficient_factors."""
    if has_second(member) and not any(_is_second_of(member, factor) for factor in factors):
        raise Failure(
            errors.insufficient_factors,
            "This session does not hold the Member's second factor; prove that first.",
        )


def has_second(member: Member) -> bool:
    """True for a member with a verified phone or an active authenticator."""
    return member.mfa_phone_number_verified or bool(member.totp_registration_id)


def _is_second_of(member: Member, factor: Factor) -> bool:
    if factor.sequence_order != "SECONDARY":
        return False
    if factor.type == "totp":
        return factor.details.get("totp_id") == member.totp_registration_id != ""
    if factor.type == "recovery_codes":
        # They come with the authenticator, and go with it.
        return bool(member.totp_registration_id)
    return (
        factor.delivery_method == "sms"
        and member.mfa_phone_number_verified
        and factor.details.get("phone_number") == member.mfa_phone_number
    )
