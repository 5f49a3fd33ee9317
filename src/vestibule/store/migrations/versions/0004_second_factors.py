"""What second factors and locks need beside what 0003 has."""

from pathlib import Path

from vestibule.store.migrations.dialect import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
