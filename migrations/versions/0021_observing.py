"""Signs of life of the twin's processes, and how each objective was met, hour by hour."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UPGRADE = """
create schema observing;

-- A process that lives writes here every few seconds; figures are its own, in the text format of Prometheus.
create table observing.process (
    part text not null,
    machine text not null,
    pid integer not null,
    started timestamptz not null default clock_timestamp(),
    seen timestamptz not null default clock_timestamp(),
    figures text not null default '',
    primary key (part, machine, pid)
);

-- Of how many chances how many were good. measured: the minute that was counted last, so that none counts twice.
create table observing.objective_hour (
    objective text not null,
    hour timestamptz not null,
    good double precision not null,
    total double precision not null,
    measured timestamptz,
    primary key (objective, hour),
    check (good >= 0 and good <= total)
);

-- How many notices of late were sent in time is asked every minute.
create index outbox_created on warning.outbox (created);
"""

DOWNGRADE = """
drop index warning.outbox_created;
drop schema observing cascade;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
