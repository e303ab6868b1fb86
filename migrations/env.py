"""Alembic environment: runs on the connection that ``layers.store.migrate`` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=None, version_table_schema="meta")
with context.begin_transaction():
    context.run_migrations()
