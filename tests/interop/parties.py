"""The two sides of a sign-in as the interop tests name them: people, and what a provider trusts."""

from dataclasses import dataclass
from pathlib import Path

# Configurations and start scripts of the identity providers.
INTEROP = Path(__file__).parents[2] / "interop"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a password at an identity provider, and what it tells about them."""

    login: str
    password: str
    email: str
    name: str


@dataclass(frozen=True, kw_only=True)
class RelyingParty:
    """An OIDC connection of ours as its provider has to know it."""

    client_id: str
    client_secret: str
    redirect_url: str
    algorithm: str = "RS256"
