import aiohttp

from tests.support.determinism import HandClock, SeededEntropy
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.dev.moving_clock import MovingClock
from vestibule.dev.routes import development_routes


def test_everything_is_below_dev(
    http: aiohttp.ClientSession,
    identity: SigningIdentity,
    clock: HandClock,
    entropy: SeededEntropy,
) -> None:
    routes = development_routes(
        "http://127.0.0.1:8080",
        identity=identity,
        http=http,
        letters=[],
        texts=[],
        clock=MovingClock(clock),
        entropy=entropy,
    )
    paths = {route.path for route in routes}
    assert all(path.startswith("/dev/") for path in paths)
    assert {"/dev/app", "/dev/idp", "/dev/mailbox", "/dev/static/dev.css"} <= paths
    assert len(paths) == len(routes)
