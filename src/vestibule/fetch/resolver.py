"""Names to addresses: only checked addresses come out, and only those are connected to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address, ip_address
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

from vestibule.fetch.addresses import Address
from vestibule.fetch.bulkhead import Bulkhead
from vestibule.fetch.guard import Guard
from vestibule.fetch.interface import FetchError, Reason, on_behalf_of

# Takes a host name and returns its addresses as text, or raises OSError.
Resolver = Callable[[str], Awaitable[Sequence[str]]]

_THREADS: Final = 64
_OF_ONE_TENANT: Final = 4
_MOST_ADDRESSES: Final = 16


class SystemResolver:
    """The system's resolver in threads of its own, so that slow names hold up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolver")

    async def __call__(self, host: str) -> Sequence[str]:
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """End the threads; one that waits for a name is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class GuardedResolver(AbstractResolver):
    """What aiohttp asks before it connects; it connects to exactly what is returned here.

    A name may change its answer between a check and a connection, so there is one look-up for
    both. aiohttp demands the base class.
    """

    def __init__(self, guard: Guard, resolver: Resolver) -> None:
        self._guard = guard
        self._resolver = resolver
        self._tenants = Bulkhead(_OF_ONE_TENANT)
        self._running: set[asyncio.Task[Sequence[str]]] = set()

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        """Return the admitted addresses of `host`; raises FetchError where there is none."""
        texts = (await self._ask(host))[:_MOST_ADDRESSES]
        addresses = [ip_address(text) for text in texts]
        admitted = [one for one in addresses if self._guard.admits(host, port, one)]
        if not admitted:
            raise FetchError(Reason.ADDRESS, f"{host} is {', '.join(texts) or 'nowhere'}")
        return [
            ResolveResult(
                hostname=host,
                host=str(one),
                port=port,
                family=_family(one),
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for one in admitted
            if family in {socket.AF_UNSPEC, _family(one)}
        ]

    async def close(self) -> None:
        """Wait for no look-up any more."""
        for task in self._running:
            task.cancel()

    async def _ask(self, host: str) -> Sequence[str]:
        """Look `host` up when there is room for the tenant.

        Whoever waits gives up at its deadline; the look-up itself cannot be given up, and takes
        its room until it ends. Else names that hang would come to hold every thread.
        """
        tenant = on_behalf_of.get()
        await self._tenants.enter(tenant)
        task = asyncio.ensure_future(self._resolver(host))
        self._running.add(task)

        def ended(_: object) -> None:
            self._running.discard(task)
            self._tenants.leave(tenant)
            if not task.cancelled():
                task.exception()  # looked at, also when nobody waits any more

        task.add_done_callback(ended)
        return await asyncio.shield(task)


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
