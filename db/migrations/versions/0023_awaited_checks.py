"""For how long checks were seen to wait for photographs, whichever workers saw it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

LOST = "for how long checks have waited for photographs: their time begins anew"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "awaited_checks",
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("captures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name="pk_awaited_checks"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("awaited_checks")
