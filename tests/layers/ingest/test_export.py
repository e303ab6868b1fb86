"""What is exported comes back the same; a failed export leaves what was there."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from layers.errors import CrsError, InputError
from layers.ingest.crs import read_crs, transform
from layers.ingest.export import export_features, export_rows
from layers.ingest.readers import read_file
from layers.ingest.writers import shorten_names
from layers.registry import read_vector_layer

ROADS = read_vector_layer("road_links")


@pytest.fixture
def roads() -> gpd.GeoDataFrame:
    starts = np.arange(3) * 100.0
    lines = [shapely.LineString([(580_000 + x, 1_108_000), (580_050 + x, 1_108_000.5)]) for x in starts]
    return gpd.GeoDataFrame(
        {
            "id": ["a", "b", "c"],
            "name": ["Đường 3/2", None, "Hẻm 51"],
            "road_class": "residential",
            "lanes": [2, None, 1],
            "width": [7.5, None, 3.25],
            "is_bridge": pd.Series([True, None, False], dtype=object),
        },
        geometry=lines,
        crs="EPSG:5897",
    )


@pytest.mark.parametrize("name", ["r.gpkg", "r.geojson", "r.fgb", "r.zip"])
def test_every_format_comes_back(tmp_path: Path, roads: gpd.GeoDataFrame, name: str) -> None:
    assert export_features(roads, ROADS, tmp_path / name) == 3
    raw = read_file(tmp_path / name)
    back = raw.frame.set_index("id").loc[["a", "b", "c"]]
    assert back["name"].fillna("").tolist() == ["Đường 3/2", "", "Hẻm 51"]
    assert back["lanes"].fillna(-1).tolist() == [2, -1, 1]
    assert back["width"].fillna(-1).tolist() == [7.5, -1, 3.25]
    assert raw.shapes is not None
    assert raw.crs is not None
    there = transform(raw.shapes, read_crs(raw.crs), read_crs("EPSG:5897"))
    moved = there[np.argsort(raw.frame["id"])]
    assert shapely.equals_exact(moved, roads.geometry.to_numpy(), tolerance=0.001).all()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_csv_has_wkt_for_lines_and_lon_lat_for_points(tmp_path: Path, roads: gpd.GeoDataFrame) -> None:
    export_features(roads, ROADS, tmp_path / "r.csv", crs="EPSG:5897")
    assert pd.read_csv(tmp_path / "r.csv")["wkt"][0] == "LINESTRING (580000 1108000, 580050 1108000.5)"
    signals = roads[["id", "name"]].set_geometry(shapely.points([580_000.0] * 3, 1_108_000.0), crs="EPSG:5897")
    export_features(signals, read_vector_layer("signals"), tmp_path / "s.csv")
    assert pd.read_csv(tmp_path / "s.csv")[["lon", "lat"]].iloc[0].between([105.7, 10.0], [105.8, 10.1]).all()


def test_a_shapefile_explains_its_short_names(tmp_path: Path, roads: gpd.GeoDataFrame) -> None:
    export_features(roads, ROADS, tmp_path / "r.zip")
    with zipfile.ZipFile(tmp_path / "r.zip") as archive:
        fields = pd.read_csv(archive.open("fields.csv")).set_index("property")["field"]
    assert fields["road_class"] == "road_class"
    assert shorten_names(["elevation_of_rim", "elevation_of_bed", "elevation_"]) == {
        "elevation_of_rim": "elevation1",
        "elevation_of_bed": "elevation2",
        "elevation_": "elevation_",
    }


def test_an_empty_layer_is_a_file_without_rows(tmp_path: Path, roads: gpd.GeoDataFrame) -> None:
    assert export_features(roads.iloc[:0], ROADS, tmp_path / "r.gpkg") == 0
    assert list(gpd.read_file(tmp_path / "r.gpkg").columns[:2]) == ["id", "name"]


def test_what_cannot_be_written_is_named(tmp_path: Path, roads: gpd.GeoDataFrame) -> None:
    with pytest.raises(InputError, match=r"'\.doc' cannot be written — use one of \.gpkg"):
        export_features(roads, ROADS, tmp_path / "r.doc")
    with pytest.raises(InputError, match=r"folder .*gone does not exist"):
        export_features(roads, ROADS, tmp_path / "gone" / "r.gpkg")
    with pytest.raises(CrsError, match="GeoJSON is in WGS 84, not EPSG:5897"):
        export_features(roads, ROADS, tmp_path / "r.geojson", crs="EPSG:5897")


def test_a_failed_export_leaves_the_old_file(
    tmp_path: Path, roads: gpd.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.gpkg").write_text("precious")

    def fail(_frame: object, path: Path, **_words: object) -> None:
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr("pyogrio.write_dataframe", fail)
    with pytest.raises(OSError, match="disk full"):
        export_features(roads, ROADS, tmp_path / "r.gpkg")
    assert [path.name for path in tmp_path.iterdir()] == ["r.gpkg"]
    assert (tmp_path / "r.gpkg").read_text() == "precious"


def test_quarantined_rows_go_to_a_map_or_a_table(tmp_path: Path, make_source: Callable[..., object]) -> None:
    rows = [
        {"id": "a", "height": -1, "_wkt": "POINT (580000 1108000)", "_crs": "EPSG:5897", "_reason": "outside"},
        {"id": "b", "height": "tall", "_wkt": "POINT (1e30 1e30)", "_crs": "EPSG:5897", "_reason": "far"},
        {"id": "c", "height": 3, "_reason": "no geometry"},
    ]
    assert export_rows(rows, tmp_path / "q.csv") == 3
    assert pd.read_csv(tmp_path / "q.csv")["_reason"].tolist() == ["outside", "far", "no geometry"]
    assert export_rows(rows, tmp_path / "q.geojson") == 3
    back = gpd.read_file(tmp_path / "q.geojson")
    assert back.geometry.isna().tolist() == [False, True, True]
    assert back.geometry.iloc[0].x == pytest.approx(105.73, abs=0.02)
    with pytest.raises(InputError, match=r"use \.csv, \.xlsx or \.geojson"):
        export_rows(rows, tmp_path / "q.gpkg")
