"""`vestibule trace`: how sign-ins went, and who has to do what about one that failed."""

import textwrap
from collections.abc import Iterator

import click

from vestibule.cli.operations import run
from vestibule.cli.telling import SIDES, WIDTH, step_lines
from vestibule.clock import rfc3339
from vestibule.domain import projects, traces
from vestibule.domain.context import Context
from vestibule.domain.traces import Filter
from vestibule.log import printable
from vestibule.records import Trace


@click.group()
def trace() -> None:
    """Traces: how sign-ins went, kept for 30 days."""


@trace.command("list")
@click.argument("project_id")
@click.argument("organization_id")
@click.option("--connection-id", default="", help="Of this connection alone.")
@click.option("--failed", is_flag=True, help="Only those that failed.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
def list_traces(
    *, project_id: str, organization_id: str, connection_id: str, failed: bool, limit: int
) -> None:
    """Print the newest sign-ins of an organization, one in a line."""
    wanted = Filter(connection_id=connection_id, outcome="failed" if failed else "")

    async def work(context: Context) -> traces.Page:
        project = await projects.get(context, project_id)
        return await traces.page(context, project, organization_id, wanted, after="", limit=limit)

    for each in run(work).traces:
        click.echo(f"{rfc3339(each.created_at)}  {each.trace_id}  {each.error_type or 'succeeded'}")


@trace.command("show")
@click.argument("project_id")
@click.argument("organization_id")
@click.argument("trace_id")
def show_trace(project_id: str, organization_id: str, trace_id: str) -> None:
    """Tell step by step how the sign-in went whose TRACE_ID a person was shown."""

    async def work(context: Context) -> Trace:
        project = await projects.get(context, project_id)
        return await traces.get(context, project, organization_id, trace_id)

    for line in _told(run(work)):
        click.echo(line)


def _told(found: Trace) -> Iterator[str]:
    yield f"{rfc3339(found.created_at)}  {found.connection_id}"
    yield ""
    for step in found.steps:
        yield from step_lines(step)
        yield from (f"        {line}" for line in textwrap.wrap(printable(step.fix), WIDTH - 8))
    yield ""
    if found.outcome == "succeeded":
        yield "Verdict: accepted."
        return
    told = "" if found.error_type == found.reason else f" ({found.error_type})"
    yield f"Verdict: refused, {found.reason}{told}."
    yield f"To be fixed by: {SIDES[found.side]}."
