"""SensorThings in tables: entities, readings that never change, corrections beside them, roll-ups, the loss ledger."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UPGRADE = """
create sequence sensing.entity_id;

create table sensing.thing (
    id text primary key default nextval('sensing.entity_id')::text,
    name text not null,
    description text not null default '',
    kind text,
    layer text,
    feature text,
    properties jsonb,
    geom geometry(Geometry, 4326),
    geom_3857 geometry(Geometry, 3857) generated always as (st_transform(geom, 3857)) stored,
    created timestamptz not null default clock_timestamp()
);
create index thing_feature on sensing.thing (layer, feature);
create index thing_kind on sensing.thing (kind);
create index thing_place on sensing.thing using gist (geom_3857);

create table sensing.location (
    id text primary key default nextval('sensing.entity_id')::text,
    name text not null,
    description text not null default '',
    encoding_type text not null default 'application/geo+json',
    location jsonb not null,
    geom geometry(Geometry, 4326),
    properties jsonb
);
create index location_place on sensing.location using gist (geom);

create table sensing.thing_location (
    thing_id text not null references sensing.thing (id) on delete cascade,
    location_id text not null references sensing.location (id) on delete cascade,
    primary key (thing_id, location_id)
);
create index thing_location_location on sensing.thing_location (location_id);

create table sensing.historical_location (
    id text primary key default nextval('sensing.entity_id')::text,
    thing_id text not null references sensing.thing (id) on delete cascade,
    time timestamptz not null default clock_timestamp()
);
create index historical_location_thing on sensing.historical_location (thing_id, time desc);

create table sensing.historical_location_location (
    historical_location_id text not null references sensing.historical_location (id) on delete cascade,
    location_id text not null references sensing.location (id) on delete cascade,
    primary key (historical_location_id, location_id)
);
create index historical_location_of on sensing.historical_location_location (location_id);

create table sensing.sensor (
    id text primary key default nextval('sensing.entity_id')::text,
    name text not null,
    description text not null default '',
    encoding_type text not null default 'application/pdf',
    metadata jsonb not null default '""',
    properties jsonb
);

create table sensing.observed_property (
    id text primary key default nextval('sensing.entity_id')::text,
    name text not null,
    definition text not null default '',
    description text not null default '',
    properties jsonb
);

create table sensing.feature_of_interest (
    id text primary key default nextval('sensing.entity_id')::text,
    name text not null,
    description text not null default '',
    encoding_type text not null default 'application/geo+json',
    feature jsonb not null,
    geom geometry(Geometry, 4326),
    properties jsonb
);
create index feature_of_interest_place on sensing.feature_of_interest using gist (geom);

insert into sensing.thing (id, name, layer, feature)
select distinct sensor_id, sensor_id, 'sensors', sensor_id from sensing.datastream;
insert into sensing.observed_property (id, name) select distinct observed_property, observed_property
from sensing.datastream;

alter table sensing.datastream rename column sensor_id to thing_id;
alter table sensing.datastream
    alter column id set default nextval('sensing.entity_id')::text,
    alter column source_id set default 'sensorthings',
    alter column title_en set default '',
    add foreign key (thing_id) references sensing.thing (id) on delete cascade,
    add foreign key (observed_property) references sensing.observed_property (id) on delete cascade,
    add column sensor_id text references sensing.sensor (id) on delete cascade,
    add column feature_of_interest_id text references sensing.feature_of_interest (id) on delete set null,
    add column description text not null default '',
    add column observation_type text not null
        default 'http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement',
    add column unit_of_measurement jsonb,
    add column observed_area geometry(Geometry, 4326),
    add column watched_layer text,
    add column watched_id text,
    add column interval_s double precision,
    add column quality_tests jsonb,
    add column properties jsonb;
create index datastream_property on sensing.datastream (observed_property);
create index datastream_procedure on sensing.datastream (sensor_id);
create index datastream_feature on sensing.datastream (feature_of_interest_id);
create index datastream_watched on sensing.datastream (watched_layer, watched_id);

alter table sensing.observation rename column result_time to stored;
alter table sensing.observation
    alter column stored set default clock_timestamp(),
    add column revision smallint not null default 0,
    add column value jsonb,
    add column phenomenon_end timestamptz,
    add column result_time timestamptz,
    add column valid_start timestamptz,
    add column valid_end timestamptz,
    add column feature_of_interest_id text,
    add column parameters jsonb,
    add column withdrawn timestamptz;
-- Rows come in the order they are stored: a block range index finds the newest and costs a bulk load next to nothing.
create index observation_stored on sensing.observation using brin (stored) with (autosummarize, pages_per_range = 16);
create index observation_feature on sensing.observation (feature_of_interest_id)
    where feature_of_interest_id is not null;

create table sensing.correction (
    datastream bigint not null references sensing.datastream (fid) on delete cascade,
    phenomenon_time timestamptz not null,
    revision smallint not null,
    result double precision,
    value jsonb,
    author text not null,
    reason text not null,
    stored timestamptz not null default clock_timestamp(),
    primary key (datastream, phenomenon_time, revision)
);

-- A reading as it counts today: the newest correction where there is one, and nothing where it was withdrawn.
create view sensing.reading as
select o.datastream, o.phenomenon_time, o.phenomenon_end, o.result_time, o.valid_start, o.valid_end, o.quality,
    o.revision, o.parameters, o.feature_of_interest_id, coalesce(c.stored, o.stored) as stored,
    case when c.revision is null then o.result else c.result end as result,
    case when c.revision is null then o.value else c.value end as value
from sensing.observation o
left join sensing.correction c on o.revision > 0 and c.datastream = o.datastream
    and c.phenomenon_time = o.phenomenon_time and c.revision = o.revision
where o.withdrawn is null;

alter table sensing.latest
    add column value jsonb,
    add column first_time timestamptz,
    add column stored timestamptz not null default clock_timestamp();
update sensing.latest l set first_time =
    (select min(o.phenomenon_time) from sensing.observation o where o.datastream = l.datastream);
alter table sensing.latest alter column first_time set not null;

create table sensing.rollup (
    datastream bigint not null references sensing.datastream (fid) on delete cascade,
    width text not null check (width in ('hour', 'day')),
    start timestamptz not null,
    count integer not null,
    minimum double precision not null,
    maximum double precision not null,
    sum double precision not null,
    last double precision not null,
    primary key (datastream, width, start)
);

create table sensing.dirty_hour (
    datastream bigint not null references sensing.datastream (fid) on delete cascade,
    start timestamptz not null,
    primary key (datastream, start)
);

create table sensing.ledger (
    device text not null,
    hour timestamptz not null,
    received bigint not null default 0,
    stored bigint not null default 0,
    repeated bigint not null default 0,
    corrected bigint not null default 0,
    rejected bigint not null default 0,
    reasons jsonb not null default '{}',
    primary key (device, hour)
);

create table sensing.rejected (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    device text not null,
    channel text not null,
    topic text not null default '',
    payload bytea not null,
    code text not null,
    reason text not null,
    settled timestamptz,
    settled_by text
);
create index rejected_device on sensing.rejected (device, at desc);

create function sensing.follow(
    sensor text, title text, is_kind text, place geometry, of_layer text, of_feature text
) returns void language plpgsql as $$
declare
    fresh text;
    past text;
begin
    insert into sensing.thing as t (id, name, kind, layer, feature, geom)
    values (sensor, title, is_kind, 'sensors', sensor, place)
    on conflict (id) do update set name = excluded.name, kind = excluded.kind, layer = excluded.layer,
        feature = excluded.feature, geom = excluded.geom;
    update sensing.datastream set watched_layer = of_layer, watched_id = of_feature
    where thing_id = sensor and (watched_layer, watched_id) is distinct from (of_layer, of_feature);
    if exists (select from sensing.thing_location l join sensing.location p on p.id = l.location_id
               where l.thing_id = sensor and st_equals(p.geom, place)) then
        return;
    end if;
    insert into sensing.location (name, location, geom)
    values (title, st_asgeojson(place)::jsonb, place) returning id into fresh;
    delete from sensing.thing_location where thing_id = sensor;
    insert into sensing.thing_location values (sensor, fresh);
    insert into sensing.historical_location (thing_id) values (sensor) returning id into past;
    insert into sensing.historical_location_location values (past, fresh);
end $$;

create function sensing.follow_sensor() returns trigger language plpgsql as $$
begin
    perform sensing.follow(new.id, new.name, new.kind, st_transform(new.geom, 4326), new.watched_layer, new.watched_id);
    return null;
end $$;
"""

DOWNGRADE = """
drop function sensing.follow_sensor() cascade;
drop function sensing.follow(text, text, text, geometry, text, text);
drop view sensing.reading;
drop table sensing.rejected, sensing.ledger, sensing.dirty_hour, sensing.rollup, sensing.correction;
alter table sensing.latest drop column value, drop column first_time, drop column stored;
drop index sensing.observation_stored;
drop index sensing.observation_feature;
drop index sensing.datastream_property;
alter table sensing.observation drop column revision, drop column value, drop column phenomenon_end,
    drop column result_time, drop column valid_start, drop column valid_end, drop column feature_of_interest_id,
    drop column parameters, drop column withdrawn;
alter table sensing.observation rename column stored to result_time;
alter table sensing.datastream drop column sensor_id, drop column feature_of_interest_id, drop column description,
    drop column observation_type, drop column unit_of_measurement, drop column observed_area,
    drop column watched_layer, drop column watched_id, drop column interval_s, drop column quality_tests,
    drop column properties, drop constraint datastream_thing_id_fkey,
    drop constraint datastream_observed_property_fkey;
alter table sensing.datastream rename column thing_id to sensor_id;
alter table sensing.datastream alter column id drop default;
drop table sensing.feature_of_interest, sensing.observed_property, sensing.sensor,
    sensing.historical_location_location, sensing.historical_location, sensing.thing_location, sensing.location,
    sensing.thing;
drop sequence sensing.entity_id;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
