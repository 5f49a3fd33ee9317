import dataclasses
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.support.asgi import basic
from tests.support.context import RoutedFetch, open_test_context
from tests.support.determinism import HandClock, SeededEntropy
from vestibule import errors, web
from vestibule.domain.context import Context
from vestibule.errors import ErrorType, Failure
from vestibule.store.interface import Store, StoreUnavailable, Unstorable
from vestibule.web import ClientGone, Scope


def scope(**headers: str) -> Scope:
    pairs = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    return {"type": "http", "headers": pairs, "client": ("192.0.2.7", 1)}


class Peer:
    """Receives what is listed, and keeps what it is sent."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = list(messages)
        self.sent: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        return self.messages.pop(0)

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.fixture
async def context(store: Store, clock: HandClock, entropy: SeededEntropy) -> Context:
    return await open_test_context(store, clock=clock, entropy=entropy, fetch=RoutedFetch())


def refusal(caught: pytest.ExceptionInfo[Failure]) -> ErrorType:
    return caught.value.error


# Reading ---------------------------------------------------------------------------------------


def test_first_of_several_headers_counts_and_none_is_empty() -> None:
    doubled: Scope = {"headers": [(b"a", b"1"), (b"a", b"2")]}
    assert web.header(doubled, b"a") == "1"
    assert web.header(doubled, b"b") == ""


@pytest.mark.parametrize(
    ("environment", "user", "path", "query"),
    [
        ("live", "project-live-1", b"/v1/b2b/organizations/acme", b""),
        ("live", "public-token-live-1", b"/sdk/v1/b2b/bootstrap", b""),
        ("live", "", b"/v1/b2b/sessions/jwks/project-live-1", b""),
        ("live", "", b"/v1/b2b/sso/callback/saml-connection-live-1", b""),
        ("live", "", b"/v1/public/sso/start", b"public_token=public-token-live-1"),
        ("test", "project-test-1", b"/v1/b2b/sessions/jwks/project-live-1", b""),
        ("test", "project-test-1", b"/v1/b2b/organizations/project-live-1", b""),
        ("test", "", b"/my-project-live-1", b"a=my-project-live-1"),
        ("test", "a-project-live-1", b"/", b""),
        ("test", "", b"", b""),
    ],
)
def test_request_id_is_of_the_environment_that_the_request_names(
    context: Context, environment: str, user: str, path: bytes, query: bytes
) -> None:
    asked = scope(**({"authorization": basic(user, "secret")} if user else {}))
    asked.update({"raw_path": path, "query_string": query})
    first, second = (web.new_request_id(context, asked) for _ in range(2))
    assert first.startswith(f"request-id-{environment}-")
    assert first != second


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("Basic YTpi", ("a", "b")),
        ("basic  YTpi ", ("a", "b")),
        ("Basic YTpiOmM=", ("a", "b:c")),
        ("Basic YQ==", ("a", "")),
        ("", None),
        ("Bearer YTpi", None),
        ("Basic !!!", None),
        ("Basic /w==", None),
    ],
)
def test_basic_credentials_are_read_or_there_are_none(
    value: str, read: tuple[str, str] | None
) -> None:
    assert web.basic_credentials(scope(authorization=value)) == read


@pytest.mark.parametrize(("proxy", "warnings"), [("198.51.100.0/24", 1), ("192.0.2.0/25", 0)])
def test_a_proxy_that_is_not_trusted_is_told_of_once(
    context: Context, proxy: str, warnings: int
) -> None:
    settings = dataclasses.replace(context.settings, trusted_proxies=proxy)
    watch = web.ProxyWatch(dataclasses.replace(context, settings=settings))
    with capture_logs() as logs:
        watch.look(scope())
        for address in ("203.0.113.1", "203.0.113.2"):
            watch.look(scope(x_forwarded_for=address))
    assert [each["log_level"] for each in logs] == ["warning"] * warnings
    for each in logs:
        assert each["peer"] == "192.0.2.7"
        assert "VESTIBULE_TRUSTED_PROXIES" in each["event"]


async def test_body_is_read_in_pieces_up_to_the_limit() -> None:
    peer = Peer(part(b"abc", more=True), part(b"de", more=False))
    assert await web.read_body(scope(), peer.receive, limit=5) == b"abcde"


async def test_body_beyond_the_limit_is_refused_at_the_piece_that_passes_it() -> None:
    peer = Peer(part(b"abc", more=True), part(b"def", more=True), part(b"g", more=False))
    with pytest.raises(Failure) as caught:
        await web.read_body(scope(), peer.receive, limit=5)
    assert refusal(caught) is errors.request_too_large
    assert len(peer.messages) == 1


@pytest.mark.parametrize("announced", ["6", "0000006", "9" * 5000])
async def test_announced_body_beyond_the_limit_is_refused_unread(announced: str) -> None:
    peer = Peer(part(b"a", more=False))
    with pytest.raises(Failure) as caught:
        await web.read_body(scope(content_length=announced), peer.receive, limit=5)
    assert refusal(caught) is errors.request_too_large
    assert len(peer.messages) == 1


@pytest.mark.parametrize("announced", ["", "-1", "six", "\xb2", "5", "0" * 5000 + "5"])
async def test_announcement_that_says_nothing_wrong_is_not_believed(announced: str) -> None:
    peer = Peer(part(b"abc", more=False))
    assert await web.read_body(scope(content_length=announced), peer.receive, limit=5) == b"abc"


async def test_peer_that_goes_away_ends_the_reading() -> None:
    peer = Peer(part(b"abc", more=True), {"type": "http.disconnect"})
    with pytest.raises(ClientGone):
        await web.read_body(scope(), peer.receive, limit=5)


JSON = "application/json"


@pytest.mark.parametrize("content_type", [JSON, f"{JSON}; charset=utf-8", "Application/JSON ;x=1"])
def test_json_object_is_read(content_type: str) -> None:
    assert web.read_json(scope(content_type=content_type), b' {"a": [1]} ') == {"a": [1]}


def test_empty_body_is_an_empty_object_whatever_its_type() -> None:
    assert web.read_json(scope(content_type="text/plain"), b"") == {}


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json2", "text/json"])
def test_other_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(Failure) as caught:
        web.read_json(scope(content_type=content_type), b"{}")
    assert refusal(caught) is errors.unsupported_media_type


@pytest.mark.case("AD-24", "AD-25")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "The body is not valid JSON"),
        (b"\xff\xfe{}", "The body is not valid JSON"),
        (b'{"a": "\xff"}', "The body is not valid JSON"),
        (b'{"a": "\\ud800"}', "The body is not valid JSON"),
        (b'{"a": "\\udc00\\ud800"}', "The body is not valid JSON"),
        (b'{"a": NaN}', "The body is not valid JSON"),
        (b'{"a": -Infinity}', "The body is not valid JSON"),
        (b'{"a": 1e999}', "The body is not valid JSON"),
        (b"{'a': 1}", "The body is not valid JSON"),
        (b'{"a": 1,}', "The body is not valid JSON"),
        (b'{"a": 1} {}', "The body is not valid JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "The body is not valid JSON"),
        (b"[]", "The body must be a JSON object."),
        (b"null", "The body must be a JSON object."),
        (b'"text"', "The body must be a JSON object."),
        (b'{"a": "\\u0000"}', "The body has a NUL character"),
        (b'{"a\\u0000": 1}', "The body has a NUL character"),
        (b'{"a": "\\\\\\u0000"}', "The body has a NUL character"),
    ],
)
def test_body_that_is_no_json_object_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(Failure) as caught:
        web.read_json(scope(content_type=JSON), body)
    assert refusal(caught) is errors.bad_request
    assert caught.value.message.startswith(reason)
    assert len(caught.value.message) < 200


def test_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert web.read_json(scope(content_type=JSON), b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}


def test_a_megabyte_of_backslashes_is_read_in_no_time() -> None:
    body = b'{"a": "' + b"\\" * 1_000_000 + b'"}'
    assert len(web.read_json(scope(content_type=JSON), body)["a"]) == 500_000


@pytest.mark.case("AD-24")
@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a:": 1, "b": 2, "a:": 3}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": [[{"c": "::", "b": {}, "b": {}}]]}',
        b'{"a": {"b": 1}, "a": {"c": 1}}',
    ],
)
def test_a_name_twice_in_one_object_is_refused(body: bytes) -> None:
    with pytest.raises(Failure) as caught:
        web.read_json(scope(content_type=JSON), body)
    assert refusal(caught) is errors.bad_request
    assert caught.value.message == "The body has an object with the same name twice."


def test_a_name_may_stand_in_several_objects() -> None:
    body = b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": "a:a"}]}'
    assert web.read_json(scope(content_type=JSON), body) == {
        "a": {"a": 1},
        "b": [{"a": 1}, {"a": "a:a"}],
    }


@pytest.mark.case("AD-24")
@pytest.mark.parametrize("number", ["9" * 310, "-" + "9" * 310, "9" * 400, "9" * 4000])
@pytest.mark.parametrize("body", ['{"a": %s}', '{"a": [[%s]]}', '{"a": {"b": %s}}'])
def test_an_integer_beyond_a_double_is_refused(body: str, number: str) -> None:
    with pytest.raises(Failure) as caught:
        web.read_json(scope(content_type=JSON), (body % number).encode())
    assert refusal(caught) is errors.bad_request
    assert caught.value.message == "The body has a number that is too large."


@pytest.mark.parametrize("digits", [309, 310, 100_000])
def test_digits_in_text_and_long_integers_are_read(digits: int) -> None:
    body = b'{"a": "%s", "b": %s}' % (b"9" * digits, b"8" * 309)
    assert web.read_json(scope(content_type=JSON), body) == {"a": "9" * digits, "b": int("8" * 309)}


def test_two_credentials_are_none() -> None:
    given = (b"authorization", b"Basic YTpi")
    assert web.basic_credentials({"headers": [given]}) == ("a", "b")
    assert web.basic_credentials({"headers": [given, given]}) is None


@pytest.mark.parametrize(
    ("raw", "value"), [("a%2Fb", "a/b"), ("a+b", "a+b"), ("%C3%A9", "é"), ("%25", "%"), ("%", "%")]
)
def test_path_value_is_decoded_once(raw: str, value: str) -> None:
    assert web.path_value(raw) == value


@pytest.mark.parametrize("raw", ["%FF", "%C3", "%ED%A0%80", "a%00"])
def test_path_value_that_is_no_text_is_refused(raw: str) -> None:
    with pytest.raises(Failure) as caught:
        web.path_value(raw)
    assert refusal(caught) is errors.bad_request
    assert caught.value.message.startswith("The path ")


# Answering -------------------------------------------------------------------------------------


def test_our_own_failure_stays_as_it_is() -> None:
    failure = Failure(errors.bad_request, "words")
    assert web.failure_of(failure) is failure


def test_database_that_is_away_becomes_503_to_try_again() -> None:
    with capture_logs() as logs:
        failure = web.failure_of(StoreUnavailable("db-host refused"))
    assert (failure.error, failure.retry_after) == (errors.server_unavailable, 2)
    assert "db-host" not in failure.message
    assert logs == [
        {"event": "store unavailable", "detail": "db-host refused", "log_level": "warning"}
    ]


def test_value_that_no_column_holds_is_the_callers_mistake() -> None:
    failure = web.failure_of(Unstorable("members.name"))
    assert failure.error is errors.bad_request
    assert "members.name" not in failure.message
    assert failure.detail == "members.name"


def test_unexpected_error_becomes_500_whose_text_stays_in_the_log() -> None:
    error = RuntimeError("secret words")
    with capture_logs() as logs:
        failure = web.failure_of(error)
    assert failure.error is errors.internal_server_error
    assert failure.message == errors.internal_server_error.message
    assert logs == [{"event": "request failed", "exc_info": error, "log_level": "error"}]


def test_envelope_names_the_error() -> None:
    body = web.error_body(
        Failure(errors.bad_request, "words"), request_id="r-1", base_url="https://x.test"
    )
    assert msgspec.to_builtins(body) == {
        "status_code": 400,
        "request_id": "r-1",
        "error_type": "bad_request",
        "error_message": "words",
        "error_url": "https://x.test/errors#bad_request",
    }


async def test_answer_is_complete_and_not_cached() -> None:
    peer = Peer()
    await web.respond(peer.send, 200, b"{}", headers={"X-One": "1"})
    assert peer.headers == {
        b"x-one": b"1",
        b"cache-control": b"no-store",
        b"content-type": b"application/json",
        b"content-length": b"2",
        b"x-content-type-options": b"nosniff",
    }
    assert peer.sent[1] == {"type": "http.response.body", "body": b"{}"}


async def test_answer_may_say_how_it_is_cached() -> None:
    peer = Peer()
    await web.respond(peer.send, 200, b"", headers=[("Cache-Control", "max-age=5")])
    assert peer.headers[b"cache-control"] == b"max-age=5"


@pytest.mark.parametrize(
    ("failure", "name", "value"),
    [
        (Failure(errors.unauthorized_credentials), b"www-authenticate", b'Basic realm="vestibule"'),
        (Failure(errors.server_unavailable, retry_after=7), b"retry-after", b"7"),
    ],
)
async def test_failure_says_in_headers_what_to_do(
    failure: Failure, name: bytes, value: bytes
) -> None:
    peer = Peer()
    await web.respond_failure(peer.send, failure, request_id="r", base_url="https://x.test")
    assert peer.sent[0]["status"] == failure.error.status
    assert peer.headers[name] == value
    other = Peer()
    await web.respond_failure(
        other.send, Failure(errors.bad_request), request_id="r", base_url="https://x.test"
    )
    assert name not in other.headers
