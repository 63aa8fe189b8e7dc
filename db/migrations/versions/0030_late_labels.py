"""Labels of damage that people gave after newer photographs had come: those do not take it away."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

LOST = "which inserts are to be replaced by a label that came after a newer photograph, till they are labelled again"


def upgrade() -> None:
    """Add the table. Of labels that were given before nothing is there: what was photographed since counts."""
    op.create_table(
        "late_labels",
        sa.Column("machine", sa.String(64), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("pocket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("machine", "head", "pocket", "capture_id", name="pk_late_labels"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("late_labels")
