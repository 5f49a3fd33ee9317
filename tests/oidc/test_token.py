"""The token endpoint, both ways: security cases OI-15, OI-45, OI-47, OI-56."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest

from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.token import (
    ClientAuthentication,
    client_authentication,
    parse_refresh_response,
    parse_token_response,
    refresh_request,
    token_request,
)

JSON = "application/json"
GOOD = {"access_token": "at", "id_token": "a.b.c", "token_type": "Bearer"}


def request(**changes: Any) -> dict[str, Any]:
    good = {
        "code": "code-1",
        "redirect_url": "https://sso.example.com/callback",
        "client_id": "client-1",
        "client_secret": "secret-1",
        "code_verifier": "v" * 43,
    }
    return good | changes


def answer(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def refused(status: int, content_type: str | None, body: bytes) -> OidcError:
    with pytest.raises(OidcError) as failure:
        parse_token_response(status, content_type, body)
    return failure.value


def test_a_code_is_redeemed_with_basic_authentication() -> None:
    sent = token_request(**request())

    assert sent.headers == {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": "Basic " + base64.b64encode(b"client-1:secret-1").decode(),
    }
    assert parse_qs(sent.body.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["code-1"],
        "redirect_uri": ["https://sso.example.com/callback"],
        "code_verifier": ["v" * 43],
    }


def test_a_code_is_redeemed_with_the_secret_in_the_body_when_asked() -> None:
    sent = token_request(**request(method=ClientAuthentication.POST))

    assert "Authorization" not in sent.headers
    assert parse_qs(sent.body.decode())["client_id"] == ["client-1"]
    assert parse_qs(sent.body.decode())["client_secret"] == ["secret-1"]


@pytest.mark.case("OI-15")
@pytest.mark.parametrize("code", ["a" * 10_000, "a\r\nHost: evil", "a&client_id=evil", "é=+% "])
def test_a_code_cannot_leave_its_parameter(code: str) -> None:
    form = parse_qs(token_request(**request(code=code)).body.decode())
    assert form["code"] == [code]
    assert "client_id" not in form


@pytest.mark.case("OI-47")
@pytest.mark.parametrize(
    ("client_id", "secret", "pair"),
    [
        ("a:b", "c:d", "a%3Ab:c%3Ad"),
        ("a%b", "c+d", "a%25b:c%2Bd"),
        ("a b", "ü", "a+b:%C3%BC"),
        ("a-b_c.d~e", "f/g", "a-b_c.d~e:f%2Fg"),
    ],
)
def test_basic_credentials_are_form_encoded_first(client_id: str, secret: str, pair: str) -> None:
    sent = token_request(**request(client_id=client_id, client_secret=secret))
    joined = base64.b64decode(sent.headers["Authorization"].removeprefix("Basic ")).decode()

    assert joined == pair
    assert [unquote_plus(half) for half in joined.split(":")] == [client_id, secret]


def test_a_request_does_not_show_its_secrets() -> None:
    assert repr(token_request(**request())) == "TokenRequest()"


def test_a_refresh_is_asked_for() -> None:
    sent = refresh_request(refresh_token="rt", client_id="client-1", client_secret="secret-1")
    assert parse_qs(sent.body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["rt"],
    }
    assert sent.headers["Authorization"].startswith("Basic ")


@pytest.mark.case("OI-48")
@pytest.mark.parametrize(
    ("methods", "chosen"),
    [
        ([], "client_secret_basic"),
        (["client_secret_basic", "client_secret_post"], "client_secret_basic"),
        (["client_secret_post", "private_key_jwt"], "client_secret_post"),
        (["private_key_jwt"], "client_secret_basic"),
    ],
)
def test_basic_authentication_is_preferred(methods: list[str], chosen: str) -> None:
    assert client_authentication(methods) == chosen


def test_good_tokens_are_read() -> None:
    body = answer(refresh_token="rt", expires_in=3600, scope="openid", vendor=[1])
    read = parse_token_response(200, "application/json; charset=utf-8", body)

    assert (read.access_token, read.id_token, read.refresh_token) == ("at", "a.b.c", "rt")
    assert (read.expires_in, read.scope) == (3_600_000_000, "openid")
    assert repr(read) == "TokenResponse(expires_in=3600000000, scope='openid')"


def test_what_is_optional_may_be_missing() -> None:
    read = parse_token_response(200, JSON, answer(refresh_token=None))
    assert (read.refresh_token, read.expires_in, read.scope) == (None, None, None)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_the_token_type_has_no_case(kind: str) -> None:
    assert parse_token_response(200, JSON, answer(token_type=kind)).access_token == "at"


@pytest.mark.parametrize(("value", "read"), [("3599", 3_599_000_000), (0, 0)])
def test_a_life_may_be_written_as_text(value: object, read: int) -> None:
    assert parse_token_response(200, JSON, answer(expires_in=value)).expires_in == read


@pytest.mark.parametrize("value", ["", "soon", "３６００", -1, 1.5, True, [], 10**12, "9" * 10])
def test_a_life_that_is_none_is_refused(value: object) -> None:
    assert refused(200, JSON, answer(expires_in=value)).reason is Reason.CODE_ANSWER


@pytest.mark.case("OI-45")
@pytest.mark.parametrize(
    ("status", "content_type", "body", "reason"),
    [
        (400, JSON, b'{"error":"invalid_grant"}', Reason.CODE_GRANT),
        (400, JSON, b'{"error":"invalid_client"}', Reason.CODE_CLIENT),
        (401, JSON, b'{"error":"invalid_client"}', Reason.CODE_CLIENT),
        (400, JSON, b'{"error":"unauthorized_client"}', Reason.CODE_CLIENT),
        (400, JSON, b'{"error":"invalid_request"}', Reason.CODE_REFUSED),
        (401, JSON, b"{}", Reason.CODE_CLIENT),
        (400, JSON, b'{"error":["invalid_grant"]}', Reason.CODE_REFUSED),
        (400, JSON, b"oops", Reason.CODE_ANSWER),
        (401, "text/html", b"<html>", Reason.CODE_CLIENT),
        (400, "text/html", b"<html>", Reason.CODE_REFUSED),
        (403, JSON, b"{}", Reason.CODE_REFUSED),
        (404, None, b"", Reason.CODE_REFUSED),
        (429, JSON, b"{}", Reason.CODE_REFUSED),
        (500, JSON, answer(), Reason.CODE_UNAVAILABLE),
        (503, "text/html", b"<html>", Reason.CODE_UNAVAILABLE),
        (302, JSON, answer(), Reason.CODE_REDIRECT),
        (307, None, b"", Reason.CODE_REDIRECT),
        (204, None, b"", Reason.CODE_REFUSED),
        (201, JSON, answer(), Reason.CODE_REFUSED),
        (200, "text/html", answer(), Reason.CODE_ANSWER),
        (200, None, answer(), Reason.CODE_ANSWER),
        (200, "application/jsonp", answer(), Reason.CODE_ANSWER),
        (200, JSON, b"", Reason.CODE_ANSWER),
        (200, JSON, b"[]", Reason.CODE_ANSWER),
        (200, JSON, b'{"error":"invalid_grant"}', Reason.CODE_GRANT),
        (200, JSON, answer(error="server_error"), Reason.CODE_REFUSED),
        (200, JSON, answer(id_token=None), Reason.CODE_ID_TOKEN),
        (200, JSON, answer(id_token=""), Reason.CODE_ID_TOKEN),
        (200, JSON, answer(access_token=None), Reason.CODE_ANSWER),
        (200, JSON, answer(access_token="x" * 70_000), Reason.CODE_ANSWER),
        (200, JSON, answer(refresh_token=1), Reason.CODE_ANSWER),
        (200, JSON, answer(scope=["openid"]), Reason.CODE_ANSWER),
        (200, JSON, answer(token_type="mac"), Reason.CODE_TOKEN_TYPE),
        (200, JSON, answer(token_type=None), Reason.CODE_TOKEN_TYPE),
        (200, JSON, answer(token_type="DPoP"), Reason.CODE_TOKEN_TYPE),
    ],
)
def test_every_other_answer_is_refused_with_its_reason(
    status: int, content_type: str | None, body: bytes, reason: Reason
) -> None:
    error = refused(status, content_type, body)
    assert error.reason is reason
    assert error.reason.startswith("oidc.code.")


@pytest.mark.case("OI-56")
@pytest.mark.parametrize("value", [["a.b.c"], {"jwt": "a.b.c"}, 1])
def test_an_id_token_that_is_not_one_text_is_refused(value: object) -> None:
    assert refused(200, JSON, answer(id_token=value)).reason is Reason.CODE_ID_TOKEN


@pytest.mark.case("OI-56")
def test_two_id_tokens_are_refused() -> None:
    body = answer().replace(b'"id_token"', b'"id_token": "evil", "id_token"')
    error = refused(200, JSON, body)
    assert (error.reason, error.received) == (Reason.CODE_ANSWER, "id_token more than once")


@pytest.mark.case("OI-45")
def test_the_words_of_the_provider_are_told() -> None:
    body = b'{"error":"invalid_grant","error_description":"AADSTS70008: The code has expired."}'
    assert refused(400, JSON, body).received == "invalid_grant: AADSTS70008: The code has expired."


def test_a_refused_answer_shows_no_token() -> None:
    error = refused(200, JSON, answer(access_token="SECRET", id_token=["SECRET"]))
    assert "SECRET" not in f"{error} {error.steps}"


def test_a_refresh_need_not_bring_an_id_token() -> None:
    body = json.dumps({"access_token": "at", "token_type": "Bearer", "expires_in": 60}).encode()
    read = parse_refresh_response(200, JSON, body)

    assert (read.access_token, read.id_token, read.expires_in) == ("at", None, 60_000_000)
    assert parse_refresh_response(200, JSON, answer()).id_token == "a.b.c"


@pytest.mark.case("OI-53")
def test_a_refused_refresh_says_why() -> None:
    with pytest.raises(OidcError) as failure:
        parse_refresh_response(400, JSON, b'{"error":"invalid_grant"}')
    assert failure.value.reason is Reason.CODE_GRANT
    with pytest.raises(OidcError) as failure:
        parse_refresh_response(200, JSON, answer(id_token=["a.b.c"]))
    assert failure.value.reason is Reason.CODE_ID_TOKEN
