"""What ends a refused sign-in: the word that both protocols' packages use for it."""

from dataclasses import dataclass
from typing import Literal

Side = Literal["identity_provider", "vestibule", "user"]
"""The identity provider's administrator, this server's, or the person who signs in."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """Who has to act, and one sentence that says what to click or to change."""

    side: Side
    fix: str


def identity_provider(fix: str) -> Remedy:
    """Return what the identity provider's administrator does."""
    return Remedy("identity_provider", fix)


def vestibule(fix: str) -> Remedy:
    """Return what the administrator of the connection does."""
    return Remedy("vestibule", fix)


def user(fix: str) -> Remedy:
    """Return what the person who signs in does."""
    return Remedy("user", fix)
