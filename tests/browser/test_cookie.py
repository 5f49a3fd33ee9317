import pytest
from starlette.requests import Request
from starlette.responses import Response

from vestibule.browser import cookie

VALUE = "A" * 43


def written(*, secure: bool) -> str:
    response = Response()
    cookie.write(response, VALUE, secure=secure)
    return response.headers["set-cookie"]


def read(header: str, *, secure: bool) -> str:
    scope = {"type": "http", "headers": [(b"cookie", header.encode("latin-1"))]}
    return cookie.read(Request(scope), secure=secure)


@pytest.mark.case("ST-22")
def test_over_https_it_is_sent_along_with_a_post_from_the_identity_provider() -> None:
    assert written(secure=True) == (
        f"__Host-vestibule-browser={VALUE}; HttpOnly; Max-Age=3600; Path=/; SameSite=none; Secure"
    )


@pytest.mark.case("ST-22")
def test_over_http_it_is_what_a_browser_takes_there() -> None:
    assert written(secure=False) == (
        f"vestibule-browser={VALUE}; HttpOnly; Max-Age=3600; Path=/; SameSite=lax"
    )


def test_it_is_read_back() -> None:
    assert read(f"a=b; __Host-vestibule-browser={VALUE}; c=d", secure=True) == VALUE
    assert read(f"vestibule-browser={VALUE}", secure=False) == VALUE


def test_one_that_a_neighbour_could_have_set_is_not_read() -> None:
    assert read(f"vestibule-browser={VALUE}", secure=True) == ""
    assert read(f"__host-vestibule-browser={VALUE}", secure=True) == ""
    assert read(f"__Host-vestibule-browser={VALUE}", secure=False) == ""


@pytest.mark.parametrize(
    "header", ["", ";", "=", "__Host-vestibule-browser", "\x00", "\u00e9=\u00e9"]
)
def test_without_it_there_is_nothing(header: str) -> None:
    assert read(header, secure=True) == ""
