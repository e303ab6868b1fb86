"""Columns gathered by the database, topologies in and out, and the note of every write."""

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from layers.store.networks.columns import read_columns
from layers.store.networks.following import set_follower, tell_written
from layers.store.networks.state import (
    advance_state,
    follow_layers,
    lock_state,
    read_changes,
    read_state,
    take_written,
    write_state,
)
from layers.store.networks.topologies import (
    StoredNodes,
    StoredPlaces,
    StoredStops,
    delete_nodes,
    insert_topology,
    read_nodes,
    read_places,
    read_stops,
    replace_topology,
)

PIPES = read_vector_layer("water_pipes")
X, Y = 586_000.0, 1_109_000.0
TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9))
NUMBERS = st.one_of(st.none(), st.floats(0.0, 1.0e6, allow_nan=False))


def store(connection: Connection, count: int, **columns: list[object]) -> None:
    shapes = [shapely.LineString([(X + k, Y), (X + k, Y + 10.0 + k)]) for k in range(count)]
    frame = gpd.GeoDataFrame(
        {"id": [f"P{k}" for k in range(count)], "pipe_type": ["service"] * count, **columns}, geometry=shapes,
        crs="EPSG:5897",
    )  # fmt: skip
    upsert_features(connection, PIPES, frame, source_id="test")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, NUMBERS), min_size=1, max_size=5))
def test_columns_come_as_they_are_stored(connection: Connection, rows: list[tuple[str | None, float | None]]) -> None:
    point = connection.begin_nested()
    store(connection, len(rows), street=[row[0] for row in rows], diameter=[row[1] for row in rows])
    ids, fids, values, shapes = read_columns(connection, PIPES, ["street", "diameter"], shapes=True)
    assert shapes is not None and np.all(np.diff(fids) > 0)
    told = {item: (street, diameter) for item, street, diameter in zip(ids, *values.values(), strict=True)}
    stored = connection.execute(text("select id, street, diameter from city.water_pipes")).all()
    assert told == {row.id: (row.street, row.diameter) for row in stored}
    assert sorted(shapely.length(shapes).tolist()) == [10.0 + k for k in range(len(rows))]
    point.rollback()


def test_features_are_chosen_by_id_by_key_by_place_and_by_what_is_filled(connection: Connection) -> None:
    store(connection, 4, from_node=["A", "", None, "D"], to_node=["B", "B", "B", "E"])
    ids, fids, _, shapes = read_columns(connection, PIPES, ())
    assert sorted(ids.tolist()) == ["P0", "P1", "P2", "P3"] and np.all(np.diff(fids) > 0) and shapes is None
    assert read_columns(connection, PIPES, (), ids=["P2", "P9"])[0].tolist() == ["P2"]
    assert read_columns(connection, PIPES, (), fids=[int(fids[3])])[0].tolist() == [ids[3]]
    assert read_columns(connection, PIPES, (), filled=("from_node", "to_node"))[0].tolist() == [
        one for one in ids if one in ("P0", "P3")
    ]
    assert read_columns(connection, PIPES, (), near=(X + 1.5, Y, X + 2.5, Y))[0].tolist() == ["P2"]
    none = read_columns(connection, PIPES, ["street", "diameter"], shapes=True, ids=[])
    assert none[0].size == none[1].size == none[2]["street"].size == 0 and none[3] is not None and none[3].size == 0


def test_flags_and_whole_numbers_keep_their_gaps(connection: Connection) -> None:
    layer = read_vector_layer("water_valves")
    frame = gpd.GeoDataFrame(
        {"id": ["A", "B", "C"], "valve_type": ["air"] * 3, "is_operable": [True, False, None], "turns": [7, None, 0]},
        geometry=shapely.points([[X, Y], [X + 1, Y], [X + 2, Y]]), crs="EPSG:5897",
    )  # fmt: skip
    upsert_features(connection, layer, frame, source_id="test")
    ids, _, values, _ = read_columns(connection, layer, ["is_operable", "turns"])
    told = {item: (flag, turns) for item, flag, turns in zip(ids, *values.values(), strict=True)}
    assert told == {"A": (True, 7), "B": (False, None), "C": (None, 0)}


def test_a_topology_comes_back_and_parts_of_it_are_replaced(connection: Connection) -> None:
    nodes = StoredNodes(np.arange(3), np.array([0, 0, 1]), np.array([[0.1, 1.0], [2.0, 3.0], [1e7, -4.0]]))
    stops = StoredStops(
        np.array([0, 0, 1]), np.array([7, 7, 9]), np.array([0.0, 0.1 + 0.2, 5.0]), np.array([0, 1, 2]),
        np.array([0, 2, 1]), np.array([0.0, 1e-9, 0.5]),
    )  # fmt: skip
    places = StoredPlaces(np.array([0]), np.array([4]), np.array([1]), np.array([[2.0, 3.0]]))
    replace_topology(connection, "water", nodes, stops, places)
    assert np.array_equal(read_nodes(connection, "water").xy, nodes.xy)
    again = read_stops(connection, "water")
    assert again.measures.tolist() == stops.measures.tolist() and again.shifts.tolist() == stops.shifts.tolist()
    assert read_stops(connection, "water", [(1, [7, 9])]).fids.tolist() == [9]
    assert read_places(connection, "water", []).fids.size == 0 and read_nodes(connection, "power").ids.size == 0
    delete_nodes(connection, "water", [1], [(0, [7])], [(0, [4])])
    assert read_nodes(connection, "water").ids.tolist() == [0, 2]
    assert read_stops(connection, "water").nodes.tolist() == [0, 2] and not read_places(connection, "water").fids.size
    none = StoredNodes(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 2)))
    insert_topology(connection, "water", none, read_stops(connection, "power"), places)
    assert read_places(connection, "water", [(0, [4])]).xy.tolist() == [[2.0, 3.0]]


def record(connection: Connection) -> None:
    write_state(connection, "water", declared="d", tolerance=0.001, lines=["water_pipes"], points=[], next_node=0)


def test_every_statement_notes_what_it_wrote(connection: Connection) -> None:
    record(connection)
    follow_layers(connection, "water", ["water_pipes"])
    store(connection, 2)
    written = take_written(connection, "water", most=100)
    assert written.layers.tolist() == ["water_pipes"] * 2 and not written.whole
    assert sorted(written.boxes[:, 3].tolist()) == [Y + 10.0, Y + 11.0]
    connection.execute(text("update city.water_pipes set street = 'A' where id = 'P0'"))
    assert np.isnan(take_written(connection, "water", most=100).boxes).all()
    connection.execute(text("update city.water_pipes set geom = ST_Translate(geom, 5, 0) where id = 'P0'"))
    moved = take_written(connection, "water", most=100)
    assert sorted(moved.boxes[:, 0].tolist()) == [X, X + 5.0] and np.unique(moved.fids).size == 1
    connection.execute(text("delete from city.water_pipes"))
    assert take_written(connection, "water", most=1).whole == {"water_pipes"}
    connection.execute(text("truncate city.water_pipes"))
    assert take_written(connection, "water", most=100).whole == {"water_pipes"}
    assert take_written(connection, "water", most=100).fids.size == 0


def test_versions_rise_and_changes_are_listed_as_long_as_they_are_known(connection: Connection) -> None:
    assert read_state(connection, "water") is None and lock_state(connection, "water") is None
    record(connection)
    first = read_state(connection, "water")
    assert first is not None and first.version == 1 and not first.waiting
    advance_state(connection, "water", [("water_pipes", 3), ("water_pipes", 3)], nodes=2)
    advance_state(connection, "water", [], nodes=0)
    last = read_state(connection, "water")
    assert last is not None and last.version == 3 and last.stamp != first.stamp
    assert read_changes(connection, "water", 1, 3) == {"water_pipes": [3]}
    assert read_changes(connection, "water", 2, 3) == {}
    record(connection)
    assert read_changes(connection, "water", 1, 4) is None


def test_followers_are_told_of_layers(connection: Connection) -> None:
    tell_written(connection, ["water_pipes"])
    told: list[frozenset[str]] = []
    set_follower(connection.engine, lambda _, layers: told.append(layers))
    with connection.engine.connect() as other:
        tell_written(other, ["water_pipes", "hydrants"])
    assert told == [{"water_pipes", "hydrants"}]


def test_more_rows_than_are_listed_are_the_whole_layer(connection: Connection) -> None:
    record(connection)
    connection.execute(
        text(
            "insert into city.water_pipes (id, source_id, pipe_type, geom) select 'Q' || n, 'test', 'service', "
            "ST_SetSRID(ST_MakeLine(ST_MakePoint(n, 0), ST_MakePoint(n, 1)), 5897) from generate_series(1, 20001) n"
        )
    )
    follow_layers(connection, "water", ["water_pipes"])
    connection.execute(text("delete from city.water_pipes"))
    written = take_written(connection, "water", most=10**6)
    assert written.whole == {"water_pipes"} and written.fids.size == 0
