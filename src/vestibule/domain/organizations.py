"""Organizations: found by any of their names, shown with what is computed, and changed."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import audit, connections, organization_settings, role_ledger, tenancy
from vestibule.domain.context import Context
from vestibule.domain.organization_settings import ID_FORM
from vestibule.domain.policy import project_policy
from vestibule.errors import Failure
from vestibule.records import Connection, Organization, OrganizationDomain, Project
from vestibule.store.interface import Conflict, Transaction

# A creation that says something about how members come in gets no open door beside it.
_AUTH_SETTINGS: Final = frozenset({
    "sso_jit_provisioning", "email_allowed_domains", "email_jit_provisioning", "email_invites",
    "oauth_tenant_jit_provisioning", "allowed_oauth_tenants", "auth_methods",
    "allowed_auth_methods", "mfa_policy", "mfa_methods", "allowed_mfa_methods",
})  # fmt: skip
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")
_SLUG_CHARS: Final = 100


@dataclass(frozen=True)
class OrganizationView:
    """An organization with all that an answer shows of it."""

    organization: Organization
    active_connections: tuple[Connection, ...]


async def get(context: Context, project: Project, locator: str) -> Organization:
    """Return the organization that `locator` names. Raises Failure organization_not_found."""
    async with context.store.read() as tx:
        return await load(tx, project, locator)


async def get_view(context: Context, project: Project, locator: str) -> OrganizationView:
    """Return the view of the organization that `locator` names. Raises organization_not_found."""
    async with context.store.read() as tx:
        return await view(tx, project, await load(tx, project, locator))


async def member_count(context: Context, project: Project, locator: str) -> int:
    """Return how many members an organization has, without the deleted ones.

    Raises Failure organization_not_found.
    """
    async with context.store.read() as tx:
        organization = await load(tx, project, locator)
        return await tx.members.count(
            project_id=project.project_id,
            organization_id=organization.organization_id,
            status=("pending", "invited", "active"),
        )


async def load(
    tx: Transaction, project: Project, locator: str, *, lock: bool = False
) -> Organization:
    """Return the organization whose id, else external id, else slug is `locator`.

    Neither a slug nor an external id can have the form of an id. With `lock` it stays as it is
    until the transaction ends. Raises Failure organization_not_found.
    """
    columns = ["organization_external_id", "organization_slug"]
    if ID_FORM.fullmatch(locator):
        columns = ["organization_id"]
    # An external id is the application's own choice; a slug may be a tenant's. The former wins.
    for column in columns:
        where: dict[str, Any] = {"project_id": project.project_id, column: locator}
        found = await tx.organizations.find(lock=lock, **where)
        if found is not None:
            return found
    raise Failure(errors.organization_not_found)


async def get_all(
    context: Context, project: Project, locators: Sequence[str]
) -> list[Organization]:
    """Return the organizations that `locators` name, each once, as `load` but in three queries.

    Raises Failure organization_not_found when one of them names none.
    """
    ids = tuple(name for name in locators if ID_FORM.fullmatch(name))
    names = tuple(name for name in locators if not ID_FORM.fullmatch(name))
    own: dict[str, Any] = {"project_id": project.project_id}
    async with context.store.read() as tx:
        by_id = await tx.organizations.all(organization_id=ids, **own)
        external = await tx.organizations.all(organization_external_id=names, **own)
        by_slug = await tx.organizations.all(organization_slug=names, **own)
    found = {item.organization_slug: item for item in by_slug}
    found |= {item.organization_external_id or "": item for item in external}
    found |= {item.organization_id: item for item in by_id}
    if not found.keys() >= set(locators):
        raise Failure(errors.organization_not_found)
    return list({found[name].organization_id: found[name] for name in locators}.values())


async def view(tx: Transaction, project: Project, organization: Organization) -> OrganizationView:
    """Return one organization's view."""
    return (await views(tx, project, [organization]))[0]


async def views(
    tx: Transaction, project: Project, organizations: Sequence[Organization]
) -> list[OrganizationView]:
    """Return the organizations' views, in their order, with one query for all of them."""
    active: defaultdict[str, list[Connection]] = defaultdict(list)
    for connection in await tx.connections.all(
        project_id=project.project_id,
        organization_id=tuple(item.organization_id for item in organizations),
        status="active",
        order="created_at",
    ):
        active[connection.organization_id].append(connection)
    return [OrganizationView(item, tuple(active[item.organization_id])) for item in organizations]


async def create(
    context: Context, project: Project, changes: Mapping[str, Any]
) -> OrganizationView:
    """Make an organization from the fields that were sent; the rest has the defaults.

    Without a slug it gets one made of its name. Raises the Failures of
    `organization_settings.apply` and those of a slug, external id or claimed domain in use.
    """
    try:
        async with context.store.write() as tx:
            return OrganizationView(await add(tx, context, project, changes), ())
    except Conflict as conflict:
        raise taken(conflict) from None


async def add(
    tx: Transaction,
    context: Context,
    project: Project,
    changes: Mapping[str, Any],
    *,
    slug_of: str = "",
) -> Organization:
    """Do what `create` does, in a transaction; an absent slug is made of `slug_of`, or the name.

    Raises those Failures, but Conflict for what is in use: see `taken`.
    """
    now = context.clock.now()
    default = "NOT_ALLOWED" if _AUTH_SETTINGS & changes.keys() else "ALL_ALLOWED"
    blank = Organization(
        organization_id=context.new_id("organization", project),
        project_id=project.project_id,
        organization_name="",
        organization_slug="",
        email_invites=default,
        created_at=now,
        updated_at=now,
    )
    organization = organization_settings.apply(
        blank, {"organization_name": "", **changes}, project_policy(project)
    )
    organization = role_ledger.of_organization(context, blank, organization)
    if not organization.organization_slug:
        text = slug_of or organization.organization_name
        slug = await _free_slug(tx, context, project, text)
        organization = replace(organization, organization_slug=slug)
    await tx.organizations.insert(organization)
    await _keep_domains(tx, blank, organization)
    await audit.record(
        tx,
        context,
        "organization.create",
        organization,
        organization.organization_id,
        changed=audit.differing(blank, organization),
    )
    return organization


async def update(
    context: Context, project: Project, locator: str, changes: Mapping[str, Any]
) -> OrganizationView:
    """Change the fields that were sent and return the organization as it now is.

    Raises Failure organization_not_found and those of `create`, and for a connection that is not
    the organization's: invalid_sso_default_connection_id, invalid_restricted_sso_setting.
    """
    try:
        async with context.store.write() as tx:
            before = await load(tx, project, locator, lock=True)
            after = organization_settings.apply(before, changes, project_policy(project))
            after = role_ledger.of_organization(context, before, after)
            after = replace(after, updated_at=context.clock.now())
            await _require_connections(tx, after, changes)
            await tx.organizations.update(after)
            await _keep_domains(tx, before, after)
            await audit.record(
                tx,
                context,
                "organization.update",
                after,
                after.organization_id,
                changed=audit.differing(before, after),
            )
            return await view(tx, project, after)
    except Conflict as conflict:
        raise taken(conflict) from None


async def delete(context: Context, project: Project, locator: str) -> str:
    """Remove an organization with all that belongs to it, and return its id.

    External connections that refer to one of its own lead nowhere from now on. Raises Failure
    organization_not_found.
    """
    async with context.store.write() as tx:
        organization = await load(tx, project, locator)
        within = tenancy.of_organization(organization)
        # A login that is under way holds its token, and will want what is locked here next.
        await tx.sso_tokens.delete(**within)
        owned = await tx.connections.all(**within, lock=True)
        severed = await connections.sever(tx, owned, now=context.clock.now())
        await tx.organizations.delete(**within)
        await audit.record_deletion(
            tx,
            context,
            "organization.delete",
            organization,
            organization.organization_id,
            severed=severed,
        )
    return organization.organization_id


async def _require_connections(
    tx: Transaction, organization: Organization, changes: Mapping[str, Any]
) -> None:
    """The connections that a change names must be the organization's own."""
    default = changes.get("sso_default_connection_id")
    allowed = changes.get("sso_jit_provisioning_allowed_connections", ())
    if default is None and not allowed:
        return
    own = await tx.connections.all(
        project_id=organization.project_id, organization_id=organization.organization_id
    )
    if default is not None and not any(
        item.connection_id == default and item.status == "active" for item in own
    ):
        raise Failure(errors.invalid_sso_default_connection_id)
    known = {item.connection_id for item in own}
    for connection_id in allowed:
        if connection_id not in known:
            raise Failure(
                errors.invalid_restricted_sso_setting,
                "sso_jit_provisioning_allowed_connections: "
                f"{connection_id[:100]!r} is not a connection of this Organization.",
            )


async def _keep_domains(tx: Transaction, before: Organization, after: Organization) -> None:
    """Bring the searchable copy of the domain lists to what `after` has."""
    old, new = _domains(before), _domains(after)
    for row in sorted(old - new, key=lambda row: (row.kind, row.domain)):
        await tx.organization_domains.delete(
            project_id=row.project_id,
            organization_id=row.organization_id,
            kind=row.kind,
            domain=row.domain,
        )
    for row in sorted(new - old, key=lambda row: (row.kind, row.domain)):
        await tx.organization_domains.insert(row)


def _domains(organization: Organization) -> set[OrganizationDomain]:
    lists: tuple[tuple[Literal["allowed", "claimed"], tuple[str, ...]], ...] = (
        ("allowed", organization.email_allowed_domains),
        ("claimed", organization.claimed_email_domains),
    )
    return {
        OrganizationDomain(
            project_id=organization.project_id,
            organization_id=organization.organization_id,
            kind=kind,
            domain=domain,
        )
        for kind, domains in lists
        for domain in domains
    }


async def _free_slug(tx: Transaction, context: Context, project: Project, text: str) -> str:
    """Return a slug made of `text`, with a random ending where it is taken."""
    plain = unicodedata.normalize("NFKD", text)
    ascii_name = plain.encode("ascii", "ignore").decode().lower()
    slug = _NOT_SLUG.sub("-", ascii_name).strip("-")[:_SLUG_CHARS]
    if len(slug) < 2 or ID_FORM.fullmatch(slug):
        slug = "organization"
    if await tx.organizations.find(project_id=project.project_id, organization_slug=slug):
        return f"{slug}-{context.entropy.token_bytes(4).hex()}"
    return slug


def taken(conflict: Conflict) -> Failure:
    """Return the Failure of a value that another organization has."""
    by_column = {
        "organizations.organization_slug": errors.organization_slug_already_used,
        "organizations.organization_external_id": errors.organization_external_id_already_used,
        "organization_domains.domain": errors.organization_settings_duplicate_claimed_domain,
    }
    return Failure(by_column[conflict.column])
