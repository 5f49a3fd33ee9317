import pytest

from vestibule.dev.identity_provider.origins import Destinations
from vestibule.dev.pages import Refused

ALLOWED = Destinations(("http://127.0.0.1:8080", "https://app.example"))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/acs",
        "HTTP://127.0.0.1:8080",
        "https://app.example/back?a=b",
        "https://APP.example:443/back",
    ],
)
def test_address_of_an_allowed_origin_passes(url: str) -> None:
    assert ALLOWED.check(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/acs",
        "http://127.0.0.1:8081/acs",
        "https://127.0.0.1:8080/acs",
        "http://app.example/back",
        "https://app.example.attacker.example/back",
        "https://app.example:8443/",
        "http://127.0.0.1.:8080/acs",
        "http://[::1]:8080/acs",
    ],
)
def test_address_of_another_origin_is_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        ALLOWED.check(url)
    assert caught.value.title == "Foreign address"
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "no absolute http or https URL"),
        ("/acs", "no absolute http or https URL"),
        ("//app.example/acs", "no absolute http or https URL"),
        ("javascript:alert(1)//app.example", "no absolute http or https URL"),
        ("https:///acs", "no absolute http or https URL"),
        ("https://app.example@attacker.example/", "a user name or a fragment"),
        ("https://app.example/#x", "a user name or a fragment"),
        ("https://app.example\\@attacker.example/", "characters that no URL holds"),
        ("https://app.example/ ", "characters that no URL holds"),
        ("https://app.example/\r\nX: y", "characters that no URL holds"),
        ("https://äpp.example/", "characters that no URL holds"),
        ("https://app.example:99999/", "Port out of range"),
        ("https://[app.example/", "Invalid IPv6 URL"),
    ],
)
def test_address_that_is_no_plain_url_is_refused(url: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        ALLOWED.check(url)
    assert caught.value.title == "Unusable address"
    assert caught.value.status == 400
