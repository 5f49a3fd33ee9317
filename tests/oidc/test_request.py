"""The authorization request and the browser's way back: security cases OI-06 to OI-15."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.support.oidc_documents import ISSUER
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.request import (
    authorization_url,
    code_challenge,
    parse_callback,
    peek_state,
)

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def url(**changes: Any) -> str:
    good: dict[str, Any] = {
        "endpoint": f"{ISSUER}/authorize",
        "client_id": "client-1",
        "redirect_url": "https://sso.example.com/v1/b2b/sso/callback/oidc-connection-1",
        "scopes": ["openid", "email", "profile"],
        "state": "state-1",
        "nonce": "nonce-1",
        "code_challenge": CHALLENGE,
    }
    return authorization_url(**good | changes)


def sent(text: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(text).query, strict_parsing=True)


def refused(query: str, **known: Any) -> OidcError:
    with pytest.raises(OidcError) as failure:
        parse_callback(query, **{"issuer": ISSUER} | known)
    return failure.value


@pytest.mark.case("OI-06")
@pytest.mark.case("OI-07")
def test_the_request_asks_for_a_code_with_nonce_and_challenge() -> None:
    assert sent(url()) == {
        "response_type": ["code"],
        "client_id": ["client-1"],
        "redirect_uri": ["https://sso.example.com/v1/b2b/sso/callback/oidc-connection-1"],
        "scope": ["openid email profile"],
        "state": ["state-1"],
        "nonce": ["nonce-1"],
        "code_challenge": [CHALLENGE],
        "code_challenge_method": ["S256"],
    }


def test_a_maximum_age_is_sent_when_given() -> None:
    assert sent(url(max_age=0))["max_age"] == ["0"]


@pytest.mark.parametrize("scopes", [[], ["email"], ["email", "openid"], ["openid", "openid"]])
@pytest.mark.case("OI-54")
def test_openid_is_asked_for_once_and_first(scopes: list[str]) -> None:
    assert sent(url(scopes=scopes))["scope"][0].split() == ["openid", *{*scopes} - {"openid"}]


@pytest.mark.parametrize("scope", ["", "a b", 'a"b', "a\nb", "é", "a\\b", "x" * 300])
def test_a_scope_that_is_none_is_refused(scope: str) -> None:
    with pytest.raises(OidcError) as failure:
        url(scopes=[scope])
    assert failure.value.reason is Reason.SCOPE


@pytest.mark.parametrize(
    ("endpoint", "start"),
    [
        (f"{ISSUER}/authorize?tenant=a%20b", f"{ISSUER}/authorize?tenant=a%20b&response_type="),
        (f"{ISSUER}/authorize?", f"{ISSUER}/authorize?response_type="),
        (ISSUER, f"{ISSUER}?response_type="),
    ],
)
def test_the_query_of_the_endpoint_is_kept(endpoint: str, start: str) -> None:
    assert url(endpoint=endpoint).startswith(start)


@pytest.mark.case("OI-54")
@pytest.mark.parametrize(
    "name", ["client_id", "redirect_uri", "scope", "state", "request_uri", "request", "nonce"]
)
def test_the_query_of_the_endpoint_cannot_override_ours(name: str) -> None:
    with pytest.raises(OidcError) as failure:
        url(endpoint=f"{ISSUER}/authorize?{name}=evil")
    assert (failure.value.reason, failure.value.received) == (Reason.URL, name)


@pytest.mark.parametrize("endpoint", ["javascript:alert(1)", f"{ISSUER}#x", "/authorize", ""])
def test_an_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(OidcError) as failure:
        url(endpoint=endpoint)
    assert failure.value.reason is Reason.URL


def test_values_cannot_leave_their_parameter() -> None:
    parameters = sent(url(client_id="a&state=evil#x", state="é &=+"))
    assert parameters["client_id"] == ["a&state=evil#x"]
    assert parameters["state"] == ["é &=+"]


@pytest.mark.case("OI-06")
def test_the_challenge_is_the_one_of_rfc_7636() -> None:
    assert code_challenge(VERIFIER) == CHALLENGE


@pytest.mark.case("OI-06")
@pytest.mark.parametrize("verifier", ["", "a" * 42, "a" * 129, "a" * 42 + "é", "a" * 43 + "\n"])
def test_a_verifier_that_is_none_is_a_mistake_of_ours(verifier: str) -> None:
    with pytest.raises(ValueError, match="43 to 128"):
        code_challenge(verifier)


def test_a_good_callback_is_read() -> None:
    query = "code=abc&state=state-1&session_state=x%3D%2B&scope=openid"
    callback = parse_callback(query, issuer=ISSUER)
    assert (callback.code, callback.state, callback.iss) == ("abc", "state-1", None)


def test_a_callback_does_not_show_its_secrets() -> None:
    assert repr(parse_callback("code=abc&state=def", issuer=ISSUER)) == "Callback(iss=None)"


@pytest.mark.case("OI-01")
@pytest.mark.parametrize("query", ["code=abc", "code=abc&state=", ""])
def test_a_callback_without_state_is_refused(query: str) -> None:
    assert refused(query).reason is Reason.STATE


@pytest.mark.case("OI-10")
@pytest.mark.parametrize("required", [True, False])
def test_the_right_issuer_parameter_is_accepted(*, required: bool) -> None:
    query = urlencode({"code": "abc", "state": "s", "iss": ISSUER})
    callback = parse_callback(query, issuer=ISSUER, iss_parameter_supported=required)
    assert callback.iss == ISSUER


@pytest.mark.case("OI-09")
@pytest.mark.case("OI-10")
@pytest.mark.parametrize("iss", ["https://evil.example", f"{ISSUER}/", ""])
@pytest.mark.parametrize("answer", [{"code": "abc"}, {"error": "access_denied"}])
def test_another_issuer_parameter_is_refused(iss: str, answer: dict[str, str]) -> None:
    query = urlencode({**answer, "state": "s", "iss": iss})
    assert refused(query).reason is Reason.ISSUER


@pytest.mark.case("OI-10")
def test_a_promised_issuer_parameter_must_be_there() -> None:
    error = refused("code=abc&state=s", iss_parameter_supported=True)
    assert (error.reason, error.received) == (Reason.ISSUER, "no iss parameter")


@pytest.mark.case("OI-10")
@pytest.mark.case("OI-12")
@pytest.mark.parametrize(
    "query",
    [
        "code=a&code=b&state=s",
        "code=a&code=a&state=s",
        "code=a&state=s&state=t",
        "code=a&state=s&iss=x&iss=x",
        "code=a&state=s&vendor=1&vendor=2",
        "code=a&state=s&error=access_denied",
        "code=a&state=s&error=",
        "code=&state=s&error=access_denied",
    ],
)
def test_a_callback_with_two_meanings_is_refused(query: str) -> None:
    assert refused(query).reason is Reason.CALLBACK


@pytest.mark.case("OI-13")
@pytest.mark.parametrize("error", ["access_denied", "login_required", "anything"])
def test_an_error_of_the_provider_is_told(error: str) -> None:
    failure = refused(urlencode({"error": error, "error_description": "No access", "state": "s"}))
    assert (failure.reason, failure.received) == (Reason.CODE, f"{error}: No access")


@pytest.mark.case("OI-13")
def test_the_words_of_the_provider_are_cut_and_printable() -> None:
    words = "<script>\r\nSet-Cookie: a=b\x00" + "x" * 10_000
    query = {"error": "e", "error_description": words, "error_uri": "https://evil", "state": "s"}
    received = refused(urlencode(query)).received

    assert received is not None
    assert received.startswith("e: <script>��Set-Cookie: a=b�xxx")
    assert len(received) == 200
    assert received.isprintable()
    assert "evil" not in received


@pytest.mark.case("OI-13")
@pytest.mark.parametrize("query", ["state=s", "state=s&code="])
def test_a_callback_without_a_code_is_refused(query: str) -> None:
    assert refused(query).reason is Reason.CODE


@pytest.mark.case("OI-14")
@pytest.mark.parametrize("name", ["id_token", "access_token", "token_type", "response"])
def test_a_token_in_the_front_channel_is_refused(name: str) -> None:
    error = refused(f"code=a&state=s&{name}=x")
    assert (error.reason, error.received) == (Reason.CALLBACK, name)


@pytest.mark.case("OI-15")
def test_a_code_is_taken_as_it_is() -> None:
    code = "a" * 10_000 + "\r\n&client_id=evil"
    assert parse_callback(urlencode({"code": code, "state": "s"}), issuer=ISSUER).code == code


@pytest.mark.parametrize(
    "query",
    [
        "code=%ff&state=s",
        "code=a&state=" + "s" * 40_000,
        "&".join(f"a{number}=1" for number in range(51)),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(query: str) -> None:
    assert refused(query).reason is Reason.CALLBACK
    assert peek_state(query) is None


@pytest.mark.parametrize(
    ("query", "state"),
    [
        ("code=a&state=s", "s"),
        ("error=access_denied&state=s", "s"),
        ("code=a&code=b&state=s", "s"),
        ("state=s&state=t", None),
        ("state=", None),
        ("", None),
    ],
)
def test_the_state_can_be_peeked_at(query: str, state: str | None) -> None:
    assert peek_state(query) == state
