"""What of a session counts in another organization, too, and whom it names there (semantics 3.4).

That is what the other organization would have accepted itself: a login through a connection that
both share, and a proof of an e-mail address. It is given to the member who has the connection's
identity or that address, as the identity provider asserted it: what a member's profile says in the
first organization, whose admins may write there, counts for nothing in the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from vestibule.domain import requirements, tenancy
from vestibule.domain.connections import usable
from vestibule.domain.context import Context
from vestibule.domain.email import key_of
from vestibule.domain.factors import connection_of, method_of, proven_address
from vestibule.domain.sign_in import provisioning
from vestibule.domain.sign_in.provisioning import Found, Login
from vestibule.errors import Failure
from vestibule.records import (
    Connection,
    Factor,
    Identity,
    IntermediateSession,
    Member,
    Organization,
    Project,
    Session,
)
from vestibule.store.interface import Transaction


@dataclass(frozen=True)
class Offer:
    """A factor that counts in the other organization, too, and whom it names there.

    `login` is the same login as one through the other organization's connection; None for a
    factor that proves an address.
    """

    factor: Factor
    found: Found
    login: Login | None

    @property
    def member_id(self) -> str:
        """The member that it names; '' for nobody."""
        return self.found.member.member_id if self.found.member else ""


async def offers(
    tx: Transaction,
    project: Project,
    session: Session | IntermediateSession,
    target: Organization,
) -> list[Offer]:
    """Return the primary factors of `session` that count in `target`, in their order.

    The members that they name are locked.
    """
    # Whoever ends one of these is waited for, or waits and then sees what came of it.
    active = await tx.connections.all(**tenancy.of_organization(target), status="active", lock=True)
    shared = {item.external_connection_id or item.connection_id: item for item in active}
    found = []
    for factor in session.factors:
        if method_of(factor) == "sso":
            named = await identity_of(tx, session, factor)
            if named is not None and named[0].connection_id in shared:
                used, identity = named
                login = Login(project, target, shared[used.connection_id], identity)
                found.append(Offer(factor, await provisioning.find(tx, login), login))
        elif proven_address(factor):
            found.append(await _of_address(tx, factor, target))
    return found


async def identity_of(
    tx: Transaction, session: Session | IntermediateSession, factor: Factor
) -> tuple[Connection, Identity] | None:
    """Return whom an SSO factor of `session` names, and the connection whose provider said so.

    An external connection stands for the one that it refers to. What the identity provider said
    is what it said at the newest login of this person. None when nobody could log in through that
    connection now.
    """
    of = tenancy.of_organization(session)
    own = await tx.connections.find(**of, connection_id=connection_of(factor))
    known = await tx.registrations.find(**of, registration_id=str(factor.details["id"]))
    if own is None or known is None:
        return None
    try:
        used = await usable(tx, own)
    except Failure:  # its owner is suspended, for instance
        return None
    identity = Identity(
        external_id=known.external_id,
        email_address=factor.email_address,
        groups=known.groups,
        attributes=known.sso_attributes,
    )
    return used, identity


async def _of_address(tx: Transaction, factor: Factor, target: Organization) -> Offer:
    """Return what a proof of an address is in `target`: a proof for whom it belongs to there."""
    key = key_of(proven_address(factor))
    email = await tx.member_emails.find(
        **tenancy.of_organization(target), email_key=key, retired=False
    )
    if email is None:
        return Offer(factor, Found(None, None), None)
    member = await tx.members.find(
        **tenancy.of_organization(target), member_id=email.member_id, lock=True
    )
    details = {"email_id": email.email_id, "email_address": email.email_address}
    return Offer(replace(factor, details=details), Found(member, None), None)


def who(offers: Sequence[Offer]) -> Member | None:
    """Return the member that the offers name: one known by its identity comes first."""
    known = [offer for offer in offers if offer.found.registration]
    return next((offer.found.member for offer in (*known, *offers) if offer.found.member), None)


async def carried(tx: Transaction, context: Context, offer: Offer, member: Member) -> Factor:
    """Return a factor as the target's session holds it; when it was proven stays as it was."""
    now, factor, login = context.clock.now(), offer.factor, offer.login
    if login is not None:
        registration = await provisioning.register(
            tx, context, login, member, offer.found.registration
        )
        details = {
            "id": registration.registration_id,
            "provider_id": registration.connection_id,
            "external_id": registration.external_id,
        }
        factor = replace(factor, details=details)
    return replace(factor, created_at=now, updated_at=now)


async def settle(
    tx: Transaction, context: Context, member: Member, taken: Sequence[Offer]
) -> Member:
    """Write what a login changes: an invited member is active, a proven address is verified."""
    if not taken:
        return member
    key = key_of(member.email_address)
    proven = any(key in _keys(offer.factor) for offer in taken)
    settled = replace(
        member,
        status="active",
        email_address_verified=member.email_address_verified or proven,
    )
    if settled != member:
        settled = replace(settled, updated_at=context.clock.now())
        await tx.members.update(settled)
    return settled


def changed_ties(taken: Sequence[Offer]) -> set[str]:
    """Return the names of what `carried` changes of the ties of the member to its identities."""
    return {
        name
        for offer in taken
        if offer.login is not None
        for name in provisioning.changed_ties(offer.found, offer.login.identity)
    }


def _keys(factor: Factor) -> set[str]:
    return {key_of(address) for address in (factor.email_address, proven_address(factor))}


def proofs_of_phone(
    factors: Iterable[Factor], target: Organization, member: Member
) -> list[Factor]:
    """Return the proofs of the phone that the member has verified in the target, too."""
    number = member.mfa_phone_number
    if not member.mfa_phone_number_verified:
        return []
    if not requirements.allows_second(target, member, "sms_otp"):
        return []
    details = {"phone_id": member.mfa_phone_id, "phone_number": number}
    return [
        replace(factor, details=details)
        for factor in factors
        if factor.delivery_method == "sms" and factor.details.get("phone_number") == number
    ]
