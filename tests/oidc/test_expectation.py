"""What may be expected of a token."""

from typing import Any

import pytest

from tests.support import oidc_documents as good
from vestibule.oidc.jwks import Algorithm


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": ""},
        {"nonce": None},
        {"nonce": None, "subject": ""},
        {"issuer": ""},
        {"client_id": ""},
        {"algorithms": ()},
        {"tenants": ("tenant-1",)},
        {"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"},
    ],
)
def test_an_expectation_that_checks_nothing_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must not be empty|needs its"):
        good.expectation(**changes)


def test_the_usual_algorithms_are_signatures_with_published_keys() -> None:
    usual = set(good.expectation().algorithms)
    assert usual == set(Algorithm) - {"PS256", "PS384", "PS512"}


def test_an_expectation_does_not_show_its_nonce() -> None:
    assert good.NONCE not in repr(good.expectation())
