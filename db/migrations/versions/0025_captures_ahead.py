"""The photographs that lay in the future when somebody looked."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

LOST = "which photographs a clock that was ahead had placed in the future: once that time has come they count as new"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "captures_ahead",
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("capture_id", name="pk_captures_ahead"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("captures_ahead")
