"""Network addresses of clients: which one a request came from, and what counts as one client."""

import ipaddress
from collections.abc import Iterable, Sequence
from functools import cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@cache
def networks(text: str) -> tuple[Network, ...]:
    """Read networks in CIDR form or single addresses, separated by commas. Raises ValueError."""
    return tuple(ipaddress.ip_network(item.strip()) for item in text.split(",") if item.strip())


def client(peer: str, forwarded: Iterable[str], *, proxies: Sequence[Network]) -> str:
    """Return the address of the client of a request that `peer` has sent.

    `forwarded` are the values of X-Forwarded-For in their order. Each proxy appends whom it was
    asked by, so the list is read from its end, and only for as long as the one who wrote is among
    `proxies`: what stands before may be anybody's invention.
    """
    address = peer
    hops = [hop.strip() for value in forwarded for hop in value.split(",")]
    while hops and within(address, proxies):
        found = _parse(_without_port(hops.pop()))
        if found is None:
            break
        address = str(found)
    return address


def bucket(address: str) -> str:
    """Return what is counted as one client: an IPv4 address, or the /64 of an IPv6 address.

    The holder of an IPv6 address has 2^64 of them as a rule.
    """
    found = _parse(address)
    if found is None or found.version == 4:
        return address if found is None else str(found)
    return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


def within(address: str, proxies: Sequence[Network]) -> bool:
    """Tell whether an address is in one of these networks; what is no address is in none."""
    if not proxies:
        return False
    found = _parse(address)
    return found is not None and any(found in network for network in proxies)


def _parse(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _without_port(text: str) -> str:
    """Drop what some proxies append: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
