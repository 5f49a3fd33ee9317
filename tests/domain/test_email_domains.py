import pytest

from vestibule import errors
from vestibule.domain.email_domains import name_of, read_domain, read_domains
from vestibule.errors import Failure

ERRORS = {
    "invalid": errors.organization_settings_invalid_domain,
    "common": errors.organization_settings_domain_too_common,
}


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Example.COM", "example.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("mail.example.com", "mail.example.com"),
        ("gmail.example.com", "gmail.example.com"),
        ("notgmail.com", "notgmail.com"),
    ],
)
def test_domain_is_read_in_canonical_form(text: str, domain: str) -> None:
    assert read_domain(text, field="domains", **ERRORS) == domain


@pytest.mark.parametrize("text", ["gmail.com", "GMAIL.com", "yahoo.co.uk", "gmx.net", "mail.ru"])
def test_common_domain_is_refused(text: str) -> None:
    with pytest.raises(Failure) as caught:
        read_domain(text, field="domains", **ERRORS)
    assert caught.value.error is errors.organization_settings_domain_too_common
    assert caught.value.message.startswith(f"domains: {text.lower()} ")


@pytest.mark.parametrize(
    "text",
    ["", "example", "@example.com", "ada@example.com", "https://example.com", "*.com", "a b"],
)
def test_malformed_domain_is_refused(text: str) -> None:
    with pytest.raises(Failure) as caught:
        read_domain(text, field="domains", **ERRORS)
    assert caught.value.error is errors.organization_settings_invalid_domain
    assert repr(text) in caught.value.message


def test_repeated_domain_is_refused_whatever_its_case() -> None:
    duplicate = errors.organization_settings_duplicate_domain
    with pytest.raises(Failure) as caught:
        read_domains(["a.com", "b.com", "A.com"], field="domains", duplicate=duplicate, **ERRORS)
    assert caught.value.error is duplicate
    assert caught.value.message == "domains: a.com is given twice."


def test_domains_keep_their_order() -> None:
    duplicate = errors.organization_settings_duplicate_domain
    domains = read_domains(["b.com", "a.com"], field="domains", duplicate=duplicate, **ERRORS)
    assert domains == ("b.com", "a.com")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("ada@acme.test", "acme"),
        ("ada@mail.acme.test", "acme"),
        ("ada@acme.co.uk", "acme"),
        ("ada@a.acme.co.uk", "acme"),
        ("ada.l@gmail.com", "ada.l"),
        ("ada.l@yahoo.co.uk", "ada.l"),
        ("ada.l@mit.edu", "ada.l"),
        ("ada.l@cs.mit.edu", "ada.l"),
        ("ada@co.uk", "co"),
        ("ada@xn--e1afmkfd.test", "xn--e1afmkfd"),
    ],
)
def test_an_organization_is_called_after_the_domain_that_is_somebodys_own(
    key: str, name: str
) -> None:
    assert name_of(key) == name
