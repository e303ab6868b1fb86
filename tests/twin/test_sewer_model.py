"""The SWMM model of a small network: SWMM reads it as it is meant, and it meets the surface where it should."""

from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from hydrology.coupling import OutfallMouth
from hydrology.drainage import Drainage
from layers.errors import InputError
from layers.grid import Grid
from twin.processes.flood_inputs import FloodDomain
from twin.processes.sewer_model import SewerModel, build_sewer
from twin.scenario import CloseGate, OperatePump, Scenario

CRS = "EPSG:5897"
NOTHING = Scenario(datetime(2026, 1, 1, tzinfo=UTC))
NODES = (
    ("Hố 1", "manhole", 15.0, 2.0, 0.5),
    ("B", "inlet", 55.0, 2.0, 0.4),
    ("J", "junction", 75.0, 2.0, 0.3),
    ("S", "storage", 75.0, 2.0, -1.0),
    ("O", "outfall", 105.0, 2.0, 0.2),
    ("P", "outfall", 85.0, 2.0, 0.2),
    ("off", "outfall", 900.0, 2.0, 0.2),
    ("deep", "manhole", 5.0, 9.0, 0.5),
)
LINKS = (
    ("C1", "conduit", "Hố 1", "B", {"height": 0.5}),
    ("C2", "conduit", "B", "J", {"shape": "rect_closed", "height": 0.6, "width": 0.9}),
    ("C3", "open_channel", "J", "O", {"shape": "trapezoidal", "height": 1.0, "width": 2.0}),
    ("W1", "weir", "J", "S", {"height": 1.0, "width": 3.0, "crest_elevation": 1.5}),
    ("K1", "pump", "S", "P", {"capacity": 0.25}),
    ("G1", "gate", "B", "off", {"shape": "rect_closed", "height": 0.5, "width": 0.5, "crest_elevation": 0.4}),
    ("C4", "conduit", "deep", "Hố 1", {"height": 0.5}),
)


class Layers:
    """A city with the network above and a basin around S."""

    def layer(self, layer_id: str, *, columns: Any) -> gpd.GeoDataFrame:
        place = {name: (x, 15.0 if name == "S" else 45.0) for name, _, x, _, _ in NODES}
        rows: list[dict[str, Any]] = []
        match layer_id:
            case "drainage_nodes":
                for name, kind, _, rim, invert in NODES:
                    own = {"node_type": kind, "ground_elevation": rim, "invert_elevation": invert}
                    rows.append({"id": name, "geometry": shapely.Point(place[name]), "has_gate": name == "O", **own})
            case "drainage_links":
                for name, kind, start, end, more in LINKS:
                    line = shapely.LineString([place[start], place[end]])
                    own = {"link_type": kind, "from_node": start, "to_node": end, "mannings_n": 0.013}
                    rows.append({"id": name, "geometry": line, "is_active": True, "shape": "circular", **own, **more})
            case _:
                rows = [{"id": "basin", "water_type": "basin", "geometry": shapely.box(60.0, 0.0, 90.0, 30.0)}]
        frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)
        return gpd.GeoDataFrame(frame.reindex(columns=["id", *columns, "geometry"]), geometry="geometry", crs=CRS)


@pytest.fixture
def domain() -> FloodDomain:
    """Ground at 2 m on 6 × 12 cells of 10 m, a river in the last column and a basin with its level at 0.5 m."""
    grid = Grid(6, 12, 0.0, 60.0, 10.0, CRS)
    bed, flat = np.full(grid.shape, 2.0), np.ones(grid.shape)
    river, basin = np.zeros(grid.shape, dtype=bool), np.zeros(grid.shape, dtype=bool)
    river[:, 11], basin[3:, 6:9] = True, True
    bed[river], bed[basin] = -3.0, 0.5
    return FloodDomain(
        grid=grid, bed=bed, mannings_n=0.03 * flat, runoff=flat, depth=0.0 * flat, stage_cells=river,
        water=river | basin, structures=(),
    )  # fmt: skip


@pytest.fixture
def model(domain: FloodDomain) -> SewerModel:
    """The model of the network above."""
    return build_sewer(Layers(), domain, NOTHING)  # type: ignore[arg-type]


def test_it_meets_the_surface_at_manholes_inlets_and_open_water(model: SewerModel) -> None:
    assert [(opening.node, opening.row, opening.col) for opening in model.openings] == [
        ("Hố_1", 1, 1),
        ("B", 1, 5),
        ("S", 4, 7),
    ]
    assert model.ids["Hố_1"] == "Hố 1"
    # The river lies beside O; from P the basin is as near as reach allows, and off lies beyond the map.
    assert model.mouths == (OutfallMouth("O", 1, 11), OutfallMouth("P", 3, 8))
    assert model.takes == {"C1", "C2", "C3", "W1", "K1", "G1", "C4"}
    assert model.counts == {
        "lengths_measured": 4,
        "link_ends_at_node_inverts": 8,
        "links": 7,
        "mouths": 2,
        "nodes": 8,
        "openings": 3,
        "openings_far_from_the_terrain": 1,
        "outfalls_off_the_map": 1,
    }


def test_swmm_reads_what_is_meant(model: SewerModel) -> None:
    with Drainage(model.text, duration_s=7200.0) as drainage:
        nodes = drainage.nodes
        assert drainage.flow_unit == "CMS"
        kinds = dict(zip(nodes.ids, nodes.kinds, strict=True))
        assert kinds == {
            "Hố_1": "junction", "B": "junction", "J": "junction", "deep": "junction", "S": "storage", "O": "outfall",
            "P": "outfall", "off": "outfall",
        }  # fmt: skip
        assert dict(zip(nodes.ids, nodes.flap_gate, strict=True))["O"]
        at = nodes.find(["Hố_1", "S"])
        assert nodes.invert[at] == pytest.approx([0.5, -1.0]) and nodes.rim[at] == pytest.approx([2.0, 2.0])
        drainage.couple(["Hố_1", "B", "S"])
        drainage.set_outfall_stages([drainage.outfalls.index("O")], np.array([1.0]))
        # The basin stands at its level of 0.5 m, and the pump that starts 0.1 m above it is still.
        assert drainage.heads()[2] == pytest.approx(0.5)
        drainage.set_inflows(np.array([0.0, 0.0, 0.0]))
        drainage.advance(600.0)
        assert drainage.outfall_volumes[drainage.outfalls.index("P")] == 0.0
        # 900 m2 of basin rise by 0.133 m, and the pump takes its 0.25 m3/s until the level is back.
        drainage.set_inflows(np.array([0.0, 0.0, 0.4]))
        drainage.advance(300.0)
        drainage.set_inflows(np.array([0.0, 0.0, 0.0]))
        drainage.advance(3600.0)
        assert drainage.heads()[2] == pytest.approx(0.5, abs=0.01)
        pumped = drainage.outfall_volumes[drainage.outfalls.index("P")]
        assert pumped == pytest.approx(120.0, abs=5.0)
        # Storm water goes past the sealed junction to the river, and no drop is lost above it.
        drainage.set_inflows(np.array([0.2, 0.0, 0.0]))
        drainage.advance(1800.0)
        totals = drainage.totals()
        out = sum(drainage.outfall_volumes)
        assert totals.flooded == 0.0
        assert out - pumped == pytest.approx(0.2 * 1800.0, rel=0.25)
        assert drainage.outfall_volumes.min() > -1.0


def test_edits_of_gates_and_plans_of_pumps(domain: FloodDomain) -> None:
    closed = build_sewer(Layers(), domain, NOTHING.with_edit(CloseGate("G1")))  # type: ignore[arg-type]
    assert "G1" not in closed.takes and "[ORIFICES]" not in closed.text
    planned = NOTHING.with_edit(OperatePump("K1", (0.0,), (1.0,)))
    with pytest.raises(InputError, match="pump 'K1' is run by hand and part of the sewers"):
        build_sewer(Layers(), domain, planned)  # type: ignore[arg-type]


def test_a_city_without_sewers_is_refused(domain: FloodDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.twin.test_sewer_model.LINKS", LINKS[:2])
    with pytest.raises(InputError, match="no storm sewer that ends in an outfall: 2 links without outfall, 5 nodes"):
        build_sewer(Layers(), domain, NOTHING)  # type: ignore[arg-type]
