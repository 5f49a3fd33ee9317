"""${message}."""

from pathlib import Path

from vestibule.store.migrations.dialect import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
