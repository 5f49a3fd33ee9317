"""Where a verified identity lands: which of the organizations that share a connection it enters.

Semantics 3.3 and 3.5. SSO discovery shows people one of these connections, so the organization is
chosen when it is known who they are.
"""

from dataclasses import dataclass, replace

from vestibule import errors
from vestibule.domain import connections, organizations
from vestibule.domain.email import read_email
from vestibule.domain.requirements import allows, may_provision
from vestibule.domain.sign_in import provisioning
from vestibule.domain.sign_in.provisioning import Login
from vestibule.errors import Failure
from vestibule.records import SignIn, TraceStep
from vestibule.store import sharing
from vestibule.store.interface import Transaction


@dataclass(frozen=True)
class Landing:
    """The organization and connection an identity is taken for; `known`: it is a member there.

    `steps` say so where it is another organization than the one that was asked for.
    """

    login: Login
    known: bool
    steps: tuple[TraceStep, ...] = ()


async def land(tx: Transaction, owner: Login, sign_in: SignIn | None) -> Landing:
    """Return where an identity lands that came to the connection of `owner`.

    What the identity provider began lands there. All else lands where it was begun, if the person
    is a member there or may become one. Otherwise it lands where the person is a member already:
    with the owner, or else in the oldest organization that shares the connection. Whoever is
    nobody's member is refused where it was begun. Raises Failure when that is not there any more.
    """
    begun = await _begun(tx, owner, sign_in)
    if await provisioning.match(tx, begun) is not None:
        return Landing(begun, known=True)
    if sign_in is None or may_provision(begun.organization, begun.connection):
        return Landing(begun, known=False)
    elsewhere = await _elsewhere(tx, owner)
    if elsewhere is None:
        return Landing(begun, known=False)
    step = TraceStep(
        name="landing",
        expected=f"a member of {begun.organization.organization_id}",
        received=f"a member of {elsewhere.organization.organization_id}",
        passed=True,
    )
    return Landing(elsewhere, known=True, steps=(step,))


async def _begun(tx: Transaction, owner: Login, sign_in: SignIn | None) -> Login:
    """Return the connection that was asked for at start: the owner's, or an external one to it."""
    if sign_in is None or sign_in.start_connection_id == owner.connection.connection_id:
        return owner
    asked = await tx.connections.find(
        project_id=owner.project.project_id,
        organization_id=sign_in.organization_id,
        connection_id=sign_in.start_connection_id,
    )
    if asked is None:
        raise Failure(errors.sso_connection_not_found)
    await connections.usable(tx, asked)
    organization = await organizations.load(tx, owner.project, asked.organization_id)
    return replace(owner, organization=organization, connection=asked)


async def _elsewhere(tx: Transaction, owner: Login) -> Login | None:
    """Return the best place where the person is a member and may sign in by SSO, if there is one.

    Active members come before invited and pending ones, then the owner, then the oldest.
    """
    if owner.organization.suspended_at:
        return None
    project_id, shared = owner.project.project_id, owner.connection.connection_id
    known = await sharing.members(
        tx,
        project_id,
        shared,
        external_id=owner.identity.external_id,
        email_key=read_email(owner.identity.email_address)[1],
    )
    ids = tuple(member.organization_id for member in known)
    found = await tx.organizations.all(project_id=project_id, organization_id=ids, suspended_at=0)
    by_id = {organization.organization_id: organization for organization in found}
    places = []
    for member in known:
        organization = by_id.get(member.organization_id)
        if organization is not None and allows(organization, member, "sso"):
            elsewhere = organization != owner.organization
            rank = (member.status != "active", elsewhere, organization.created_at)
            places.append((*rank, organization.organization_id))
    if not places:
        return None
    best = by_id[min(places)[-1]]
    if best == owner.organization:
        return owner
    connection = await tx.connections.find(
        project_id=project_id,
        organization_id=best.organization_id,
        external_connection_id=shared,
    )
    # It may have been deleted at this moment.
    return replace(owner, organization=best, connection=connection) if connection else None
