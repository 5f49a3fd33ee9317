"""An event is in the outbox if what it tells of has happened, and in the log."""

import pytest
from structlog.testing import capture_logs

from tests.support.scenario import Scenario
from vestibule.domain.upkeep.announcements import announce


async def test_event_leaves_with_its_transaction(scenario: Scenario) -> None:
    organization = await scenario.organization()
    await scenario.saml_connection(organization["organization_id"])
    context = scenario.context

    async def tell(*, fail: bool) -> None:
        async with context.store.write() as tx:
            (connection,) = await tx.connections.all()
            await announce(
                tx, context, scenario.project, connection, "connection.metadata_failing", failures=4
            )
            if fail:
                raise ZeroDivisionError

    with capture_logs() as logs:
        await tell(fail=False)
    with pytest.raises(ZeroDivisionError):
        await tell(fail=True)
    async with context.store.read() as tx:
        (message,) = await tx.outbox.all()
    assert message.message_id.startswith("event-test-")
    assert message.organization_id == organization["organization_id"]
    assert message.kind == "connection.metadata_failing"
    assert message.payload.keys() == {"connection_id", "failures"}
    assert message.created_at == message.deliver_at == context.clock.now()
    (line,) = logs
    assert line["event"] == message.kind
    assert line["connection_id"] == message.payload["connection_id"]
