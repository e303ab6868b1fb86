"""Earthworks of a scenario: what is dug and raised on the grid, what water does there, and bad drawings named."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import shapely
from pydantic import ValidationError

from layers.datum import CRS84, make_transformer
from layers.errors import InputError
from tests.twin.conftest import CRS, X0, Y0, MemoryCity
from twin.process import Quiet
from twin.processes.flood_inputs import FloodDomain, build_domain, read_terrain
from twin.processes.flood_scenario import FloodScenarioInputs, build_scenario, compute
from twin.processes.flood_water import Levels
from twin.scenario import BuildDyke, DigPond, EditedCity, Places, RaiseRoad, Scenario, WidenCanal

BASE = Scenario(datetime(2026, 10, 25, 6, tzinfo=UTC))
LEVELS = Levels(start=1.0, highest=1.1, usual=1.0)


def degrees(*cells: tuple[float, float]) -> Places:
    """Return places given in columns and rows of the tiny city."""
    transform = make_transformer(CRS, CRS84).transform
    return tuple(transform(X0 + col * 10.0, Y0 - row * 10.0) for col, row in cells)


def write(kind: str, *cells: tuple[float, float]) -> str:
    """Return a drawing as WKT."""
    corners = ", ".join(f"{lon:.7f} {lat:.7f}" for lon, lat in degrees(*cells))
    return f"{kind} (({corners}))" if kind == "POLYGON" else f"{kind} ({corners})"


def prepare(city: MemoryCity, *edits: Any) -> FloodDomain:
    scenario = BASE
    for edit in edits:
        scenario = scenario.with_edit(edit)
    bed, grid = read_terrain(city, 10.0)
    return build_domain(EditedCity(city, scenario), scenario, bed, grid, LEVELS)


POND = ((30, 5), (34, 5), (34, 9), (30, 9), (30, 5))


def test_a_pond_is_dug_to_its_volume_and_is_water(city) -> None:
    before, after = prepare(city), prepare(city, DigPond(degrees(*POND), 2.0))
    np.testing.assert_allclose(before.bed[5:9, 30:34] - after.bed[5:9, 30:34], 2.0)
    outside = np.ones(after.bed.shape, dtype=bool)
    outside[5:9, 30:34] = False
    np.testing.assert_array_equal(before.bed[outside], after.bed[outside])
    assert after.water[5:9, 30:34].all() and not before.water[5:9, 30:34].any()
    assert not after.depth[5:9, 30:34].any() and not after.stage_cells[5:9, 30:34].any()
    (note,) = after.notes["earthworks"]
    assert note == {"edit": "DigPond", "drawn_volume": pytest.approx(3200.0, abs=1.0), "volume": 3200.0}
    assert "earthworks" not in before.notes


def test_cells_that_a_pond_covers_in_part_give_their_part(city) -> None:
    half = ((30, 5), (34.5, 5), (34.5, 9), (30, 9), (30, 5))
    domain = prepare(city, DigPond(degrees(*half), 2.0))
    assert domain.notes["earthworks"][0]["volume"] == pytest.approx(3600.0)


def test_a_canal_open_to_the_river_begins_full_and_one_that_is_not_empty(city) -> None:
    domain = prepare(city, WidenCanal(degrees((24, 20), (40, 20)), 20.0, 2.0))
    assert domain.bed[19:21, 30] == pytest.approx(prepare(city).bed[19:21, 30] - 2.0)
    assert domain.depth[19:21, 30] == pytest.approx(1.0 - domain.bed[19:21, 30])
    assert domain.water[19:21, 25:40].all()
    lone = prepare(city, WidenCanal(degrees((30, 30), (40, 30)), 20.0, 2.0))
    assert not lone.depth[29:31, 30:40].any()


def test_a_raised_road_and_a_dyke_are_crests_along_the_ground(city) -> None:
    ground = prepare(city)
    domain = prepare(
        city, RaiseRoad(degrees((30, 10.5), (50, 10.5)), 10.0, 0.5), BuildDyke(degrees((30, 30), (50, 30)), 0.8)
    )
    np.testing.assert_allclose(domain.bed[10, 30:50], ground.bed[10, 30:50] + 0.5)
    np.testing.assert_array_equal(domain.bed[30], ground.bed[30])
    crests = domain.walls.y[30, 30:50]
    assert (crests >= ground.bed[30, 30:50] + 0.8 - 1e-9).all()
    assert np.diff(crests).max() > 0.0, "the crest follows the rising ground"


def test_works_beyond_the_land_are_named(city) -> None:
    with pytest.raises(InputError, match=r"DigPond at .* covers no land of the terrain on cells of 10 m"):
        prepare(city, DigPond(degrees((0, 0), (3, 0), (3, 3), (0, 0)), 2.0))
    with pytest.raises(InputError, match=r"dyke at .* lies outside the terrain"):
        prepare(city, BuildDyke(degrees((-90, 0), (-80, 0)), 1.0))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ponds", {"area": "POLYGON"}, "is not WKT"),
        ("ponds", {"area": "LINESTRING (105 10, 106 11)"}, "is not a POLYGON"),
        ("ponds", {"area": "POLYGON ((105 10, 106 11, 106 10, 105 11, 105 10))"}, "crosses itself"),
        ("ponds", {"area": write("POLYGON", *POND), "depth": 90}, "less than or equal to 20"),
        ("canals", {"line": "LINESTRING (105 10, 106 95)"}, "lies beyond"),
        ("raised_roads", {"line": f"LINESTRING ({', '.join(['105 10', '105.1 10'] * 300)})"}, "600 corners"),
        ("new_dykes", {"height": 1.0}, "Field required"),
    ],
)
def test_a_bad_drawing_is_named(name: str, value: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        FloodScenarioInputs.model_validate({name: [value]})


def test_a_run_with_works_tells_them_and_loses_no_water(city) -> None:
    inputs = FloodScenarioInputs.model_validate(
        {
            "base_time": BASE.base_time,
            "horizon_hours": 1.0,
            "stage_level": 1.5,
            "storm_depth": 60.0,
            "storm_hours": 1.0,
            "ponds": [{"area": write("POLYGON", *POND), "depth": 1.5}],
            "canals": [{"line": write("LINESTRING", (24, 20), (40, 20)), "width": 20, "depth": 2}],
            "new_dykes": [{"line": write("LINESTRING", (30, 30), (50, 30))}],
        }
    )
    assert len(build_scenario(inputs, BASE.base_time).edits) == 5
    outputs = compute(city, inputs, Quiet())
    assert outputs.title.vi.endswith("1 hồ điều hòa, 1 đoạn kênh mở rộng, 1 đoạn đê mới")
    assert abs(outputs.balance["relative_error"]) < 1e-9
    assert [note["edit"] for note in outputs.parameters["city"]["earthworks"]] == ["DigPond", "WidenCanal", "BuildDyke"]
    depth = outputs.rasters["flood_depth_max"].array
    assert np.isnan(depth[5:9, 30:34]).all(), "a pond is no land that floods"


def test_a_drawn_ring_of_shapely_reads_as_it_was_written() -> None:
    ring = shapely.Polygon(degrees(*POND)).wkt
    inputs = FloodScenarioInputs.model_validate({"ponds": [{"area": ring}]})
    assert len(inputs.list_works()) == 1
