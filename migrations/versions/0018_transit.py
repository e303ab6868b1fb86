"""Public transport: feeds of GTFS Schedule in versions, messages of GTFS Realtime as they came."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UPGRADE = """
create schema transit;

-- One row a version of a feed; the newest is in force.
create table transit.feed (
    id text not null check (id ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    version integer not null check (version > 0),
    title text not null,
    uri text not null,
    licence text not null,
    attribution text not null,
    timezone text not null,
    fingerprint text not null,
    author text not null,
    loaded timestamptz not null default clock_timestamp(),
    first_day date,
    last_day date,
    -- Rows by table, and the validation report as it was when the version came.
    counts jsonb not null,
    report jsonb not null,
    primary key (id, version)
);

-- Tables of a version as Arrow streams of text columns, other files as they came.
create table transit.feed_file (
    feed text not null,
    version integer not null,
    name text not null check (length(name) between 1 and 200),
    is_table boolean not null,
    content bytea not null,
    primary key (feed, version, name),
    foreign key (feed, version) references transit.feed (id, version) on delete cascade
);
alter table transit.feed_file alter column content set storage external;

-- One row a message; its entities hold what it says.
create table transit.message (
    id bigint generated always as identity primary key,
    feed text not null,
    source text not null,
    -- The message's own time, and when it was read.
    at timestamptz not null,
    received timestamptz not null default clock_timestamp(),
    fingerprint text not null,
    counts jsonb not null,
    -- What names trips, stops or routes that the feed does not have.
    unmatched jsonb not null,
    unique (feed, source, at, fingerprint)
);
create index message_by_time on transit.message (feed, at desc);

create table transit.entity (
    message bigint not null references transit.message (id) on delete cascade,
    id text not null,
    kind text not null
        check (kind in ('vehicle', 'trip_update', 'alert', 'trip_modifications', 'stop', 'shape', 'other')),
    trip text,
    start_date text,
    document jsonb not null,
    primary key (message, kind, id)
);
create index entity_by_trip on transit.entity (trip) where trip is not null;
"""

DOWNGRADE = """
drop schema transit cascade;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
