"""Organizations: found by any of their names, and shown with what is computed."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from vestibule import errors
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Connection, Organization, Project
from vestibule.store.interface import Transaction

ID_FORM: Final = re.compile(r"organization-(test|live)-")


@dataclass(frozen=True)
class OrganizationView:
    """An organization with all that an answer shows of it."""

    organization: Organization
    active_connections: tuple[Connection, ...]


async def get(context: Context, project: Project, locator: str) -> Organization:
    """Return the organization that `locator` names. Raises Failure organization_not_found."""
    async with context.store.read() as tx:
        return await load(tx, project, locator)


async def load(tx: Transaction, project: Project, locator: str) -> Organization:
    """Return the organization whose id, else external id, else slug is `locator`.

    Neither a slug nor an external id can have the form of an id. Raises Failure
    organization_not_found.
    """
    columns = ["organization_external_id", "organization_slug"]
    if ID_FORM.match(locator):
        columns = ["organization_id"]
    # An external id is the application's own choice; a slug may be a tenant's. The former wins.
    for column in columns:
        where: dict[str, Any] = {"project_id": project.project_id, column: locator}
        found = await tx.organizations.find(**where)
        if found is not None:
            return found
    raise Failure(errors.organization_not_found)


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
    ):
        active[connection.organization_id].append(connection)
    return [OrganizationView(item, tuple(active[item.organization_id])) for item in organizations]
