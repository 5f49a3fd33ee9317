import asyncio

import pytest

from tests.cli.conftest import Command
from vestibule.cli.opened import opened
from vestibule.cli.traces import _told
from vestibule.domain import organizations, projects, traces
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.errors import invalid_connection_for_jit_provisioning, invalid_saml_response_email
from vestibule.records import Connection, Trace, TraceStep
from vestibule.settings import read

GOOD = TraceStep(name="sig.value", expected="a signature", received="it", passed=True)
BAD = TraceStep(
    name="email",
    expected="an address",
    received="00u\x1b[2J",
    passed=False,
    fix="Okta: send the address as the NameID.",
)
REFUSAL = Refusal(invalid_saml_response_email, "email", "identity_provider", (GOOD, BAD))


@pytest.fixture
def project_id(command: Command) -> str:
    """Return a project with two sign-ins at Acme, the newer one refused."""
    made = command.good("project", "create", "Acme")

    async def work() -> None:
        async with opened(read(command.environ), upgrade=False) as context:
            project = await projects.get(context, made["project_id"])
            view = await organizations.create(context, project, {"organization_name": "Acme"})
            connection = Connection(
                connection_id="saml-connection-1",
                project_id=project.project_id,
                organization_id=view.organization.organization_id,
                protocol="saml",
                display_name="",
                created_at=0,
                updated_at=0,
            )
            async with context.store.write() as tx:
                for number, refusal in ((1, None), (2, REFUSAL)):
                    trace = traces.new(
                        context,
                        connection,
                        trace_id=f"trace-{number}",
                        sign_in_id="",
                        steps=refusal.steps if refusal else (GOOD,),
                        refusal=refusal,
                    )
                    await tx.traces.insert(trace)

    asyncio.run(work())
    return str(made["project_id"])


def test_list_is_newest_first(command: Command, project_id: str) -> None:
    said = command.run("trace", "list", project_id, "acme").stdout.splitlines()
    assert [line.split("  ")[1:] for line in said] == [
        ["trace-2", "invalid_saml_response_email"],
        ["trace-1", "succeeded"],
    ]
    for option, left in (("--failed", ["trace-2"]), ("--limit=1", ["trace-2"])):
        said = command.run("trace", "list", project_id, "acme", option).stdout.splitlines()
        assert [line.split("  ")[1] for line in said] == left
    assert command.run("trace", "list", project_id, "acme", "--connection-id=x").stdout == ""


@pytest.mark.case("AD-18")
def test_show_tells_who_has_to_do_what(command: Command, project_id: str) -> None:
    said = command.run("trace", "show", project_id, "acme", "trace-2").stdout.splitlines()
    assert said[0].endswith("Z  saml-connection-1")
    assert said[1:] == [
        "",
        "ok      sig.value",
        "        wanted  a signature",
        "        got     it",
        "FAILED  email",
        "        wanted  an address",
        "        got     00u\\x1b[2J",
        "        Okta: send the address as the NameID.",
        "",
        "Verdict: refused, email (invalid_saml_response_email).",
        "To be fixed by: the identity provider's administrator.",
    ]
    said = command.run("trace", "show", project_id, "acme", "trace-1").stdout.splitlines()
    assert said[-1] == "Verdict: accepted."


def test_error_that_is_its_own_reason_is_said_once() -> None:
    error = invalid_connection_for_jit_provisioning
    trace = Trace(
        trace_id="t",
        project_id="p",
        organization_id="o",
        connection_id="c",
        outcome="failed",
        error_type=error.name,
        reason=error.name,
        side="vestibule",
        created_at=0,
    )
    assert list(_told(trace))[-2:] == [
        f"Verdict: refused, {error.name}.",
        "To be fixed by: the administrator of the connection.",
    ]


def test_unknown_trace_is_said(command: Command, project_id: str) -> None:
    said = command.run("trace", "show", project_id, "acme", "trace-3")
    assert (said.exit_code, said.stdout) == (1, "")
    assert "No sign-in of this Organization has this trace_id." in said.stderr
