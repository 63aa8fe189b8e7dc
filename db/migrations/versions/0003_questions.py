"""Answers at scale: indexes for what people ask, which checks await photographs, which pockets are damaged."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LOST = "nothing: which checks await photographs and which pockets are damaged is found again by the upgrade"

finding = "outcome <> 'intact'"
disputed = (
    "(outcome = 'intact' AND review <> 'intact' AND review <> 'unusable' OR outcome = 'damaged' AND review = 'intact')"
)

# Name, table, columns, and the condition of one that holds only some rows.
indexes = (
    ("ix_captures_station_captured_at_capture_id", "captures", ["station", "captured_at", "capture_id"], None),
    ("ix_captures_head_captured_at_capture_id", "captures", ["head", "captured_at", "capture_id"], None),
    ("ix_captures_operation_captured_at_capture_id", "captures", ["operation", "captured_at", "capture_id"], None),
    *(
        (f"ix_captures_finding_{of}", "captures", [of, "outcome", "captured_at", "capture_id"], finding)
        for of in ("station", "machine", "head", "operation")
    ),
    ("ix_captures_review", "captures", ["review", "captured_at", "capture_id"], "review <> 'intact'"),
    ("ix_captures_disputed", "captures", ["capture_id"], disputed),
    ("ix_verdicts_finding", "verdicts", ["outcome", "id", "model_id", "decision"], finding),
    ("ix_checks_station_started_at_check_id", "checks", ["station", "started_at", "check_id"], None),
    ("ix_checks_machine_started_at_check_id", "checks", ["machine", "started_at", "check_id"], None),
    ("ix_checks_head_started_at_check_id", "checks", ["head", "started_at", "check_id"], None),
    ("ix_checks_awaited", "checks", ["started_at", "check_id"], "awaited"),
    ("ix_pockets_damaged", "pockets", ["machine", "head", "pocket"], "damaged"),
    # For `insert-db prune`: whether anything refers to a capture that goes.
    ("ix_snapshot_items_capture_id", "snapshot_items", ["capture_id"], None),
)


def upgrade() -> None:
    """Add the columns and indexes of the questions, filled from what is stored."""
    # In place on both engines; what is there needs a word only where the default is not true of it.
    op.add_column("checks", sa.Column("awaited", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(
        "UPDATE checks SET awaited = true WHERE check_id IN (SELECT checks.check_id FROM checks"
        " LEFT JOIN captures ON captures.check_id = checks.check_id"
        " GROUP BY checks.check_id, checks.size HAVING count(DISTINCT captures.pocket) < checks.size)"
    )
    op.add_column("pockets", sa.Column("damaged", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(
        "UPDATE pockets SET damaged = true WHERE capture_id IN (SELECT pockets.capture_id FROM pockets"
        " JOIN captures ON captures.capture_id = pockets.capture_id"
        " WHERE captures.review IN ('worn', 'broken', 'damaged')"
        " OR captures.review IS NULL AND captures.outcome = 'damaged')"
    )
    for name, table, columns, condition in indexes:
        where = None if condition is None else sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Drop those columns and indexes; nothing is lost that cannot be derived again."""
    for name, table, _, _ in reversed(indexes):
        op.drop_index(name, table)
    op.drop_column("pockets", "damaged")
    op.drop_column("checks", "awaited")
