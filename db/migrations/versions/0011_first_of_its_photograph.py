"""An index that finds the first capture of a photograph: handed in again for another operation, it is none (27)."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

LOST = "nothing: only an index goes"

NAME = "ix_captures_image_sha256_received_at_capture_id"


def upgrade() -> None:
    """Add the index."""
    op.create_index(NAME, "captures", ["image_sha256", "received_at", "capture_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index(NAME, "captures")
