"""The chains of the audit log, all of them: for the operator who verifies them."""

from typing import Final

from vestibule.store.interface import Transaction

# Chains of which somebody removed every head, too.
_CHAINS: Final = """SELECT project_id, organization_id FROM audit_heads
UNION SELECT project_id, organization_id FROM audit_events ORDER BY 1, 2
"""


async def every(tx: Transaction) -> list[tuple[str, str]]:
    """Return the project and the organization of every chain; '' is a project's own."""
    return [(str(row[0]), str(row[1])) for row in await tx.fetch(_CHAINS)]
