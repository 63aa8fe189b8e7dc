"""Insert changes that people said at the line itself, until the plant's other systems are told (decision 40)."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

LOST = "which insert changes the plant's other systems were not told of yet; the changes stay"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "untold_insert_changes",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("machine", sa.String(64), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("pocket", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_untold_insert_changes"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("untold_insert_changes")
