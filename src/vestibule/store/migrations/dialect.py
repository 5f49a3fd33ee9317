"""The few words in which the two engines' table definitions differ.

Migrations are `.sql` files written for PostgreSQL with plain types. SQLite gets strict tables, so a
value of the wrong type is refused there too. Text compares by code point on both, whatever the
PostgreSQL server's locale.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alembic import op

_WORDS: Final = {
    "postgresql": {"TEXT": 'TEXT COLLATE "C"'},
    "sqlite": {"BIGINT": "INTEGER", "BOOLEAN": "INTEGER", "BYTEA": "BLOB"},
}
_TYPE: Final = re.compile(r"\b(?:TEXT|BIGINT|BOOLEAN|BYTEA)\b")
_COMMENT: Final = re.compile(r"^\s*--.*\n", re.MULTILINE)


def run_sql(file: Path) -> None:
    """Run the statements of `file` on the connection of the running migration."""
    engine = op.get_bind().dialect.name
    for statement in statements(file.read_text(), engine):
        op.execute(statement)


def statements(text: str, engine: str) -> Iterator[str]:
    """Yield the statements of `text`, worded for `engine` (`sqlite` or `postgresql`).

    A statement ends with a semicolon at the end of a line.
    """
    words = _WORDS[engine]
    for statement in _COMMENT.sub("", text).split(";\n"):
        worded = _TYPE.sub(lambda found: words.get(found[0], found[0]), statement.strip())
        if engine == "sqlite" and worded.startswith("CREATE TABLE"):
            worded += " STRICT"
        if worded:
            yield worded
