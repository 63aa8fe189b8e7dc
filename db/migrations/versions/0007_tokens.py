"""Tokens: what programs show to the console's API."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LOST = "all tokens of the console's API: programs need new ones"

moment = sa.DateTime(timezone=True)  # in UTC
row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table of tokens."""
    op.create_table(
        "tokens",
        sa.Column("id", row_id, nullable=False),
        sa.Column("account", sa.String(120), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("last_used_at", moment),
        sa.Column("expires_at", moment),
        sa.Column("revoked_at", moment),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_tokens_account"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_index("ix_tokens_account", "tokens", ["account"])
    if op.get_bind().dialect.name == "postgresql":
        # As of accounts and sessions: who reads the line's tables needs none of it.
        op.execute(
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'inserts_reader') THEN"
            " REVOKE ALL ON tokens FROM inserts_reader; END IF; END $$"
        )


def downgrade() -> None:
    """Drop it, and all tokens with it."""
    op.drop_table("tokens")
