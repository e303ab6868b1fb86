"""What the client of a job asked for beside its inputs: outputs, and who is told how the job goes."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UPGRADE = """
create table run.request (
    run_id text primary key references run.run (id) on delete cascade,
    base text not null,
    outputs jsonb not null default '{}',
    response text not null check (response in ('document', 'raw'))
);

create table run.callback (
    run_id text not null references run.request (run_id) on delete cascade,
    kind text not null check (kind in ('successUri', 'inProgressUri', 'failedUri')),
    url text not null,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given up')),
    attempts integer not null default 0,
    next_attempt timestamptz not null default now(),
    last_attempt timestamptz,
    told double precision,
    outcome text,
    primary key (run_id, kind)
);
create index callback_due on run.callback (next_attempt) where state = 'waiting';
create index run_newest on run.run (created desc, id desc);
"""

DOWNGRADE = """
drop index run.run_newest;
drop table run.callback, run.request;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
