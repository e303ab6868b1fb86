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
"""

DOWNGRADE = """
drop table sensing.retired_month;
drop trigger keep_flag on sensing.observation;
drop function sensing.keep_flag();
drop table sensing.past_flag;
delete from sensing.dirty_hour a using sensing.dirty_hour b where a.ctid > b.ctid
    and (a.datastream, a.start) = (b.datastream, b.start);
alter table sensing.dirty_hour add primary key (datastream, start);
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
