"""How long inserts last: the fit, its answer for each pocket, and the changes that nobody has told of."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LOST = "what was fitted of inserts' lives; the next fit finds it again from the captures"

moment = sa.DateTime(timezone=True)  # in UTC
row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
numbers = sa.JSON(none_as_null=True)


def _place() -> list[sa.Column[Any]]:
    return [
        sa.Column("machine", sa.String(64), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("pocket", sa.Integer(), autoincrement=False, nullable=False),
    ]


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "life_fits",
        sa.Column("id", row_id, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("followed", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("new", numbers),
        sa.Column("gap", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_life_fits"),
    )
    op.create_table(
        "remaining_lives",
        *_place(),
        sa.Column("age", sa.Integer(), nullable=False),
        sa.Column("lives", sa.Integer(), nullable=False),
        sa.Column("as_of", moment, nullable=False),
        sa.Column("curve", numbers, nullable=False),
        sa.Column("new", numbers, nullable=False),
        sa.CheckConstraint("pocket > 0", name=op.f("ck_remaining_lives_pocket")),
        sa.CheckConstraint("age >= 0", name=op.f("ck_remaining_lives_age")),
        sa.PrimaryKeyConstraint("machine", "head", "pocket", name="pk_remaining_lives"),
    )
    op.create_table(
        "suspected_changes",
        *_place(),
        sa.Column("first", sa.Uuid(), nullable=False),
        sa.Column("after", moment, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("damaged", sa.Integer(), nullable=False),
        sa.Column("intact", sa.Integer(), nullable=False),
        sa.CheckConstraint("pocket > 0", name=op.f("ck_suspected_changes_pocket")),
        sa.PrimaryKeyConstraint("machine", "head", "pocket", name="pk_suspected_changes"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("suspected_changes", "remaining_lives", "life_fits"):
        op.drop_table(table)
