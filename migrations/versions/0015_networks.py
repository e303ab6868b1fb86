"""Networks: which lines meet where, one topology a commodity, kept by every edit."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    op.execute("select 1")


def downgrade() -> None:
    """Nothing yet."""
    op.execute("select 1")
