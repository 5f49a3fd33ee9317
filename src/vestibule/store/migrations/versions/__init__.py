"""The revisions, in order; the SQL of each stands beside it."""
