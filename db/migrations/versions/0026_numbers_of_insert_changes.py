"""On SQLite the number of an insert change that was withdrawn never comes again, as on PostgreSQL."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

LOST = "nothing: on SQLite other systems may miss an insert change that is withdrawn and recorded again"

COLUMNS = (
    "machine VARCHAR(64) NOT NULL, head VARCHAR(64) NOT NULL, pocket INTEGER NOT NULL, at DATETIME NOT NULL,"
    ' "by" VARCHAR(120) NOT NULL, known CHAR(32), CONSTRAINT ck_insert_changes_pocket CHECK (pocket > 0)'
)


def upgrade() -> None:
    """Have SQLite note the highest number."""
    _make_anew(f"id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, {COLUMNS}")


def downgrade() -> None:
    """Have it not."""
    _make_anew(f"id INTEGER NOT NULL, {COLUMNS}, CONSTRAINT pk_insert_changes PRIMARY KEY (id)")


def _make_anew(columns: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute(f"CREATE TABLE insert_changes_anew ({columns})")
    op.execute("INSERT INTO insert_changes_anew SELECT * FROM insert_changes")
    op.drop_table("insert_changes")
    op.rename_table("insert_changes_anew", "insert_changes")
    op.create_index("ix_insert_changes_machine_head_pocket_at", "insert_changes", ["machine", "head", "pocket", "at"])
