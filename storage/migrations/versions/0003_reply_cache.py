"""the response cache"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table of replies."""
    op.create_table(
        "reply_cache",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.Column("used_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_reply_cache_made_at", "reply_cache", ["made_at"], unique=False)
    op.create_index("ix_reply_cache_used_at_key_size", "reply_cache", ["used_at", "key", "size"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_reply_cache_used_at_key_size", "reply_cache")
    op.drop_index("ix_reply_cache_made_at", "reply_cache")
    op.drop_table("reply_cache")
