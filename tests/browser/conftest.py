"""Pages do not depend on the database engine: one is enough here."""

import pytest


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url
