"""What is asked for everybody, though not everybody may look: since when something is written, hidden features."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

UPGRADE = """
create function meta.oldest_writer() returns timestamptz language sql stable security definer
set search_path = pg_catalog as $$
    select min(xact_start) from pg_stat_activity where backend_xid is not null and datname = current_database()
$$;

create function sensing.hidden_features() returns text[] language sql stable security definer
set search_path = pg_catalog, public as $$
    select coalesce(array_agg(distinct feature_of_interest_id), '{}') from sensing.datastream
    where fid = any ((select sensing.hidden_streams())::bigint[]) and feature_of_interest_id is not null
$$;
"""

DOWNGRADE = """
drop policy if exists twin_shown on sensing.feature_of_interest;
drop policy if exists twin_all on sensing.feature_of_interest;
alter table sensing.feature_of_interest disable row level security;
drop function sensing.hidden_features(), meta.oldest_writer();
"""


def upgrade() -> None:
    """Make the functions."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Take them away."""
    op.execute(DOWNGRADE)
