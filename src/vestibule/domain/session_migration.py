"""Sessions of the system that an application comes from, taken over (semantics 6.4).

That system is asked, at its userinfo endpoint, whose session a token is. The person went through a
login there, so what the organization demands of a login here (methods, a second factor) is not
asked for again: as for sessions that began before it was demanded.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import audit, connection_fields, members, organizations, outcome, requirements
from vestibule.domain.context import Context
from vestibule.domain.email import key_of
from vestibule.domain.outcome import Party, Wanted
from vestibule.domain.sessions import SessionView
from vestibule.errors import Failure
from vestibule.fetch import FetchError, FetchResponse, acting_for
from vestibule.log import logger
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.urls import check_url
from vestibule.oidc.userinfo import parse_address
from vestibule.records import Factor, Member, Organization, Project
from vestibule.store.interface import Transaction

_LONGEST_TOKEN: Final = 8192


@dataclass(frozen=True, kw_only=True)
class Migration:
    """What the application sends: a token of the other system, and whose member it belongs to."""

    token: str
    organization_id: str
    wanted: Wanted


async def set_source(context: Context, project: Project, url: str) -> None:
    """Make `url` the userinfo endpoint that is asked; '' ends the taking over of sessions.

    Raises Failure bad_request when it is no https URL (http to a host that the operator lists).
    """
    if url and not _may_be_asked(context, url):
        raise Failure(errors.bad_request, "session_migration_url: expected an https URL.")
    async with context.store.write() as tx:
        await tx.projects.change({"session_migration_url": url}, project_id=project.project_id)
        await audit.record(
            tx, context, "project.set_session_migration", project, project.project_id
        )


async def migrate(context: Context, project: Project, request: Migration) -> SessionView:
    """Begin a session of the member whose address the other system gives for a token.

    Nobody is created. Raises Failure: a bad duration or claims, organization_not_found,
    migrate_from_external_missing_userinfo when the project names no endpoint,
    migrate_from_external_unexpected_response, migrate_from_external_email_does_not_exist,
    action_available_only_for_active_members, and those of `requirements.require_standing`.
    """
    request.wanted.check()
    if not project.session_migration_url:
        raise Failure(errors.migrate_from_external_missing_userinfo)
    if not 0 < len(request.token) <= _LONGEST_TOKEN or not _is_visible(request.token):
        raise Failure(errors.bad_request, "session_token: expected a token of visible ASCII.")
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, request.organization_id)
    with acting_for(organization.organization_id):
        address = await _ask(context, project, request.token)
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, organization.organization_id)
        member = await _member(tx, organization, address)
        requirements.require_standing(organization, member, now=context.clock.now())
        if member.status != "active":
            raise Failure(errors.action_available_only_for_active_members)
        party = Party(project, organization, await _verified(tx, context, member))
        factors = (_imported(context.clock.now()),)
        begun = await outcome.begin(
            tx, context, party, factors, waiting=None, wanted=request.wanted
        )
        await audit.record_login(tx, context, member, party.member)
        return begun


async def _ask(context: Context, project: Project, token: str) -> str:
    """Return the address that the other system gives for `token`. Raises Failure."""
    try:
        answer = await _request(context, project.session_migration_url, token)
        return parse_address(answer.status, answer.headers.get("content-type"), answer.body)
    except FetchError as error:
        reason, detail = str(error.reason), error.detail
    except OidcError as error:
        reason, detail = str(error.reason), str(error)
    # Why it failed is for the log: an answer of the operator's network is nothing to show.
    logger().info("session not migrated", reason=reason, detail=detail)
    raise Failure(errors.migrate_from_external_unexpected_response, detail=detail)


async def _request(context: Context, url: str, token: str) -> FetchResponse:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return await context.fetch.request("GET", url, headers=headers)


async def _member(tx: Transaction, organization: Organization, address: str) -> Member:
    """Return the member whose present address this is, held until the transaction ends."""
    found = await members.by_email(tx, organization, key_of(address))
    held = found and await members.find(tx, organization, found.member_id, lock=True)
    if not held:
        raise Failure(errors.migrate_from_external_email_does_not_exist)
    return held


async def _verified(tx: Transaction, context: Context, member: Member) -> Member:
    """Return `member` as somebody who has proven the address: the other system has seen to it."""
    if member.email_address_verified:
        return member
    verified = replace(member, email_address_verified=True, updated_at=context.clock.now())
    await tx.members.update(verified)
    return verified


def _imported(now: int) -> Factor:
    """Return the factor of a session that began elsewhere; the wire has one name for all."""
    return Factor(
        type="imported",
        delivery_method="imported_auth0",
        details_name="",
        details={},
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )


def _may_be_asked(context: Context, url: str) -> bool:
    try:
        check_url(url, reason=Reason.URL, secure=False)
    except OidcError:
        return False
    return connection_fields.is_https_or_listed(context.settings, url)


def _is_visible(token: str) -> bool:
    return all("!" <= character <= "~" for character in token)
