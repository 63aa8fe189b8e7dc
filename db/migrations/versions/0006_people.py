"""The people of the console: accounts, sessions, and the audit of what they did."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LOST = "all accounts and sessions of the console, and the audit of what people did in it; their reviews stay"

moment = sa.DateTime(timezone=True)  # in UTC
row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add accounts, sessions and the audit."""
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(255), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint(
            "role IN ('viewer', 'reviewer', 'maintainer', 'administrator')", name=op.f("ck_accounts_role")
        ),
        sa.PrimaryKeyConstraint("name", name="pk_accounts"),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("account", sa.String(120), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("seen_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_sessions_account"),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
    )
    op.create_index("ix_sessions_account", "sessions", ["account"])
    op.create_table(
        "audit",
        sa.Column("id", row_id, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_by_id", "audit", ["by", "id"])
    if op.get_bind().dialect.name == "postgresql":
        # Who reads the line's tables (deploy/postgres/roles.sql) needs no hashes of passwords.
        op.execute(
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'inserts_reader') THEN"
            " REVOKE ALL ON accounts, sessions FROM inserts_reader; END IF; END $$"
        )


def downgrade() -> None:
    """Drop the accounts, the sessions and the audit."""
    for table in ("audit", "sessions", "accounts"):
        op.drop_table(table)
