"""`vestibule trusted-token`: the issuers whose tokens begin sessions in a project."""

from pathlib import Path

import click

from vestibule.cli.operations import run
from vestibule.domain import projects, trusted_tokens
from vestibule.domain.context import Context
from vestibule.records import TrustedTokenProfile


@click.group("trusted-token")
def trusted_token() -> None:
    """Trusted tokens: JWTs of other issuers that begin sessions (sessions.attest)."""


@trusted_token.command("add")
@click.argument("project_id")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def add_profile(project_id: str, file: Path) -> None:
    """Let tokens of another issuer begin sessions in PROJECT_ID; FILE says which, in JSON."""
    text = file.read_bytes()

    async def work(context: Context) -> TrustedTokenProfile:
        found = await projects.get(context, project_id)
        return await trusted_tokens.add(context, found, trusted_tokens.read(text))

    click.echo(f"profile_id  {run(work).profile_id}")


@trusted_token.command("list")
@click.argument("project_id")
def list_profiles(project_id: str) -> None:
    """Print the issuers that PROJECT_ID trusts: profile id, issuer, audience, name."""

    async def work(context: Context) -> list[TrustedTokenProfile]:
        return await trusted_tokens.get_all(context, await projects.get(context, project_id))

    for each in run(work):
        click.echo(f"{each.profile_id}  {each.issuer}  {each.audience}  {each.name}")


@trusted_token.command("remove")
@click.argument("project_id")
@click.argument("profile_id")
def remove_profile(project_id: str, profile_id: str) -> None:
    """Trust an issuer no longer; the sessions that its tokens began go on."""

    async def work(context: Context) -> None:
        await trusted_tokens.remove(context, await projects.get(context, project_id), profile_id)

    run(work)
    click.echo(f"{profile_id} is removed.")
