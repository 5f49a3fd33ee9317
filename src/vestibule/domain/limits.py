"""How often something may be asked for: every limit, with its default.

The defaults are far above what an honest product sends; they are there for loops that went wild
and for those who guess. Windows are fixed and begin with the minute (semantics 9.2).
"""

from dataclasses import dataclass
from typing import Final, Literal

Axis = Literal["project", "organization", "member", "address", "connection"]


@dataclass(frozen=True)
class Limit:
    """At most `requests` in each window of `seconds`, counted for each combination of `per`.

    Endpoints that name the same limit share its count. `guess`: whoever asks may be guessing a
    secret; when it cannot be counted it is refused, while everything else is let through.
    """

    name: str
    per: tuple[Axis, ...]
    requests: int
    seconds: int = 60
    guess: bool = False


API: Final = Limit("api", ("project",), 60_000)
ORGANIZATION: Final = Limit("organization", ("project", "organization"), 12_000)
ORGANIZATION_SEARCH: Final = Limit("organization_search", ("project",), 100)
MEMBER_SEARCH: Final = Limit("member_search", ("project",), 100)
PUBLIC: Final = Limit("public", ("address",), 600)
PAGES: Final = Limit("pages", ("address",), 3_000)
START: Final = Limit("sso_start", ("address", "connection"), 1_200)
CALLBACK: Final = Limit("sso_callback", ("address", "connection"), 1_200)
WRONG_SECRETS: Final = Limit("wrong_secrets", ("address", "project"), 60, guess=True)
MFA_GUESSES: Final = Limit("mfa_guesses", ("project", "member"), 20, guess=True)

ALL: Final = (
    API,
    ORGANIZATION,
    ORGANIZATION_SEARCH,
    MEMBER_SEARCH,
    PUBLIC,
    PAGES,
    START,
    CALLBACK,
    WRONG_SECRETS,
    MFA_GUESSES,
)
