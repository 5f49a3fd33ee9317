"""Alembic's folder: `env.py` runs the revisions in `versions/`, `dialect.py` words them."""
