"""What alembic runs: the connection is handed over by :mod:`fabctl.store.migrate`."""

from alembic import context

from fabctl.store.metadata import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite can, once BEGIN is ours (fabctl.store.engine)
)
with context.begin_transaction():
    context.run_migrations()
