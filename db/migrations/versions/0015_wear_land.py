"""How wide the wear land is, kept with the verdict (decision 33)."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

LOST = "how wide the wear lands of inserts were; the verdicts stay"

COLUMNS = ("wear_mean", "wear_p90", "wear_max", "wear_length", "pixels_per_mm")


def upgrade() -> None:
    """Add the land's widths and length, and the scale that they were taken at, to the verdicts."""
    for column in COLUMNS:
        op.add_column("verdicts", sa.Column(column, sa.Double()))


def downgrade() -> None:
    """Drop them."""
    for column in reversed(COLUMNS):
        op.drop_column("verdicts", column)
