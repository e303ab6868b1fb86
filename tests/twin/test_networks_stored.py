"""Stored topologies: after any writes they are what a build from nothing gives, whoever wrote and however it ended."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from layers.editing.apply import apply_edits
from layers.editing.revert import revert_edit
from layers.editing.words import Edit
from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from layers.store.items import OutputCrs
from layers.store.networks.following import set_follower
from layers.store.networks.state import read_changes, read_state
from tests.twin.network_grid import LAYERS, STEP, place
from twin.networks import settling
from twin.networks.assembling import assemble
from twin.networks.city_graph import CityGraph
from twin.networks.commodities import COMMODITIES
from twin.networks.reading import StoreReader
from twin.networks.settling import settle_layers
from twin.networks.storing import StoredNetwork, build_stored, make_layout, read_stored
from twin.networks.warm import WarmNetworks, take_changes

WATER, POWER = COMMODITIES["water"], COMMODITIES["power"]
CITY = OutputCrs(5897, False, 4)


@pytest.fixture(scope="module", autouse=True)
def grid(engine: Engine) -> None:
    """The grid in the database, both networks built, their followers told of edits and loads."""
    with engine.begin() as connection:
        for layer, frame in LAYERS.items():
            upsert_features(connection, read_vector_layer(layer), frame, source_id="grid")
        for commodity in (WATER, POWER):
            build_stored(connection, commodity)
    set_follower(engine, settle_layers)


def picture(connection: Connection, commodity: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Return nodes, stops and places of a stored network without the numbers of nodes."""
    found = read_stored(connection, commodity)
    at = {
        number: (level, *xy)
        for number, level, xy in zip(
            found.nodes.ids.tolist(), found.nodes.levels.tolist(), found.nodes.xy.tolist(), strict=True
        )
    }
    stops, places = found.stops, found.places
    columns = (stops.layers, stops.fids, stops.measures, stops.causes, stops.shifts)
    return (
        sorted(at.values()),
        sorted(zip(*(column.tolist() for column in columns), [at[k] for k in stops.nodes.tolist()], strict=True)),
        sorted(zip(places.layers.tolist(), places.fids.tolist(), [at[k] for k in places.nodes.tolist()], strict=True)),
    )


def draw(graph: CityGraph) -> tuple[list[Any], list[Any]]:
    """Return a graph's links and nodes in an order of their own."""
    xy = graph.node_xy.round(6)
    links = zip(
        graph.link_layers.tolist(), graph.link_items.tolist(), graph.link_parts.tolist(), graph.open_links.tolist(),
        graph.graph.one_way.tolist(), graph.graph.weights.tolist(),
        xy[graph.graph.starts].tolist(), xy[graph.graph.ends].tolist(), strict=True,
    )  # fmt: skip
    nodes = zip(
        graph.node_layers.tolist(), graph.node_items.tolist(), xy.tolist(), graph.valves.tolist(),
        graph.closed.tolist(), graph.stuck.tolist(), strict=True,
    )  # fmt: skip
    return sorted(links), sorted(nodes)


def check(connection: Connection, before: dict[str, tuple[int, StoredNetwork]]) -> None:
    """Compare what is stored, and what was read before with the changes since, with a build from nothing."""
    for commodity in (WATER, POWER):
        version, known = before[commodity.id]
        state = read_state(connection, commodity.id)
        assert state is not None and not state.waiting
        changes = read_changes(connection, commodity.id, version, state.version)
        assert changes is not None
        layout = make_layout(commodity, take_changes(connection, commodity, known, changes))
        kept = assemble(commodity, layout, StoreReader(connection), "kept")
        stored = picture(connection, commodity)
        build_stored(connection, commodity)
        assert stored == picture(connection, commodity)
        assert draw(kept) == draw(WarmNetworks().get(connection, commodity.id))


def read_all(connection: Connection) -> dict[str, tuple[int, StoredNetwork]]:
    """Return version and content of both networks as they are stored."""
    found = {}
    for commodity in (WATER, POWER):
        state = read_state(connection, commodity.id)
        assert state is not None
        found[commodity.id] = state.version, read_stored(connection, commodity)
    return found


MOVES = st.sampled_from([0.0, 0.0004, -0.0007, 0.2, -0.4, 3.0, -6.0, STEP, -STEP])
STATEMENTS = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(["water_pipes", "water_nodes", "water_valves", "power_lines"]),
              st.integers(0, 23), MOVES, MOVES),
    st.tuples(st.just("copy"), st.sampled_from(["water_pipes", "power_lines", "water_nodes"]), st.integers(0, 23),
              st.integers(0, 15), st.just(0)),
    st.tuples(st.just("delete"), st.sampled_from(["water_pipes", "water_nodes", "water_valves", "power_lines"]),
              st.integers(0, 23), st.just(0), st.just(0)),
    st.tuples(st.just("set"), st.sampled_from([
        ("water_pipes", "status", "closed"), ("water_valves", "status", "stuck"), ("water_valves", "pipe_id", "P3"),
        ("power_lines", "voltage_class", "low"), ("power_lines", "voltage_class", "high"),
        ("water_valves", "from_node", "N1"), ("water_valves", "to_node", "N2"),
    ]), st.integers(0, 23), st.just(0), st.just(0)),
    st.tuples(st.just("stretch"), st.sampled_from(["water_pipes", "power_lines"]), st.integers(0, 23), MOVES, MOVES),
)  # fmt: skip


def write(connection: Connection, statement: Any) -> None:
    """Carry out one statement."""
    verb, layer, number, a, b = statement
    if verb == "set":
        layer, name, value = layer
        connection.execute(
            text(f"update city.{layer} set {name} = :value where id = :id"),
            {"value": value, "id": name_item(layer, number)},
        )
        return
    bound = {"id": name_item(layer, number), "a": a, "b": b}
    if verb == "copy":
        bound["other"] = name_item(layer, a)
    sql = {
        "move": f"update city.{layer} set geom = ST_Translate(geom, :a, :b) where id = :id",
        "copy": f"update city.{layer} t set geom = o.geom from city.{layer} o where t.id = :id and o.id = :other",
        "delete": f"delete from city.{layer} where id = :id",
        "stretch": f"update city.{layer} set geom = ST_SetPoint(geom, 1, "
        "ST_Translate(ST_PointN(geom, 2), :a, :b)) where id = :id",
    }[verb]
    connection.execute(text(sql), bound)


def name_item(layer: str, number: int) -> str:
    ids = LAYERS[layer]["id"].tolist()
    return str(ids[number % len(ids)])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.lists(STATEMENTS, min_size=1, max_size=4), st.booleans(), st.booleans()), max_size=5))
def test_what_is_stored_is_what_a_build_from_nothing_gives(
    engine: Engine, transactions: list[tuple[list[Any], bool, bool]]
) -> None:
    with engine.connect() as connection:
        before = read_all(connection)
        for statements, settled, kept in transactions:
            part = connection.begin_nested()
            for statement in statements:
                write(connection, statement)
            if settled:
                settle_layers(connection, frozenset(LAYERS))
            if kept:
                part.commit()
            else:
                part.rollback()
        settle_layers(connection, frozenset(LAYERS))
        check(connection, before)
        connection.rollback()


def edit(op: Any, layer: str, item: str, shape: Any = None, **properties: Any) -> Edit:
    geometry = None if shape is None else shapely.geometry.mapping(shape)
    return Edit(op, read_vector_layer(layer), item, properties=properties, geometry=geometry, crs=CITY)


@pytest.fixture
def apply(engine: Engine) -> Callable[..., int]:
    """Return a function that carries out edits as a user's and gives the number of the edit."""

    def carry_out(*edits: Edit) -> int:
        with engine.begin() as connection:
            return apply_edits(connection, edits, author="test", reason="test").edit_id

    return carry_out


def count_waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select count(*) from network.pending")).scalar_one())


def test_edits_and_reverts_settle_in_their_own_transaction(engine: Engine, apply: Callable[..., int]) -> None:
    warm = WarmNetworks()
    line = shapely.LineString([place(0, 0), place(1, 1)])
    with engine.connect() as connection:
        known = read_all(connection)
        before = warm.get(connection, "water")
    done = apply(edit("create", "water_pipes", "NEW", line, pipe_type="service", status="open"))
    assert count_waiting(engine) == 0
    with engine.connect() as connection:
        graph = warm.get(connection, "water")
        assert graph.stamp != before.stamp and graph.graph.link_count == before.graph.link_count + 1
        _, links = graph.find_items("water_pipes", ["NEW"])
        assert links.size == 1 and graph.node_items[graph.graph.starts[links[0]]] == "N0"
    with engine.connect() as connection:
        check(connection, known)
    with engine.begin() as connection:
        revert_edit(connection, done, author="test", reason="test")
    assert count_waiting(engine) == 0
    with engine.connect() as connection:
        again = warm.get(connection, "water")
    assert draw(again) == draw(before) and again.stamp not in (before.stamp, graph.stamp)


def test_a_state_that_changes_moves_no_node(engine: Engine, apply: Callable[..., int]) -> None:
    warm = WarmNetworks()
    with engine.connect() as connection:
        before = read_state(connection, "water")
        graph = warm.get(connection, "water")
    apply(edit("update", "water_valves", "V3", status="closed"))
    with engine.connect() as connection:
        after = read_state(connection, "water")
        closed = warm.get(connection, "water")
    assert before is not None and after is not None and after.version == before.version + 1
    (node,), _ = closed.find_items("water_valves", ["V3"])
    assert closed.closed[node] and not graph.closed.any() and np.array_equal(closed.node_xy, graph.node_xy)
    apply(edit("update", "water_valves", "V3", status="open"))


def test_what_a_transaction_wrote_and_did_not_commit_is_its_own(engine: Engine) -> None:
    warm = WarmNetworks()
    with engine.connect() as connection:
        committed = warm.get(connection, "water").graph.link_count
        connection.execute(text("delete from city.water_pipes where id = 'P0'"))
        assert warm.get(connection, "water").graph.link_count < committed
        with engine.connect() as other:
            assert warm.get(other, "water").graph.link_count == committed
        connection.rollback()
    with engine.connect() as connection:
        assert warm.get(connection, "water").graph.link_count == committed


def test_who_writes_and_asks_first_does_not_wait_for_himself(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("delete from city.lighting_circuits"))
        assert WarmNetworks().get(connection, "lighting").stamp.startswith("unsettled-")
        connection.rollback()
        assert not WarmNetworks().get(connection, "lighting").stamp.startswith("unsettled-")


def test_links_can_be_read_with_sql(engine: Engine) -> None:
    with engine.connect() as connection:
        graph = WarmNetworks().get(connection, "water")
        rows = connection.execute(
            text(
                "select fid, part, to_measure - from_measure from network.link where commodity = 'water' order by 1, 2"
            )
        ).all()
    own = np.flatnonzero(graph.link_layers == graph.layers.index("water_pipes"))
    order = own[np.lexsort((graph.link_parts[own], graph.link_fids[own]))]
    lengths = graph.graph.weights[order].tolist()
    assert [(row[0], row[1]) for row in rows] == list(
        zip(graph.link_fids[order].tolist(), graph.link_parts[order].tolist(), strict=True)
    )
    assert [row[2] for row in rows] == pytest.approx(lengths)


def test_what_changed_in_many_places_is_built_anew(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.connect() as connection:
        before = read_state(connection, "water")
        for statement in (("move", "water_nodes", 0, 3.0, 0.0), ("move", "water_nodes", 15, 3.0, 0.0)):
            write(connection, statement)
        settle_layers(connection, frozenset(LAYERS))
        once = read_state(connection, "water")
        monkeypatch.setattr(settling, "MOST_PLACES", 1)
        for statement in (("move", "water_nodes", 0, -6.0, 0.0), ("move", "water_nodes", 15, -6.0, 0.0)):
            write(connection, statement)
        settle_layers(connection, frozenset(LAYERS))
        again = read_state(connection, "water")
        assert before is not None and once is not None and again is not None
        assert before.built == once.built < again.built and again.version == once.version + 1
        stored = picture(connection, WATER)
        build_stored(connection, WATER)
        assert stored == picture(connection, WATER)
        connection.rollback()


def test_two_who_write_at_once_lose_nothing(engine: Engine) -> None:
    warm = WarmNetworks()
    with engine.connect() as first, engine.connect() as second:
        pipe = edit("create", "water_pipes", "ONE", shapely.LineString([place(0, 0), place(1, 1)]), pipe_type="service")
        valve = edit(
            "create", "water_valves", "TWO", shapely.Point(place(0.5, 0)), valve_type="isolation", pipe_id="P0"
        )
        apply_edits(first, [pipe], author="a", reason="a")
        # The network is the first's until it commits: the second leaves what it wrote to who asks next.
        apply_edits(second, [valve], author="b", reason="b")
        second.commit()
        first.commit()
    assert count_waiting(engine) > 0
    with engine.connect() as connection:
        graph = warm.get(connection, "water")
        (node,), _ = graph.find_items("water_valves", ["TWO"])
        _, parts = graph.find_items("water_pipes", ["ONE"])
    assert parts.size == 1 and graph.graph.degrees[node] == 2 and count_waiting(engine) == 0


def test_what_was_rolled_back_never_comes_to_others(engine: Engine) -> None:
    warm = WarmNetworks()
    with engine.connect() as connection:
        links = warm.get(connection, "water").graph.link_count
        connection.execute(text("delete from city.water_pipes where id = 'P5'"))
        settle_layers(connection, frozenset(LAYERS))
        assert warm.get(connection, "water").graph.link_count < links
        connection.rollback()
    with engine.begin() as connection:
        connection.execute(text("update city.water_pipes set street = 'A' where id = 'P6'"))
        settle_layers(connection, frozenset(LAYERS))
    with engine.connect() as connection:
        assert warm.get(connection, "water").graph.link_count == links
