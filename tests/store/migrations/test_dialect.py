import pytest

from vestibule.store.migrations.dialect import statements

SQL = """
-- TEXT in a comment; is no statement.
CREATE TABLE notes (
    note_id TEXT NOT NULL, -- kept: only whole lines are taken out
    size BIGINT, seen BOOLEAN, body BYTEA,
    TEXTUAL_CONTEXT BIGINTS
);
CREATE INDEX notes_by_size ON notes (size);
"""


@pytest.mark.parametrize(
    ("engine", "types", "end"),
    [
        ("sqlite", ("TEXT", "INTEGER", "INTEGER", "BLOB"), " STRICT"),
        ("postgresql", ('TEXT COLLATE "C"', "BIGINT", "BOOLEAN", "BYTEA"), ""),
    ],
)
def test_statements_are_worded_for_the_engine(
    engine: str, types: tuple[str, ...], end: str
) -> None:
    text, integer, boolean, blob = types
    table = (
        "CREATE TABLE notes (\n"
        f"    note_id {text} NOT NULL, -- kept: only whole lines are taken out\n"
        f"    size {integer}, seen {boolean}, body {blob},\n"
        "    TEXTUAL_CONTEXT BIGINTS\n"
        f"){end}"
    )
    index = "CREATE INDEX notes_by_size ON notes (size)"
    assert list(statements(SQL, engine)) == [table, index]
