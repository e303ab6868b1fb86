"""Migrations down and up on data: what was there before them survives; a living city is not held up by them."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from layers.errors import ConflictError, DatabaseError, InputError
from layers.registry import VECTOR_LAYERS
from layers.store.engine import open_engine, plain_url
from layers.store.migrate import downgrade, migrate
from layers.store.patience import change_patiently
from layers.store.tables import sync_tables
from tests.conftest import CITY_CRS
from tests.whole_twin import ROOT

REVISIONS = [one.revision for one in ScriptDirectory(str(ROOT / "migrations")).walk_revisions()]
"""All of them, newest first."""
LOWEST = "0007"
"""It gave things and series of SensorThings their columns; what they say has no place before it."""
DERIVED = {
    # Told anew by whoever writes or migrates.
    "meta.layer_version", "meta.tile_mark", "meta.overview_mark", "meta.alembic_version", "meta.rights",
    "sensing.dirty_hour", "sensing.main_series", "public.spatial_ref_sys",
}  # fmt: skip
CITY = """
insert into meta.edit (author, reason, kind) values ('An', 'planted', 'edit');
insert into city.trees (id, source_id, geom) select 'T' || n, 'test', 'SRID=5897;POINT(586000 1109000)'
from generate_series(1, 5) n;
update city.trees set source_id = 'again' where id = 'T1';
delete from city.trees where id = 'T2';
insert into meta.source (id, layer, title_vi, title_en, uri, licence, attribution)
values ('s', 'trees', '', '', 'u', '', '');
insert into meta.load (source_id, layer, uri, finished, read, loaded, quarantined)
values ('s', 'trees', 'u', now(), 2, 1, 1);
insert into meta.quarantine (load_id, source_id, layer, uri, reason, payload)
select id, 's', 'trees', 'u', 'bad', '{"a": 1}'
from meta.load;
insert into meta.saved_query (id, title_vi, title_en, layer, author) values ('q', '', '', 'trees', 'An');
insert into meta.model (id, kind, title, document, fingerprint, source, anchor, author)
values ('m', 'swmm', '', '[TITLE]', '-', 's', '{}', 'An');
insert into inventory.attachment (layer, feature, sha256, media_type, filename, bytes, author)
values ('trees', 'T1', 'ab', 'image/png', 'a.png', 1, 'An');
insert into inventory.inspection (layer, feature, inspected, inspector, method, grade, urgency, author)
values ('trees', 'T1', '2026-10-01', 'An', 'visual', 2, 'low', 'An');
insert into inventory.work_order (title, kind, origin) values ('cut', 'repair', 'person');
insert into sensing.observed_property (id, name) values ('stage', 'stage');
insert into sensing.thing (id, name) values ('S1', 'S1');
insert into sensing.datastream (id, thing_id, observed_property, unit, title_vi)
values ('S1.stage', 'S1', 'stage', 'm', '');
create table sensing.observation_2026_10 partition of sensing.observation
for values from ('2026-10-01T00:00:00+00:00') to ('2026-11-01T00:00:00+00:00');
insert into sensing.observation (datastream, phenomenon_time, result)
select fid, '2026-10-05T00:00Z'::timestamptz + make_interval(hours => n), n
from sensing.datastream, generate_series(1, 9) n;
insert into sensing.latest (datastream, phenomenon_time, result, quality, first_time)
select fid, '2026-10-05T09:00Z', 9, 1, '2026-10-05T01:00Z' from sensing.datastream;
insert into sensing.correction select fid, '2026-10-05T02:00Z', 1, 2.5, null, 'An', 'gauge' from sensing.datastream;
insert into sensing.rollup select fid, 'hour', '2026-10-05T01:00Z', 1, 1, 1, 1, 1 from sensing.datastream;
insert into sensing.ledger (device, hour, received, stored) values ('d', '2026-10-05T01:00Z', 9, 9);
insert into run.run (id, process, status, inputs) values ('r1', 'p', 'failed', '{}');
insert into run.raster (id, layer, path, bounds, fingerprint, run_id)
values ('a', 'terrain', 'a.tif', '{0,0,1,1}', '-', 'r1');
insert into transit.feed (id, version, title, uri, licence, attribution, timezone, fingerprint, author, counts, report)
values ('bus', 1, '', '', '', '', 'UTC', '-', 'An', '{}', '{}');
"""


@pytest.fixture(scope="module")
def city(make_database: Callable[..., str]) -> Iterator[Engine]:
    engine = open_engine(make_database("m_migrations"))
    with engine.begin() as connection:
        connection.exec_driver_sql(CITY)
    yield engine
    engine.dispose()


def bring_up(engine: Engine) -> list[str]:
    return migrate(engine, "test", CITY_CRS, {"id": "test", "crs": CITY_CRS})


Rows = dict[str, list[dict[str, Any]]]


def read_rows(engine: Engine) -> Rows:
    """Return all rows of all tables of ours, by table, each in one order."""
    with engine.connect() as connection:
        names = connection.execute(
            text(
                "select schemaname, tablename from pg_tables where schemaname !~ '^(pg_|information|queue|overview)' "
                "and tablename !~ '^observation_[0-9]'"
            )
        ).all()
        return {
            f"{schema}.{table}": sorted(
                connection.execute(text(f'select to_jsonb(t) from {schema}."{table}" t')).scalars(), key=repr
            )
            for schema, table in names
            if f"{schema}.{table}" not in DERIVED
        }


def find_lost(before: Rows, now: Rows, columns: dict[str, set[str]]) -> list[str]:
    """Return the tables whose rows are others now, in the ``columns`` they had all the time."""
    lost = []
    for table, kept in columns.items():
        was, is_now = ([{name: row.get(name) for name in kept} for row in rows[table]] for rows in (before, now))
        if sorted(was, key=repr) != sorted(is_now, key=repr):
            lost.append(table)
    return lost


def name_columns(engine: Engine) -> dict[str, set[str]]:
    with engine.connect() as connection:
        found: dict[str, set[str]] = {}
        for table, column in connection.execute(
            text("select table_schema || '.' || table_name, column_name from information_schema.columns")
        ):
            found.setdefault(table, set()).add(column)
    return found


def test_what_was_there_survives_the_way_down_and_up_again(city: Engine) -> None:
    before = read_rows(city)
    assert len([table for table, rows in before.items() if rows]) > 20
    kept = {table: columns for table, columns in name_columns(city).items() if table in before}
    for place, revision in enumerate(REVISIONS[1:], 1):
        assert downgrade(city, revision) == [REVISIONS[place - 1]]
        present = name_columns(city)
        kept = {table: columns & present[table] for table, columns in kept.items() if table in present}
        assert find_lost(before, read_rows(city), kept) == [], f"lost on the way from {REVISIONS[place - 1]}"
        if revision == LOWEST:
            break
    assert {"city.trees", "history.trees", "inventory.attachment", "sensing.observation", "run.run"} <= kept.keys()
    bring_up(city)
    assert find_lost(before, read_rows(city), kept) == []
    # It is a city that works: its triggers keep the past.
    with city.begin() as connection:
        connection.execute(text("update city.trees set source_id = 'after' where id = 'T3'"))
        kept_past = connection.execute(text("select count(*) from history.trees where id = 'T3'")).scalar_one()
    assert kept_past == 1
    assert bring_up(city) == []


def test_a_revision_that_is_none_is_refused(city: Engine) -> None:
    with pytest.raises(InputError, match=f"stands at revision {REVISIONS[0]} and cannot go down to 'x'"):
        downgrade(city, "x")
    assert downgrade(city, REVISIONS[0]) == []


def test_a_required_property_of_a_filled_layer_needs_a_word_of_what_features_have(
    city: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = VECTOR_LAYERS["trees"]
    fresh = dataclasses.replace(
        layer.properties[0], name="owner_kind", type="string", required=True, quantity=None, codes=()
    )

    def declare(**words: Any) -> None:
        prop = dataclasses.replace(fresh, **words)
        monkeypatch.setitem(VECTOR_LAYERS, "trees", dataclasses.replace(layer, properties=(*layer.properties, prop)))

    declare()
    with pytest.raises(DatabaseError, match=r"layer 'trees' holds 4 features.*new required property 'owner_kind'"):
        sync_tables(city, 5897)
    declare(initial="it's public")
    with city.connect() as connection:
        clock = connection.execute(text("select changed from meta.layer_version where layer = 'trees'")).scalar_one()
    assert sync_tables(city, 5897) == ['AddColumn trees owner_kind: 4 features have "it\'s public"']
    with city.connect() as connection:
        values = connection.execute(text("select distinct owner_kind from city.trees")).scalars().all()
        moved = connection.execute(text("select changed from meta.layer_version where layer = 'trees'")).scalar_one()
    assert values == ["it's public"]
    assert moved > clock
    with pytest.raises(Exception, match="null value in column"), city.begin() as connection:
        connection.execute(
            text("insert into city.trees (id, source_id, geom) values ('T9', 's', 'SRID=5897;POINT(1 1)')")
        )
    with city.begin() as connection:
        connection.execute(text("alter table city.trees drop column owner_kind"))
        connection.execute(text("alter table history.trees drop column owner_kind"))


def test_a_migration_lets_readers_through_and_waits_for_who_was_there_before(city: Engine) -> None:
    url = plain_url(city)
    with psycopg.connect(url) as reader:
        # A long transaction of a living city.
        reader.execute("select count(*) from city.trees")
        change = "alter table city.trees set (autovacuum_enabled = false)"
        change = f"lock table city.trees in access exclusive mode; {change}"
        with pytest.raises(ConflictError, match=r"tables are in use.*idle in transaction"):
            change_patiently(city, lambda connection: connection.exec_driver_sql(change), lock_ms=50, patience_s=0)
        done = threading.Event()

        def migrate_meanwhile() -> None:
            change_patiently(city, lambda connection: connection.exec_driver_sql(change), lock_ms=50)
            done.set()

        thread = threading.Thread(target=migrate_meanwhile)
        thread.start()
        # Others read on between its tries.
        with psycopg.connect(url, autocommit=True) as other:
            for _ in range(20):
                other.execute("select count(*) from city.trees")
                time.sleep(0.01)
        assert not done.is_set()
        reader.rollback()
        thread.join(timeout=60)
    assert done.is_set()
