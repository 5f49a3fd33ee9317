"""Whatever URL comes in, only FetchError comes out, and what is admitted is public."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestibule.fetch import FetchError, Reason
from vestibule.fetch.addresses import is_public, unwrap
from vestibule.fetch.guard import Guard

urls = st.text(max_size=60) | st.from_regex(r"https?://[!-~]{0,40}", fullmatch=True)


@settings(max_examples=200, deadline=None)
@given(url=urls)
def test_any_url_is_refused_or_public_https(url: str) -> None:
    try:
        target = Guard().target(url)
    except FetchError:
        return
    assert (target.scheme, target.port) == ("https", 443)
    assert target.host == (urlsplit(url).hostname or "").lower() or ":" in target.host
    assert target.path.startswith("/")
    assert "@" not in target.host


@settings(max_examples=200, deadline=None)
@given(address=st.ip_addresses())
def test_what_python_calls_private_is_never_public(address: IPv4Address | IPv6Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_loopback:
        assert not is_public(unwrap(address)) or unwrap(address) != address


@settings(max_examples=120, deadline=None)
@given(inner=st.ip_addresses(v=4))
def test_a_wrapped_address_is_judged_as_what_it_wraps(inner: IPv4Address) -> None:
    for wrapped in (f"::ffff:{inner}", f"64:ff9b::{inner}"):
        assert unwrap(ip_address(wrapped)) == inner
        assert Guard().admits("a.example", 443, ip_address(wrapped)) is is_public(inner)


@pytest.mark.case("SR-20")
@pytest.mark.parametrize("url", ["https://" + "a" * 50_000 + "!", "https://" + "a." * 25_000])
def test_a_long_url_is_refused(url: str) -> None:
    with pytest.raises(FetchError) as failure:
        Guard().target(url)
    assert failure.value.reason is Reason.URL
