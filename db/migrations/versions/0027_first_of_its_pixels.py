"""An index that finds the first capture with a photograph's pixels: again for another operation, it is none (27)."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

LOST = "nothing: only an index goes"

NAME = "ix_verdicts_frame_id"


def upgrade() -> None:
    """Add the index."""
    op.create_index(NAME, "verdicts", ["frame", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(NAME, "verdicts")
