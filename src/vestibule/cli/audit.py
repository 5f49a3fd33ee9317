"""The command `vestibule audit`: read the audit log, hand it out, and check that it is whole."""

import csv
import io
import sys
from collections.abc import Callable, Sequence
from typing import Final

import click
import msgspec

from vestibule.cli.operations import run
from vestibule.clock import to_datetime
from vestibule.domain import audit_chain
from vestibule.domain.audit_chain import Verdict
from vestibule.domain.context import Context
from vestibule.log import printable
from vestibule.records import AuditEvent

# What a spreadsheet would run as a formula (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_ORGANIZATION: Final = click.option(
    "--organization", "organization_id", help="Only this one, by its id; '' is the project's own."
)


@click.group()
def audit() -> None:
    """The audit log: who changed what, in a chain that shows what was done to it."""


@audit.command("verify")
@_ORGANIZATION
def verify_chains(organization_id: str | None) -> None:
    """Check every event; end with 1 when one was changed, removed or moved.

    Keep the numbers and hashes elsewhere: they show when a whole chain was written anew.
    """

    async def work(context: Context) -> list[Verdict]:
        found = await audit_chain.chains(context, organization_id=organization_id)
        return [await audit_chain.verify(context, chain) for chain in found]

    verdicts = run(work)
    for verdict in verdicts:
        click.echo(_verdict(verdict))
    if not verdicts and organization_id:
        raise click.ClickException(f"There is no audit log of {organization_id}.")
    if any(verdict.problem for verdict in verdicts):
        sys.exit(1)


def _verdict(verdict: Verdict) -> str:
    name = verdict.chain.organization_id or verdict.chain.project_id
    if verdict.problem:
        return f"{name}  BROKEN at number {verdict.broken_at}: {verdict.problem}"
    return f"{name}  good  {verdict.events}  {verdict.last_hash}"


@audit.command("list")
@click.argument("project_id")
@_ORGANIZATION
def list_events(project_id: str, organization_id: str | None) -> None:
    """Print the events of PROJECT_ID, one to a line, oldest first."""
    _print(project_id, organization_id, _line)


def _line(event: AuditEvent) -> str:
    who = " ".join(filter(None, (event.actor_type, event.actor_id)))
    changed = f" ({', '.join(event.changed)})" if event.changed else ""
    reason = f" - {event.reason}" if event.reason else ""
    said = f"{event.action} {event.object_id}{changed}{reason}  by {who}"
    # Others wrote some of it: it must not steer the terminal that it is shown on.
    return f"{_time(event)}  {printable(said)}\n"


@audit.command("export")
@click.argument("project_id")
@_ORGANIZATION
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), default="csv")
def export_events(project_id: str, organization_id: str | None, kind: str) -> None:
    """Print the events of PROJECT_ID as CSV, or as one JSON object to a line.

    A cell that a spreadsheet would take for a formula begins with an apostrophe; the JSON is what
    the hashes are made of, and `hash`.
    """
    if kind == "csv":
        click.echo(_row(AuditEvent.__struct_fields__), nl=False)
    _print(project_id, organization_id, _csv if kind == "csv" else _json)


def _print(
    project_id: str, organization_id: str | None, written: Callable[[AuditEvent], str]
) -> None:
    """Print what `written` makes of each event, chain by chain, as they are read."""

    async def work(context: Context) -> None:
        for chain in await audit_chain.chains(
            context, project_id=project_id, organization_id=organization_id
        ):
            async for event in audit_chain.events(context, chain):
                click.echo(written(event), nl=False)

    run(work)


def _json(event: AuditEvent) -> str:
    return msgspec.json.encode(event, order="sorted").decode() + "\n"


def _csv(event: AuditEvent) -> str:
    values = {
        **msgspec.structs.asdict(event),
        "occurred_at": _time(event),
        "changed": " ".join(event.changed),
        "previous_hash": event.previous_hash.hex(),
        "hash": event.hash.hex(),
    }
    return _row([_cell(str(value)) for value in values.values()])


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _row(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _time(event: AuditEvent) -> str:
    return to_datetime(event.occurred_at).isoformat()
