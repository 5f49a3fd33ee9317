"""`vestibule policy`: the roles and resources of a project."""

from pathlib import Path

import click

from vestibule.cli.operations import run
from vestibule.domain import project_policies, projects
from vestibule.domain.context import Context


@click.group()
def policy() -> None:
    """Roles and resources that a project has of its own."""


@policy.command("set")
@click.argument("project_id")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def set_policy(project_id: str, file: Path) -> None:
    """Make FILE (JSON: roles, resources) all that PROJECT_ID has beside the default ones."""
    text = file.read_bytes()

    async def work(context: Context) -> int:
        found = await projects.get(context, project_id)
        given = project_policies.read(text)
        await project_policies.replace(context, found, given)
        return len(given.roles)

    click.echo(f"{project_id} has {run(work)} roles of its own.")


@policy.command("show")
@click.argument("project_id")
def show_policy(project_id: str) -> None:
    """Print what PROJECT_ID has beside the default roles, as `set` reads it."""

    async def work(context: Context) -> bytes:
        return project_policies.write((await projects.get(context, project_id)).rbac_policy)

    click.echo(run(work).decode())
