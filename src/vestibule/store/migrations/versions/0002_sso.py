"""What single sign-on needs beyond the first tables."""

from pathlib import Path

from vestibule.store.migrations.dialect import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
