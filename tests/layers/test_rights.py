"""Rights in the database: every table is somebody's, and what everybody sees costs nothing."""

import psycopg
import pytest
from sqlalchemy import Connection, text

from layers.access import PUBLIC, Reach, asking_as
from layers.store.assuming import assume_on_checkout
from layers.store.engine import open_engine
from layers.store.meeting import write_meets, write_near
from layers.store.rights import TABLES, sync_rights

_BY_LAYER = {"city", "history", "overview"}
_LISTED = text(
    "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "where c.relkind in ('r', 'p', 'v', 'm') and (not c.relispartition or :parts) "
    "and n.nspname not in ('pg_catalog', 'information_schema', 'public') and n.nspname not like 'pg\\_%'"
)


def test_every_table_says_who_reads_it(connection: Connection) -> None:
    # Parts of a table are read through the whole.
    whole, parts = (set(connection.execute(_LISTED, {"parts": parts}).scalars()) for parts in (False, True))
    missing = {name for name in whole - set(TABLES) if name.split(".")[0] not in _BY_LAYER}
    assert missing == set(), "list it in layers/store/rights.py"
    assert set(TABLES) - parts == set(), "a table that is gone is listed in layers/store/rights.py"


def test_rights_are_given_once(connection: Connection) -> None:
    assert not sync_rights(connection)


def test_everybody_is_refused_what_is_for_few_by_the_database(shared_database: str) -> None:
    engine = open_engine(shared_database)
    assume_on_checkout(engine)
    for statement in (
        "select residents from city.buildings",
        "select * from city.buildings",
        "select address from city.water_meters",
        "select author from meta.edit",
        "select 1 from inventory.inspection",
        "insert into meta.saved_query (id) values ('a')",
        "delete from city.trees",
        "select 1 from run.callback",
    ):
        with asking_as(PUBLIC), engine.connect() as connection, pytest.raises(Exception, match="permission denied"):
            connection.execute(text(statement))
    with asking_as(PUBLIC), engine.connect() as connection:
        assert connection.execute(text("select current_user")).scalar() == "twin_public"
        assert connection.execute(text("select count(*) from city.buildings")).scalar() == 0
    # The next to take the connection works for itself again.
    with engine.connect() as connection:
        assert connection.execute(text("select current_user")).scalar() != "twin_public"
    engine.dispose()


def test_a_transaction_that_fails_leaves_no_role_behind(shared_database: str) -> None:
    engine = open_engine(shared_database, pool_size=1)
    assume_on_checkout(engine)
    editor = Reach("restricted", ("31117",), ("*",))
    with asking_as(editor), engine.connect() as connection:
        asked = text("select current_user, current_setting('twin.wards')")
        assert tuple(connection.execute(asked).one()) == ("twin_restricted_editor", "31117")
        connection.rollback()
        assert tuple(connection.execute(asked).one()) == ("twin_restricted_editor", "31117")
    with asking_as(PUBLIC), engine.connect() as connection:
        assert tuple(connection.execute(asked).one()) == ("twin_public", "")
    engine.dispose()


@pytest.mark.parametrize("layer", ["trees", "buildings", "water_meters"])
def test_the_index_of_places_is_used_whoever_asks(shared_database: str, layer: str) -> None:
    with psycopg.connect(shared_database) as connection, connection.transaction(force_rollback=True):
        columns = {
            "trees": ("species", "a"),
            "buildings": ("use", "house"),
            "water_meters": ("customer_type", "household"),
        }
        name, value = columns[layer]
        shape = "ST_Point(580000 + (g % 500) * 20, 1108000 + (g / 500) * 20, 5897)"
        placed = f"ST_Multi(ST_Buffer({shape}, 5))" if layer == "buildings" else shape
        connection.execute(f"alter table city.{layer} disable trigger user")
        connection.execute(
            f"insert into city.{layer} (id, source_id, {name}, geom) select 'i' || g, 's', '{value}', {placed} "
            "from generate_series(1, 20000) g"
        )
        connection.execute(f"analyze city.{layer}")
        box = f"(select ST_Expand(geom_3857, 50) from city.{layer} where id = 'i77')"
        connection.execute("set role twin_restricted")
        for condition in (
            f"geom_3857 && {box}",
            write_meets("geom_3857", box),
            write_meets("geom_3857", box, "ST_Within"),
            write_near("geom_3857", box, "20"),
        ):
            rows = connection.execute(f"explain select count(*) from city.{layer} where {condition}").fetchall()
            plan = "\n".join(row[0] for row in rows)
            assert f"{layer}_geom_3857" in plan, plan
