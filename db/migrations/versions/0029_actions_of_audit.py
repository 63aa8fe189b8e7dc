"""An index that finds what was done of one kind: the console's audit can be asked for it."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

LOST = "nothing: only an index goes"

NAME = "ix_audit_action_id"


def upgrade() -> None:
    """Add the index."""
    op.create_index(NAME, "audit", ["action", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(NAME, "audit")
