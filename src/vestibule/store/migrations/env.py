"""What Alembic runs: the revisions, on the connection that `store.migrate` opened and will commit.

There is no offline mode and no autogeneration: the revisions are SQL text.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
