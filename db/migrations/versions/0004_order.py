"""An order that no station's clock spoils (decision 15), and checks that are waited for no more."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LOST = "which checks are waited for no more (they are pending again); the order is found again by the upgrade"

moment = sa.DateTime(timezone=True)  # in UTC

# SQLite adds no column that may not be null without a value for all rows, for the moment until it is filled.
long_ago = sa.text("'1970-01-01 00:00:00.000000'")

finding = "outcome <> 'intact'"
places = ("station", "machine", "head", "operation")

# Of each index in the order of time: its name, the columns before that, and the condition of one that holds some rows.
indexes = (
    ("ix_captures_{}_capture_id", [], None),
    ("ix_captures_machine_head_pocket_{}_capture_id", ["machine", "head", "pocket"], None),
    *((f"ix_captures_{of}_{{}}_capture_id", [of], None) for of in (*places, "outcome")),
    ("ix_captures_unanswered", ["outcome"], "outcome = 'unsure' AND review IS NULL"),
    *((f"ix_captures_finding_{of}", [of, "outcome"], finding) for of in places),
    ("ix_captures_review", ["review"], "review <> 'intact'"),
)


def upgrade() -> None:
    """Add the order that no clock spoils, and move indexes and derived columns to it."""
    op.add_column("captures", sa.Column("ordered_at", moment, server_default=long_ago, nullable=False))
    sqlite = op.get_bind().dialect.name == "sqlite"
    oldest = "datetime(received_at, '-30 days')" if sqlite else "received_at - interval '30 days'"
    believed = f"captured_at BETWEEN {oldest} AND received_at"  # as `db.ordering.claimed` does
    op.execute(f"UPDATE captures SET ordered_at = CASE WHEN {believed} THEN captured_at ELSE received_at END")  # noqa: S608
    reorder("captured_at", "ordered_at")
    op.add_column("checks", sa.Column("given_up", sa.Boolean(), server_default=sa.false(), nullable=False))
    create_index("ix_checks_given_up", "checks", ["started_at", "check_id"], "given_up")


def downgrade() -> None:
    """Go back to the order by the stations' clocks; checks that were given up are awaited again."""
    op.drop_index("ix_checks_given_up", "checks")
    op.execute("UPDATE checks SET awaited = true WHERE given_up")
    op.drop_column("checks", "given_up")
    reorder("ordered_at", "captured_at")
    op.drop_column("captures", "ordered_at")


def reorder(old: str, new: str) -> None:
    """Take another column for the order: in the indexes, and where the order of the captures is kept twice."""
    for name, _, _ in indexes:
        op.drop_index(name.format(old), "captures")
    for name, columns, condition in indexes:
        create_index(name.format(new), "captures", [*columns, new, "capture_id"], condition)
    # Only what a wrong clock concerns: the newest captures of some pockets, the beginnings of some checks.
    wrong = "FROM captures WHERE captures.ordered_at <> captures.captured_at"
    of_pocket = " AND ".join(f"captures.{name} = pockets.{name}" for name in ("machine", "head", "pocket"))
    newest = f"FROM captures WHERE {of_pocket} ORDER BY captures.{new} DESC, captures.capture_id DESC LIMIT 1"
    concerned = f"(machine, head, pocket) IN (SELECT machine, head, pocket {wrong})"
    damaged = "review IN ('worn', 'broken', 'damaged') OR review IS NULL AND outcome = 'damaged'"
    op.execute(
        f"UPDATE pockets SET capture_id = (SELECT captures.capture_id {newest}),"  # noqa: S608
        f" captured_at = (SELECT captures.{new} {newest}) WHERE {concerned}"
    )
    op.execute(
        "UPDATE pockets SET damaged = EXISTS (SELECT 1 FROM captures"  # noqa: S608
        f" WHERE captures.capture_id = pockets.capture_id AND ({damaged})) WHERE {concerned}"
    )
    op.execute(
        f"UPDATE checks SET started_at = (SELECT min(captures.{new}) FROM captures"  # noqa: S608
        f" WHERE captures.check_id = checks.check_id) WHERE check_id IN (SELECT check_id {wrong})"
    )


def create_index(name: str, table: str, columns: list[str], condition: str | None) -> None:
    """Create an index, partial where there is a condition, on both engines."""
    where = None if condition is None else sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
