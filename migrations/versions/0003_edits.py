"""Edits: who changed what and why, in valid and in system time."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UPGRADE = """
create table meta.edit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    valid_from timestamptz,
    author text not null,
    reason text not null,
    kind text not null check (kind in ('load', 'edit', 'revert', 'mend', 'run')),
    source text,
    reverts bigint references meta.edit (id),
    layers text[] not null default '{}'
);

-- What a transaction writes belongs to the edit it began (layers.store.edits.begin_edit sets these).
create function meta.edit_id() returns bigint language sql as
$$ select nullif(current_setting('twin.edit', true), '')::bigint $$;

create function meta.edit_at() returns timestamptz language sql as
$$ select coalesce(nullif(current_setting('twin.edit_at', true), '')::timestamptz, clock_timestamp()) $$;

create function meta.edit_valid() returns timestamptz language sql as
$$ select coalesce(
    nullif(current_setting('twin.edit_valid', true), '')::timestamptz,
    nullif(current_setting('twin.edit_at', true), '')::timestamptz,
    clock_timestamp()
) $$;

-- An update is a new version of the row, whoever makes it.
create function meta.stamp_version() returns trigger language plpgsql as $$
begin
    if new.valid_from < old.valid_from then
        raise check_violation using message =
            format('the new version of %s %s would be valid before the one it follows', tg_table_name, old.id);
    end if;
    new.recorded_from := greatest(meta.edit_at(), old.recorded_from + interval '1 microsecond');
    new.edit_id := meta.edit_id();
    return new;
end $$;

create or replace function meta.keep_past() returns trigger language plpgsql as $$
declare
    names text;
    listed text;
begin
    select string_agg(quote_ident(attname), ', '), string_agg('old.' || quote_ident(attname), ', ') into names, listed
    from pg_attribute
    where attrelid = tg_relid and attnum > 0 and not attisdropped and attgenerated = '';
    if tg_op = 'UPDATE' then
        execute format(
            'insert into history.%I (%s, valid_to, recorded_to, ended_by) '
            'select %s, new.valid_from, new.recorded_from, new.edit_id from old_rows old join new_rows new using (fid)',
            tg_table_name, names, listed
        );
    else
        execute format(
            'insert into history.%I (%s, valid_to, recorded_to, ended_by) select %s, '
            'greatest(meta.edit_valid(), old.valid_from), '
            'greatest(meta.edit_at(), old.recorded_from + interval ''1 microsecond''), meta.edit_id() '
            'from old_rows old',
            tg_table_name, names, listed
        );
    end if;
    return null;
end $$;

create or replace function meta.count_version() returns trigger language plpgsql as $$
begin
    insert into meta.layer_version (layer, version, changed) values (tg_table_name, 1, clock_timestamp())
    on conflict (layer) do update set version = layer_version.version + 1, changed = clock_timestamp();
    update meta.edit set layers = layers || tg_table_name::text
    where id = meta.edit_id() and tg_table_name <> all (layers);
    perform pg_notify('layer_version', tg_table_name);
    return null;
end $$;

-- Of what is there already the system time is not known; the valid time is the best there is.
do $$
declare
    one text;
begin
    for one in select tablename from pg_tables where schemaname = 'city' loop
        execute format('drop trigger if exists keep_past on city.%I', one);
        execute format('alter table city.%I add column recorded_from timestamptz, add column edit_id bigint', one);
        execute format('alter table city.%I alter column recorded_from type timestamptz using valid_from', one);
        execute format(
            'alter table city.%I alter column recorded_from set not null, '
            'alter column recorded_from set default meta.edit_at(), '
            'alter column edit_id set default meta.edit_id(), '
            'alter column valid_from set default meta.edit_valid()', one
        );
    end loop;
    for one in select tablename from pg_tables where schemaname = 'history' loop
        execute format(
            'alter table history.%I add column recorded_from timestamptz, add column edit_id bigint, '
            'add column recorded_to timestamptz, add column ended_by bigint', one
        );
        execute format(
            'alter table history.%I alter column recorded_from type timestamptz using valid_from, '
            'alter column recorded_to type timestamptz using valid_to', one
        );
        execute format('alter table history.%I alter column recorded_to set not null', one);
    end loop;
end $$;
"""

DOWNGRADE = """
do $$
declare
    one text;
begin
    for one in select tablename from pg_tables where schemaname = 'city' loop
        execute format('drop trigger if exists keep_updated on city.%I', one);
        execute format('drop trigger if exists keep_deleted on city.%I', one);
        execute format('drop trigger if exists stamp_version on city.%I', one);
        execute format('alter table city.%I alter column valid_from set default now()', one);
        execute format('alter table city.%I drop column recorded_from, drop column edit_id', one);
    end loop;
    for one in select tablename from pg_tables where schemaname = 'history' loop
        execute format(
            'alter table history.%I drop column recorded_from, drop column edit_id, '
            'drop column recorded_to, drop column ended_by', one
        );
    end loop;
end $$;
drop function meta.stamp_version();
drop function meta.edit_valid();
drop function meta.edit_at();
drop function meta.edit_id();
drop table meta.edit;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
