"""`vestibule dev` and `vestibule demo`: a server with everything around it, on loopback."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click
import msgspec
import uvloop

from vestibule import errors, log
from vestibule.app import App
from vestibule.cli.opened import opened, read_settings
from vestibule.cli.server import listen, run
from vestibule.clock import SystemClock
from vestibule.dev.client import Client, open_session
from vestibule.dev.credentials import TEST_PROJECT
from vestibule.dev.identity_provider.keys import kept_signing_identity
from vestibule.dev.moving_clock import MovingClock
from vestibule.dev.routes import development_routes
from vestibule.dev.seed import seed
from vestibule.dev.tls import TlsFiles, local_authority
from vestibule.dev.walkthrough import walk
from vestibule.domain import projects
from vestibule.domain.context import Context
from vestibule.domain.redirect_urls import may_be_default
from vestibule.errors import Failure
from vestibule.mail import MemoryMail
from vestibule.settings import Settings
from vestibule.sms import MemorySms

_HOST: Final = "127.0.0.1"
_DEFAULT_FOLDER: Final = Path("data/dev")


@dataclass(frozen=True)
class Options:
    """How a development server was asked for."""

    folder: Path
    port: int
    tls: bool
    as_json: bool = False
    redirect_urls: tuple[str, ...] = ()
    walk: bool = False
    once: bool = False


@click.command()
@click.option("--port", default=8080, show_default=True, help="0 takes a free one.")
@click.option("--tls", is_flag=True, help="Serve https with a certificate of a local authority.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line when ready.")
@click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path),
    default=_DEFAULT_FOLDER,
    show_default=True,
    help="Folder of the database, the keys and the certificates.",
)
@click.option(
    "--redirect-url",
    "redirect_urls",
    multiple=True,
    help="Where your own application takes the token; the last one is the default.",
)
def dev(*, port: int, tls: bool, as_json: bool, folder: Path, redirect_urls: Sequence[str]) -> None:
    """Start a server with a seeded project, a test identity provider and a demo application."""
    urls = tuple(redirect_urls)
    _start(Options(folder=folder, port=port, tls=tls, as_json=as_json, redirect_urls=urls))


@click.command()
@click.option("--port", default=8080, show_default=True, help="0 takes a free one.")
@click.option("--once", is_flag=True, envvar="DEMO_ONCE", help="End after the two logins.")
def demo(port: int, once: bool) -> None:  # noqa: FBT001 - click passes them by name
    """Start a server, sign in once by SAML and once by OIDC, print each step, keep serving."""
    folder = _DEFAULT_FOLDER.with_name("demo")
    _start(Options(folder=folder, port=0 if once else port, tls=False, walk=True, once=once))


def _start(options: Options) -> None:
    log.configure(json=False)
    listening = listen(_HOST, options.port)
    uvloop.run(_serve(options, listening))


async def _serve(options: Options, listening: socket.socket) -> None:
    scheme = "https" if options.tls else "http"
    base_url = f"{scheme}://{_HOST}:{listening.getsockname()[1]}"
    now = SystemClock().now()
    tls = await asyncio.to_thread(local_authority, options.folder, now=now) if options.tls else None
    settings = _settings(options.folder, base_url, tls)
    ca_file = tls.ca_file if tls else None
    mail, sms, clock = MemoryMail(), MemorySms(), MovingClock(SystemClock())
    async with (
        opened(settings, upgrade=True, mail_door=mail, sms_door=sms, clock=clock) as context,
        open_session(ca_file) as http,
    ):
        identity = await kept_signing_identity(options.folder, now=now, entropy=context.entropy)
        await _make_project(context, (f"{base_url}/dev/app/callback", *options.redirect_urls))
        extra = development_routes(
            base_url,
            identity=identity,
            http=http,
            letters=mail.messages,
            texts=sms.messages,
            clock=clock,
            entropy=context.entropy,
        )
        api = Client(http, base_url=base_url, credentials=TEST_PROJECT)

        async def ready() -> bool:
            await seed(api, base_url=base_url, certificate_pem=identity.certificate_pem)
            _announce(options, base_url, ca_file)
            if options.walk:
                await walk(base_url, TEST_PROJECT, click.echo, ca_file=ca_file)
            return not options.once

        await run(
            App(context, extra=extra),
            listening,
            certificate=tls.certificate_file if tls else None,
            key=tls.key_file if tls else None,
            ready=ready,
        )


def _settings(folder: Path, base_url: str, tls: TlsFiles | None) -> Settings:
    """Return the environment's settings with what development decides for itself.

    A database that the environment names is used; else it is a file in `folder`.
    """
    given = read_settings()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    default = given.database == Settings().database
    return replace(
        given,
        base_url=base_url,
        database=f"sqlite:{folder / 'vestibule.db'}" if default else given.database,
        master_key_file=str(folder / "master.key"),
        outbound_hosts="127.0.0.1,localhost",
        outbound_networks="127.0.0.0/8,::1/128",
        outbound_ca_file=str(tls.ca_file) if tls else "",
    )


async def _make_project(context: Context, urls: Sequence[str]) -> None:
    """Make the project with the fixed credentials, whose logins may end at `urls`."""
    fixed = projects.Credentials(
        TEST_PROJECT.project_id, TEST_PROJECT.secret, TEST_PROJECT.public_token
    )
    await projects.create(context, name="Development", environment="test", fixed=fixed)
    project = await projects.get(context, fixed.project_id)
    for url in urls:
        try:
            await projects.add_redirect_url(
                context, project, url, login=True, signup=True, logout=True
            )
        except Failure as failure:
            if failure.error is not errors.duplicate_redirect_url:
                raise click.ClickException(f"{url}: {failure.message}") from None
        # An earlier run may have had another one.
        if may_be_default(url):
            await projects.make_default(context, project, url)


def _announce(options: Options, base_url: str, ca_file: Path | None) -> None:
    """Say where everything is: one JSON line, or lines for people."""
    places = {
        "base_url": base_url,
        "project_id": TEST_PROJECT.project_id,
        "secret": TEST_PROJECT.secret,
        "public_token": TEST_PROJECT.public_token,
        "dashboard_url": f"{base_url}/dev/app",
        "test_idp_url": f"{base_url}/dev/idp",
        "demo_url": f"{base_url}/dev/app",
        "mailbox_url": f"{base_url}/dev/mailbox",
        "ca_file": str(ca_file.resolve()) if ca_file else "",
    }
    if options.as_json:
        click.echo(msgspec.json.encode(places).decode())
        return
    for name, place in places.items():
        if place:
            click.echo(f"{name:>14}  {place}")
