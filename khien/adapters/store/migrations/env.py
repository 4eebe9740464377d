"""Tells alembic which database to migrate: the engine that the store opened."""

from alembic import context

from khien.adapters.store.schema import metadata

engine = context.config.attributes["engine"]
# The writer's lock comes first: two processes that start at once must not both create the tables.
with engine.execution_options(khien_write=True).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
