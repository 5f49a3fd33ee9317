"""A document is asked for by the version that is known of it."""

import pytest

from tests.support.context import RoutedFetch
from vestibule.domain.context import Context
from vestibule.domain.upkeep.readings import Validators, ask, is_unchanged, validators_of
from vestibule.fetch import FetchResponse

URL = "https://idp.example.com/metadata"
DATE = "Sun, 22 Nov 2026 09:00:00 GMT"


def answered(status: int = 200, **headers: str) -> FetchResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return FetchResponse(status=status, headers=named, body=b"", url=URL)


@pytest.mark.parametrize(
    ("known", "headers"),
    [
        (Validators(), {}),
        (Validators(etag='"1"'), {"If-None-Match": '"1"'}),
        (Validators(last_modified=DATE), {"If-Modified-Since": DATE}),
        (
            Validators(etag='W/"1"', last_modified=DATE),
            {"If-None-Match": 'W/"1"', "If-Modified-Since": DATE},
        ),
    ],
)
async def test_known_version_is_named_in_the_request(
    context: Context, fetch: RoutedFetch, known: Validators, headers: dict[str, str]
) -> None:
    async def answer(_method: str, _url: str, _body: bytes) -> FetchResponse:
        return answered()

    fetch.answers[URL] = answer
    await ask(context, URL, known)
    assert fetch.headers == [headers]


def test_not_modified_means_something_only_to_who_named_a_version() -> None:
    known = Validators(etag='"1"')
    assert is_unchanged(answered(304), known)
    assert not is_unchanged(answered(200), known)
    assert not is_unchanged(answered(304), Validators())


def test_version_is_what_the_answer_says() -> None:
    answer = answered(etag='"1"', last_modified=DATE)
    assert validators_of(answer) == Validators(etag='"1"', last_modified=DATE)
    assert validators_of(answered()) == Validators()


@pytest.mark.parametrize("bad", ['"é"', '"a\nX-Evil: b"', "a\0", '"' + "a" * 256 + '"'])
def test_version_that_cannot_be_sent_back_is_none(bad: str) -> None:
    answer = answered(etag=bad, last_modified=bad)
    assert validators_of(answer) == Validators()
