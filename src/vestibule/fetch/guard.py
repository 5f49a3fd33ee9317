"""Where a request may go: address, scheme and port, with the operator's exceptions."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from vestibule.fetch.addresses import (
    Address,
    Network,
    is_metadata,
    is_private,
    is_public,
    unwrap,
    within,
)
from vestibule.fetch.interface import FetchError, Reason

_PORTS: Final = {"https": 443, "http": 80}
_LONGEST_URL: Final = 4096
_PRINTABLE: Final = frozenset(map(chr, range(0x21, 0x7F))) - frozenset('"<>\\^`{|}')
_NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")


@dataclass(frozen=True)
class Target:
    """A URL taken apart once. `host` is in lower case, without brackets."""

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port


class Guard:
    """The operator's exceptions, and the rules for everybody else."""

    def __init__(self, *, hosts: Sequence[str] = (), networks: Sequence[str] = ()) -> None:
        """Read `host`, `host:port` and CIDR texts; raises ValueError naming one that is neither."""
        self._hosts = frozenset(_read_listed(text) for text in hosts)
        self._networks: tuple[Network, ...] = tuple(ip_network(text) for text in networks)

    def target(self, url: str) -> Target:
        """Take `url` apart and judge everything but its addresses.

        https to port 443 is for everybody; http and other ports are for hosts that the operator
        lists, by name or, where the URL has an address, by network. Raises FetchError.
        """
        target = _parse(url)
        if not self._is_listed(target.host, target.port):
            if target.scheme != "https":
                raise FetchError(Reason.SCHEME, f"{target.scheme} to {target.host}")
            if target.port != 443:
                raise FetchError(Reason.PORT, f"{target.host} port {target.port}")
        literal = read_address(target.host)
        if literal is not None and not self.admits(target.host, target.port, literal):
            raise FetchError(Reason.ADDRESS, f"{target.host}")
        return target

    def admits(self, host: str, port: int, address: Address) -> bool:
        """Tell whether `address`, one of those of `host`, may be connected to.

        A listed name stands for public and private addresses, and `localhost` for loopback. What a
        name must never reach, loopback and link-local, has to be listed itself, as an address or a
        network; a cloud's metadata service has to be listed exactly.
        """
        inner = unwrap(address)
        named = self._names(host, port)
        if named and read_address(host) is not None:
            return True
        if is_metadata(inner):
            return any(
                inner in network and network.num_addresses == 1 for network in self._networks
            )
        if is_public(inner) or within(inner, self._networks) or within(address, self._networks):
            return True
        return named and (is_private(inner) or (host == "localhost" and inner.is_loopback))

    def _is_listed(self, host: str, port: int) -> bool:
        literal = read_address(host)
        in_network = literal is not None and within(unwrap(literal), self._networks)
        return in_network or self._names(host, port)

    def _names(self, host: str, port: int) -> bool:
        return bool(self._hosts & {(host, None), (host, port)})


def read_address(host: str) -> Address | None:
    """Return the address that `host` is written as, None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _parse(url: str) -> Target:
    if len(url) > _LONGEST_URL or not _PRINTABLE.issuperset(url):
        raise FetchError(Reason.URL, "too long, or not in printable ASCII")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise FetchError(Reason.URL, str(error)) from None
    if parts.scheme not in _PORTS:
        raise FetchError(Reason.SCHEME, parts.scheme or "none")
    if not host or "@" in parts.netloc or port == 0 or not _is_host(host):
        raise FetchError(Reason.URL, f"{parts.netloc!r}: user information, or not a host")
    return Target(
        scheme=parts.scheme,
        host=_canonical(host),
        port=port or _PORTS[parts.scheme],
        path=parts.path or "/",
        query=parts.query,
    )


def _is_host(host: str) -> bool:
    """Accept names and the one usual spelling of addresses.

    The system's resolver also reads `127.1`, `2130706433` and `0x7f.1` as addresses: a name whose
    last label is a number is none (WHATWG URL 3.5).
    """
    if read_address(host) is not None:
        return "%" not in host
    last = host.rpartition(".")[2]
    numeric = last.isdigit() or last.startswith("0x")
    return _NAME.issuperset(host) and bool(last) and not numeric and len(host) <= 253


def _read_listed(text: str) -> tuple[str, int | None]:
    if read_address(text) is not None:
        return _canonical(text), None
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not _is_host(host) or parts.netloc != text or "@" in text:
        raise ValueError(f"expected a host or host:port, got {text!r}")
    return _canonical(host), port


def _canonical(host: str) -> str:
    literal = read_address(host)
    return host if literal is None else str(literal)
