from pathlib import Path

import pytest

from vestibule.store.address import sqlite_path


@pytest.mark.parametrize(
    ("database", "path"),
    [
        ("sqlite:data/vestibule.db", "data/vestibule.db"),
        ("sqlite:/var/lib/a b?c.db", "/var/lib/a b?c.db"),
        ("sqlite:///var/lib/vestibule.db", "/var/lib/vestibule.db"),
    ],
)
def test_sqlite_address_names_its_file(database: str, path: str) -> None:
    assert sqlite_path(database) == Path(path)


@pytest.mark.parametrize("database", ["postgresql://u:p@h:1/n", "postgres://h/n"])
def test_postgresql_address_names_no_file(database: str) -> None:
    assert sqlite_path(database) is None


@pytest.mark.parametrize("database", ["", "sqlite:", "mysql://u:hidden@h/n", "vestibule.db"])
def test_other_address_is_refused_without_repeating_it(database: str) -> None:
    with pytest.raises(ValueError, match=r"^expected sqlite:PATH or postgresql://") as caught:
        sqlite_path(database)
    assert "hidden" not in str(caught.value)
