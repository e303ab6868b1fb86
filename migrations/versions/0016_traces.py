"""Traces that were asked, as filters and layers."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    op.execute("select 1")


def downgrade() -> None:
    """Nothing yet."""
    op.execute("select 1")
