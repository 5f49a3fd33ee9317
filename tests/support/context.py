"""A server's doors with the outside replaced: the clock by hand, seeded bytes, no network."""

from collections.abc import Awaitable, Callable, Mapping

from tests.support.determinism import HandClock, SeededEntropy
from vestibule.counters import Counters, MemoryCounters
from vestibule.domain.context import Context
from vestibule.domain.jwks_cache import JwksCache
from vestibule.domain.limiter import Limiter
from vestibule.fetch import FetchError, FetchResponse, Reason
from vestibule.fetch.interface import on_behalf_of
from vestibule.mail import MemoryMail
from vestibule.settings import Settings
from vestibule.sms import MemorySms
from vestibule.store.interface import Store
from vestibule.store.sealing import open_sealer

BASE_URL = "https://sso.example.test"
MASTER_KEY = bytes(range(32))

Answer = Callable[[str, str, bytes], Awaitable[FetchResponse]]


class RoutedFetch:
    """Outbound HTTP that reaches only what a test has put at a URL; all else is unreachable."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, str, bytes]] = []
        self.tenants: list[str] = []
        self.headers: list[Mapping[str, str]] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        redirects: int = 0,
        max_bytes: int = 262_144,
        deadline: float = 5.0,
    ) -> FetchResponse:
        del redirects, max_bytes, deadline
        self.requests.append((method, url, body))
        self.tenants.append(on_behalf_of.get())
        self.headers.append(headers or {})
        if url not in self.answers:
            raise FetchError(Reason.UNREACHABLE, detail=f"nothing is at {url}")
        return await self.answers[url](method, url, body)


async def open_test_context(
    store: Store,
    *,
    clock: HandClock,
    entropy: SeededEntropy,
    fetch: RoutedFetch,
    settings: Settings | None = None,
    counters: Counters | None = None,
) -> Context:
    """Return a context on `store` whose base URL is BASE_URL; it counts in memory by default."""
    return Context(
        settings=settings or Settings(base_url=BASE_URL),
        clock=clock,
        entropy=entropy,
        store=store,
        sealer=await open_sealer(store, MASTER_KEY, clock=clock, entropy=entropy),
        fetch=fetch,
        mail=MemoryMail(),
        sms=MemorySms(),
        jwks=JwksCache(),
        limiter=Limiter(counters or MemoryCounters(), clock=clock),
    )
