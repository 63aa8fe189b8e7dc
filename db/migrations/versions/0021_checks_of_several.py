"""The checks of more than one pocket by head: what they missed is found however many photographs came by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

LOST = "nothing: an index goes"


def upgrade() -> None:
    """Add the index."""
    where = sa.text("size > 1")
    columns = ["machine", "head", "started_at", "check_id"]
    op.create_index("ix_checks_of_several", "checks", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_checks_of_several", "checks")
