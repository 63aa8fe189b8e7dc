"""Insert changes that other systems tell, by their ids (decision 40)."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

LOST = "the ids of insert changes that other systems told: one that is sent again counts anew; the changes stay"

moment = sa.DateTime(timezone=True)  # in UTC


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "told_insert_changes",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("machine", sa.String(64), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("pocket", sa.Integer(), nullable=False),
        sa.Column("first", sa.Uuid()),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("via", sa.String(64), nullable=False),
        sa.Column("said_at", moment, nullable=False),
        sa.Column("at", moment),
        sa.Column("refused", sa.Text()),
        sa.CheckConstraint("pocket > 0", name=op.f("ck_told_insert_changes_pocket")),
        sa.PrimaryKeyConstraint("change_id", name="pk_told_insert_changes"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("told_insert_changes")
