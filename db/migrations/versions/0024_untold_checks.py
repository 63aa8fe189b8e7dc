"""Checks of which a person has labelled a photograph, until their answers are told."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

LOST = "which answers that people have overruled the plant's other systems were not told of yet; the labels stay"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "untold_checks",
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name="pk_untold_checks"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("untold_checks")
