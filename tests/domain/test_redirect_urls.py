"""Which URLs may be registered, and which are one of those (semantics 1.1, ST-08)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestibule import errors
from vestibule.domain.redirect_urls import (
    Kind,
    check_registration,
    choose,
    has_placeholder,
    is_native,
    may_be_default,
    origin_of,
    with_parameters,
)
from vestibule.errors import ErrorType, Failure
from vestibule.ids import Environment
from vestibule.records import Project, RedirectUrl

CALLBACK = "https://app.example.test/callback"


def registered(url: str = CALLBACK, *, default: bool = False, **kinds: bool) -> RedirectUrl:
    flags = kinds or {"login": True, "signup": True}
    defaults = {f"default_{kind}": default for kind in flags}
    return RedirectUrl(project_id="p", url=url, created_at=0, **flags, **defaults)


def project(environment: Environment) -> Project:
    return Project(project_id="p", environment=environment, name="", created_at=0)


def unregistrable(url: str, environment: Environment = "test") -> ErrorType:
    with pytest.raises(Failure) as caught:
        check_registration(project(environment), url)
    return caught.value.error


def refusal(known: list[RedirectUrl], kind: Kind, url: str) -> ErrorType:
    with pytest.raises(Failure) as caught:
        choose(known, kind, url)
    return caught.value.error


@pytest.mark.parametrize(
    "url",
    [
        CALLBACK,
        "https://app.example.test",
        "https://app.example.test:8443/a/b?c=d&e={}",
        "http://localhost:3000/callback",
        "http://127.0.0.1/callback",
        "http://[::1]:3000/callback",
        "https://[2001:db8::1]/callback",
        "https://APP.example.test/Callback",
        "com.example.app://callback",
        "com.example.app://callback/sso?to={}",
    ],
)
def test_a_test_project_may_register(url: str) -> None:
    check_registration(project("test"), url)
    if not url.startswith("http:"):
        check_registration(project("live"), url)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://app.example.test/", errors.redirect_url_must_use_https),
        ("http://localhost.evil.example/", errors.redirect_url_must_use_https),
        ("javascript://app.example.test/%0aalert(1)", errors.redirect_url_cannot_use_protocol),
        ("myapp://callback", errors.redirect_url_cannot_use_protocol),
        ("data://text/html", errors.redirect_url_cannot_use_protocol),
        ("javascript:alert(1)", errors.invalid_login_sso_url),
        ("//app.example.test/", errors.invalid_login_sso_url),
        ("https://user@app.example.test/", errors.invalid_login_sso_url),
        ("https://*.example.test/", errors.invalid_login_sso_url),
        ("https://app.example.test/#x", errors.invalid_login_sso_url),
        ("https://app.example.test/\n", errors.invalid_login_sso_url),
        ("", errors.invalid_login_sso_url),
    ],
)
def test_nobody_may_register(url: str, error: ErrorType) -> None:
    assert unregistrable(url) is error


def test_a_live_project_uses_https() -> None:
    url = "http://localhost:3000/callback"
    assert unregistrable(url, "live") is errors.redirect_url_must_use_https


@pytest.mark.case("ST-08")
@pytest.mark.parametrize(
    "url", [CALLBACK, "HTTPS://app.example.test/callback", "https://App.Example.TEST:443/callback"]
)
def test_what_browsers_take_for_the_same_is_the_same(url: str) -> None:
    assert choose([registered()], "login", url) == url


@pytest.mark.case("ST-08")
@given(st.text(alphabet="abcdefghipt.:/\\@?#%&=_~[]{}*-0123456789 \t\n\0\u00e9\uff0e", max_size=60))
def test_only_a_registered_place_is_ever_returned(text: str) -> None:
    for url in (text, f"https://app.example.test{text}", f"{CALLBACK}{text}", f"https://{text}"):
        chosen = chosen_or_none(url)
        assert chosen in {None, url}
        if chosen is not None:
            place, _, query = chosen.partition("?")
            assert place == CALLBACK
            assert set(query) <= {"&"}


def chosen_or_none(url: str) -> str | None:
    try:
        return choose([registered()], "login", url)
    except Failure:
        return None


def test_a_placeholder_stands_for_any_value_of_its_parameter() -> None:
    known = [registered(f"{CALLBACK}?to={{}}&v=1")]
    for query in ("to=x&v=1", "v=1&to=x", "to=&v=1", "to=%7B%7D&v=1", "to=a%26b&v=1"):
        assert choose(known, "login", f"{CALLBACK}?{query}") == f"{CALLBACK}?{query}"
    for query in ("to=x", "v=1", "to=x&v=2", "to=x&v=1&v=1", "to=x&v=1&w=1", "TO=x&v=1"):
        assert refusal(known, "login", f"{CALLBACK}?{query}") is errors.query_params_do_not_match
    assert refusal(known, "login", f"{CALLBACK}?to={{}}&v=1") is errors.invalid_login_sso_url
    assert has_placeholder(known[0].url)
    assert not has_placeholder(CALLBACK)


@pytest.mark.parametrize(
    ("url", "native", "default"),
    [
        (CALLBACK, False, True),
        (f"{CALLBACK}?to={{}}", False, False),
        ("com.example.app://callback", True, False),
    ],
)
def test_default_is_what_a_browser_can_be_sent_to_without_more(
    url: str, *, native: bool, default: bool
) -> None:
    assert (is_native(url), may_be_default(url)) == (native, default)


def test_without_one_the_default_is_taken() -> None:
    first, second = registered("https://a.test/"), registered("https://b.test/", default=True)
    assert choose([first, second], "login", "") == "https://b.test/"
    assert choose([first, second], "signup", "") == "https://b.test/"


def test_what_is_missing_is_said() -> None:
    login = registered(login=True)
    assert refusal([], "login", "") is errors.no_login_redirect_urls_set
    assert refusal([login], "signup", "") is errors.no_signup_redirect_urls_set
    assert refusal([login], "login", "") is errors.no_default_login_redirect_url_set
    signup = registered(signup=True)
    assert refusal([signup], "signup", "") is errors.no_default_signup_redirect_url_set
    assert refusal([login], "signup", CALLBACK) is errors.no_match_for_provided_sso_url
    assert refusal([], "login", CALLBACK) is errors.no_match_for_provided_sso_url
    assert refusal([login], "signup", "x") is errors.invalid_signup_sso_url
    assert refusal([login], "logout", "") is errors.no_logout_redirect_urls_set
    logout = registered(logout=True)
    assert refusal([logout], "logout", "") is errors.no_default_logout_redirect_url_set
    assert refusal([login], "logout", CALLBACK) is errors.no_match_for_provided_sso_url
    assert refusal([logout], "login", CALLBACK) is errors.no_match_for_provided_sso_url
    assert refusal([logout], "logout", "x") is errors.invalid_logout_redirect_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (CALLBACK, f"{CALLBACK}?a=1&b=2"),
        (f"{CALLBACK}?c=3", f"{CALLBACK}?c=3&a=1&b=2"),
        (f"{CALLBACK}?", f"{CALLBACK}?&a=1&b=2"),
        ("https://app.example.test", "https://app.example.test?a=1&b=2"),
    ],
)
def test_parameters_are_appended(url: str, expected: str) -> None:
    assert with_parameters(url, a="1", b="2") == expected


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://app.example.com/a?b={}", "https://app.example.com"),
        ("HTTPS://App.Example.com:443", "https://app.example.com"),
        ("http://localhost:80/", "http://localhost"),
        ("http://localhost:3000/a", "http://localhost:3000"),
        ("http://[::1]:3000/a", "http://[::1]:3000"),
        ("https://app.example.com:80", "https://app.example.com:80"),
        ("https://user@app.example.com/", ""),
        ("null", ""),
        ("", ""),
    ],
)
def test_the_origin_is_the_one_that_browsers_write(url: str, origin: str) -> None:
    assert origin_of(url) == origin
