"""ID tokens of a refresh (OIDC Core 12.2): security case OI-53."""

from typing import Any

import pytest

from tests.support import oidc_documents
from tests.support.oidc_documents import ABSENT, ACCESS_TOKEN, NOW, SECOND, SUBJECT
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.id_token import VerifiedIdToken
from vestibule.oidc.refreshed import verify_refreshed_id_token

AUTH_TIME = NOW // SECOND - 3600


def refreshed(before: dict[str, Any] | None = None, **changes: Any) -> VerifiedIdToken:
    earlier = oidc_documents.claims(**(before or {"auth_time": AUTH_TIME}))
    return verify_refreshed_id_token(
        oidc_documents.token(oidc_documents.claims(**{"auth_time": AUTH_TIME, **changes})),
        oidc_documents.keys(),
        oidc_documents.expectation(nonce=None, subject=SUBJECT),
        before=oidc_documents.token(earlier),
        access_token=ACCESS_TOKEN,
        now=NOW,
    )


@pytest.mark.parametrize(
    "changes", [{}, {"nonce": ABSENT}, {"auth_time": ABSENT}, {"email": "new@example.com"}]
)
def test_a_token_of_the_same_person_is_accepted(changes: dict[str, Any]) -> None:
    assert refreshed(**changes).subject == SUBJECT


def test_what_the_earlier_token_did_not_say_is_not_compared() -> None:
    assert refreshed({"nonce": ABSENT}, nonce="n", auth_time=1).subject == SUBJECT


@pytest.mark.case("OI-53")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sub": "user-2"}, Reason.SUBJECT),
        ({"sub": ABSENT}, Reason.SUBJECT),
        ({"iss": "https://other.example.com"}, Reason.ISSUER),
        ({"aud": "client-2"}, Reason.AUDIENCE),
        ({"aud": ["client-1", "client-2"]}, Reason.AUDIENCE),
        ({"exp": NOW // SECOND - 3600}, Reason.EXPIRED),
        ({"nonce": "another"}, Reason.NONCE),
        ({"nonce": None}, Reason.NONCE),
        ({"auth_time": AUTH_TIME + 1}, Reason.AUTH_TIME),
    ],
)
def test_a_token_that_says_something_else_is_refused(
    changes: dict[str, Any], reason: Reason
) -> None:
    with pytest.raises(OidcError) as refused:
        refreshed(**changes)
    assert refused.value.reason is reason
