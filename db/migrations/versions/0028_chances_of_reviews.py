"""With which chance each reviewed capture was offered for review: labels stand for as many verdicts as that says."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

LOST = (
    "with which chance captures were offered for review (an upgrade finds it anew by their verdicts, all by the rule "
    "of before: of one in twenty it has one in fifty, or none)"
)


def upgrade() -> None:
    """Add it. Until now one in fifty verdicts that were not unsure was offered by chance."""
    op.add_column("reviews", sa.Column("chance", sa.Double()))
    op.execute(
        "UPDATE reviews SET chance = (SELECT CASE WHEN verdicts.outcome = 'unsure' THEN 1.0"
        " WHEN verdicts.id * 40503 % 65536 < 1310 THEN 0.02 END FROM verdicts"
        " JOIN captures ON captures.capture_id = verdicts.capture_id"
        " WHERE verdicts.capture_id = reviews.capture_id AND verdicts.current AND captures.machine <> 'imported')"
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("reviews", "chance")
