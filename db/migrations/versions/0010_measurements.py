"""What was measured of a photograph, kept with its verdict: it says what is usual at a station (decision 26)."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LOST = "what was measured of photographs (after an upgrade a station's history begins anew); the verdicts stay"


def upgrade() -> None:
    """Add sharpness, brightness and the digest of the pixels to the verdicts."""
    op.add_column("verdicts", sa.Column("sharpness", sa.Double()))
    op.add_column("verdicts", sa.Column("brightness", sa.Double()))
    op.add_column("verdicts", sa.Column("frame", sa.BigInteger()))


def downgrade() -> None:
    """Drop them."""
    for column in ("frame", "brightness", "sharpness"):
        op.drop_column("verdicts", column)
