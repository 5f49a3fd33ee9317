"""Suspending an organization: nobody logs in to it and no session of it counts (semantics 1.2)."""

from vestibule.domain import audit, organizations
from vestibule.domain.context import Context
from vestibule.records import Project


async def suspend(context: Context, project: Project, locator: str) -> str:
    """Suspend the organization that `locator` names, and return its id; its sessions are kept.

    Suspending it twice is harmless. Raises Failure organization_not_found.
    """
    return await _set(context, project, locator, context.clock.now())


async def resume(context: Context, project: Project, locator: str) -> str:
    """Let an organization's members in again, and return its id; those sessions count again.

    Raises Failure organization_not_found.
    """
    return await _set(context, project, locator, 0)


async def _set(context: Context, project: Project, locator: str, suspended_at: int) -> str:
    async with context.store.write() as tx:
        found = await organizations.load(tx, project, locator)
        await tx.organizations.change(
            {"suspended_at": suspended_at},
            project_id=project.project_id,
            organization_id=found.organization_id,
        )
        action: audit.Action = "organization.suspend" if suspended_at else "organization.resume"
        await audit.record(tx, context, action, found, found.organization_id)
    return found.organization_id
