"""Alembic's entry: runs the migrations on the connection `store/migrate.py` hands over."""

from __future__ import annotations

from alembic import context

from store.tables import Table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
