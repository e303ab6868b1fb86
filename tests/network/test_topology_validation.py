"""Each kind of fault is found where it was made, and nothing in a sound network."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, Point

from layers.errors import InputError
from network.findings import FIXES, Finding
from network.graph import build_graph
from network.topology import build_topology, take_parts
from network.validation import validate_sewer, validate_topology


def check(lines: list[LineString], points: tuple[Point, ...] = (), *, tree: bool = False) -> list[Finding]:
    return validate_topology(build_topology(lines, points), [f"p{k}" for k in range(len(lines))], tree=tree)


def test_a_sound_network_has_no_faults() -> None:
    lines = [LineString([(0, 0), (5, 0)]), LineString([(5, 0), (9, 0)]), LineString([(5, 0), (5, 4)])]
    assert check(lines, (Point(0, 0), Point(9, 0), Point(5, 4)), tree=True) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([[(0, 0), (9, 0)], [(4, 0.3), (4, 5)]], Finding("near_miss", ("p1", "p0"), 4.0, 0.3, pytest.approx(0.3))),
        ([[(0, 0), (9, 0)]], Finding("dangling_end", ("p0",), 9.0, 0.0, None)),
        ([[(0, 0), (4, 4)], [(0, 4), (4, 0)]], Finding("crossing_without_node", ("p0", "p1"), 2.0, 2.0, None)),
        ([[(0, 0), (4, 0)], [(0, 9), (2, 9)]], Finding("disconnected_part", ("p1",), 0.0, 9.0, 2.0)),
        ([[(0, 0), (4, 0)], [(4, 0), (0, 0)]], Finding("duplicate", ("p0", "p1"), 0.0, 0.0, 4.0)),
        ([[(0, 0), (4, 0)], [(1, 0), (6, 0)]], Finding("duplicate", ("p0", "p1"), 1.0, 0.0, 3.0)),
        ([[(0, 0), (4, 0)], [(2, 0), (2, 0.0005)]], Finding("zero_length", ("p1",), 2.0, 0.0, pytest.approx(0.0005))),
    ],
)
def test_a_fault_is_found_in_its_place(lines: list[list[tuple[float, float]]], expected: Finding) -> None:
    assert expected in check([LineString(each) for each in lines])


def test_a_loop_counts_only_where_there_must_be_none() -> None:
    ring = [LineString([(0, 0), (3, 0)]), LineString([(3, 0), (0, 4)]), LineString([(0, 4), (0, 0)])]
    assert check(ring) == []
    assert check(ring, tree=True) == [Finding("loop", ("p0", "p1", "p2"), 0.0, 0.0, 12.0)]


def test_faults_of_levels_and_diameters() -> None:
    graph = build_graph([0, 1, 2], [1, 2, 3], node_ids=["a", "b", "c", "d"], link_ids=["x", "y", "z"])
    xy = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [30.0, 0.0]])
    found = validate_sewer(
        graph,
        xy,
        from_inverts=np.array([1.0, 0.8, np.nan]),
        to_inverts=np.array([0.8, 0.9, 0.5]),
        ground=np.array([2.0, 2.0, 0.75, np.nan]),
        diameters=np.array([0.6, 0.4, 0.4]),
    )
    assert found == [
        Finding("missing_invert", ("z",), 25.0, 0.0, None),
        Finding("adverse_slope", ("y",), 15.0, 0.0, pytest.approx(0.1)),
        Finding("invert_above_ground", ("y", "c"), 20.0, 0.0, pytest.approx(0.15)),
        Finding("big_into_small", ("y", "x"), 10.0, 0.0, pytest.approx(0.2)),
    ]


def test_every_fix_is_told_in_two_languages() -> None:
    assert all(vi and en and vi != en for vi, en in FIXES.values())
    assert set(Finding("loop", (), 0.0, 0.0, None).fix) == {"vi", "en"}
    with pytest.raises(InputError, match="1 ids for 0 lines"):
        validate_topology(build_topology([]), ["a"])


def test_the_mains_of_nanaimo_are_reported(shared: Callable[[str], Path]) -> None:
    pipes = gpd.read_file(shared("nanaimo-water/pipes.shp"))
    lines, owners = take_parts(shapely.force_2d(pipes.geometry.to_numpy()))
    found = validate_topology(build_topology(lines), pipes["PIPEID"].to_numpy()[owners])
    kinds = Counter(each.kind for each in found)
    assert kinds["disconnected_part"] == 60
    assert kinds["crossing_without_node"] == 207
