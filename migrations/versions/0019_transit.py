"""Public transport."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UPGRADE = """
select 1;
"""

DOWNGRADE = """
select 1;
"""


def upgrade() -> None:
    """Nothing yet."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Nothing yet."""
    op.execute(DOWNGRADE)
