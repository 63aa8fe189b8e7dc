"""Which photograph was known when an insert was said to be changed: damage that comes after it is not hidden by it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

LOST = (
    "which photograph was known when an insert was said to be changed: damage that comes by a clock that is behind is "
    "hidden by it; after an upgrade it is the last one before the change"
)


def upgrade() -> None:
    """Add the column; of what is there, all photographs before a change were known when it was said."""
    op.add_column("insert_changes", sa.Column("known", sa.Uuid(), nullable=True))
    op.execute(
        """
        UPDATE insert_changes SET known = (
            SELECT capture_id FROM captures
            WHERE captures.machine = insert_changes.machine AND captures.head = insert_changes.head
                AND captures.pocket = insert_changes.pocket AND captures.ordered_at < insert_changes.at
            ORDER BY captures.ordered_at DESC, captures.capture_id DESC LIMIT 1
        )
        """
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("insert_changes", "known")
