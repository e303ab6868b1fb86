"""The fixed tables: what was loaded, what was rejected, sensors and readings, runs and rasters."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
create schema city;
create schema history;
create schema sensing;
create schema run;

create table meta.city (
    only_row boolean primary key default true check (only_row),
    id text not null,
    srid integer not null,
    declaration jsonb not null
);

create table meta.source (
    id text primary key,
    layer text not null,
    title_vi text not null,
    title_en text not null,
    uri text not null,
    licence text not null,
    attribution text not null,
    synthetic boolean not null default false,
    fingerprint text,
    loaded_at timestamptz
);

create table meta.load (
    id bigint generated always as identity primary key,
    source_id text not null,
    layer text not null,
    uri text not null,
    started timestamptz not null default now(),
    finished timestamptz,
    read bigint not null default 0,
    loaded bigint not null default 0,
    unchanged bigint not null default 0,
    quarantined bigint not null default 0,
    report jsonb not null default '{}'
);

create table meta.quarantine (
    id bigint generated always as identity primary key,
    load_id bigint references meta.load (id) on delete cascade,
    source_id text not null,
    layer text not null,
    uri text not null,
    row bigint,
    field text,
    value text,
    reason text not null,
    hint text,
    payload jsonb not null default '{}',
    created timestamptz not null default now()
);
create index quarantine_source on meta.quarantine (source_id, layer);

create table meta.layer_version (
    layer text primary key,
    version bigint not null,
    changed timestamptz not null
);

create function meta.count_version() returns trigger language plpgsql as $$
begin
    insert into meta.layer_version (layer, version, changed) values (tg_table_name, 1, clock_timestamp())
    on conflict (layer) do update set version = layer_version.version + 1, changed = clock_timestamp();
    perform pg_notify('layer_version', tg_table_name);
    return null;
end $$;

create function meta.keep_past() returns trigger language plpgsql as $$
declare
    names text;
begin
    select string_agg(quote_ident(attname), ', ') into names
    from pg_attribute
    where attrelid = tg_relid and attnum > 0 and not attisdropped and attgenerated = '';
    execute format('insert into history.%I (%s) select %s from (select ($1).*) old', tg_table_name, names, names)
    using old;
    return null;
end $$;

create table sensing.datastream (
    fid bigint generated always as identity primary key,
    id text not null unique,
    sensor_id text not null,
    observed_property text not null,
    unit text not null,
    title_vi text not null,
    title_en text not null,
    source_id text not null
);
create index datastream_sensor on sensing.datastream (sensor_id);

create table sensing.observation (
    datastream bigint not null references sensing.datastream (fid) on delete cascade,
    phenomenon_time timestamptz not null,
    result double precision,
    result_time timestamptz not null default now(),
    quality smallint not null default 2,
    primary key (datastream, phenomenon_time)
) partition by range (phenomenon_time);

create table sensing.latest (
    datastream bigint primary key references sensing.datastream (fid) on delete cascade,
    phenomenon_time timestamptz not null,
    result double precision,
    quality smallint not null
);

create table run.run (
    id text primary key,
    process text not null,
    status text not null check (status in ('accepted', 'running', 'successful', 'failed', 'dismissed')),
    inputs jsonb not null,
    title_vi text not null default '',
    title_en text not null default '',
    progress double precision not null default 0,
    message text not null default '',
    created timestamptz not null default now(),
    started timestamptz,
    finished timestamptz,
    updated timestamptz not null default now(),
    attempts integer not null default 0,
    base_time timestamptz,
    horizon_hours double precision,
    summary jsonb,
    stage_forecast jsonb,
    balance jsonb,
    provenance jsonb,
    error jsonb
);
create index run_created on run.run (process, created desc);

create table run.raster (
    id text primary key,
    layer text not null,
    run_id text references run.run (id) on delete cascade,
    path text not null,
    times timestamptz[],
    bounds double precision[] not null,
    minimum double precision,
    maximum double precision,
    source_id text,
    fingerprint text not null,
    created timestamptz not null default now()
);
create index raster_run on run.raster (run_id);
"""

DOWNGRADE = """
drop schema city cascade;
drop schema history cascade;
drop schema sensing cascade;
drop schema run cascade;
drop table meta.quarantine, meta.load, meta.source, meta.city, meta.layer_version;
drop function meta.count_version();
drop function meta.keep_past();
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
