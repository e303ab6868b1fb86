"""Road works: what they close and for whom, how long, and the same through a WZDx feed out and in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from sqlalchemy import Engine

from layers.editing.apply import apply_edits
from layers.editing.words import Edit
from layers.errors import InputError
from layers.registry import read_vector_layer
from layers.store.items import OutputCrs
from layers.store.quarantine import Wanted, list_quarantine
from network.road_times import compute_times
from tests.twin.traffic_town import BLOCK, X, Y, line, load, make_roads, make_works
from twin.city import City
from twin.roads.city_roads import CityRoads
from twin.roads.closures import ClosedLinks, place_closures, read_closures
from twin.traffic.wzdx import build_feed
from twin.traffic.wzdx_importing import import_feed
from twin.traffic.wzdx_reading import read_feed

NOW = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORKS = read_vector_layer("road_works")


@pytest.fixture(scope="module", autouse=True)
def town(engine: Engine) -> None:
    with engine.begin() as connection:
        load(connection, "road_links", make_roads())


@pytest.fixture(scope="module")
def roads(engine: Engine, town: None, tmp_path_factory: pytest.TempPathFactory) -> CityRoads:
    with engine.connect() as connection:
        return City(connection, tmp_path_factory.mktemp("city"), NOW).roads()


def place(roads: CityRoads, *rows: dict[str, Any], at: datetime = NOW, mode: str = "car") -> ClosedLinks:
    frame = make_works(*({"id": f"E{number}"} | row for number, row in enumerate(rows)))
    names = [prop.name for prop in WORKS.properties if prop.name not in frame.columns]
    return place_closures(frame.assign(**dict.fromkeys(names)), roads, at, mode)


def name_closed(roads: CityRoads, mask: Any) -> list[str]:
    graph = roads.graph
    return sorted(
        f"{roads.items[graph.edges[link]]}{'>' if graph.forward[link] else '<'}" for link in np.flatnonzero(mask)
    )


def test_an_event_touches_the_road_it_names_or_runs_along_and_no_street_it_crosses(roads: CityRoads) -> None:
    beside = {"geometry": line((1.1, 0.01), (1.9, 0.01))}
    assert name_closed(roads, place(roads, beside).closed) == ["M1<", "M1>"]
    assert name_closed(roads, place(roads, beside | {"affected_direction": "forward"}).closed) == ["M1>"]
    against = {"geometry": line((1.9, 0.01), (1.1, 0.01)), "affected_direction": "forward"}
    assert name_closed(roads, place(roads, against).closed) == ["M1<"]
    # The id counts more than a sloppy line; a line over two blocks is two stretches.
    far = {"geometry": line((1.0, 0.5), (2.0, 0.5)), "road_link_id": "M2"}
    assert name_closed(roads, place(roads, far).closed) == ["M2<", "M2>"]
    assert name_closed(roads, place(roads, {"geometry": line((0.0, 1.0), (2.0, 1.0))}).closed) == [
        "N0<", "N0>", "N1<", "N1>",
    ]  # fmt: skip
    nowhere = place(roads, {"geometry": line((9.0, 9.0), (9.5, 9.0)), "road_link_id": "no such road"})
    assert nowhere.is_clear and nowhere.works[0].links.size == 0


def test_an_event_is_in_force_from_its_start_to_its_end_and_the_road_opens_again(roads: CityRoads) -> None:
    event = {"geometry": line((1, 0), (2, 0)), "planned_start": NOW - HOUR, "planned_end": NOW + HOUR}
    assert place(roads, event).closed.sum() == 2
    assert place(roads, event).next_change == NOW + HOUR
    assert place(roads, event, at=NOW - 2 * HOUR).next_change == NOW - HOUR
    for at in (NOW - 2 * HOUR, NOW + HOUR):
        assert place(roads, event, at=at).is_clear
    assert place(roads, event | {"actual_start": NOW + HOUR / 2}).is_clear
    assert place(roads, event | {"actual_end": NOW - HOUR / 2}).is_clear
    assert place(roads, event | {"event_status": "cancelled"}).is_clear
    lasting = {"geometry": line((1, 0), (2, 0))}
    assert place(roads, lasting).closed.sum() == 2
    assert place(roads, lasting | {"event_status": "completed"}).is_clear


def test_what_is_left_of_a_road_depends_on_the_impact_and_on_who_asks(roads: CityRoads) -> None:
    event = {
        "geometry": line((1, 0), (2, 0)),
        "vehicle_impact": "some_lanes_closed",
        "lanes_closed": 1,
        "lanes_total": 2,
    }
    found = place(roads, event | {"reduced_speed_limit": 20.0, "max_height": 3.0, "max_weight": 5.0, "no_trucks": True})
    links = found.works[0].links
    assert not found.closed.any() and set(found.capacity_factors[links]) == {0.5}
    assert np.isinf(np.delete(found.speed_limits, links)).all()
    assert (found.speed_limits[links[0]], found.max_heights[links[0]], found.max_weights[links[0]]) == (20.0, 3.0, 5.0)
    assert place(roads, event | {"no_trucks": True}, mode="truck").closed.sum() == 2
    dug = {"geometry": line((1, 0), (2, 0)), "event_type": "work_zone"}
    assert not place(roads, dug, mode="foot").closed.any()
    assert place(roads, dug | {"event_type": "flood_closure"}, mode="foot").closed.sum() == 2
    assert place(roads, dug | {"event_type": "closure", "vehicle_impact": "unknown"}).closed.sum() == 2
    assert set(place(roads, dug | {"vehicle_impact": "flagging"}).capacity_factors[links]) == {0.4}
    with pytest.raises(InputError, match="mode"):
        place(roads, dug, mode="boat")


def find_way(roads: CityRoads, found: ClosedLinks | None) -> tuple[float, set[int]]:
    """Return the seconds from the west end of the main street to its east end, and the links on the way."""
    graph = roads.graph
    times = compute_times(graph, "car", closed=None if found is None else found.closed)[graph.links]
    cost = csr_array((np.where(np.isinf(times), 1e12, times), (graph.tails, graph.heads)), shape=2 * [graph.node_count])
    ends = [int(np.argmin(np.hypot(*(graph.node_xy - (X + east * BLOCK, Y)).T))) for east in (0, 4)]
    distances, before = dijkstra(cost, indices=ends[0], return_predecessors=True)
    node, used = ends[1], set()
    while node != ends[0]:
        arcs = np.flatnonzero((graph.tails == before[node]) & (graph.heads == node))
        used.add(int(graph.links[arcs[np.argmin(times[arcs])]]))
        node = int(before[node])
    return float(distances[ends[1]]), used


@settings(max_examples=15, deadline=None)
@given(st.sets(st.sampled_from(["M0", "M1", "M2", "M3"]), min_size=1), st.sampled_from(["both", "forward"]))
def test_a_closed_link_has_no_traffic_and_never_shortens_a_way(roads: CityRoads, shut: set[str], ways: str) -> None:
    streets = make_roads().set_index("id").geometry
    found = place(roads, *({"geometry": streets[name], "affected_direction": ways} for name in sorted(shut)))
    free, _ = find_way(roads, None)
    slow, used = find_way(roads, found)
    assert slow > free and not used & set(np.flatnonzero(found.closed).tolist())


def test_an_edit_that_closes_a_road_acts_at_once_and_one_that_ends_it_opens_it(engine: Engine, tmp_path: Path) -> None:
    def read() -> list[str]:
        with engine.connect() as connection:
            city = City(connection, tmp_path, NOW)
            return name_closed(city.roads(), read_closures(city, city.roads(), NOW).closed)

    def edit(op: Any, **given: Any) -> None:
        with engine.begin() as connection:
            change = Edit(op, WORKS, "EDITED", crs=OutputCrs(5897, False, 4), **given)
            apply_edits(connection, [change], author="test", reason="test")

    assert read() == []
    shape = shapely.geometry.mapping(line((3, 0), (4, 0)))
    edit("create", properties={"event_type": "closure", "vehicle_impact": "all_lanes_closed"}, geometry=shape)
    assert read() == ["M3<", "M3>"]
    edit("update", properties={"actual_end": (NOW - HOUR).isoformat()})
    assert read() == []
    edit("delete")


def feed_of(*rows: dict[str, Any]) -> dict[str, Any]:
    frame = make_works(*({"id": f"E{number}"} | row for number, row in enumerate(rows)))
    names = [prop.name for prop in WORKS.properties if prop.name not in frame.columns]
    return build_feed(frame.assign(**dict.fromkeys(names)).to_crs("EPSG:4326"), publisher="Cần Thơ", now=NOW)


def test_a_feed_out_and_in_again_closes_the_same_links(engine: Engine, roads: CityRoads, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {
            "geometry": line((1, 0), (2, 0)), "planned_end": NOW + HOUR, "lanes_total": 2, "lanes_closed": 1,
            "vehicle_impact": "some_lanes_closed", "max_height": 3.2, "max_weight": 5.0, "reduced_speed_limit": 20.0,
            "work_type": "surface", "workers_present": True, "organization": "Sở Xây dựng", "name": "Trải nhựa",
        },
        {"geometry": line((3, 0), (2, 0)), "affected_direction": "backward", "actual_start": NOW - HOUR},
        {"geometry": line((0, 1), (1, 1)), "event_type": "closure", "no_trucks": True},
        {"geometry": line((0, 0), (1, 0)), "planned_end": NOW - HOUR},
    ]  # fmt: skip
    feed = feed_of(*rows)
    assert [one["id"] for one in feed["features"]] == ["E0", "E0-back", "E1", "E2", "E2-back"]
    broken = feed["features"] + [
        {"id": "bad-word", **{key: feed["features"][0][key] for key in ("type", "geometry")},
         "properties": feed["features"][0]["properties"] | {"vehicle_impact": "all-gone"}},
        {"id": "no-line", "type": "Feature", "properties": feed["features"][0]["properties"], "geometry": None},
        {"id": "bare", "type": "Feature", "properties": None, "geometry": feed["features"][0]["geometry"]},
    ]  # fmt: skip
    content = orjson.dumps(feed | {"features": broken})
    report = import_feed(engine, content, "cantho works", tmp_path, author="test")
    assert (report.loaded, report.quarantined) == (5, 3)
    with engine.connect() as connection:
        kept = list_quarantine(connection, Wanted(source="wzdx-cantho-works"))
        assert {row.feature_id for row in kept} >= {"bad-word"} and len(kept) == 3
        city = City(connection, tmp_path, NOW)
        back = read_closures(city, city.roads(), NOW)
    ours = place(roads, *rows)
    for name in ("closed", "capacity_factors", "speed_limits", "max_heights", "max_weights", "max_widths"):
        assert np.allclose(getattr(back, name), getattr(ours, name)), name
    # Loaded again nothing changes; with prune what the feed lost is gone.
    assert import_feed(engine, content, "cantho works", tmp_path, author="test").unchanged == 5
    less = feed | {"features": feed["features"][-1:]}
    assert import_feed(engine, orjson.dumps(less), "cantho works", tmp_path, author="test", prune=True).pruned == 4
    none = import_feed(engine, orjson.dumps(feed | {"features": []}), "cantho works", tmp_path, author="test")
    assert none.read == 0 and "no events" in none.notes[0]
    with engine.connect() as connection:
        city = City(connection, tmp_path, NOW)
        assert name_closed(roads, read_closures(city, city.roads(), NOW).closed) == ["N0<"]


def test_what_is_no_feed_is_an_input_error() -> None:
    for content in (b"", b"[]", b'{"type": "FeatureCollection", "features": []}', b"{" * 100):
        with pytest.raises(InputError):
            read_feed(content)
    header = {"feed_info": {"version": "4.1"}, "type": "FeatureCollection"}
    with pytest.raises(InputError, match="features"):
        read_feed(orjson.dumps(header))
    _, rows = read_feed(orjson.dumps(header | {"features": [1, {}, {"properties": {"core_details": 5, "lanes": 3}}]}))
    assert len(rows) == 3


def test_limits_come_in_the_units_of_the_standard() -> None:
    limits = [
        {"type": "reduced-height", "value": 10, "unit": "feet"},
        {"type": "gross-weight-limit", "value": 5, "unit": "tons"},
        {"type": "reduced-width", "value": 250, "unit": "meters"},
    ]
    feature = {"id": "A", "properties": {"restrictions": limits}}
    feed = {"feed_info": {"version": "4.2"}, "type": "FeatureCollection", "features": [feature]}
    [row] = read_feed(orjson.dumps(feed))[1]
    assert row["properties"]["max_height"] == pytest.approx(3.048)
    assert row["properties"]["max_weight"] == pytest.approx(4.536, abs=1e-3)
    assert row["properties"]["max_width"] == "250 meters"
