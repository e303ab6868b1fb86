"""``twin network``: what is typed and what comes back."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Engine, text

from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from tests.twin.network_grid import LAYERS, place

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(scope="module", autouse=True)
def grid(engine: Engine) -> None:
    """The grid in the database; a pipe beside it, and a valve off every pipe."""
    with engine.begin() as connection:
        for layer, frame in LAYERS.items():
            upsert_features(connection, read_vector_layer(layer), frame, source_id="grid")
        lone = shapely.LineString([place(8, 8), place(9, 8)])
        for layer, item, shape, columns in (
            ("water_pipes", "LONE", lone, {"pipe_type": "service"}),
            ("water_valves", "LOST", shapely.Point(place(2.5, 2.5)), {"valve_type": "isolation"}),
        ):
            extra = gpd.GeoDataFrame({"id": [item], **columns}, geometry=[shape], crs="EPSG:5897")
            upsert_features(connection, read_vector_layer(layer), extra, source_id="more")


def test_networks_are_listed_and_built(run: Run, engine: Engine) -> None:
    listed = run("network", "--json")
    assert listed.returncode == 0, listed.stderr
    rows = {row["id"]: row for row in json.loads(listed.stdout)}
    assert list(rows) == ["water", "drainage", "sewer", "lighting", "power"]
    water = rows["water"]
    assert water["links"] == 50 and water["valves"] == 25 and water["sources"] == 1 and water["unresolved"] == 3
    with engine.begin() as connection:
        connection.execute(text("delete from network.stop where commodity = 'water'"))
    built = run("network", "build", "water", "--json")
    (again,) = json.loads(built.stdout)
    assert again["links"] == water["links"] and again["stamp"] != water["stamp"]


def test_faults_are_listed_and_written_to_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "faults.geojson"
    checked = run("network", "check", "water", "--json", "--output", path)
    assert checked.returncode == 1, checked.stderr
    (report,) = json.loads(checked.stdout)
    assert report["counts"] == {"dangling_end": 2, "disconnected_part": 1, "unconnected_point": 1}
    assert report["errors"] == 1 and report["warnings"] == 3 and report["parts"] == 3
    lost = report["findings"][-1]
    assert (
        lost["items"] == ["LOST"] and lost["layer"] == "water_valves" and lost["fix"]["en"].startswith("Put the point")
    )
    written = gpd.read_file(path)
    assert len(written) == 4 and set(written["kind"]) == set(report["counts"])
    assert written.geometry.iloc[0].x == pytest.approx(report["findings"][0]["place"][0])
