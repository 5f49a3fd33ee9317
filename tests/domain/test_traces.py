import pytest

from vestibule import errors
from vestibule.domain import organizations, traces
from vestibule.domain.context import Context
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.records import Connection, Identity, Project, SsoToken, Trace, TraceStep

PASSED = TraceStep(name="sig.value", expected="a", received="a", passed=True)
FAILED = TraceStep(name="jit", expected="", received="no", passed=False)
REFUSAL = Refusal(
    errors.invalid_connection_for_jit_provisioning, "jit", "vestibule", (FAILED,), "for the browser"
)


@pytest.fixture
async def connection(context: Context, project: Project) -> Connection:
    changes = {"organization_name": "Acme"}
    organization = (await organizations.create(context, project, changes)).organization
    return Connection(
        connection_id="saml-connection-1",
        project_id=project.project_id,
        organization_id=organization.organization_id,
        protocol="saml",
        display_name="",
        created_at=0,
        updated_at=0,
    )


def token(trace: Trace) -> SsoToken:
    return SsoToken(
        token_id="t",
        secret_hash=b"",
        project_id=trace.project_id,
        organization_id=trace.organization_id,
        connection_id=trace.connection_id,
        protocol="saml",
        identity=Identity(external_id="", email_address=""),
        trace_id=trace.trace_id,
        created_at=0,
        expires_at=0,
    )


def made(context: Context, connection: Connection, refusal: Refusal | None = None) -> Trace:
    steps = (*(PASSED,), *(refusal.steps if refusal else ()))
    return traces.new(
        context, connection, trace_id="trace-1", sign_in_id="s-1", steps=steps, refusal=refusal
    )


def test_a_good_one_names_nobody_who_must_act(context: Context, connection: Connection) -> None:
    trace = made(context, connection)
    assert (trace.outcome, trace.error_type, trace.reason, trace.side) == ("succeeded", "", "", "")
    assert trace.created_at == context.clock.now()
    assert trace.organization_id == connection.organization_id


def test_a_bad_one_says_why_and_who(context: Context, connection: Connection) -> None:
    trace = made(context, connection, REFUSAL)
    assert (trace.outcome, trace.error_type, trace.reason, trace.side) == (
        "failed",
        "invalid_connection_for_jit_provisioning",
        "jit",
        "vestibule",
    )
    assert trace.steps == (PASSED, FAILED)


async def stored(context: Context) -> Trace:
    async with context.store.read() as tx:
        (trace,) = await tx.traces.all()
    return trace


async def test_a_redemption_may_refuse_and_be_mended(
    context: Context, connection: Connection
) -> None:
    trace = made(context, connection)
    async with context.store.write() as tx:
        await tx.traces.insert(trace)
        await traces.mend(tx, token(trace))
    assert await stored(context) == trace
    for _ in range(2):
        async with context.store.write() as tx:
            await traces.fail(tx, token(trace), REFUSAL)
        assert await stored(context) == made(context, connection, REFUSAL)
    async with context.store.write() as tx:
        await traces.mend(tx, token(trace))
    assert await stored(context) == trace


async def test_a_trace_that_is_gone_is_no_fault(context: Context, connection: Connection) -> None:
    async with context.store.write() as tx:
        await traces.fail(tx, token(made(context, connection)), REFUSAL)
        await traces.mend(tx, token(made(context, connection)))
        assert await tx.traces.count() == 0
