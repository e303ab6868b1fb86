"""Hydraulic models beside the layers: what a SWMM or EPANET file holds that no layer has a column for."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    op.execute("select 1")


def downgrade() -> None:
    """Nothing yet."""
    op.execute("select 1")
