"""a stand-in: the tables of provider keys are made elsewhere"""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes nothing."""


def downgrade() -> None:
    """Undoes nothing."""
