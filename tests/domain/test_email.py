import pytest

from vestibule import errors
from vestibule.domain.email import domain_of, key_of, read_email
from vestibule.errors import Failure


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada.Lovelace+SSO@Example.COM", "ada.lovelace+sso@example.com"),
        ("ada@corp.local", "ada@corp.local"),
        ("ada@acme.test", "ada@acme.test"),
        ("ada@bücher.de", "ada@xn--bcher-kva.de"),
        ("ada@BÜCHER.de", "ada@xn--bcher-kva.de"),
        ("ada@xn--bcher-kva.de", "ada@xn--bcher-kva.de"),
        ("o'hara@example.com", "o'hara@example.com"),
    ],
)
def test_address_is_kept_and_its_key_is_canonical(text: str, key: str) -> None:
    assert read_email(text) == (text, key)
    assert key_of(text) == key
    assert domain_of(text) == key.partition("@")[2]


@pytest.mark.case("SP-47")
@pytest.mark.parametrize(
    "text",
    [
        "\u212aelvin@example.com",  # KELVIN SIGN
        "ada@\u212aelvin.com",
        "\u017ftefan@example.com",  # LONG S
        "ada@\u017ftefan.com",
        "d\u0131ana@example.com",  # DOTLESS I
        "\uff41da@example.com",  # FULLWIDTH A
        "ada@\uff45xample.com",
        "ada@\ufb01rma.com",  # LIGATURE FI
        "ada@example\u3002com",  # IDEOGRAPHIC FULL STOP
    ],
)
def test_letter_that_would_turn_into_an_ascii_one_is_refused(text: str) -> None:
    with pytest.raises(Failure) as caught:
        read_email(text)
    assert caught.value.error is errors.invalid_email


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ada",
        "ada@",
        "@example.com",
        "ada@localhost",
        "ada@example..com",
        "ada@-example.com",
        "ada@exa_mple.com",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "a da@example.com",
        ".ada@example.com",
        '"a b"@example.com',
        "Ada <ada@example.com>",
        "ada@example.com, bob@example.com",
        "ada@bob@example.com",
        "ada@example.com\n",
        "ada@example.com\r\nBcc: bob@example.com",
        "ada\0@example.com",
        "\ud800@example.com",
        "ada@\ud800.com",
        "ada@xn--a.com",
        "a" * 65 + "@example.com",
        "ada@" + "b" * 64 + ".com",
        "ada@" + "b." * 126 + "com",
        "a" * 1_000_000,
    ],
)
def test_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Failure) as caught:
        read_email(text)
    assert caught.value.error is errors.invalid_email
    assert key_of(text) == ""
