"""A model of the layers that stands alone: SWMM reads it as it is meant, and water comes out where it should."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from hydrology.design_storm import build_storm, fit_curve
from hydrology.rainfall import RainSeries
from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from layers.ingest.swmm.check import check_document
from layers.ingest.swmm.document import write_document
from tests.twin.swmm_cases import Outcome, run_document
from twin.scenario import CloseGate, Scenario, StopPump
from twin.swmm.building import CityModel, build_model

CRS = "EPSG:5897"
START = datetime(2026, 11, 1, tzinfo=UTC)
STORM = build_storm(fit_curve(60.0, 3600.0), 3600.0)
NODES = (
    ("Hố 1", "manhole", 0.0, 0.0, 2.5, 1.0),
    ("B", "inlet", 60.0, 0.0, 2.4, 0.8),
    ("O", "outfall", 120.0, 0.0, 2.4, 0.6),
    ("S", "storage", 60.0, -40.0, 2.0, -0.5),
    ("far", "manhole", 5000.0, 0.0, 2.0, 0.5),
    ("pond", "outfall", 5060.0, 0.0, 2.0, 0.2),
)
LINKS = (
    ("C1", "conduit", "Hố 1", "B", {"height": 0.6}),
    ("C2", "conduit", "B", "O", {"height": 0.8}),
    ("G", "gate", "B", "S", {"height": 0.5, "width": 0.5, "crest_elevation": 1.2}),
    ("K", "pump", "S", "B", {"capacity": 0.05}),
    ("C9", "conduit", "far", "pond", {"height": 0.5}),
)
AREAS: tuple[tuple[str, str | None, tuple[float, float, float, float], dict[str, float]], ...] = (
    ("A1", "Hố 1", (-60.0, 0.0, 20.0, 50.0), {"impervious": 0.8, "slope": 0.01, "width": 40.0, "area": 4000.0}),
    ("A2", "elsewhere", (30.0, 0.0, 90.0, 50.0), {}),
    ("A3", None, (9000.0, 0.0, 9050.0, 50.0), {}),
)


class City:
    """The network above on flat ground, with a pond at the second outfall; ``without`` layers are empty."""

    crs = CRS

    def __init__(self, *without: str) -> None:
        self.without = without

    def layer(self, layer_id: str, *, columns: Sequence[str], bounds: Any = None) -> gpd.GeoDataFrame:
        place = {name: (x, y) for name, _, x, y, _, _ in NODES}
        rows: list[dict[str, Any]] = []
        match layer_id:
            case "drainage_nodes":
                for name, kind, x, y, rim, invert in NODES:
                    own = {"node_type": kind, "ground_elevation": rim, "invert_elevation": invert}
                    rows.append({"id": name, "geometry": shapely.Point(x, y), "has_gate": name == "O", **own})
            case "drainage_links":
                for name, kind, start, end, more in LINKS:
                    line = shapely.LineString([place[start], place[end]])
                    own = {
                        "link_type": kind,
                        "from_node": start,
                        "to_node": end,
                        "shape": "circular",
                        "is_active": True,
                    }
                    rows.append({"id": name, "geometry": line, **own, **more})
            case "catchments":
                for name, outlet, box, more in AREAS:
                    shape = shapely.MultiPolygon([shapely.box(*box)])
                    rows.append({"id": name, "outlet_node": outlet, "geometry": shape, **more})
            case _:
                rows = [{"id": "ao", "water_type": "pond", "geometry": shapely.box(5050.0, -10.0, 5080.0, 10.0)}]
        frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)
        frame = gpd.GeoDataFrame(frame.reindex(columns=["id", *columns, "geometry"]), geometry="geometry", crs=CRS)
        return frame.iloc[:0] if layer_id in self.without else frame

    def raster(self, layer_id: str) -> tuple[NDArray[np.float32], Grid]:
        raise NotFoundError(f"no {layer_id}")


def build(*without: str, **options: Any) -> CityModel:
    """Return the model of the city for three hours."""
    return build_model(City(*without), start=START, hours=3.0, **options)  # type: ignore[arg-type]


def run(model: CityModel) -> Outcome:
    """Return what SWMM makes of it."""
    check_document(model.inp)
    outcome = run_document(model.inp, {})
    assert outcome.error == ""
    return outcome


def read_total(report: str, name: str) -> float:
    """Return the last number of the first line of a report that begins with ``name``."""
    line = next(line for line in report.splitlines() if line.strip().startswith(name))
    return float(line.split()[-1])


def test_rain_runs_through_pipes_to_the_tide() -> None:
    stage = (np.array([0.0, 10800.0]), np.array([0.2, 0.65]))
    model = build(rain=STORM, stage=stage, title="Thử")
    report = run(model).report
    assert read_total(report, "Total Precipitation") == pytest.approx(60.0, rel=2e-3)
    assert read_total(report, "Wet Weather Inflow") > 0.1
    errors = [float(line.split()[-1]) for line in report.splitlines() if line.strip().startswith("Continuity Error")]
    assert errors and all(abs(error) < 0.5 for error in errors)
    outfalls = {row.words[0]: row.words[2:] for row in model.inp.rows("OUTFALLS")}
    assert outfalls["O"][0] == "TIMESERIES" and outfalls["O"][2] == "YES"
    # Still water has no tide.
    assert outfalls["pond"][0] == "FREE"
    assert model.inp.title == "Thử"
    assert model.inp.option("START_DATE") == "11/01/2026" and model.inp.option("END_TIME") == "03:00:00"


def test_catchments_drain_to_their_outlet_or_the_nearest_inlet() -> None:
    model = build(rain=STORM)
    rows = {row.words[0]: row for row in model.inp.rows("SUBCATCHMENTS")}
    assert [(name, row.words[2]) for name, row in rows.items()] == [("A1", "Hố_1"), ("A2", "B")]
    assert [rows["A1"].read_number(at) for at in (3, 4, 5, 6)] == [0.4, 80.0, 40.0, 1.0]
    assert rows["A2"].read_number(3) == pytest.approx(0.3)
    assert model.counts["catchments_to_nearest_inlet"] == 1 and model.counts["catchments_without_outlet"] == 1
    assert model.counts["imperviousness_assumed"] == 1
    assert (model.nodes["Hố_1"], model.links["C1"], model.catchments["A1"]) == ("Hố 1", "C1", "A1")


def test_without_catchments_inlets_drain_what_is_around_them() -> None:
    model = build("catchments", rain=STORM)
    rows = model.inp.rows("SUBCATCHMENTS")
    # The one inlet of the network.
    assert [(row.words[0], row.words[2]) for row in rows] == [("B~2", "B")]
    assert model.catchments["B~2"] == "B"
    assert rows[0].read_number(3) == pytest.approx(np.pi * 50.0**2 / 1e4, rel=0.01)
    run(model)


def test_bounds_keep_whole_parts() -> None:
    model = build(bounds=(-10.0, -10.0, 10.0, 10.0))
    assert set(model.nodes.values()) == {"Hố 1", "B", "O", "S"}
    assert model.inp.names("SUBCATCHMENTS") == ["A1"]
    with pytest.raises(InputError, match="no storm sewer that ends in an outfall within the bounds"):
        build(bounds=(200.0, 0.0, 300.0, 1.0))


def test_gates_and_pumps_of_a_scenario_are_left_out() -> None:
    scenario = Scenario(START, (CloseGate("G"), StopPump("K")))
    model = build(scenario=scenario)
    assert set(model.links.values()) == {"C1", "C2", "C9"}


def test_a_dry_model_opens_and_nothing_flows() -> None:
    model = build()
    assert read_total(run(model).report, "Wet Weather Inflow") == 0.0
    assert "NaN" not in write_document(model.inp)


def test_rain_in_unequal_steps_keeps_its_depth() -> None:
    rain = RainSeries(np.array([0.0, 400.0, 1000.0]), np.array([36.0, 18.0, 0.0]))
    assert read_total(run(build(rain=rain)).report, "Total Precipitation") == pytest.approx(7.0, rel=5e-3)


@pytest.mark.parametrize("hours", [0.0, -1.0, 1e6])
def test_a_duration_that_cannot_be_is_refused(hours: float) -> None:
    with pytest.raises(InputError, match=r"a model of .* h, expected above 0"):
        build_model(City(), start=START, hours=hours)  # type: ignore[arg-type]


def test_a_city_without_sewers_is_refused() -> None:
    with pytest.raises(InputError, match="no storm sewer that ends in an outfall: none at all"):
        build("drainage_nodes", "drainage_links")
