"""Devices and how their payloads are read, failed messages, the account of what arrived."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UPGRADE = """
create table sensing.device (
    id text primary key,
    format text not null,
    mapping jsonb not null default '{}',
    thing_id text references sensing.thing (id) on delete set null,
    changed timestamptz not null default clock_timestamp(),
    changed_by text not null default ''
);
create index device_thing on sensing.device (thing_id);

-- How long after its time a reading arrived [s]: below zero all hour long says that the clock of a device is ahead.
alter table sensing.ledger
    add column lag_least double precision,
    add column lag_most double precision,
    add constraint ledger_adds_up check (received = stored + repeated + corrected + rejected);
create index ledger_hour on sensing.ledger (hour);

-- The same message refused again is counted, not kept again.
alter table sensing.rejected
    add column received timestamptz not null default clock_timestamp(),
    add column readings integer not null default 1,
    add column times integer not null default 1;
create unique index rejected_once on sensing.rejected (device, channel, topic, code, md5(payload))
    where settled is null;

-- How many rows of which file of readings are loaded.
create table sensing.backfill (
    fingerprint text primary key,
    name text not null,
    done bigint not null,
    at timestamptz not null default clock_timestamp()
);

-- Up to where readings were told to subscribers.
create table sensing.told (
    name text primary key,
    until timestamptz not null
);
"""

DOWNGRADE = """
drop table sensing.told, sensing.backfill;
drop index sensing.rejected_once;
alter table sensing.rejected drop column received, drop column readings, drop column times;
drop index sensing.ledger_hour;
alter table sensing.ledger drop constraint ledger_adds_up, drop column lag_least, drop column lag_most;
drop table sensing.device;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
