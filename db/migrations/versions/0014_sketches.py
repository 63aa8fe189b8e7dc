"""The contours of a photograph, kept with its verdict: by them a moved camera and an empty pocket are told (0030)."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LOST = "the contours of photographs (after an upgrade they are gathered anew); the verdicts stay"


def upgrade() -> None:
    """Add the sketch to the verdicts."""
    op.add_column("verdicts", sa.Column("sketch", sa.LargeBinary()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("verdicts", "sketch")
