"""provider keys, and in the ledger which key was used and whether the answer was known"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table of keys, and adds to the ledger."""
    op.create_table(
        "provider_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("last4", sa.String(), nullable=False),
        sa.Column("added_at", sa.String(), nullable=False),
        sa.Column("master_key_id", sa.String(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_provider_key_provider", "provider_key", ["provider"], unique=False)
    # Plain ALTER TABLE: SQLite adds a column with a constant default without copying the table.
    op.add_column("ledger", sa.Column("cache_hit", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("ledger", sa.Column("key_id", sa.String(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    op.drop_column("ledger", "key_id")
    op.drop_column("ledger", "cache_hit")
    op.drop_index("ix_provider_key_provider", "provider_key")
    op.drop_table("provider_key")
