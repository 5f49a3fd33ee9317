"""How often something may be asked for: every limit, with its default.

The defaults are far above what an honest product sends; they are there for loops that went wild
and for those who guess. Windows are fixed and begin with the minute (semantics 9.2).
"""

from dataclasses import dataclass
from typing import Final, Literal

Axis = Literal["project", "organization", "member", "address", "connection", "phone"]


@dataclass(frozen=True)
class Limit:
    """At most `requests` in each window of `seconds`, counted for each combination of `per`.

    Endpoints that name the same limit share its count; `what` tells people what is counted.
    `guess`: whoever asks may be guessing a secret; when it cannot be counted it is refused, while
    everything else is let through. `in_database`: it is counted there, in the transaction of what
    is limited, for all nodes.
    """

    name: str
    per: tuple[Axis, ...]
    requests: int
    what: str
    seconds: int = 60
    guess: bool = False
    in_database: bool = False


API: Final = Limit("api", ("project",), 60_000, "calls with the project's credentials")
ORGANIZATION: Final = Limit(
    "organization",
    ("project", "organization"),
    12_000,
    "calls that name the Organization, once it is known that the caller may make them",
)
ORGANIZATION_SEARCH: Final = Limit(
    "organization_search", ("project",), 100, "`organizations.search`"
)
MEMBER_SEARCH: Final = Limit("member_search", ("project",), 100, "`organizations.members.search`")
PUBLIC: Final = Limit(
    "public",
    ("address",),
    600,
    "calls of browsers with a public token, and calls that need no credentials",
)
# A call has one preflight at most, so whoever only makes calls comes to the end of PUBLIC first.
CROSS_ORIGIN: Final = Limit(
    "cross_origin",
    ("address",),
    3_000,
    "calls of pages of other origins, and the preflights of browsers before them",
)
PAGES: Final = Limit(
    "pages",
    ("address",),
    3_000,
    "pages of logins (start, callback, metadata) and of a new e-mail address; not logouts",
)
START: Final = Limit(
    "sso_start",
    ("address", "connection"),
    1_200,
    "logins begun at the connection, or at the Organization where that is named instead",
)
CALLBACK: Final = Limit(
    "sso_callback",
    ("address", "connection"),
    1_200,
    "answers of identity providers, as browsers bring them",
)
WRONG_SECRETS: Final = Limit(
    "wrong_secrets",
    ("address", "project"),
    60,
    "wrong project secrets; once they are used up, right ones from there are refused too",
    guess=True,
)
MFA_GUESSES: Final = Limit(
    "mfa_guesses",
    ("project", "member"),
    20,
    "codes of second factors, right or wrong; far fewer wrong ones lock the Member out",
    guess=True,
)
SMS_REQUESTS: Final = Limit("sms_requests", ("address",), 600, "`otps.sms.send`")
_TEXTS: Final = "texts; those to Members who have not proven the phone are counted apart"
SMS_TO_PHONE: Final = Limit(
    "sms_to_phone", ("project", "phone"), 5, _TEXTS, seconds=600, in_database=True
)
SMS_TO_PHONE_DAILY: Final = Limit(
    "sms_to_phone_daily", ("project", "phone"), 30, _TEXTS, seconds=86_400, in_database=True
)
SMS_TO_MEMBER: Final = Limit(
    "sms_to_member", ("project", "member"), 5, "texts", seconds=600, in_database=True
)
SMS_OF_ORGANIZATION: Final = Limit(
    "sms_of_organization",
    ("project", "organization"),
    1_000,
    "texts to Members",
    seconds=3_600,
    in_database=True,
)

ALL: Final = (
    API,
    ORGANIZATION,
    ORGANIZATION_SEARCH,
    MEMBER_SEARCH,
    PUBLIC,
    CROSS_ORIGIN,
    PAGES,
    START,
    CALLBACK,
    WRONG_SECRETS,
    MFA_GUESSES,
    SMS_REQUESTS,
    SMS_TO_PHONE,
    SMS_TO_PHONE_DAILY,
    SMS_TO_MEMBER,
    SMS_OF_ORGANIZATION,
)
