"""What letters say when somebody chose a name for its effect (AD-21).

Letters in every language are read in tests/api/test_email_updates.py.
"""

import re

import pytest

from vestibule.domain import letter_texts

LINK = "https://sso.example.test/v1/public/email_update?token=x"


@pytest.mark.case("AD-21")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Acme & Söhne, Inc.", "Acme & Söhne, Inc."),
        ("<b>Acme</b>", "<b>Acme</b>"),
        ("https://evil.test/login Acme", "https evil.test/login Acme"),
        ("Acme\n\nOpen https://evil.test:", "Acme Open https evil.test:"),
        ("Acme\r\nBcc: eve@evil.test", "Acme Bcc: eve@evil.test"),
        ("a\x1b[2J\x00\u2028b\u202ec", "a [2J b c"),
        (":\n//evil.test ://a:://b", ": //evil.test a: b"),
        ("{proof} %s {0.__class__}", "{proof} %s {0.__class__}"),
    ],
)
@pytest.mark.parametrize("locale", ["en", "es", "pt-br", "fr"])
def test_a_name_makes_no_lines_and_no_link(locale: str, name: str, shown: str) -> None:
    plain = letter_texts.email_update(locale, "PLAIN", LINK, is_code=False)
    text = letter_texts.email_update(locale, name, LINK, is_code=False)
    assert (text.subject, text.body) == (plain.subject, plain.body.replace("PLAIN", shown))
    assert re.findall(r"\w+://\S+", text.body) == [LINK]
    plain = letter_texts.member_locked("PLAIN", "tomorrow", link="")
    locked = letter_texts.member_locked(name, "tomorrow", link="")
    assert locked.body == plain.body.replace("PLAIN", shown)
