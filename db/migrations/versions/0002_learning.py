"""Learning from reviews: reviews, snapshots of the labelled set, shadows, and calibrated probabilities."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LOST = "reviews, snapshots, shadow verdicts, probabilities, and who was in shadow or rolled back"

moment = sa.DateTime(timezone=True)  # in UTC
row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

labels = "IN ('intact', 'worn', 'broken', 'damaged', 'unusable')"
outcomes = "IN ('intact', 'damaged', 'unsure', 'unusable')"
unanswered = sa.text("outcome = 'unsure' AND review IS NULL")


def upgrade() -> None:
    """Add reviews, snapshots, shadow verdicts and leases; give promotions a role."""
    # In place on both engines, also where there are millions: nothing is copied.
    op.execute(
        f"ALTER TABLE captures ADD COLUMN review VARCHAR(16) CONSTRAINT ck_captures_review CHECK (review {labels})"
    )
    op.create_index(
        "ix_captures_unanswered",
        "captures",
        ["outcome", "captured_at", "capture_id"],
        sqlite_where=unanswered,
        postgresql_where=unanswered,
    )
    op.add_column("verdicts", sa.Column("probability", sa.Double(), nullable=True))

    op.create_table(
        "reviews",
        sa.Column("id", row_id, nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(f"label {labels}", name=op.f("ck_reviews_label")),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.capture_id"], name="fk_reviews_capture_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_index("ix_reviews_capture_id_id", "reviews", ["capture_id", "id"])

    op.create_table(
        "snapshots",
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("last_review", row_id, nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", name="pk_snapshots"),
    )
    op.create_index("ix_snapshots_created_at", "snapshots", ["created_at"])
    op.create_table(
        "snapshot_items",
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=16), nullable=False),
        sa.Column("life", sa.String(length=200), nullable=False),
        sa.Column("review_id", row_id, nullable=False),
        sa.CheckConstraint(f"label {labels}", name=op.f("ck_snapshot_items_label")),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.capture_id"], name="fk_snapshot_items_capture_id"),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_snapshot_items_review_id"),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.snapshot_id"], name="fk_snapshot_items_snapshot_id"),
        sa.PrimaryKeyConstraint("snapshot_id", "capture_id", name="pk_snapshot_items"),
    )

    with op.batch_alter_table("models") as models:
        models.add_column(sa.Column("snapshot_id", sa.String(length=64), nullable=True))
        models.create_foreign_key("fk_models_snapshot_id", "snapshots", ["snapshot_id"], ["snapshot_id"])
    with op.batch_alter_table("promotions") as promotions:
        promotions.alter_column("model_id", existing_type=sa.String(length=80), nullable=True)
        promotions.add_column(sa.Column("role", sa.String(length=16), server_default="champion", nullable=False))
        promotions.add_column(sa.Column("action", sa.String(length=16), server_default="promoted", nullable=False))
        promotions.create_check_constraint(op.f("ck_promotions_role"), "role IN ('champion', 'shadow')")
        promotions.create_check_constraint(
            op.f("ck_promotions_action"), "action IN ('promoted', 'rolled_back', 'ended')"
        )
        promotions.create_check_constraint(op.f("ck_promotions_model_id"), "model_id IS NOT NULL OR role = 'shadow'")

    op.create_table(
        "shadow_verdicts",
        sa.Column("model_id", sa.String(length=80), nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("decision", sa.Double(), nullable=True),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("judged_at", moment, nullable=False),
        sa.CheckConstraint(f"outcome {outcomes}", name=op.f("ck_shadow_verdicts_outcome")),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.capture_id"], name="fk_shadow_verdicts_capture_id"),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name="fk_shadow_verdicts_model_id"),
        sa.PrimaryKeyConstraint("model_id", "capture_id", name="pk_shadow_verdicts"),
    )
    op.create_index("ix_shadow_verdicts_capture_id", "shadow_verdicts", ["capture_id"])

    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("holder", sa.String(length=120), nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )


def downgrade() -> None:
    """Drop what learning stored: reviews, snapshots, shadow verdicts, probabilities and who was in shadow."""
    op.drop_table("leases")
    op.drop_table("shadow_verdicts")
    # What the version before has no words for: who was in shadow. That a promotion was a rollback is lost as well.
    op.execute("DELETE FROM promotions WHERE role = 'shadow'")
    with op.batch_alter_table("promotions") as promotions:
        for name in ("role", "action", "model_id"):
            promotions.drop_constraint(op.f(f"ck_promotions_{name}"), type_="check")
        promotions.drop_column("action")
        promotions.drop_column("role")
        promotions.alter_column("model_id", existing_type=sa.String(length=80), nullable=False)
    with op.batch_alter_table("models") as models:
        models.drop_constraint("fk_models_snapshot_id", type_="foreignkey")
        models.drop_column("snapshot_id")
    for table in ("snapshot_items", "snapshots", "reviews"):
        op.drop_table(table)
    op.drop_column("verdicts", "probability")
    op.drop_index("ix_captures_unanswered", "captures")
    op.drop_column("captures", "review")
