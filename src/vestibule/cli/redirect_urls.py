"""`vestibule redirect-url`: where browsers may be sent, and where they are sent by default."""

from collections.abc import Awaitable, Callable

import click

from vestibule.cli.operations import run
from vestibule.domain import projects
from vestibule.domain.context import Context
from vestibule.records import Project, RedirectUrl

_KINDS = ("login", "signup", "logout")


@click.group("redirect-url")
def redirect_url() -> None:
    """Redirect URLs: where browsers may be sent with a token."""


@redirect_url.command("add")
@click.argument("project_id")
@click.argument("url")
@click.option("--login/--no-login", default=True, help="For members who exist.")
@click.option("--signup/--no-signup", default=True, help="For members who are created.")
@click.option("--logout/--no-logout", default=False, help="For those who have signed out.")
def add_redirect_url(*, project_id: str, url: str, login: bool, signup: bool, logout: bool) -> None:
    """Register URL with PROJECT_ID; the first of each kind becomes the default."""

    async def work(context: Context) -> None:
        found = await projects.get(context, project_id)
        await projects.add_redirect_url(
            context, found, url, login=login, signup=signup, logout=logout
        )

    run(work)
    click.echo(f"{url} is registered.")


@redirect_url.command("list")
@click.argument("project_id")
def list_redirect_urls(project_id: str) -> None:
    """Print every redirect URL, what it is for, and of what it is the default."""

    async def work(context: Context) -> list[RedirectUrl]:
        return await projects.all_redirect_urls(context, await projects.get(context, project_id))

    for each in run(work):
        click.echo(f"{each.url}  {' '.join(_kinds(each))}")


@redirect_url.command("default")
@click.argument("project_id")
@click.argument("url")
def set_default(project_id: str, url: str) -> None:
    """Make URL the default of every kind that it is registered for."""
    _change(project_id, url, projects.make_default)
    click.echo(f"{url} is the default.")


@redirect_url.command("remove")
@click.argument("project_id")
@click.argument("url")
def remove_redirect_url(project_id: str, url: str) -> None:
    """Send no browser to URL any more."""
    _change(project_id, url, projects.remove_redirect_url)
    click.echo(f"{url} is no longer registered.")


def _kinds(found: RedirectUrl) -> list[str]:
    return [
        f"{kind} (default)" if getattr(found, f"default_{kind}") else kind
        for kind in _KINDS
        if getattr(found, kind)
    ]


def _change(
    project_id: str, url: str, change: Callable[[Context, Project, str], Awaitable[None]]
) -> None:
    async def work(context: Context) -> None:
        await change(context, await projects.get(context, project_id), url)

    run(work)
