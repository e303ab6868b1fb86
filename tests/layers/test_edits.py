"""Versions carry system time and edit, whoever writes them; a database made before that gains both."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import shapely
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from layers.registry import read_vector_layer
from layers.store.edits import begin_edit
from layers.store.engine import open_engine
from layers.store.features import delete_features, upsert_features
from layers.store.migrate import migrate
from tests.conftest import CITY_CRS, ROOT
from tests.layers.test_features import make_trees

TREES = read_vector_layer("trees")


def read_past(connection: Connection) -> list[tuple[object, ...]]:
    rows = connection.execute(
        text(
            "select id, height, valid_from, valid_to, recorded_from, recorded_to, edit_id, ended_by "
            "from history.trees order by recorded_to, id"
        )
    )
    return [tuple(row) for row in rows]


def test_a_version_names_the_edit_that_made_and_the_one_that_ended_it(connection: Connection) -> None:
    trees = make_trees(2)
    first = begin_edit(connection, author="An", reason="khảo sát", kind="load", source="a")
    upsert_features(connection, TREES, trees, source_id="a")
    trees.loc[0, "height"] = 9.0
    second = begin_edit(connection, author="Bình", reason="đo lại", kind="edit", layers=["trees"])
    upsert_features(connection, TREES, trees, source_id="a")
    third = begin_edit(connection, author="Bình", reason="đốn", kind="edit")
    delete_features(connection, TREES, ["t0", "t1"])
    past = read_past(connection)
    assert [(row[0], row[1], row[6], row[7]) for row in past] == [
        ("t0", 1.5, first, second),
        ("t0", 9.0, second, third),
        ("t1", 2.5, first, third),
    ]
    assert past[0][5] == past[1][4], "system time has no gap"
    assert past[0][3] == past[1][2], "valid time has no gap"
    touched = connection.execute(text("select layers from meta.edit where id >= :first"), {"first": first}).scalars()
    assert list(touched) == [["trees"]] * 3


def test_a_write_outside_of_any_edit_is_dated_too(connection: Connection) -> None:
    upsert_features(connection, TREES, make_trees(1), source_id="a")
    connection.execute(text("update city.trees set height = 3"))
    ((_, height, *times, made_by, ended_by),) = read_past(connection)
    assert height == 1.5
    assert times[0] == times[1], "an update that gives no valid time corrects the version it replaces"
    assert times[2] < times[3]
    assert made_by is None
    assert ended_by is None


def test_a_version_before_its_predecessor_is_refused(connection: Connection) -> None:
    upsert_features(connection, TREES, make_trees(1), source_id="a")
    with pytest.raises(IntegrityError, match="before the one it follows"):
        connection.execute(text("update city.trees set valid_from = valid_from - interval '1 second'"))


def test_back_dated_writes_are_valid_since_then(connection: Connection) -> None:
    when = datetime(2024, 5, 1, tzinfo=UTC)
    begin_edit(connection, author="An", reason="", kind="edit", valid_from=when)
    upsert_features(connection, TREES, make_trees(1), source_id="a")
    later = datetime(2025, 1, 1, tzinfo=UTC)
    begin_edit(connection, author="An", reason="", kind="edit", valid_from=later)
    delete_features(connection, TREES, ["t0"])
    ((_, _, valid_from, valid_to, recorded_from, *_),) = read_past(connection)
    assert (valid_from, valid_to) == (when, later)
    assert isinstance(recorded_from, datetime)
    assert recorded_from > later


def test_a_database_of_before_keeps_its_data_and_gains_the_times(make_database: Callable[..., str]) -> None:
    engine = open_engine(make_database("edits_upgrade"))
    with engine.begin() as connection:
        upsert_features(connection, TREES, make_trees(3), source_id="a")
        delete_features(connection, TREES, ["t2"])
        config = Config()
        config.set_main_option("script_location", str(ROOT / "migrations"))
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
    migrate(engine, "test", CITY_CRS, {})
    with engine.begin() as connection:
        rows = connection.execute(text("select recorded_from = valid_from, edit_id from city.trees")).all()
        assert [tuple(row) for row in rows] == [(True, None)] * 2
        ((_, _, _, valid_to, _, recorded_to, _, _),) = read_past(connection)
        assert valid_to == recorded_to
        edit = begin_edit(connection, author="An", reason="", kind="load")
        moved = make_trees(2)
        moved.geometry = shapely.transform(moved.geometry.to_numpy(), lambda points: points + 1.0)
        assert upsert_features(connection, TREES, moved, source_id="a").changed == 2
        assert set(connection.execute(text("select edit_id from city.trees")).scalars()) == {edit}
        assert len(read_past(connection)) == 3
    engine.dispose()
