"""The order of the answers that a check has had: told after a newer one, an older one is known as such."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LOST = "the order of the answers that a check has had: an older one that is told late is taken for the newest again"


def upgrade() -> None:
    """Add the column; checks begin at 0, as told by workers of before."""
    op.add_column("checks", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("checks", "revision")
