"""The one page on which a person chooses who to be; SAML and OpenID Connect share it."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from vestibule.dev.identity_provider.people import PEOPLE, SOMEONE_ELSE
from vestibule.dev.pages import page

DENY: Final = "deny"


def sign_in_page(*, protocol: str, asker: str, action: str, hidden: Mapping[str, str]) -> Response:
    """Return the page; its form posts the fields that `people.read_login` reads to `action`.

    `asker` names who wants the login, `hidden` are fields that come back unchanged. The form also
    sends `decision` ("deny" when the person refuses) and, for SAML, `signed`.
    """
    return page(
        "sign_in.html",
        leaves=True,
        protocol=protocol,
        asker=asker,
        action=action,
        hidden=hidden,
        people=PEOPLE,
        someone_else=SOMEONE_ELSE,
        deny=DENY,
    )
