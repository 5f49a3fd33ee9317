from urllib.parse import parse_qs, urlsplit

import pytest

from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.logout import logout_url

BACK = "https://sso.example.test/v1/public/sso/logout/oidc-connection-test-1"


def made(endpoint: str = "https://op.example.com/logout", id_token: str = "") -> str:
    return logout_url(
        endpoint=endpoint, client_id="a b&c", redirect_url=BACK, state="s+t", id_token=id_token
    )


def test_url_names_the_client_and_the_way_back() -> None:
    place = urlsplit(made())
    assert place._replace(query="").geturl() == "https://op.example.com/logout"
    assert parse_qs(place.query) == {
        "client_id": ["a b&c"],
        "post_logout_redirect_uri": [BACK],
        "state": ["s+t"],
    }


def test_query_of_the_endpoint_stays() -> None:
    assert made("https://op.example.com/logout?tenant=1").startswith(
        "https://op.example.com/logout?tenant=1&client_id="
    )


@pytest.mark.parametrize(("length", "sent"), [(4096, True), (4097, False)])
def test_hint_goes_along_unless_it_is_too_long(length: int, *, sent: bool) -> None:
    query = parse_qs(urlsplit(made(id_token="i" * length)).query)
    assert ("id_token_hint" in query) == sent


@pytest.mark.parametrize(
    ("endpoint", "received"),
    [
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("https://op.example.com/logout?state=theirs", "state"),
        ("https://op.example.com/logout?post_logout_redirect_uri=x", "post_logout_redirect_uri"),
    ],
)
def test_endpoint_that_cannot_be_used_is_refused(endpoint: str, received: str) -> None:
    with pytest.raises(OidcError) as caught:
        made(endpoint)
    assert (caught.value.reason, caught.value.received) == (Reason.URL, received)
