"""A provider's configuration document: security cases OI-49 and OI-50."""

import pytest

from tests.support import oidc_documents as good
from tests.support.oidc_documents import ABSENT, ISSUER
from vestibule.oidc.discovery import discovery_url, issuer_of, parse_discovery
from vestibule.oidc.errors import OidcError, Reason

ENDPOINTS = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"]


def refused(data: bytes, *, issuer: str = ISSUER) -> OidcError:
    with pytest.raises(OidcError) as failure:
        parse_discovery(data, issuer=issuer)
    assert failure.value.reason is Reason.DISCOVERY
    return failure.value


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        (ISSUER, f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/", f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/a/b", f"{ISSUER}/a/b/.well-known/openid-configuration"),
        ("http://localhost:9", "http://localhost:9/.well-known/openid-configuration"),
        (
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration",
        ),
    ],
)
def test_the_address_is_made_from_the_issuer(issuer: str, url: str) -> None:
    assert discovery_url(issuer) == url


@pytest.mark.parametrize(
    "issuer", ["", "idp.example.com", "ftp://idp.example.com", f"{ISSUER}?a=b", f"{ISSUER}#a"]
)
def test_an_issuer_that_is_no_address_is_refused(issuer: str) -> None:
    with pytest.raises(OidcError) as failure:
        discovery_url(issuer)
    assert failure.value.reason is Reason.URL


@pytest.mark.parametrize(
    ("url", "issuer"),
    [
        (f"{ISSUER}/.well-known/openid-configuration", ISSUER),
        (f" {ISSUER}/.well-known/openid-configuration/", ISSUER),
        (f"{ISSUER}/a/.well-known/openid-configuration?appid=1", f"{ISSUER}/a"),
        (f"{ISSUER}/.well-known/oauth-authorization-server", ISSUER),
        (ISSUER, None),
        (f"{ISSUER}/.well-known/jwks.json", None),
        (f"{ISSUER}/?x=/.well-known/openid-configuration", None),
        ("", None),
    ],
)
def test_the_issuer_of_a_discovery_url(url: str, issuer: str | None) -> None:
    assert issuer_of(url) == issuer


def test_a_good_document_is_read() -> None:
    read = parse_discovery(good.discovery(), issuer=ISSUER)

    assert read.issuer == ISSUER
    assert read.authorization_url == f"{ISSUER}/authorize"
    assert read.token_url == f"{ISSUER}/token"
    assert read.userinfo_url == f"{ISSUER}/userinfo"
    assert read.jwks_url == f"{ISSUER}/jwks"
    assert read.iss_parameter_supported is False
    assert read.token_auth_methods == ("client_secret_basic", "client_secret_post")


def test_what_is_optional_may_be_missing() -> None:
    document = good.discovery(
        userinfo_endpoint=ABSENT,
        token_endpoint_auth_methods_supported=ABSENT,
        authorization_response_iss_parameter_supported=True,
    )
    read = parse_discovery(document, issuer=ISSUER)

    assert read.userinfo_url is None
    assert read.end_session_url is None
    assert read.token_auth_methods == ()
    assert read.iss_parameter_supported is True


@pytest.mark.parametrize(
    ("named", "read"),
    [
        (f"{ISSUER}/logout", f"{ISSUER}/logout"),
        ("http://idp.example.com/logout", None),
        ("javascript:alert(1)", None),
        (["x"], None),
    ],
)
def test_a_bad_place_for_logouts_is_none(named: object, read: str | None) -> None:
    document = good.discovery(end_session_endpoint=named)
    assert parse_discovery(document, issuer=ISSUER).end_session_url == read


@pytest.mark.case("OI-49")
@pytest.mark.parametrize("named", ["https://evil.example", f"{ISSUER}/", [ISSUER], None, ABSENT])
def test_another_issuer_is_refused(named: object) -> None:
    assert refused(good.discovery(issuer=named)).expected == f"issuer {ISSUER}"


@pytest.mark.case("OI-49")
def test_the_slash_at_the_end_belongs_to_the_issuer() -> None:
    read = parse_discovery(good.discovery(issuer=f"{ISSUER}/"), issuer=f"{ISSUER}/")
    assert read.issuer == f"{ISSUER}/"


@pytest.mark.case("OI-50")
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example.com/x",
        "file:///etc/passwd",
        "data:application/json,{}",
        "javascript:alert(1)",
        "//idp.example.com/x",
        "/x",
        "",
        "https://",
        "https:///x",
        "https://user@idp.example.com/x",
        "https://idp.example.com/x#y",
        "https://idp.example.com\\@evil.example/",
        "https://idp.example.com/\r\nHost: evil",
        "https://idp.example.com:0/",
        "https://idp.example.com:99999/",
        "https://[::1/",
        "https://exämple.com/",
        "HTTPS://idp.example.com/x",
        "https://idp.example.com/" + "x" * 2_048,
        1,
        ["https://idp.example.com/x"],
    ],
)
def test_an_endpoint_that_is_no_https_address_is_refused(endpoint: str, url: object) -> None:
    error = refused(good.discovery(**{endpoint: url}))
    assert error.expected == f"{endpoint}: an https URL"


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_a_missing_endpoint_is_refused(endpoint: str) -> None:
    assert refused(good.discovery(**{endpoint: ABSENT})).received == "absent"


@pytest.mark.case("OI-50")
def test_an_endpoint_on_another_host_is_accepted_and_left_to_the_guard_of_requests() -> None:
    document = good.discovery(jwks_uri="https://keys.example.net/jwks")
    assert parse_discovery(document, issuer=ISSUER).jwks_url == "https://keys.example.net/jwks"


@pytest.mark.case("OI-50")
def test_a_provider_without_tls_may_have_endpoints_without_tls() -> None:
    issuer = "http://localhost:9000"
    document = good.discovery(issuer=issuer, token_endpoint=f"{issuer}/token")
    assert parse_discovery(document, issuer=issuer).token_url == f"{issuer}/token"
    refused(good.discovery(issuer=issuer, jwks_uri="file:///k"), issuer=issuer)


@pytest.mark.parametrize(
    "changes",
    [
        {"authorization_response_iss_parameter_supported": "true"},
        {"token_endpoint_auth_methods_supported": "client_secret_basic"},
        {"token_endpoint_auth_methods_supported": [1]},
    ],
)
def test_members_of_another_type_are_refused(changes: good.Json) -> None:
    refused(good.discovery(**changes))


@pytest.mark.parametrize("data", [b"", b"<html>Sign in</html>", b"[]", b'{"issuer":1,"issuer":2}'])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    refused(data)
