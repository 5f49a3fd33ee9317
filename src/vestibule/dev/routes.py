"""Everything below /dev/, put together for whoever builds the development server."""

from collections.abc import Sequence

import aiohttp
from starlette.routing import Route

from vestibule.dev.application import Application
from vestibule.dev.client import Client
from vestibule.dev.credentials import TEST_PROJECT, Credentials
from vestibule.dev.identity_provider import identity_provider
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.dev.mailbox import mailbox
from vestibule.dev.moving_clock import MovingClock, clock_route
from vestibule.dev.pages import static_routes
from vestibule.dev.sign_ins import SignIns
from vestibule.ids import Entropy
from vestibule.mail import Message
from vestibule.sms import TextMessage


def development_routes(
    base_url: str,
    *,
    identity: SigningIdentity,
    http: aiohttp.ClientSession,
    letters: Sequence[Message],
    texts: Sequence[TextMessage],
    clock: MovingClock,
    entropy: Entropy,
    credentials: Credentials = TEST_PROJECT,
) -> list[Route]:
    """Return the routes below /dev: identity provider, application, sign-ins, mailbox, clock.

    `base_url` is where the server answers, without a trailing slash; their paths are absolute and
    begin with /dev/. `http` is how the demo application reaches the API (client.open_session).
    """
    api = Client(http, base_url=base_url, credentials=credentials)
    return [
        *static_routes(),
        *identity_provider(base_url, identity=identity, clock=clock, entropy=entropy),
        *Application(base_url, credentials, api).routes(),
        *SignIns(base_url, api).routes(),
        *mailbox(base_url, letters, texts),
        clock_route(base_url, clock),
    ]
