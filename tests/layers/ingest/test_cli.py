"""The real command: files in and out, one line and a non-zero exit for a mistake."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import geopandas as gpd
import pytest

from layers.ingest.quality import LoadReport
from tests.commands import run_twin
from twin.cli import main
from twin.commands.load_report import print_reports

Trees = Callable[[int], gpd.GeoDataFrame]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def city_url(make_database: Callable[..., str]) -> Iterator[str]:
    yield make_database("cli_ingest")


@pytest.fixture
def run(city_url: str, tmp_path: Path) -> Run:
    settings = {**os.environ, "TWIN_DATABASE_URL": city_url, "TWIN_DATA_DIR": str(tmp_path / "data")}
    return partial(run_twin, settings=settings)


def test_load_look_export(run: Run, tmp_path: Path, tree_frame: Trees) -> None:
    frame = tree_frame(20)
    frame.loc[3, "height"] = -1.0
    frame.to_file(tmp_path / "Cây Xanh.gpkg")
    loaded = run("load", tmp_path / "Cây Xanh.gpkg", "--layer", "trees", "--source", "trees-1", "--json")
    assert loaded.returncode == 0, loaded.stderr
    (report,) = json.loads(loaded.stdout)
    assert (report["read"], report["loaded"], report["quarantined"]) == (20, 19, 1)
    assert (
        "height: outside 0 to 1000 m"
        in run("load", tmp_path / "Cây Xanh.gpkg", "--layer", "trees", "--source", "trees-1").stdout
    )
    trees = next(row for row in json.loads(run("layers", "--json").stdout) if row["id"] == "trees")
    assert (trees["count"], trees["sources"], trees["geometry"]) == (19, ["trees-1"], "Point")
    listed = json.loads(run("quarantine", "list", "--layer", "trees", "--json").stdout)
    assert listed["summary"][0]["count"] == 1
    assert listed["rows"][0]["row"] == 4
    assert run("quarantine", "export", "--to", tmp_path / "q.csv").returncode == 0
    mended = (tmp_path / "q.csv").read_text().replace("-1", "1")
    assert "outside 0 to 1000 m" in mended
    written = run("export", "trees", "--to", tmp_path / "out.geojson", "--bbox", "105.7,10.0,105.75051,10.03")
    assert written.returncode == 0, written.stderr
    # Trees stand every 0.0001 degrees from 105.75 on; the fourth is in the quarantine. Through the city's CRS and back
    # a place returns to a tenth of a millimetre, so none stands on the edge of the box.
    assert len(gpd.read_file(tmp_path / "out.geojson")) == 5


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("load", "gone.gpkg", "--layer", "trees"), "gone.gpkg does not exist"),
        (("load", "gone.gpkg"), "which layer does it go to?"),
        (("load",), "nothing to load"),
        (("load", "a.csv", "--catalog"), "not both"),
        (("load", "--catalog"), "catalogue"),
        (("load", "a.csv", "--layer", "trees", "--source", "Ä b"), "source id 'Ä b'"),
        (("export", "shrubs", "--to", "a.gpkg"), "layer 'shrubs' is not declared"),
        (("export", "trees", "--to", "a.xyz"), "'.xyz' cannot be written"),
        (("export", "trees", "--to", "a.gpkg", "--bbox", "1,2,3"), "is not four numbers"),
        (("export", "trees", "--to", "a.gpkg", "--bbox", "5,2,3,4"), "is not west < east"),
        (("quarantine", "export", "--to", "a.gpkg"), "use .csv, .xlsx or .geojson"),
    ],
)
def test_a_mistake_is_one_line(
    city_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    named: str,
) -> None:
    # The command's own door in this process: starting a new one for every mistake takes seconds.
    monkeypatch.setattr(sys, "argv", ["twin", *words])
    monkeypatch.setenv("TWIN_DATABASE_URL", city_url)
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr()
    assert left.value.code == 1
    assert said.out == ""
    assert named in said.err
    assert len(said.err.splitlines()) == 1


def test_rows_no_layer_wanted_are_told_of_every_source(capsys: pytest.CaptureFixture[str]) -> None:
    print_reports(
        [LoadReport("terrain", "terrain"), *(LoadReport("osm", layer, skipped=3) for layer in ("trees", "buildings"))]
    )
    told = [line.strip() for line in capsys.readouterr().out.splitlines() if "no layer" in line]
    assert told == ["osm: 3 rows of the file went to no layer"]
