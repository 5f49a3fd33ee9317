"""Explains one Response to the person who has to find out why a login fails.

The verdict is that of `verify_response` and of nothing else; here it only becomes readable.
"""

from dataclasses import dataclass
from typing import Final

from vestibule.remedy import Remedy
from vestibule.saml.errors import SamlError, Step
from vestibule.saml.expectation import Expectation
from vestibule.saml.remedies import remedy
from vestibule.saml.response import VerifiedAssertion, read_form_field, verify_response
from vestibule.saml.times import read_instant
from vestibule.saml.xml import SAML, parse

# How XML begins: with an element, or with the byte order mark of an encoding (which is refused).
_MARKS: Final = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The verdict on a message: what was accepted, or what would end the refusal.

    `steps` are the checks in the order they were made, the failed one last.
    """

    steps: tuple[Step, ...]
    verdict: VerifiedAssertion | Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a message says of itself, unverified: good for assumptions, never for a login."""

    acs_url: str | None = None
    audience: str | None = None
    request_id: str | None = None
    issued_at: int | None = None
    encrypted: bool = False


def explain(data: bytes, expectation: Expectation, *, now: int) -> Explanation:
    """Verify a Response, given as XML or as the base64 of its form field, and tell how it went.

    `now` is in microseconds UTC. Raises nothing: a refusal is an explanation too.
    """
    try:
        accepted = verify_response(message(data), expectation, now=now)
    except SamlError as error:
        return Explanation(steps=error.steps, verdict=remedy(error.reason))
    return Explanation(steps=accepted.steps, verdict=accepted)


def read_claims(data: bytes) -> Claims:
    """Read what a message says of itself; nothing from one that cannot be read."""
    try:
        root = parse(message(data))
    except SamlError:
        return Claims()
    audiences = [each.text for each in root.iter(f"{{{SAML}}}Audience") if each.text]
    confirmations = list(root.iter(f"{{{SAML}}}SubjectConfirmationData"))
    asked = [each.get("InResponseTo") for each in (root, *confirmations)]
    places = [root.get("Destination"), *(each.get("Recipient") for each in confirmations)]
    return Claims(
        acs_url=next(filter(None, places), None),
        audience=next(iter(audiences), None),
        request_id=next(filter(None, asked), None),
        issued_at=_instant(root.get("IssueInstant", "")),
        encrypted=next(root.iter(f"{{{SAML}}}EncryptedAssertion"), None) is not None,
    )


def message(data: bytes) -> bytes:
    """Return the XML of a file that holds it, or the base64 of it.

    Raises:
        SamlError: as `read_form_field`, when it is neither.
    """
    trimmed = data.strip()
    if trimmed.startswith(_MARKS):
        return trimmed
    return read_form_field(data.decode("utf-8", errors="replace"))


def _instant(text: str) -> int | None:
    try:
        return read_instant(text)
    except SamlError:
        return None
