"""What an operator does from the command line: the database, projects and what belongs to them."""

import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from vestibule import log
from vestibule.cli.opened import opened, read_settings
from vestibule.clock import rfc3339
from vestibule.domain import impersonation as impersonations
from vestibule.domain import projects, session_migration, signing_keys, suspension
from vestibule.domain.context import Context
from vestibule.domain.mfa import unlocking
from vestibule.errors import Failure
from vestibule.ids import Environment
from vestibule.records import Origin
from vestibule.store import migrate as migrations
from vestibule.store.interface import StoreUnavailable

T = TypeVar("T")


@click.command()
def migrate() -> None:
    """Bring the database up to date; running it twice, or on two nodes at once, is harmless."""
    try:
        migrations.upgrade(read_settings().database)
    except StoreUnavailable as error:
        raise click.ClickException(f"The database cannot be reached: {error}") from None
    except migrations.UnknownRevision as error:
        raise click.ClickException(str(error)) from None
    click.echo("The database is up to date.")


@click.group()
def project() -> None:
    """Projects: one environment of one application each."""


@project.command("create")
@click.argument("name")
@click.option("--live", is_flag=True, help="A live project (the default is test).")
def create_project(name: str, live: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Create project NAME and print its credentials once."""
    environment: Environment = "live" if live else "test"
    made = run(lambda context: projects.create(context, name=name, environment=environment))
    click.echo(f"project_id    {made.project_id}")
    click.echo(f"secret        {made.secret}")
    click.echo(f"public_token  {made.public_token}")


@project.command("set")
@click.argument("project_id")
@click.option(
    "--session-migration-url",
    help="The userinfo endpoint of the system that sessions are taken over from; '' for none.",
)
@click.option(
    "--impersonation/--no-impersonation",
    default=None,
    help="Whether `vestibule impersonate` may be used; at first it may not.",
)
@click.option(
    "--self-serve-unlock/--no-self-serve-unlock",
    default=None,
    help="Whether a locked member's letter has a link that ends the lock; at first it has none.",
)
def set_project(
    *,
    project_id: str,
    session_migration_url: str | None,
    impersonation: bool | None,
    self_serve_unlock: bool | None,
) -> None:
    """Change the settings of PROJECT_ID that are given."""
    if (session_migration_url, impersonation, self_serve_unlock) == (None, None, None):
        raise click.UsageError("Give a setting to change.")

    async def work(context: Context) -> list[str]:
        found = await projects.get(context, project_id)
        said = []
        if session_migration_url is not None:
            await session_migration.set_source(context, found, session_migration_url)
            url = session_migration_url
            said.append(
                f"Sessions are taken over from {url}." if url else "No sessions are taken over."
            )
        if impersonation is not None:
            await impersonations.allow(context, found, allowed=impersonation)
            said.append(f"Members {'may' if impersonation else 'may not'} be impersonated.")
        if self_serve_unlock is not None:
            await unlocking.allow(context, found, allowed=self_serve_unlock)
            may = "may" if self_serve_unlock else "may not"
            said.append(f"Members who are locked out {may} end that by their letter's link.")
        return said

    for line in run(work):
        click.echo(line)


@click.command("impersonate")
@click.argument("project_id")
@click.argument("organization_id")
@click.argument("member_id")
@click.option("--as", "impersonator", required=True, help="Your e-mail address.")
@click.option("--reason", required=True, help="Why you do it; it is logged.")
def impersonate(
    *, project_id: str, organization_id: str, member_id: str, impersonator: str, reason: str
) -> None:
    """Print a token with which your application acts as MEMBER_ID for an hour, once."""

    async def work(context: Context) -> str:
        return await impersonations.make_token(
            context,
            await projects.get(context, project_id),
            organization_id=organization_id,
            member_id=member_id,
            impersonator=impersonator,
            reason=reason,
        )

    click.echo(f"impersonation_token  {run(work)}")
    click.echo("Redeem it within 5 minutes: impersonation.authenticate.")


@click.group()
def secret() -> None:
    """API secrets."""


@secret.command("rotate")
@click.argument("project_id")
def rotate_secret(project_id: str) -> None:
    """Add a new API secret to PROJECT_ID and print it once; the old ones stay valid."""

    async def work(context: Context) -> str:
        return await projects.rotate_secret(context, await projects.get(context, project_id))

    click.echo(f"secret  {run(work)}")
    click.echo("Put it into your application, then end the others: vestibule secret keep-only.")


@secret.command("keep-only")
@click.argument("project_id")
@click.option("--secret", "kept", prompt=True, hide_input=True, help="The secret that stays.")
def keep_only_secret(project_id: str, kept: str) -> None:
    """End every API secret of PROJECT_ID but the one given (asked for when it is not)."""

    async def work(context: Context) -> int:
        found = await projects.get(context, project_id)
        return await projects.remove_secrets(context, found, keep=kept)

    click.echo(f"{run(work)} secrets ended.")


@click.group()
def key() -> None:
    """Keys that sign session JWTs."""


@key.command("rotate")
@click.argument("project_id")
def rotate_key(project_id: str) -> None:
    """Publish a new signing key for PROJECT_ID; it takes over by itself, the old one retires."""

    async def work(context: Context) -> tuple[str, int]:
        made = await signing_keys.rotate(context, await projects.get(context, project_id))
        return made.key_id, made.active_from

    key_id, active_from = run(work)
    click.echo(f"{key_id} is published and signs from {rfc3339(active_from)} on.")


@click.group()
def organization() -> None:
    """Organizations: the tenants of a project."""


@organization.command("suspend")
@click.argument("project_id")
@click.argument("organization_id")
def suspend_organization(project_id: str, organization_id: str) -> None:
    """Let nobody log in to ORGANIZATION_ID (an id, slug or external id) of PROJECT_ID."""

    async def work(context: Context) -> str:
        found = await projects.get(context, project_id)
        return await suspension.suspend(context, found, organization_id)

    click.echo(f"{run(work)} is suspended; no login and no session of it is accepted.")


@organization.command("resume")
@click.argument("project_id")
@click.argument("organization_id")
def resume_organization(project_id: str, organization_id: str) -> None:
    """End the suspension of ORGANIZATION_ID (an id, slug or external id) of PROJECT_ID."""

    async def work(context: Context) -> str:
        found = await projects.get(context, project_id)
        return await suspension.resume(context, found, organization_id)

    click.echo(f"{run(work)} is open again.")


def run(work: Callable[[Context], Awaitable[T]]) -> T:
    """Run `work` on the configured database; a Failure ends the command with its sentence.

    The audit log names the operator as the operating system does.
    """
    settings = read_settings()
    log.configure(json=settings.log_json)
    operator = Origin(actor_type="operator", actor_id=_user_name())

    async def with_context() -> T:
        async with opened(settings, upgrade=False) as context:
            return await work(context.acting_for(operator))

    try:
        return asyncio.run(with_context())
    except Failure as failure:
        raise click.ClickException(failure.message) from None


def _user_name() -> str:
    """Return who runs this process; a container's user may have no name."""
    user_id = os.getuid()
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)
