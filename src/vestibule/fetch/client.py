"""The guarded client: aiohttp behind the guard, with every amount limited."""

import asyncio
import ssl
import zlib
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from vestibule.fetch.bulkhead import Bulkhead
from vestibule.fetch.guard import Guard, Target
from vestibule.fetch.interface import (
    DEADLINE,
    MAX_BYTES,
    NO_HEADERS,
    FetchError,
    FetchResponse,
    Reason,
    on_behalf_of,
)
from vestibule.fetch.resolver import GuardedResolver, Resolver, SystemResolver

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CONNECTIONS: Final = 256
# Of these one tenant may take some, and one host of a tenant fewer: a provider that hangs holds up
# neither other tenants nor its own tenant's next provider.
_OF_ONE_TENANT: Final = 12
_OF_ONE_HOST: Final = 8
_GZIP: Final = 16 + zlib.MAX_WBITS


class GuardedFetch:
    """Makes outbound requests under the rules of `Guard`.

    `allowed_hosts` (`host` or `host:port`) and `allowed_networks` (CIDR) are the operator's
    exceptions; `ca_file` is a PEM file trusted beside the system's authorities; `resolver`
    replaces the system's. Proxies, netrc and cookies are not used. Raises ValueError or OSError
    when a setting cannot be used. Close it with `close`.
    """

    def __init__(
        self,
        *,
        allowed_hosts: Sequence[str] = (),
        allowed_networks: Sequence[str] = (),
        ca_file: str | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self._guard = Guard(hosts=allowed_hosts, networks=allowed_networks)
        self._tls = ssl.create_default_context()
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca_file:
            self._tls.load_verify_locations(ca_file)
        self._system = SystemResolver()
        self._resolver = GuardedResolver(self._guard, resolver or self._system)
        self._tenants = Bulkhead(_OF_ONE_TENANT)
        self._hosts = Bulkhead(_OF_ONE_HOST)
        self._opened: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        body: bytes = b"",
        redirects: int = 0,
        max_bytes: int = MAX_BYTES,
        deadline: float = DEADLINE,
    ) -> FetchResponse:
        """Ask `url`; see `Fetch.request`."""
        try:
            async with asyncio.timeout(deadline):
                return await self._follow(
                    method, url, headers=headers, body=body, redirects=redirects, limit=max_bytes
                )
        except TimeoutError:
            raise FetchError(Reason.TIMEOUT, f"{deadline} seconds") from None
        except (zlib.error, aiohttp.ClientError, OSError, UnicodeError) as error:
            raise _failure(error) from None

    async def close(self) -> None:
        """Close connections and end the resolver's threads."""
        if self._opened is not None:
            await self._opened.close()
        await self._resolver.close()
        self._system.close()

    async def _follow(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        redirects: int,
        limit: int,
    ) -> FetchResponse:
        target = self._guard.target(url)
        _check_headers(headers)
        while True:
            response = await self._ask(method, target, headers=headers, body=body, limit=limit)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or location is None:
                return response
            if redirects <= 0 or method != "GET":
                raise FetchError(Reason.REDIRECT, f"{response.url} to {location!r}")
            redirects -= 1
            target, headers = self._next(target, location, headers)

    def _next(
        self, previous: Target, location: str, headers: Mapping[str, str]
    ) -> tuple[Target, Mapping[str, str]]:
        """Judge a redirect like a new request; it may not give up TLS, nor carry secrets along."""
        try:
            url = urljoin(str(_address(previous)), location)
        except ValueError as error:
            raise FetchError(Reason.REDIRECT, f"{location!r}: {error}") from None
        target = self._guard.target(url.partition("#")[0])
        if previous.scheme == "https" and target.scheme != "https":
            raise FetchError(Reason.REDIRECT, f"from https to {url}")
        if target.origin != previous.origin:
            headers = {name: text for name, text in headers.items() if name.lower() == "accept"}
        return target, headers

    async def _ask(
        self, method: str, target: Target, *, headers: Mapping[str, str], body: bytes, limit: int
    ) -> FetchResponse:
        """Ask once, when there is room for the tenant and, of its share, for this host."""
        tenant = on_behalf_of.get()
        of_host = f"{tenant} {target.host}:{target.port}"
        async with self._hosts.room(of_host), self._tenants.room(tenant):
            return await self._exchange(method, target, headers=headers, body=body, limit=limit)

    async def _exchange(
        self, method: str, target: Target, *, headers: Mapping[str, str], body: bytes, limit: int
    ) -> FetchResponse:
        url = _address(target)
        asked = self._session().request(
            method,
            url,
            headers={"Accept-Encoding": "gzip", "User-Agent": "Vestibule", **headers},
            data=body or None,
            allow_redirects=False,
        )
        async with asked as response:
            return FetchResponse(
                status=response.status,
                headers=_joined(response.headers),
                body=await _read_body(response, limit),
                url=str(url),
            )

    def _session(self) -> aiohttp.ClientSession:
        """Return the session, opened at the first request: it belongs to the running event loop."""
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=self._resolver,
                    use_dns_cache=False,
                    ssl=self._tls,
                    # A connection kept open would outlive the check of its address, and a request
                    # lost to its closing could not be sent again: a code is redeemed once.
                    force_close=True,
                    limit=_CONNECTIONS,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                auto_decompress=False,
                trust_env=False,
            )
        return self._opened


def _failure(error: Exception) -> FetchError:
    """Tell what went wrong without `repr`: aiohttp's shows the request's headers."""
    if isinstance(error, aiohttp.ClientResponseError):
        return FetchError(Reason.MALFORMED, error.message)
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, zlib.error):
        return FetchError(Reason.ENCODING, detail)
    if isinstance(error, aiohttp.ClientPayloadError):
        return FetchError(Reason.MALFORMED, detail)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return FetchError(Reason.TLS, detail)
    return FetchError(Reason.UNREACHABLE, detail)


def _address(target: Target) -> URL:
    """Build what aiohttp asks from the parts that were judged: no second parser, no re-quoting."""
    return URL.build(
        scheme=target.scheme,
        host=target.host,
        port=target.port,
        path=target.path,
        query_string=target.query,
        encoded=True,
    )


def _check_headers(headers: Mapping[str, str]) -> None:
    """Refuse what could end a header line: a token from a stranger is sent to userinfo."""
    for name, text in headers.items():
        if not (text.isascii() and text.isprintable() and name.isascii() and name.isprintable()):
            raise FetchError(Reason.HEADER, name)


def _joined(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Name each header once, in text that can be stored: bytes that are not UTF-8 become marks."""
    joined: dict[str, str] = {}
    for name, text in headers.items():
        key, value = name.lower(), text.encode("utf-8", "replace").decode("utf-8")
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


async def _read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read at most `limit` bytes, counted before and after decoding, and not one chunk more."""
    decoder = _decoder(response.headers.get("Content-Encoding", ""))
    body = bytearray()
    received = 0
    async for chunk in response.content.iter_any():
        received += len(chunk)
        body += decoder.decompress(chunk, limit - len(body) + 1) if decoder else chunk
        if received > limit or len(body) > limit:
            raise FetchError(Reason.TOO_LARGE, f"{response.url}: over {limit} bytes")
    if decoder and received and (not decoder.eof or decoder.unused_data):
        raise FetchError(Reason.ENCODING, f"{response.url}: gzip that ends too early or too late")
    return bytes(body)


def _decoder(encoding: str) -> "zlib._Decompress | None":
    if encoding.lower() in {"", "identity"}:
        return None
    if encoding.lower() != "gzip":
        raise FetchError(Reason.ENCODING, encoding)
    return zlib.decompressobj(_GZIP)
