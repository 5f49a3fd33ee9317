"""Secrets that a test has put somewhere, and in which forms they might be found again."""

import base64
import re


class Secrets:
    """What must not be found, by name, in the forms in which it could be."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def add(self, **secrets: str) -> None:
        """Note secrets by name; they must be long enough not to be found by chance."""
        for name, text in secrets.items():
            assert len(text) >= 14, name
            self.texts[name] = text

    def found_in(self, data: bytes) -> list[str]:
        """Return the names of those that `data` holds in any form."""
        return [
            name for name, text in self.texts.items() if any(form in data for form in forms(text))
        ]


def forms(text: str) -> list[bytes]:
    found = [text.encode()]
    if re.fullmatch(r"[\w-]{43}", text):
        found.append(base64.urlsafe_b64decode(text + "="))
    if re.fullmatch(r"[\w-]{64}", text):
        # The first 16 bytes of one of our tokens are its id, which is no secret.
        found.append(base64.urlsafe_b64decode(text)[16:])
        found.append(text[24:].encode())
    return found
