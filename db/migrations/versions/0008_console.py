"""What the console's pages keep: who saw and closed a fault, how a review came, insert changes, evaluations."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LOST = (
    "who saw and closed a fault, insert changes that people entered, the evaluations that the console shows, and which"
    " reviews were given in bulk (they count as single ones then)"
)

moment = sa.DateTime(timezone=True)  # in UTC
row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add who saw and closed a fault, how a review was given, insert changes and evaluations."""
    # In place on both engines, also where there are millions: nothing is copied.
    for what in ("seen", "closed"):
        op.add_column("faults", sa.Column(f"{what}_by", sa.String(120)))
        op.add_column("faults", sa.Column(f"{what}_at", moment))
    op.execute(
        "ALTER TABLE reviews ADD COLUMN provenance VARCHAR(8) DEFAULT 'single' NOT NULL"
        " CONSTRAINT ck_reviews_provenance CHECK (provenance IN ('single', 'bulk'))"
    )
    op.create_table(
        "insert_changes",
        sa.Column("id", row_id, nullable=False),
        sa.Column("machine", sa.String(64), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("pocket", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.CheckConstraint("pocket > 0", name=op.f("ck_insert_changes_pocket")),
        sa.PrimaryKeyConstraint("id", name="pk_insert_changes"),
    )
    op.create_index("ix_insert_changes_machine_head_pocket_at", "insert_changes", ["machine", "head", "pocket", "at"])
    op.create_table(
        "evaluations",
        sa.Column("id", row_id, nullable=False),
        sa.Column("model_id", sa.String(80), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name="fk_evaluations_model_id"),
        sa.PrimaryKeyConstraint("id", name="pk_evaluations"),
    )
    op.create_index("ix_evaluations_model_id_id", "evaluations", ["model_id", "id"])


def downgrade() -> None:
    """Drop them."""
    for table in ("evaluations", "insert_changes"):
        op.drop_table(table)
    op.drop_column("reviews", "provenance")
    for column in ("closed_at", "closed_by", "seen_at", "seen_by"):
        op.drop_column("faults", column)
