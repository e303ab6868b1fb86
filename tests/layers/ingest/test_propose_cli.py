"""``twin load --propose`` as a user types it: a mapping beside the file, found by the load that follows."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from tests.layers.ingest.legacy import write_tcvn3
from twin.cli import main

TABLE = """Mã hố ga,Kinh độ,Vĩ độ,Loại,Cao độ đáy (m),Hiện trạng,Người nhập
HG-1,105.7701,10.0301,Hố ga,-1.25,Tốt,Trần Văn Bình
HG-2,105.7702,10.0302,Cửa thu,-0.75,Hư hỏng,Trần Văn Bình
HG-3,105.7703,10.0303,Giếng lạ,-0.5,Tốt,Lê Thị Hoa
"""
Run = Callable[..., str]


@pytest.fixture(scope="module")
def city_url(make_database: Callable[..., str]) -> Iterator[str]:
    yield make_database("cli_propose")


@pytest.fixture
def run(city_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command in this process and gives what it printed, errors last."""
    monkeypatch.setenv("TWIN_DATABASE_URL", city_url)
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run_twin(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["twin", *words])
        try:
            main()
        except SystemExit as left:
            assert left.code in (0, None, 1)
        said = capsys.readouterr()
        return said.out + said.err

    return run_twin


def test_propose_review_load(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ho_ga.csv"
    file.write_text(TABLE, encoding="utf-8")
    said = run("load", "ho_ga.csv", "--propose")
    assert "drainage_nodes" in said
    assert "HG-1" in said
    # The third row's kind is known to nobody: the preview says so before anything is loaded.
    assert "row 3" in said
    mapping = tmp_path / "ho_ga.csv.mapping.yml"
    written = mapping.read_text(encoding="utf-8")
    assert 'no code found: "Giếng lạ" in 1 rows' in written
    assert "Trần" not in written
    assert "exists and may have been reviewed" in run("load", "ho_ga.csv", "--propose")
    reviewed = written.replace('"Hố ga": manhole', '"Hố ga": manhole\n          "Giếng lạ": manhole')
    assert reviewed != written
    mapping.write_text(reviewed, encoding="utf-8")
    (report,) = json.loads(run("load", "ho_ga.csv", "--json").splitlines()[0])
    assert (report["layer"], report["read"], report["loaded"]) == ("drainage_nodes", 3, 3)
    assert "mapping ho_ga.csv.mapping.yml, found beside the file" in report["notes"]


def test_propose_as_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TABLE, encoding="utf-8")
    made = json.loads(
        run("load", "a.csv", "--propose", "--json", "--to", str(tmp_path / "b.yml"), "--layer", "drainage_nodes")
    )
    assert made["draft"]["id"]["value"] == "Mã hố ga"
    assert {line["name"] for line in made["draft"]["properties"] if line["active"]} >= {"node_type", "invert_elevation"}
    assert made["preview"][0]["rows"][0]["invert_elevation"] == -1.25
    assert "Người nhập" in made["draft"]["ignore"]
    assert (tmp_path / "b.yml").is_file()


def test_a_table_of_a_file_has_a_mapping_of_its_own(
    run: Run, tmp_path: Path, tree_frame: Callable[..., object]
) -> None:
    frame = tree_frame(3)
    frame.to_file(tmp_path / "city.gpkg", layer="cay")  # type: ignore[attr-defined]
    frame.to_file(tmp_path / "city.gpkg", layer="cay_moi")  # type: ignore[attr-defined]
    assert "holds 2 tables" in run("load", "city.gpkg", "--propose")
    run("load", "city.gpkg", "--propose", "--table", "cay")
    assert (tmp_path / "city.gpkg.cay.mapping.yml").is_file()
    assert "OpenStreetMap" in run("load", "map.osm", "--propose")


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_an_old_shapefile_of_a_district(run: Run, tmp_path: Path) -> None:
    # As they come: TCVN3 text, names cut at ten letters, the grid of the province, no .prj and no .cpg.
    count = 30
    words = {"VAT_LIEU": ["Bê tông", "Gạch", "Đất"], "TINH_TRANG": ["Tốt", "Kém", "Hư hỏng"], "HE_THONG": ["Nước mưa"]}
    frame = gpd.GeoDataFrame(
        {name: [write_tcvn3(values[n % len(values)]) for n in range(count)] for name, values in words.items()}
        | {"MA_CONG": [f"C{n}" for n in range(count)], "DUONG_KINH": [(600, 800, 1000)[n % 3] for n in range(count)]},
        geometry=[shapely.LineString([(584000 + 50 * n, 1109000), (584040 + 50 * n, 1109000)]) for n in range(count)],
    )
    frame.to_file(tmp_path / "tuyen_cong.shp", encoding="ISO-8859-1", engine="pyogrio")
    (tmp_path / "tuyen_cong.cpg").unlink()
    said = run("load", "tuyen_cong.shp", "--propose")
    assert "drainage_links" in said
    assert "does not say its CRS" in said
    mapping = tmp_path / "tuyen_cong.shp.mapping.yml"
    written = mapping.read_text(encoding="utf-8")
    assert '"Bê tông": concrete' in written
    assert "unit: mm" in written
    assert '# crs: "EPSG:5897"' in written
    # The office takes the first CRS; that the lines are sewers, the file's own name says.
    reviewed = written.replace('# crs: "EPSG:5897"', 'crs: "EPSG:5897"')
    mapping.write_text(reviewed, encoding="utf-8")
    (report,) = json.loads(run("load", "tuyen_cong.shp", "--json").splitlines()[0])
    assert (report["layer"], report["read"], report["loaded"], report["quarantined"]) == ("drainage_links", 30, 30, 0)
