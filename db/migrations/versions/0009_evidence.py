"""Where a verdict came from, kept with it: a map of some 200 bytes (decision 23)."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LOST = "the maps that show where verdicts came from; the verdicts themselves stay"


def upgrade() -> None:
    """Add the map of evidence to the verdicts."""
    op.add_column("verdicts", sa.Column("evidence", sa.LargeBinary()))


def downgrade() -> None:
    """Drop the maps."""
    op.drop_column("verdicts", "evidence")
