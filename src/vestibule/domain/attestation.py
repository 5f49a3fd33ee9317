"""Sessions that begin with a trusted token, or gain it as a factor (semantics 6.4).

It proves who somebody is, but is none of the methods that an organization can allow, and no second
factor: where an organization restricts or demands these, it only adds to a session that is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import (
    audit,
    members,
    oidc_provider,
    organizations,
    outcome,
    policy,
    requirements,
    role_ledger,
    sessions,
    trusted_tokens,
)
from vestibule.domain.context import Context
from vestibule.domain.email import key_of
from vestibule.domain.organization_settings import EXTERNAL_ID
from vestibule.domain.outcome import Party, Wanted
from vestibule.domain.sessions import SessionView
from vestibule.errors import Failure
from vestibule.fetch import acting_for
from vestibule.log import logger
from vestibule.oidc.errors import OidcError
from vestibule.oidc.expectation import TrustedExpectation
from vestibule.oidc.jwks import Key, read_public_key
from vestibule.oidc.trusted_token import VerifiedTrustedToken, verify_trusted_token
from vestibule.records import (
    Factor,
    Member,
    MemberRole,
    OidcConfiguration,
    Organization,
    Project,
    Session,
    TrustedToken,
    TrustedTokenProfile,
)
from vestibule.store.interface import Conflict, Transaction


@dataclass(frozen=True, kw_only=True)
class Attestation:
    """What the application sends; '' stands for absent."""

    profile_id: str
    token: str
    organization_id: str = ""
    session_token: str = ""
    session_jwt: str = ""
    wanted: Wanted


@dataclass(frozen=True)
class _Given:
    """A token that has been verified, and the profile that it was verified by."""

    profile: TrustedTokenProfile
    token: VerifiedTrustedToken


async def attest(context: Context, project: Project, request: Attestation) -> SessionView:
    """Begin a session of whom a trusted token names, or add the token to a session of theirs.

    The token is used up. Raises Failure: a bad duration or claims, too_many_session_arguments,
    trusted_token_profile_not_found, invalid_trusted_auth_token, organization_not_found,
    member_not_found, those of `requirements.require_standing`,
    action_available_only_for_active_members, invalid_rbac_role_assignment, those of
    `members.add` where the profile may create members, those of `sessions.find`,
    member_session_member_id_mismatch, and for a new session
    operation_restricted_by_organization_auth_methods or insufficient_factors.
    """
    request.wanted.check()
    if request.session_token and request.session_jwt:
        raise Failure(errors.too_many_session_arguments)
    profile = await trusted_tokens.get(context, project, request.profile_id)
    given = _Given(profile, await _verified(context, profile, request.token))
    try:
        async with context.store.write() as tx:
            return await _attest(tx, context, project, request, given)
    except Conflict as conflict:
        raise members.taken(conflict) from None


async def _verified(
    context: Context, profile: TrustedTokenProfile, token: str
) -> VerifiedTrustedToken:
    expectation = TrustedExpectation(
        issuer=profile.issuer,
        client_id=profile.audience,
        mapping=profile.attribute_mapping,
        pinned=not profile.jwks_url,
        clock_skew=oidc_provider.clock_skew(context),
    )
    try:
        keys = await _keys(context, profile, token)
        return verify_trusted_token(token, keys, expectation, now=context.clock.now())
    except OidcError as error:
        logger().info("trusted token refused", profile_id=profile.profile_id, detail=str(error))
        raise _refused(f"expected {error.expected} ({error.reason})") from error


async def _keys(context: Context, profile: TrustedTokenProfile, token: str) -> tuple[Key, ...]:
    if not profile.jwks_url:
        return tuple(read_public_key(pem) for pem in profile.public_keys)
    # Issuers wait for themselves alone, as organizations do.
    with acting_for(profile.profile_id):
        of = OidcConfiguration(jwks_url=profile.jwks_url)
        return await oidc_provider.keys_for(context, of, token)


async def _attest(
    tx: Transaction, context: Context, project: Project, request: Attestation, given: _Given
) -> SessionView:
    now = context.clock.now()
    await _use_up(tx, given)
    organization = await _organization(tx, project, request, given.token)
    known = await _member(tx, organization, given)
    member = known or await _add(tx, context, project, organization, given)
    requirements.require_standing(organization, member, now=now)
    if member.status != "active":
        raise Failure(errors.action_available_only_for_active_members)
    session = await _session(tx, member, project, request, now=now)
    factor = _factor(given.token, now=now)
    if session is None:
        _require_enough(organization, member, factor)
    gained = await _give(tx, context, Party(project, organization, member), given.token.role_ids)
    party = Party(project, organization, await _settle(tx, context, member, given.token))
    if session is None:
        view = await outcome.begin(
            tx, context, party, (factor,), waiting=None, wanted=request.wanted
        )
    else:
        view = await outcome.extend(tx, context, party, session, factor, wanted=request.wanted)
    await audit.record_login(tx, context, known, party.member, also={"roles"} if gained else set())
    return view


async def _use_up(tx: Transaction, given: _Given) -> None:
    """Use up the token: whoever sees it on its way cannot use it again."""
    fresh = await tx.trusted_tokens.insert_if_absent(
        TrustedToken(
            project_id=given.profile.project_id,
            profile_id=given.profile.profile_id,
            token_id=given.token.token_id,
            expires_at=given.token.replay_until,
        )
    )
    if not fresh:
        raise _refused("it has been used before")


async def _organization(
    tx: Transaction, project: Project, request: Attestation, token: VerifiedTrustedToken
) -> Organization:
    """Return the organization that the request or the token names; both must mean the same."""
    named = request.organization_id or token.organization_id
    if not named:
        raise Failure(
            errors.trusted_token_profile_invalid_request,
            "organization_id: needed, because the token has no claim for it.",
        )
    organization = await organizations.load(tx, project, named)
    if token.organization_id not in {
        "",
        organization.organization_id,
        organization.organization_slug,
        organization.organization_external_id,
    }:
        raise _refused("it is for another organization")
    return organization


async def _session(
    tx: Transaction, member: Member, project: Project, request: Attestation, *, now: int
) -> Session | None:
    """Return the member's session that gains the factor, held until the transaction ends."""
    if not request.session_token and not request.session_jwt:
        return None
    session = await sessions.find(
        tx,
        project,
        session_token=request.session_token,
        session_jwt_text=request.session_jwt,
        now=now,
        lock=True,
    )
    if (session.organization_id, session.member_id) != (member.organization_id, member.member_id):
        raise Failure(errors.member_session_member_id_mismatch)
    return session


async def _member(tx: Transaction, organization: Organization, given: _Given) -> Member | None:
    """Return the member whose address the token names, held."""
    found = await members.by_email(tx, organization, key_of(given.token.email_address))
    return found and await members.find(tx, organization, found.member_id, lock=True)


async def _add(
    tx: Transaction, context: Context, project: Project, organization: Organization, given: _Given
) -> Member:
    """Make a member of the address that the token names, where that may be.

    A token makes members only of the organization that it names itself (contract).
    """
    if not given.profile.can_jit_provision or not given.token.organization_id:
        raise Failure(errors.member_not_found)
    return await members.add(
        tx,
        context,
        project,
        organization,
        email_address=given.token.email_address,
        email_verified=True,
    )


async def _settle(
    tx: Transaction, context: Context, member: Member, token: VerifiedTrustedToken
) -> Member:
    """Write what the token says of the member: a proven address, an external id."""
    settled = replace(
        member,
        email_address_verified=True,
        external_id=_external_id(member, token.external_member_id),
    )
    if settled != member:
        settled = replace(settled, updated_at=context.clock.now())
        await tx.members.update(settled)
    return settled


def _external_id(member: Member, said: str) -> str | None:
    if not said or said == member.external_id:
        return member.external_id
    if member.external_id is not None:
        raise _refused("its member has another external id")
    if not EXTERNAL_ID.fullmatch(said) or members.ID_FORM.fullmatch(said):
        raise _refused("it names an external id that cannot be one")
    return said


async def _give(tx: Transaction, context: Context, party: Party, role_ids: Sequence[str]) -> bool:
    """Give the member the roles of a token for good; True when it had not had one of them."""
    known = policy.roles_of(policy.project_policy(party.project), party.organization)
    gained = False
    for role_id in role_ids:
        if role_id not in known:
            raise Failure(
                errors.invalid_rbac_role_assignment, f"No role is named {role_id[:128]!r}."
            )
        if role_id != policy.MEMBER_ROLE:
            gained |= await tx.member_roles.insert_if_absent(
                MemberRole(
                    project_id=party.member.project_id,
                    organization_id=party.member.organization_id,
                    member_id=party.member.member_id,
                    role_id=role_id,
                    given=role_ledger.given(context),
                )
            )
    return gained


def _require_enough(organization: Organization, member: Member, factor: Factor) -> None:
    """Pass when a trusted token alone may begin a session of this member."""
    if organization.auth_methods == "RESTRICTED" and not member.is_breakglass:
        raise Failure(
            errors.operation_restricted_by_organization_auth_methods,
            "The Organization restricts how its Members log in: pass a session of the Member.",
        )
    if requirements.needs_second(organization, member, (factor,)):
        raise Failure(
            errors.insufficient_factors,
            "The Organization demands a second factor: pass a session that has one.",
        )


def _factor(token: VerifiedTrustedToken, *, now: int) -> Factor:
    return Factor(
        type="trusted_auth_token",
        delivery_method="trusted_token_exchange",
        details_name="trusted_auth_token_factor",
        details={"token_id": token.token_id},
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )


def _refused(why: str) -> Failure:
    return Failure(errors.invalid_trusted_auth_token, f"token: {why}.", detail=why)
