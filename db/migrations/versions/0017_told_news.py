"""Up to where the plant's other systems were told of models and of stations that see nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

LOST = "up to where other systems were told of models and fault runs; after an upgrade they are told anew"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "told_news",
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_told_news"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("told_news")
