"""`vestibule member`: what an operator asks about one member, and does for it."""

import click

from vestibule.cli.operations import run
from vestibule.clock import rfc3339
from vestibule.domain import members, organizations, projects
from vestibule.domain.context import Context
from vestibule.domain.mfa import unlocking
from vestibule.domain.roles import Grant, Source
from vestibule.log import printable
from vestibule.records import Given


@click.group()
def member() -> None:
    """Members: look at one of them, let one in again."""


@member.command("roles")
@click.argument("project_id")
@click.argument("organization_id")
@click.argument("member_id")
def member_roles(project_id: str, organization_id: str, member_id: str) -> None:
    """Print every role of a member with each source that it comes from, one in a line.

    `since` is when the member came to hold the role by it, `given` when and by whom the assignment
    was made: directly, or to a domain, a connection or a group. The audit log has the request.
    """

    async def work(context: Context) -> tuple[Grant, ...]:
        project = await projects.get(context, project_id)
        async with context.store.read() as tx:
            organization = await organizations.load(tx, project, organization_id)
            found = await members.load(tx, organization, member_id)
            return (await members.view(tx, project, organization, found)).grants

    for grant in run(work):
        for source in grant.sources:
            click.echo(printable(_line(grant, source)))


def _line(grant: Grant, source: Source) -> str:
    details = "".join(f"  {name}={value}" for name, value in source.details.items())
    since = rfc3339(source.since) if source.since else "unknown"
    return f"{grant.role_id}  {source.type}{details}  since {since}{_giving(source.given)}"


def _giving(given: Given) -> str:
    if not given.given_at:
        return ""
    who = " ".join(filter(None, (given.actor_type, given.actor_id, given.request_id)))
    return f"  given {rfc3339(given.given_at)} by {who}"


@member.command("unlock")
@click.argument("project_id")
@click.argument("organization_id")
@click.argument("member_id")
def unlock_member(project_id: str, organization_id: str, member_id: str) -> None:
    """Let a member who is locked out sign in again."""

    async def work(context: Context) -> bool:
        project = await projects.get(context, project_id)
        return await unlocking.release(context, project, organization_id, member_id)

    click.echo("The member may sign in again." if run(work) else "The member is not locked out.")
