"""Each day of each station, held against its reference days (decision 32)."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LOST = "how each station's days differed from its reference days; after an upgrade these are gathered anew"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "station_days",
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("photographs", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(64)),
        sa.Column("model_id", sa.String(80)),
        sa.Column("aspects", sa.JSON(), nullable=False),
        sa.Column("farthest", sa.JSON(), nullable=False),
        sa.Column("sample", sa.LargeBinary()),
        sa.Column("accepted_by", sa.String(120)),
        sa.Column("accepted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("photographs >= 0", name=op.f("ck_station_days_photographs")),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name="fk_station_days_model_id"),
        sa.PrimaryKeyConstraint("station", "day", name="pk_station_days"),
    )
    op.create_index("ix_station_days_day", "station_days", ["day"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("station_days")
