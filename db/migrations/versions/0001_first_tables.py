"""The first tables: checks, captures, pockets, models, promotions, verdicts and faults."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LOST = "everything: checks, captures, verdicts, models, promotions and faults"

moment = sa.DateTime(timezone=True)  # in UTC
row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of the line."""
    op.create_table(
        "checks",
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("machine", sa.String(length=64), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_checks_size")),
        sa.PrimaryKeyConstraint("check_id", name="pk_checks"),
    )
    op.create_index("ix_checks_machine_head_started_at", "checks", ["machine", "head", "started_at"])
    op.create_index("ix_checks_started_at_check_id", "checks", ["started_at", "check_id"])

    op.create_table(
        "captures",
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("captured_at", moment, nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("station", sa.String(length=64), nullable=False),
        sa.Column("machine", sa.String(length=64), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("pocket", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("check_size", sa.Integer(), nullable=False),
        sa.Column("image", sa.String(length=512), nullable=False),
        sa.Column("image_sha256", sa.String(length=64), nullable=False),
        sa.Column("region", sa.JSON(), nullable=True),
        sa.Column("insert_designation", sa.String(length=40), nullable=True),
        sa.Column("edge", sa.Integer(), nullable=True),
        sa.Column("operations_on_edge", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.CheckConstraint("outcome IN ('intact', 'damaged', 'unsure', 'unusable')", name=op.f("ck_captures_outcome")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_captures_attempts")),
        sa.CheckConstraint("pocket > 0", name=op.f("ck_captures_pocket")),
        sa.ForeignKeyConstraint(["check_id"], ["checks.check_id"], name="fk_captures_check_id"),
        sa.PrimaryKeyConstraint("capture_id", name="pk_captures"),
    )
    op.create_index("ix_captures_captured_at_capture_id", "captures", ["captured_at", "capture_id"])
    op.create_index("ix_captures_check_id", "captures", ["check_id"])
    op.create_index("ix_captures_machine_captured_at_capture_id", "captures", ["machine", "captured_at", "capture_id"])
    op.create_index(
        "ix_captures_machine_head_pocket_captured_at_capture_id",
        "captures",
        ["machine", "head", "pocket", "captured_at", "capture_id"],
    )
    op.create_index("ix_captures_outcome_captured_at_capture_id", "captures", ["outcome", "captured_at", "capture_id"])

    op.create_table(
        "pockets",
        sa.Column("machine", sa.String(length=64), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("pocket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("captured_at", moment, nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.capture_id"], name="fk_pockets_capture_id"),
        sa.PrimaryKeyConstraint("machine", "head", "pocket", name="pk_pockets"),
    )

    op.create_table(
        "models",
        sa.Column("model_id", sa.String(length=80), nullable=False),
        sa.Column("backbone", sa.String(length=120), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("trained_on", sa.Integer(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("artefact", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("model_id", name="pk_models"),
    )
    op.create_index("ix_models_created_at", "models", ["created_at"])

    op.create_table(
        "promotions",
        sa.Column("id", row_id, nullable=False),
        sa.Column("model_id", sa.String(length=80), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name="fk_promotions_model_id"),
        sa.PrimaryKeyConstraint("id", name="pk_promotions"),
    )
    op.create_index("ix_promotions_at_id", "promotions", ["at", "id"])

    op.create_table(
        "verdicts",
        sa.Column("id", row_id, nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.String(length=80), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decision", sa.Double(), nullable=True),
        sa.Column("judged_at", moment, nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.CheckConstraint("outcome IN ('intact', 'damaged', 'unsure', 'unusable')", name=op.f("ck_verdicts_outcome")),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.capture_id"], name="fk_verdicts_capture_id"),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name="fk_verdicts_model_id"),
        sa.PrimaryKeyConstraint("id", name="pk_verdicts"),
        sa.UniqueConstraint("capture_id", "model_id", name="uq_verdicts_capture_id_model_id"),
    )
    op.create_index(
        "uq_verdicts_capture_id_current",
        "verdicts",
        ["capture_id"],
        unique=True,
        sqlite_where=sa.text("current"),
        postgresql_where=sa.text("current"),
    )
    op.create_index(
        "uq_verdicts_capture_id_without_model",
        "verdicts",
        ["capture_id"],
        unique=True,
        sqlite_where=sa.text("model_id IS NULL"),
        postgresql_where=sa.text("model_id IS NULL"),
    )

    op.create_table(
        "faults",
        sa.Column("id", row_id, nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=True),
        sa.Column("station", sa.String(length=64), nullable=True),
        sa.Column("check_id", sa.Uuid(), nullable=True),
        sa.Column("pocket", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("first_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.CheckConstraint("state IN ('open', 'requeued', 'closed', 'dismissed')", name=op.f("ck_faults_state")),
        sa.CheckConstraint("count > 0", name=op.f("ck_faults_count")),
        sa.PrimaryKeyConstraint("id", name="pk_faults"),
    )
    op.create_index("ix_faults_capture_id", "faults", ["capture_id"])
    op.create_index("ix_faults_check_id", "faults", ["check_id"])
    op.create_index("ix_faults_state_last_at_id", "faults", ["state", "last_at", "id"])
    op.create_index(
        "uq_faults_subject_open",
        "faults",
        ["subject"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    """Drop all tables, with all that is in them."""
    for table in ("faults", "verdicts", "promotions", "models", "pockets", "captures", "checks"):
        op.drop_table(table)
