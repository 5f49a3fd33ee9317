"""What looking up the origin of a page needs."""

from pathlib import Path

from vestibule.store.migrations.dialect import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
