"""Organizations, members, roles, sessions and MFA do what a small model says, on both databases."""

import pytest

from tests.support.model.agreement import agrees


@pytest.mark.parametrize("seed", [20261122, 20261123, 20261124])
def test_both_databases_agree_with_the_model(sqlite_url: str, postgres_url: str, seed: int) -> None:
    # `make fuzz` takes other seeds, and prints them.
    agrees(sqlite_url, postgres_url, examples=10, steps=20, seed_number=seed)
