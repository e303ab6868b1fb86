"""The job queue's own tables (Procrastinate), in their own schema."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create schema queue")
    op.execute("set local search_path to queue, public")
    # The driver reads % as a placeholder; the schema's own ones are literal.
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    op.execute("set local search_path to public")


def downgrade() -> None:
    op.execute("drop schema queue cascade")
