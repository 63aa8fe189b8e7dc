"""What Alembic runs for every command; `db.engine.migrate` hands it an open connection inside a transaction."""

from alembic import context

from db.schema.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by building it anew
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
