"""Every reason has a side that must act and a sentence that tells it what to do."""

import pytest

from tests.support.remedies import assert_one_sentence
from vestibule.oidc import remedies
from vestibule.oidc.errors import Reason
from vestibule.oidc.remedies import remedy


def test_every_reason_has_its_remedy_and_nothing_else_has() -> None:
    assert set(remedies._REMEDIES) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_remedy_is_one_sentence_that_says_what_to_do(reason: Reason) -> None:
    assert_one_sentence(remedy(reason))


@pytest.mark.parametrize(
    ("reason", "side", "word"),
    [
        (Reason.ISSUER, "vestibule", "issuer"),
        (Reason.AUDIENCE, "vestibule", "client_id"),
        (Reason.CODE_CLIENT, "vestibule", "client_secret"),
        (Reason.CODE, "identity_provider", "assigned"),
        (Reason.EMAIL, "identity_provider", "email"),
        (Reason.STATE, "user", "sign in again"),
    ],
)
def test_the_common_mistakes_are_sent_to_those_who_made_them(
    reason: Reason, side: str, word: str
) -> None:
    assert (remedy(reason).side, word in remedy(reason).fix) == (side, True)
