"""The index of a head's checks of several pockets has their sizes: the last of each size is found in it alone."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

LOST = "nothing: only an index changes"

COLUMNS = ("machine", "head", "started_at", "check_id")


def upgrade() -> None:
    """Add the size to the index."""
    _make_anew((*COLUMNS, "size"))


def downgrade() -> None:
    """Take it out."""
    _make_anew(COLUMNS)


def _make_anew(columns: Sequence[str]) -> None:
    where = sa.text("size > 1")
    op.drop_index("ix_checks_of_several", "checks")
    op.create_index("ix_checks_of_several", "checks", [*columns], sqlite_where=where, postgresql_where=where)
