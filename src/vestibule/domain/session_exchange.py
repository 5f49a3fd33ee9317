"""From a session in one organization to a session in another (semantics 3.4).

What is taken along is what the other organization would have accepted itself: a login through a
connection that both share, and a proof of an e-mail address. It is given to the member who has the
connection's identity or that address, as the identity provider asserted it: what a member's profile
says in the first organization, whose admins may write there, counts for nothing in the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import organizations, outcome, requirements, sessions
from vestibule.domain.connections import usable
from vestibule.domain.context import Context
from vestibule.domain.email import key_of
from vestibule.domain.factors import connection_of, method_of
from vestibule.domain.outcome import Party, Unfinished, Wanted
from vestibule.domain.sessions import SessionView
from vestibule.domain.sign_in import provisioning
from vestibule.domain.sign_in.provisioning import Found, Login, Overtaken
from vestibule.errors import Failure
from vestibule.log import logger
from vestibule.records import Connection, Factor, Identity, Member, Organization, Project, Session
from vestibule.store.interface import Conflict, ParentMissing, Transaction

_TRIES: Final = 3
_BY_EMAIL: Final = frozenset({"magic_link", "email_otp"})


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What the application sends: one of the two names of a session, and where it wants to go."""

    organization_id: str
    session_token: str = ""
    session_jwt: str = ""
    wanted: Wanted


@dataclass(frozen=True)
class _Offer:
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
    offers = await _offers(tx, project, session, target)
    if not offers:
        raise Failure(errors.insufficient_factors_for_session_exchange)
    member = _who(offers)
    if member is None:
        raise Failure(errors.member_not_found)
    requirements.require_standing(target, member, now=now)
    taken = [
        offer
        for offer in offers
        if offer.member_id == member.member_id
        and requirements.allows(target, member, method_of(offer.factor))
    ]
    factors = [await _carried(tx, context, offer, member) for offer in taken]
    member = await _settle(tx, context, member, taken)
    factors += [each for each in session.factors if _is_phone_of(each, target, member)]
    # A logout either is seen here, or waits and then sees what was made of the session.
    await named(tx, project, lock=True)
    party = Party(project, target, member)
    return await outcome.conclude(
        tx, context, party, tuple(factors), waiting=None, wanted=request.wanted
    )


async def _offers(
    tx: Transaction, project: Project, session: Session, target: Organization
) -> list[_Offer]:
    """Return the primary factors of `session` that count in `target`, in their order.

    The members that they name are locked.
    """
    # Whoever ends one of these is waited for, or waits and then sees what came of it.
    active = await tx.connections.all(**_within(target), status="active", lock=True)
    shared = {item.external_connection_id or item.connection_id: item for item in active}
    found = []
    for factor in session.factors:
        if method_of(factor) == "sso":
            login = await _same_login(tx, project, session, factor, target, shared)
            if login is not None:
                found.append(_Offer(factor, await provisioning.find(tx, login), login))
        elif method_of(factor) in _BY_EMAIL:
            found.append(await _of_address(tx, factor, target))
    return found


async def _same_login(  # noqa: PLR0917 - a factor, where it is from and where it goes
    tx: Transaction,
    project: Project,
    session: Session,
    factor: Factor,
    target: Organization,
    shared: Mapping[str, Connection],
) -> Login | None:
    """Return the login of `factor` as one through the target's connection; None without one.

    `shared` are the target's connections by the id of the connection that each uses. What the
    identity provider said is what it said at the newest login of this person.
    """
    of: dict[str, Any] = {
        "project_id": session.project_id,
        "organization_id": session.organization_id,
    }
    own = await tx.connections.find(**of, connection_id=connection_of(factor))
    known = await tx.registrations.find(**of, registration_id=str(factor.details["id"]))
    if own is None or known is None:
        return None
    try:
        used = await usable(tx, own)
    except Failure:  # its owner is suspended, for instance: nobody could log in through it now
        return None
    if used.connection_id not in shared:
        return None
    identity = Identity(
        external_id=known.external_id,
        email_address=factor.email_address,
        groups=known.groups,
        attributes=known.sso_attributes,
    )
    return Login(project, target, shared[used.connection_id], identity)


async def _of_address(tx: Transaction, factor: Factor, target: Organization) -> _Offer:
    """Return what a proof of an address is in `target`: a proof for whom it belongs to there."""
    address = str(factor.details["email_address"])
    email = await tx.member_emails.find(**_within(target), email_key=key_of(address), retired=False)
    if email is None:
        return _Offer(factor, Found(None, None), None)
    member = await tx.members.find(**_within(target), member_id=email.member_id, lock=True)
    details = {"email_id": email.email_id, "email_address": email.email_address}
    return _Offer(replace(factor, details=details), Found(member, None), None)


def _who(offers: Sequence[_Offer]) -> Member | None:
    """Return the member that the offers name: one known by its identity comes first."""
    known = [offer for offer in offers if offer.found.registration]
    return next((offer.found.member for offer in (*known, *offers) if offer.found.member), None)


async def _carried(tx: Transaction, context: Context, offer: _Offer, member: Member) -> Factor:
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


async def _settle(
    tx: Transaction, context: Context, member: Member, taken: Sequence[_Offer]
) -> Member:
    """Write what a login changes: an invited member is active, a proven address is verified."""
    if not taken:
        return member
    key = key_of(member.email_address)
    proven = any(key_of(_address(offer)) == key for offer in taken)
    settled = replace(
        member,
        status="active",
        email_address_verified=member.email_address_verified or proven,
    )
    if settled != member:
        settled = replace(settled, updated_at=context.clock.now())
        await tx.members.update(settled)
    return settled


def _address(offer: _Offer) -> str:
    return offer.factor.email_address or str(offer.factor.details.get("email_address", ""))


def _is_phone_of(factor: Factor, target: Organization, member: Member) -> bool:
    """True for a proof of the phone that the member has verified in the target, too."""
    return (
        factor.delivery_method == "sms"
        and factor.details.get("phone_number") == member.mfa_phone_number
        and member.mfa_phone_number_verified
        and requirements.allows_second(target, member, "sms_otp")
    )


def _within(organization: Organization) -> dict[str, Any]:
    return {
        "project_id": organization.project_id,
        "organization_id": organization.organization_id,
    }
