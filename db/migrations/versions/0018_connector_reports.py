"""What each connector reported last: how the plant's other systems are told."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

LOST = "how other systems are told, until their connector reports again: seconds after an upgrade"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "connector_reports",
        sa.Column("connector", sa.String(64), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connector", name="pk_connector_reports"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("connector_reports")
