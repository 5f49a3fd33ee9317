"""The two sides of a sign-in as the interop tests name them: people, and what a provider trusts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stytch.b2b.models.sso import OIDCConnection

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
    logout_url: str
    backchannel_logout_url: str
    algorithm: str = "RS256"


def relying_party(
    connection: OIDCConnection,
    *,
    client_id: str = "interop",
    client_secret: str = "made-up-for-the-interop-tests",
    algorithm: str = "RS256",
) -> RelyingParty:
    base_url, _, connection_id = connection.redirect_url.partition("/v1/b2b/sso/callback/")
    return RelyingParty(
        client_id=client_id,
        client_secret=client_secret,
        redirect_url=connection.redirect_url,
        logout_url=f"{base_url}/v1/public/sso/logout/{connection_id}",
        backchannel_logout_url=f"{base_url}/v1/public/sso/backchannel_logout/{connection_id}",
        algorithm=algorithm,
    )


def put_into_groups(home: Path, groups: Mapping[str, Sequence[str]]) -> None:
    """Sets the groups of each login at the provider that has its files in `home`.

    They count from the next login on; whoever is not named is in no group.
    """
    (home / "groups.json").write_text(json.dumps(groups))
