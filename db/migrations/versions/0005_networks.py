"""A model names the network's file that its features are of (decision 17).

What is stored under the fingerprints of before stays: models with their verdicts, snapshots and promotions can be
asked about as ever, and the folders of features lie where they are until `insert-worker features remove`. But no
network's file gives those features, so their models have no network here, and no worker judges by them: the learner
extracts the labelled set anew and promotes the first model of its backbone that is good enough.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LOST = "which network's file a model's features are of (after an upgrade no worker judges by it: train anew)"


def upgrade() -> None:
    """Add the digest of the network's file to the models."""
    op.add_column("models", sa.Column("network_digest", sa.String(64)))


def downgrade() -> None:
    """Drop the digests."""
    op.drop_column("models", "network_digest")
