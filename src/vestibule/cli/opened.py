"""What every command opens: the settings, the database, and the doors of a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

from vestibule import settings as settings_module
from vestibule.app import open_context
from vestibule.clock import Clock, SystemClock
from vestibule.domain.context import Context
from vestibule.fetch import Fetch, GuardedFetch
from vestibule.ids import SystemEntropy
from vestibule.mail import Mail, NoMail, SmtpMail
from vestibule.settings import SettingError, Settings
from vestibule.sms import HttpSms, NoSms, Sms
from vestibule.store import migrate
from vestibule.store.interface import StoreUnavailable
from vestibule.store.open import open_store
from vestibule.store.sealing import MasterKeyError


def read_settings() -> Settings:
    """Return the settings of the environment, or end with what is wrong with them."""
    try:
        return settings_module.read()
    except SettingError as error:
        raise click.ClickException(str(error)) from None


def guarded_fetch(settings: Settings) -> GuardedFetch:
    """Return the outbound client that `settings` ask for."""
    return GuardedFetch(
        allowed_hosts=_names(settings.outbound_hosts),
        allowed_networks=_names(settings.outbound_networks),
        ca_file=settings.outbound_ca_file or None,
    )


def mail(settings: Settings) -> Mail:
    """Return the way out for mail that `settings` ask for, or end with what is wrong with them."""
    if not settings.mail_url:
        return NoMail()
    try:
        return SmtpMail(
            settings.mail_url,
            sender=settings.mail_from,
            ca_file=settings.outbound_ca_file or None,
        )
    except ValueError as error:
        raise click.ClickException(f"VESTIBULE_MAIL_URL, VESTIBULE_MAIL_FROM: {error}") from None


def sms(settings: Settings, fetch: Fetch) -> Sms:
    """Return the way out for SMS that `settings` ask for, or end with what is wrong with them."""
    if not settings.sms_account:
        return NoSms()
    try:
        return HttpSms(
            fetch,
            settings.sms_url,
            account=settings.sms_account,
            token=settings.sms_token,
            sender=settings.sms_from,
        )
    except ValueError as error:
        names = "VESTIBULE_SMS_URL, VESTIBULE_SMS_TOKEN, VESTIBULE_SMS_FROM"
        raise click.ClickException(f"{names}: {error}") from None


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    upgrade: bool,
    mail_door: Mail | None = None,
    sms_door: Sms | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Context]:
    """Open everything and close it at the end; with `upgrade` migrate the database first.

    Mail and SMS leave through `mail_door` and `sms_door`, or as the settings say; the time is the
    machine's unless there is a `clock`. Ends the command with one sentence when the database, the
    master key or what mail and SMS need cannot be used.
    """
    try:
        if upgrade:
            await asyncio.to_thread(migrate.upgrade, settings.database)
        elif await asyncio.to_thread(migrate.pending, settings.database):
            raise click.ClickException("The database is not up to date: run `vestibule migrate`.")
        store = await open_store(settings.database, connections=settings.database_connections)
    except StoreUnavailable as error:
        raise click.ClickException(f"The database cannot be reached: {error}") from None
    except migrate.UnknownRevision as error:
        raise click.ClickException(str(error)) from None
    fetch = guarded_fetch(settings)
    try:
        context = await open_context(
            settings,
            clock=clock or SystemClock(),
            entropy=SystemEntropy(),
            fetch=fetch,
            mail=mail_door or mail(settings),
            sms=sms_door or sms(settings, fetch),
            store=store,
        )
        try:
            yield context
        finally:
            await context.limiter.close()
    except MasterKeyError as error:
        raise click.ClickException(str(error)) from None
    finally:
        await fetch.close()
        await store.close()


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
