"""Sewers of the layers as a network: what fits is kept, what is missing is assumed and counted, nothing is silent."""

from collections.abc import Callable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from twin.processes.sewer_network import Network, read_network

CRS = "EPSG:5897"
KNOWN = {"ground_elevation": 2.0, "invert_elevation": 0.5}
PIPE = {"shape": "circular", "height": 0.5, "length": 50.0, "from_invert": 0.5, "to_invert": 0.5, "mannings_n": 0.013}


class Layers:
    """A city that has the two drainage layers and no more."""

    def __init__(self, nodes: Sequence[dict[str, Any]], links: Sequence[dict[str, Any]]) -> None:
        self.frames = {"drainage_nodes": list(nodes), "drainage_links": list(links)}

    def layer(self, layer_id: str, *, columns: Sequence[str]) -> gpd.GeoDataFrame:
        rows = self.frames[layer_id]
        frame = gpd.GeoDataFrame(rows, geometry=[row["geometry"] for row in rows], crs=CRS)
        return gpd.GeoDataFrame(frame.reindex(columns=["id", *columns, "geometry"]), geometry="geometry", crs=CRS)


def node(name: str, kind: str, x: float, **values: Any) -> dict[str, Any]:
    return {"id": name, "node_type": kind, "geometry": shapely.Point(x, 0.0), **KNOWN, **values}


def link(name: str, kind: str, start: float, end: float, **values: Any) -> dict[str, Any]:
    line = shapely.LineString([(start, 0.0), (end, 0.0)])
    return {"id": name, "link_type": kind, "geometry": line, "is_active": True, **PIPE, **values}


@pytest.fixture
def read() -> Callable[..., Network]:
    """Return a function nodes, links → the network over ground at 3 m."""

    def call(nodes: Sequence[dict[str, Any]], links: Sequence[dict[str, Any]], *closed: str, **more: Any) -> Network:
        return read_network(Layers(nodes, links), lambda x, y: np.full(x.shape, 3.0), closed, **more)  # type: ignore[arg-type]

    return call


NODES = (node("A", "manhole", 0.0), node("B", "inlet", 50.0), node("O", "outfall", 100.0, has_gate=True))
LINKS = (
    link("P1", "conduit", 0.0, 50.0, from_node="A", to_node="B"),
    link("P2", "conduit", 50.0, 100.0, from_node="B", to_node="O"),
)


def test_a_network_that_lacks_nothing_is_taken_as_it_is(read: Callable[..., Network]) -> None:
    network = read(NODES, LINKS)
    assert network.counts == {}
    assert [(found.id, found.start, found.end) for found in network.links] == [("P1", "A", "B"), ("P2", "B", "O")]
    assert [(found.invert, found.rim, found.has_gate) for found in network.nodes.values()] == [
        (0.5, 2.0, False),
        (0.5, 2.0, False),
        (0.5, 2.0, True),
    ]
    sunk = read(NODES, LINKS, sunk=0.3)
    assert sunk.nodes["A"].rim == pytest.approx(1.7) and sunk.links[0].start_invert == pytest.approx(0.2)


def test_what_is_missing_is_assumed_and_counted(read: Callable[..., Network]) -> None:
    nodes = (
        node("A", "manhole", 0.0, ground_elevation=None, max_depth=1.8),
        node("B", "inlet", 50.0, ground_elevation=None, invert_elevation=None),
        node("C", "inlet", 75.0, invert_elevation=None),
        node("O", "outfall", 100.0, invert_elevation=None, max_depth=1.0),
    )
    bare = {"shape": None, "height": None, "length": None, "from_invert": None, "to_invert": None, "mannings_n": None}
    links = (
        link("P1", "conduit", 0.0, 50.4, **bare),
        link("P2", "conduit", 50.0, 75.0, from_node="B", to_node="C", to_invert=0.9),
        link(
            "P3", "open_channel", 75.0, 100.0, from_node="C", to_node="O", shape="trapezoidal", height=None, width=None
        ),
    )
    network = read(nodes, links)
    assert network.counts == {
        "ends_found_by_place": 2,
        "heights_assumed": 2,
        "inverts_from_depth": 1,
        "inverts_from_links": 2,
        "inverts_lowered_to_links": 1,
        "lengths_measured": 1,
        "link_ends_at_node_inverts": 2,
        "rims_assumed": 2,
        "roughness_assumed": 1,
        "shapes_assumed": 1,
        "widths_assumed": 1,
    }
    # A from its invert and depth, B from the ground and P2, C from P2's end or P3's start, O from P3 below its own.
    assert [(n.invert, n.rim) for n in network.nodes.values()] == [(0.5, 2.3), (0.5, 3.0), (0.5, 2.0), (0.5, 2.0)]
    first = network.links[0]
    assert (first.shape, first.height, first.length, first.mannings_n) == ("circular", 0.6, pytest.approx(50.4), 0.014)
    assert (first.start_invert, first.end_invert) == (0.5, 0.5)


def test_parts_without_an_outfall_and_strangers_are_left_out(read: Callable[..., Network]) -> None:
    nodes = (*NODES, node("D", "manhole", 300.0), node("E", "manhole", 350.0), node("F", "manhole", 900.0))
    nodes += (node("G", "junction", 600.0), node("H", "junction", 640.0), node("S", "manhole", 0.0, system="sanitary"))
    links = (
        *LINKS,
        link("P3", "conduit", 300.0, 350.0, from_node="D", to_node="E"),
        link("G1", "gate", 600.0, 640.0, from_node="G", to_node="H"),
        link("P4", "conduit", 0.0, 700.0, from_node="A", to_node="nobody"),
        link("P5", "conduit", 0.0, 100.0, from_node="A", to_node="O", is_active=False),
        link("P6", "conduit", 0.0, 100.0, from_node="A", to_node="O", system="sanitary"),
        link("W1", "pump", 0.0, 100.0, from_node="A", to_node="O", capacity=0.0),
    )
    network = read(nodes, links)
    assert [found.id for found in network.links] == ["P1", "P2"]
    assert network.counts == {
        "links_of_the_surface": 1,
        "links_out_of_use": 1,
        "links_without_nodes": 1,
        "links_without_outfall": 1,
        "nodes_without_link": 1,
        "nodes_without_outfall": 2,
        "pumps_without_capacity": 1,
    }


def test_an_outfall_has_one_link_that_ends_there(read: Callable[..., Network]) -> None:
    links = (
        LINKS[0],
        link("P2", "conduit", 100.0, 50.0, from_node="O", to_node="B", from_invert=0.5, to_invert=0.8),
        link("W1", "pump", 0.0, 100.0, from_node="A", to_node="O", capacity=0.5),
    )
    network = read(NODES, links)
    assert [(found.start, found.end) for found in network.links[1:]] == [("B", "O"), ("A", "O/W1")]
    assert (network.links[1].start_invert, network.links[1].end_invert) == (0.8, 0.5)
    assert network.nodes["O/W1"].has_gate and network.nodes["O/W1"].kind == "outfall"
    through = read(NODES, (*LINKS, link("W1", "pump", 100.0, 0.0, from_node="O", to_node="A", capacity=0.5)))
    assert through.nodes["O"].kind == "junction" and through.counts == {"outfalls_passed_through": 1}


def test_a_closed_gate_lets_nothing_through(read: Callable[..., Network]) -> None:
    links = (LINKS[0], LINKS[1], link("G1", "gate", 0.0, 100.0, from_node="A", to_node="O", crest_elevation=0.5))
    assert len(read(NODES, links).links) == 3
    closed = read(NODES, links, "G1")
    assert [found.id for found in closed.links] == ["P1", "P2"] and closed.counts == {"links_out_of_use": 1}


def test_a_city_without_drainage_has_an_empty_network(read: Callable[..., Network]) -> None:
    empty = read((), ())
    assert empty.links == [] and empty.nodes == {} and empty.counts == {}
