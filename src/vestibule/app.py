"""The composition root: the only place that puts the server together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.routing import BaseRoute, Router

from vestibule import errors
from vestibule.api import groups
from vestibule.browser import pages
from vestibule.clock import Clock
from vestibule.counters import open_counters
from vestibule.domain import letters, text_messages
from vestibule.domain.context import Context
from vestibule.domain.jwks_cache import JwksCache
from vestibule.domain.limiter import Limiter
from vestibule.domain.upkeep.certificate_warnings import warn_due
from vestibule.domain.upkeep.jobs import Job, Sleep, repeat
from vestibule.domain.upkeep.metadata_refresh import refresh_due
from vestibule.errors import Failure
from vestibule.fetch import Fetch
from vestibule.ids import Entropy
from vestibule.mail import Mail
from vestibule.settings import Settings
from vestibule.sms import Sms
from vestibule.store.cleanup import remove_expired
from vestibule.store.interface import Store
from vestibule.store.master_key import load_master_key
from vestibule.store.sealing import open_sealer
from vestibule.web import ProxyWatch, Receive, Scope, Send, new_request_id, respond_failure

JOBS: Final = (
    Job("clean-up", 60, lambda context: remove_expired(context.store, now=context.clock.now())),
    Job("metadata refresh", 60, refresh_due),
    Job("certificate warnings", 3600, warn_due),
    Job("letters", 2, letters.deliver),
    Job("texts", 1, text_messages.deliver),
)


async def open_context(
    settings: Settings,
    *,
    clock: Clock,
    entropy: Entropy,
    fetch: Fetch,
    mail: Mail,
    sms: Sms,
    store: Store,
) -> Context:
    """Return the doors of a server on a migrated `store`.

    Raises MasterKeyError when the master key is missing, malformed or another one.
    """
    master_key = await load_master_key(
        store,
        setting=settings.master_key,
        file=Path(settings.master_key_file),
        entropy=entropy,
    )
    return Context(
        settings=settings,
        clock=clock,
        entropy=entropy,
        store=store,
        sealer=await open_sealer(store, master_key, clock=clock, entropy=entropy),
        fetch=fetch,
        mail=mail,
        sms=sms,
        jwks=JwksCache(),
        limiter=Limiter(
            open_counters(settings.limits_url), clock=clock, factor=settings.limits_factor
        ),
    )


class App:
    """The server as an ASGI application, with its jobs while it runs.

    `extra` are routes that only development adds; `sleep` is how the jobs wait.
    """

    def __init__(
        self,
        context: Context,
        *,
        extra: Sequence[BaseRoute] = (),
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.context = context
        self._sleep = sleep
        self._proxies = ProxyWatch(context)
        self._router = Router(
            [*groups.routes(context), *pages.routes(context), *extra],
            default=self._not_found,
            redirect_slashes=False,
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route by the path as it was sent: an encoded slash stays inside its segment."""
        if scope["type"] == "http":
            self._proxies.look(scope)
            if scope.get("raw_path"):
                scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await self._router(scope, receive, send)

    async def _not_found(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # There is nothing here for WebSockets; ASGI's answer to them is a close.
            await send({"type": "websocket.close"})
            return
        await respond_failure(
            send,
            Failure(errors.route_not_found),
            request_id=new_request_id(self.context, scope),
            base_url=self.context.settings.base_url,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: object) -> AsyncIterator[None]:
        running = [
            asyncio.create_task(repeat(job, self.context, sleep=self._sleep)) for job in JOBS
        ]
        yield
        for task in running:
            task.cancel()
        # The database is closed next: nothing may still be at it.
        await asyncio.gather(*running, return_exceptions=True)


async def build(
    settings: Settings,
    *,
    clock: Clock,
    entropy: Entropy,
    fetch: Fetch,
    mail: Mail,
    sms: Sms,
    store: Store,
    extra: Sequence[BaseRoute] = (),
) -> App:
    """Return the server for `settings`; raises what `open_context` raises."""
    context = await open_context(
        settings, clock=clock, entropy=entropy, fetch=fetch, mail=mail, sms=sms, store=store
    )
    return App(context, extra=extra)
