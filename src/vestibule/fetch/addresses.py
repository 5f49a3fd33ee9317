"""Which addresses are the public internet. Our own tables: Python's differ between its versions."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# IANA special-purpose registries, and what clouds put beside them.
_NOT_PUBLIC: Final = _networks(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
)
_GLOBAL_IPV6: Final = ip_network("2000::/3")
_PRIVATE: Final = _networks(
    "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"
)
# Where clouds answer their machines without a password.
_METADATA: Final = _networks(
    "100.100.100.200/32",
    "168.63.129.16/32",
    "169.254.169.254/32",
    "169.254.170.0/24",
    "192.0.0.192/32",
    "fd00:ec2::/32",
    "fd20:ce::/32",
)
_TRANSLATED: Final = ip_network("64:ff9b::/96")


def unwrap(address: Address) -> Address:
    """Return the IPv4 address that `address` reaches by mapping or NAT64, else `address` itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _TRANSLATED:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Tell whether an unwrapped address belongs to the public internet.

    Of IPv6 only 2000::/3 does; 6to4 and Teredo, which hide another address, do not.
    """
    if is_metadata(address) or within(address, _NOT_PUBLIC):
        return False
    return isinstance(address, IPv4Address) or address in _GLOBAL_IPV6


def is_private(address: Address) -> bool:
    """Tell whether an unwrapped address is one that organizations give to their own servers."""
    return within(address, _PRIVATE) and not is_metadata(address)


def is_metadata(address: Address) -> bool:
    """Tell whether an unwrapped address is a cloud's service for its own machines."""
    return within(address, _METADATA)


def within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Tell whether one of `networks` holds `address`."""
    return any(address in network for network in networks)
