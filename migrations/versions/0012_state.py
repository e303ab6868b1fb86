"""Flags keep their past, hours are marked without a lock, months that left the database are known."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UPGRADE = """
-- Two writers of one hour must not wait for each other, and a mark set while the hour is being rolled up must not be
-- lost: every writer leaves its own mark, and whoever rolls up takes all it sees.
alter table sensing.dirty_hour drop constraint dirty_hour_pkey;
create index dirty_hour_series on sensing.dirty_hour (datastream, start);

-- What a reading's flag and withdrawal were until `at`; with an author where a person, or the device, gave the flag.
create table sensing.past_flag (
    datastream bigint not null references sensing.datastream (fid) on delete cascade,
    phenomenon_time timestamptz not null,
    at timestamptz not null default clock_timestamp(),
    quality smallint not null,
    withdrawn timestamptz,
    author text,
    reason text
);
create index past_flag_reading on sensing.past_flag (datastream, phenomenon_time, at);

create function sensing.keep_flag() returns trigger language plpgsql as $$
begin
    -- From not evaluated to good tells nobody anything.
    if (old.quality, new.quality) <> (2, 1) or old.withdrawn is distinct from new.withdrawn then
        insert into sensing.past_flag (datastream, phenomenon_time, quality, withdrawn)
        values (old.datastream, old.phenomenon_time, old.quality, old.withdrawn);
    end if;
    insert into sensing.dirty_hour values (new.datastream, date_trunc('hour', new.phenomenon_time, 'UTC'));
    return null;
end $$;
create trigger keep_flag after update of quality, withdrawn on sensing.observation for each row
    when (old.quality <> new.quality or old.withdrawn is distinct from new.withdrawn)
    execute function sensing.keep_flag();

create table sensing.retired_month (
    start timestamptz not null,
    path text not null,
    readings bigint not null,
    retired timestamptz not null default clock_timestamp(),
    primary key (start, path)
);

-- Control programs and calendar of a cabinet's lamps, from a time on; '' stands for all that have none of their own.
create table sensing.lamp_calendar (
    cabinet text not null,
    valid_from timestamptz not null,
    calendar jsonb not null,
    author text not null,
    reason text not null,
    recorded timestamptz not null default clock_timestamp(),
    primary key (cabinet, valid_from)
);

-- The series that says most of an item, for the map: one row an item, kept by a trigger.
create table sensing.main_series (
    layer text not null,
    item text not null,
    datastream bigint not null references sensing.datastream (fid) on delete cascade,
    observed_property text not null,
    thing_id text not null,
    primary key (layer, item)
);
create index main_series_datastream on sensing.main_series (datastream);

-- Replaced by the order of layers/states.py whenever the database is brought up to date.
create function sensing.rank_property(name text) returns integer language sql immutable as 'select 0';

create function sensing.choose_main(of_layer text, of_item text) returns void language plpgsql as $$
begin
    delete from sensing.main_series where layer = of_layer and item = of_item;
    insert into sensing.main_series (layer, item, datastream, observed_property, thing_id)
    select of_layer, of_item, d.fid, d.observed_property, d.thing_id from (
        select * from sensing.datastream where watched_layer = of_layer and watched_id = of_item
        union select d.* from sensing.datastream d join sensing.thing t on t.id = d.thing_id
        where t.layer = of_layer and t.feature = of_item
    ) d order by sensing.rank_property(d.observed_property), d.id limit 1
    on conflict (layer, item) do nothing;
end $$;

create function sensing.keep_main() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        perform sensing.choose_main(old.watched_layer, old.watched_id) where old.watched_id is not null;
        perform sensing.choose_main(t.layer, t.feature) from sensing.thing t
        where t.id = old.thing_id and t.feature is not null;
    end if;
    if tg_op <> 'DELETE' then
        perform sensing.choose_main(new.watched_layer, new.watched_id) where new.watched_id is not null;
        perform sensing.choose_main(t.layer, t.feature) from sensing.thing t
        where t.id = new.thing_id and t.feature is not null;
    end if;
    return null;
end $$;
create trigger keep_main after insert or delete or update of watched_layer, watched_id, observed_property, thing_id
    on sensing.datastream for each row execute function sensing.keep_main();

-- Readings that were there before there were roll-ups.
insert into sensing.dirty_hour
select distinct datastream, date_trunc('hour', phenomenon_time, 'UTC') from sensing.observation;
"""

DOWNGRADE = """
drop trigger keep_main on sensing.datastream;
drop function sensing.keep_main();
drop function sensing.choose_main(text, text);
drop function sensing.rank_property(text);
drop table sensing.main_series;
drop table sensing.lamp_calendar;
drop table sensing.retired_month;
drop trigger keep_flag on sensing.observation;
drop function sensing.keep_flag();
drop table sensing.past_flag;
delete from sensing.dirty_hour a using sensing.dirty_hour b where a.ctid > b.ctid
    and (a.datastream, a.start) = (b.datastream, b.start);
drop index sensing.dirty_hour_series;
alter table sensing.dirty_hour add primary key (datastream, start);
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
