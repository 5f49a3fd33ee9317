"""What the identity core needs: factors, locks, limits, audit."""

from pathlib import Path

from vestibule.store.migrations.dialect import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
