"""Whatever comes in, only OidcError comes out, and what is accepted keeps its promises."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import oidc_documents as good
from vestibule.oidc.base64url import decode_base64url
from vestibule.oidc.discovery import discovery_url, parse_discovery
from vestibule.oidc.errors import OidcError, Reason, shown
from vestibule.oidc.jwks import parse_jwks
from vestibule.oidc.request import authorization_url, parse_callback, peek_state
from vestibule.oidc.signed import needs_refetch
from vestibule.oidc.strict_json import parse_object
from vestibule.oidc.token import parse_refresh_response, parse_token_response, token_request
from vestibule.oidc.urls import check_url
from vestibule.oidc.userinfo import parse_userinfo, read_email

Reader = Callable[[bytes], object]

READERS: dict[str, Reader] = {
    "object": lambda data: parse_object(data, reason=Reason.USERINFO),
    "jwks": parse_jwks,
    "discovery": lambda data: parse_discovery(data, issuer=good.ISSUER),
    "token": lambda data: parse_token_response(200, "application/json", data),
    "refusal": lambda data: parse_token_response(400, "application/json", data),
    "refresh": lambda data: parse_refresh_response(200, "application/json", data),
    "userinfo": lambda data: parse_userinfo(200, "application/json", data, subject=good.SUBJECT),
}
NAMES = [
    *good.claims(),
    *json.loads(good.discovery()),
    *good.rsa_signer().jwk(),
    *good.ec_signer().jwk(),
    *("keys", "alg", "typ", "azp", "nbf", "auth_time", "at_hash", "c_hash", "tid", "key_ops"),
    *("access_token", "id_token", "refresh_token", "token_type", "expires_in", "scope", "error"),
    *("error_description", "email", "email_verified", "crit", "x5c", "jwk", "jku"),
]
KNOWN_VALUES = [
    *(
        good.ISSUER,
        good.CLIENT_ID,
        good.SUBJECT,
        good.NONCE,
        "RS256",
        "none",
        "RSA",
        "EC",
        "Bearer",
    ),
    *(good.NOW // good.SECOND, 10**18, 1e300, -1, "AQAB", "P-256", "sig", "true", ""),
]

names = st.sampled_from(NAMES) | st.text(max_size=5)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(KNOWN_VALUES)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=20,
)
documents = st.dictionaries(names, values, max_size=12)
changes = st.dictionaries(st.sampled_from(NAMES), values, max_size=4)


def only_oidc_error(call: Callable[[], object]) -> object:
    """Return the result or the error; anything but OidcError ends the test."""
    try:
        return call()
    except OidcError as raised:
        error = raised
    assert error.steps[-1].passed is False
    assert all(len(step.received) <= 200 for step in error.steps)
    assert str(error).isprintable()
    return error


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=200))
def test_readers_survive_any_bytes(reader: str, data: bytes) -> None:
    only_oidc_error(lambda: READERS[reader](data))


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=60, deadline=None)
@given(document=documents)
def test_readers_survive_any_document(reader: str, document: dict[str, Any]) -> None:
    only_oidc_error(lambda: READERS[reader](json.dumps(document).encode()))


@settings(max_examples=60, deadline=None)
@given(changed=changes)
def test_a_spoilt_configuration_is_refused_or_means_the_same(changed: dict[str, Any]) -> None:
    read = only_oidc_error(lambda: parse_discovery(good.discovery(**changed), issuer=good.ISSUER))
    if not isinstance(read, OidcError):
        document = json.loads(good.discovery(**changed))
        assert document["issuer"] == good.ISSUER
        assert document["token_endpoint"].startswith("https://")
        assert document["jwks_uri"].startswith("https://")


@settings(max_examples=60, deadline=None)
@given(changed=st.lists(st.tuples(st.booleans(), changes), max_size=3))
def test_a_spoilt_key_set_never_raises(changed: list[tuple[bool, dict[str, Any]]]) -> None:
    entries = [
        (good.rsa_signer() if is_rsa else good.ec_signer()).jwk(**change)
        for is_rsa, change in changed
    ]
    document = json.dumps({"keys": entries}).encode()
    keys = only_oidc_error(lambda: parse_jwks(document))
    if not isinstance(keys, OidcError):
        assert isinstance(keys, tuple)
        assert len(keys) <= len(entries)


@settings(max_examples=80, deadline=None)
@given(changed=changes)
def test_a_well_signed_token_with_any_claims_is_refused_or_right(changed: dict[str, Any]) -> None:
    verified = only_oidc_error(lambda: good.verify(good.token(good.claims(**changed))))
    if not isinstance(verified, OidcError):
        claims = verified.claims  # type: ignore[attr-defined]  # VerifiedIdToken
        now = good.NOW / good.SECOND
        assert claims["iss"] == good.ISSUER
        assert good.CLIENT_ID in claims["aud"]
        assert claims["nonce"] == good.NONCE
        assert now - 60 < claims["exp"] <= claims["iat"] + 86_400
        assert claims["iat"] <= now + 60
        assert isinstance(claims["sub"], str)


@settings(max_examples=60, deadline=None)
@given(header=changes)
def test_a_well_signed_token_with_any_header_is_refused_or_right(header: dict[str, Any]) -> None:
    text = good.token(header=header)
    verified = only_oidc_error(lambda: good.verify(text))
    needs_refetch(text, good.keys())
    if not isinstance(verified, OidcError):
        assert header.get("alg", "RS256") == "RS256"
        assert header.get("kid", "rsa-1") == "rsa-1"


@settings(max_examples=60, deadline=None)
@given(payload=st.binary(max_size=100))
def test_a_well_signed_token_with_any_payload_is_refused(payload: bytes) -> None:
    assert isinstance(only_oidc_error(lambda: good.verify(good.token(payload))), OidcError)


@settings(max_examples=80, deadline=None)
@given(place=st.integers(0, 10_000), letter=st.characters(max_codepoint=0x2FF))
def test_no_changed_character_leaves_a_token_good(place: int, letter: str) -> None:
    text = good.token()
    place %= len(text)
    spoilt = text[:place] + letter + text[place + 1 :]
    if spoilt != text:
        assert isinstance(only_oidc_error(lambda: good.verify(spoilt)), OidcError)


@settings(max_examples=80, deadline=None)
@given(text=st.text(max_size=200) | st.from_regex(r"[\w=+/-]*\.[\w-]*\.[\w-]*", fullmatch=True))
def test_any_text_is_no_token(text: str) -> None:
    assert isinstance(only_oidc_error(lambda: good.verify(text)), OidcError)
    assert needs_refetch(text, good.keys()) is False


queries = st.text(max_size=100) | st.lists(
    st.tuples(
        st.sampled_from(["code", "state", "iss", "error", "error_description", "id_token"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
        | st.sampled_from([good.ISSUER, "a", ""]),
    ),
    max_size=6,
).map(urlencode)


@settings(max_examples=120, deadline=None)
@given(query=queries, required=st.booleans())
def test_any_callback_is_refused_or_has_one_meaning(query: str, *, required: bool) -> None:
    callback = only_oidc_error(
        lambda: parse_callback(query, issuer=good.ISSUER, iss_parameter_supported=required)
    )
    state = peek_state(query)
    if not isinstance(callback, OidcError):
        given_parameters = parse_qs(query, keep_blank_values=True)
        code = callback.code  # type: ignore[attr-defined]  # only_oidc_error gives an object
        assert given_parameters["code"] == [code]
        assert given_parameters["state"] == [state]
        assert given_parameters.get("iss") in ([good.ISSUER], None if not required else [])
        assert "error" not in given_parameters


@settings(max_examples=80, deadline=None)
@given(scopes=st.lists(st.text(max_size=8), max_size=4), state=st.text(max_size=10))
def test_an_authorization_url_says_what_was_given(scopes: list[str], state: str) -> None:
    state = state.encode("utf-8", "replace").decode()
    url = only_oidc_error(
        lambda: authorization_url(
            endpoint=f"{good.ISSUER}/authorize",
            client_id="client-1",
            redirect_url="https://sso.example.com/callback",
            scopes=scopes,
            state=state,
            nonce="n",
            code_challenge="c",
        )
    )
    if isinstance(url, str):
        sent = parse_qs(urlsplit(url).query, keep_blank_values=True)
        assert sent["state"] == [state]
        assert {*sent["scope"][0].split(" ")} == {"openid", *scopes}
        assert url.isascii()


@settings(max_examples=80, deadline=None)
@given(code=st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_a_code_survives_the_request_unchanged(code: str) -> None:
    sent = token_request(
        code=code,
        redirect_url="https://sso.example.com/callback",
        client_id="client-1",
        client_secret="secret-1",
        code_verifier="v" * 43,
    )
    assert parse_qs(sent.body.decode("ascii"), keep_blank_values=True)["code"] == [code]


@settings(max_examples=120, deadline=None)
@given(text=st.text(max_size=60) | st.from_regex(r"https?://[!-~]{0,30}", fullmatch=True))
def test_any_url_is_refused_or_split_alike(text: str) -> None:
    url = only_oidc_error(lambda: check_url(text, reason=Reason.URL))
    only_oidc_error(lambda: discovery_url(text))
    if not isinstance(url, OidcError):
        parts = urlsplit(text)
        assert url == text
        assert parts.scheme == "https"
        assert parts.hostname
        assert parts.username is None


@settings(max_examples=120, deadline=None)
@given(text=st.text(max_size=20) | st.from_regex(r"[A-Za-z0-9_+/=-]*", fullmatch=True))
def test_base64url_has_one_spelling(text: str) -> None:
    try:
        data = decode_base64url(text)
    except ValueError:
        return
    assert good.encode(data) == text


@settings(max_examples=80, deadline=None)
@given(id_token=documents, userinfo=documents)
def test_an_address_is_read_from_one_source(
    id_token: Mapping[str, Any], userinfo: Mapping[str, Any]
) -> None:
    email = only_oidc_error(lambda: read_email(id_token=id_token, userinfo=userinfo))
    if email is not None and not isinstance(email, OidcError):
        source = userinfo if userinfo.get("email") is not None else id_token
        assert email.address == source["email"]  # type: ignore[attr-defined]  # Email
        assert source.get("email_verified") in (None, True, "true")


@settings(max_examples=80, deadline=None)
@given(value=values)
def test_any_value_is_shown_on_one_short_line(value: object) -> None:
    text = shown(value)
    assert text.isprintable()
    assert len(text) <= 200
