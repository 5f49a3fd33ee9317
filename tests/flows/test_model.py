"""Organizations, members, roles and sessions do what a small model says, on both databases."""

from typing import Final

from tests.support.model import agrees

SEED: Final = 20261122


def test_both_databases_agree_with_the_model(sqlite_url: str, postgres_url: str) -> None:
    print(f"seed {SEED}")  # noqa: T201 - shown with a failure; `make fuzz` takes others
    agrees(sqlite_url, postgres_url, examples=5, steps=15, seed_number=SEED)
