"""Alarm rules, their states, and everything done with them."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UPGRADE = """
create schema alarm;

-- A rule in its versions: at any moment at most one of them is in force.
create table alarm.rule (
    id text not null,
    version integer not null,
    definition jsonb not null,
    origin text not null check (origin in ('derived', 'file', 'hand')),
    valid_from timestamptz not null,
    valid_to timestamptz,
    author text not null,
    reason text not null default '',
    recorded timestamptz not null default clock_timestamp(),
    ended_by text,
    end_reason text,
    primary key (id, version),
    check (valid_to is null or valid_to >= valid_from)
);
create index rule_in_force on alarm.rule (id, valid_from desc);

-- Alarms with one cause within a window: one line on a screen, one message to the public.
create table alarm.incident (
    id bigint generated always as identity primary key,
    key text not null,
    event text not null,
    layer text,
    feature text,
    opened timestamptz not null,
    last_raised timestamptz not null,
    closed timestamptz
);
create index incident_key on alarm.incident (key, last_raised desc);

-- What one rule says of one series (or of none: the forecast loop); kept for its history when the rule ends.
-- covers: it suppresses its children; untold: they are yet to be told that this changed. due: when time alone may
-- change something. memory: what the engine needs for the next reading.
create table alarm.alarm (
    id bigint generated always as identity primary key,
    rule text not null,
    rule_version integer not null,
    datastream text,
    begun timestamptz not null,
    retired timestamptz,
    state text not null default 'NORMAL' check (state in
        ('NORMAL', 'UNACK', 'ACK', 'RTN-UNACK', 'SHELVED', 'SUPPRESSED', 'OUT-OF-SERVICE')),
    since timestamptz not null,
    active boolean not null default false,
    covers boolean not null default false,
    untold boolean not null default false,
    priority text not null check (priority in ('critical', 'high', 'medium', 'low')),
    occurrence integer not null default 0,
    raised timestamptz,
    cleared timestamptz,
    value double precision,
    acknowledged timestamptz,
    acknowledged_by text,
    shelved_until timestamptz,
    incident bigint references alarm.incident (id) on delete set null,
    due timestamptz,
    memory jsonb not null,
    version integer not null default 1
);
create unique index alarm_of on alarm.alarm (rule, coalesce(datastream, ''));
create index alarm_datastream on alarm.alarm (datastream) where retired is null;
create index alarm_due on alarm.alarm (due) where retired is null;
create index alarm_state on alarm.alarm (state) where state <> 'NORMAL';
create index alarm_incident on alarm.alarm (incident);

-- Every step in the life of an alarm: who, when, why. at: when it was so; known: when the engine got to know it.
create table alarm.event (
    id bigint generated always as identity primary key,
    alarm bigint not null references alarm.alarm (id) on delete cascade,
    occurrence integer not null,
    kind text not null,
    at timestamptz not null,
    known timestamptz not null,
    recorded timestamptz not null default clock_timestamp(),
    author text not null,
    reason text not null default '',
    state_before text not null,
    state_after text not null,
    announced boolean not null default false,
    value double precision,
    rule_version integer not null,
    details jsonb not null default '{}'
);
create index event_alarm on alarm.event (alarm, id);
create index event_known on alarm.event (known);

create index correction_stored on sensing.correction using brin (stored);

-- How far the readings, the forecasts and the loop were followed.
create table alarm.cursor (
    name text primary key,
    position timestamptz not null
);
"""

DOWNGRADE = """
drop schema alarm cascade;
drop index sensing.correction_stored;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
