"""Wards in an ensemble: when water comes and goes in each, from the frames of its members."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from layers.grid import Grid
from twin.process import Quiet, parse_inputs
from twin.processes.flood_impact import Impact
from twin.processes.flood_summary import number_wards
from twin.processes.flood_wards import WardCells, find_ward_cells, summarize_wards
from twin.registry import PROCESSES

START = datetime(2026, 11, 29, 0, 0, tzinfo=UTC)
ENSEMBLE = PROCESSES["flood-ensemble"]


def make_impact(**wards: float) -> Impact:
    """Return an impact with a hospital and a school in each ward, and water of a depth [m]."""
    assets = gpd.GeoDataFrame(
        [
            {"asset_layer": "places", "category": category, "ward_code": code}
            for code in wards
            for category in ("hospital", "school", "clinic", "market")
        ],
        geometry=[box(0, 0, 1, 1)] * (4 * len(wards)),
    )
    counted = dict.fromkeys(
        ("people", "buildings", "road_length", "closed_road_length", "places", "cabinets", "pumps"), 7
    )
    rows = [{"ward_code": code, "depth_max": depth, **counted} for code, depth in wards.items()]
    return Impact(assets, {"by_ward": rows})


def test_hours_first_and_last_follow_the_frames() -> None:
    cells = WardCells(np.array([0, 3]), np.array([0, 1]), ("A", "B"), ("Phường A", "Phường B"))
    depth = np.array([[0.2, 0.0], [np.nan, 0.04]], dtype=np.float32)
    assert cells.count_wet(depth).tolist() == [1, 0], "a film is no flood, NaN is river"
    times = np.arange(9, dtype=np.float64) * 1800.0
    # Of four members one stays dry in A; in two water comes in the second hour, in one in the first and stays.
    wet = np.zeros((4, 9, 2), dtype=np.int32)
    wet[1, 3:5, 0] = 2
    wet[2, 3:6, 0] = 2
    wet[3, 1:, 0] = 5
    wet[3, 8, 1] = 1
    first, second = summarize_wards(cells, times, list(wet), START, (make_impact(A=0.34), make_impact(A=0.6, B=0.01)))
    assert first["probability"] == 0.75 and first["ward_name"] == "Phường A"
    assert first["hours"] == [0.25, 0.75, 0.75, 0.25]
    assert first["first_early"] == "2026-11-29T00:30:00Z" and first["first"] == "2026-11-29T01:30:00Z"
    assert first["last"] == "2026-11-29T02:30:00Z"
    assert first["likely"]["depth_class"] == "medium" and first["possible"]["depth_class"] == "high"
    assert first["likely"]["hospitals"] == 2 and first["likely"]["schools"] == 1 and first["likely"]["people"] == 7
    assert second["probability"] == 0.25 and second["last"] is None, "it stands there at the end of the run"
    assert second["likely"]["people"] == 0 and second["possible"]["depth_class"] is None


def test_an_ensemble_tells_of_every_ward(city) -> None:
    wanted = {"horizon_hours": 6.0, "cell_size": 10.0, "members": 3, "stage_level": 1.8, "ramp_hours": 1.0}
    outputs = ENSEMBLE.compute(city, parse_inputs(ENSEMBLE, wanted), Quiet())
    rows = outputs.summary["ensemble"]["wards"]
    assert [row["ward_code"] for row in rows] == list(city.layers["wards"]["ward_code"])
    wet = [row for row in rows if row["probability"] > 0.0]
    assert wet, "a high river reaches somebody"
    for row in wet:
        assert len(row["hours"]) == 6 and max(row["hours"]) <= row["probability"]
        assert row["first_early"] <= row["first"] <= row["first_late"]
        assert row["likely"]["people"] <= row["possible"]["people"]
    by_ward = {row["ward_code"]: row for row in outputs.summary["by_ward"]}
    assert all(row["likely"]["buildings"] == by_ward[row["ward_code"]]["buildings"] for row in wet)


def test_a_city_without_wards_has_none_to_tell_of(city, monkeypatch: pytest.MonkeyPatch) -> None:
    none = city.layers["wards"].iloc[:0]
    monkeypatch.setitem(city.layers, "wards", gpd.GeoDataFrame(pd.DataFrame(none), geometry="geometry", crs=none.crs))
    _, grid = city.rasters["terrain"]
    assert find_ward_cells(city, grid) is None


def test_all_wards_of_todays_can_tho_are_told_of(shared: Callable[[str], Path]) -> None:
    """103 wards and communes after the mergers of 2025, on cells of 250 m."""
    read = gpd.read_file(shared("vn-admin-2025/can_tho_wards_2025.geojson")).to_crs("EPSG:5897")
    wards = read.assign(ward_code=read["code"], name=read["fullName"])
    grid = Grid.covering(tuple(wards.total_bounds), 250.0, "EPSG:5897")
    number = number_wards(wards, grid)
    place = np.flatnonzero(number)
    cells = WardCells(
        place, number.ravel()[place].astype(np.int64) - 1, tuple(wards["ward_code"]), tuple(wards["name"])
    )
    # Water comes from the east, an hour a quarter of the city.
    east = np.linspace(0.0, 1.0, grid.cols)
    depths = [
        np.tile(np.where(east > 1.0 - hour / 4.0, 0.4, 0.0), (grid.rows, 1)).astype(np.float32) for hour in range(4)
    ]
    wet = np.stack([cells.count_wet(depth) for depth in depths])
    none = make_impact(nowhere=0.0)
    rows = summarize_wards(cells, np.arange(4.0) * 3600.0, [wet, np.zeros_like(wet)], START, (none, none))
    assert len(rows) == len({row["ward_code"] for row in rows}) == 103
    assert {row["probability"] for row in rows} == {0.0, 0.5}
    assert any(row["ward_name"] == "Phường Cái Khế" for row in rows)
    first = [row["first"] for row in rows if row["first"] is not None]
    assert len(set(first)) == 3 and all(row["last"] is None for row in rows)
