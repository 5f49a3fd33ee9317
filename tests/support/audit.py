"""What the audit log of a scenario's project holds, and what somebody may do to it."""

from typing import Any

from tests.support.scenario import Scenario
from vestibule.domain.audit_chain import Chain, Verdict, verify
from vestibule.records import AuditEvent


async def events(scenario: Scenario, organization_id: str | None = None) -> list[AuditEvent]:
    """Return the events of all chains, or of one organization ('' is the project), in order."""
    one = {} if organization_id is None else {"organization_id": organization_id}
    where: dict[str, Any] = {"project_id": scenario.project.project_id, **one}
    async with scenario.context.store.read() as tx:
        return await tx.audit_events.all(**where)


async def checked(scenario: Scenario, organization_id: str) -> Verdict:
    """Return the verdict on an organization's chain."""
    return await verify(scenario.context, Chain(scenario.project.project_id, organization_id))
