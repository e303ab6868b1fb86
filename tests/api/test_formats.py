"""Items as files: chosen by ``f`` or by ``Accept``, whole, in any CRS, and never cut silently."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
from starlette.testclient import TestClient

import api.export
from api.export import MEDIA_TYPES
from tests.api.conftest import TREES

PATH = "/api/collections/trees/items"
CITY = "http://www.opengis.net/def/crs/EPSG/0/5897"
WHOLE = {"fgb": "fgb", "parquet": "parquet", "gpkg": "gpkg", "geojson": "geojson"}


def read(content: bytes, form: str, folder: Path) -> gpd.GeoDataFrame:
    path = folder / f"trees.{form}"
    path.write_bytes(content)
    return gpd.read_parquet(path) if form == "parquet" else pyogrio.read_dataframe(path)


@pytest.mark.parametrize("form", ["csv", "fgb", "parquet", "gpkg"])
def test_a_file_is_chosen_by_f_or_by_accept(client: TestClient, form: str) -> None:
    kind = MEDIA_TYPES[form]
    named = client.get(PATH, params={"f": form})
    asked = client.get(PATH, headers={"accept": kind.partition(";")[0] + ", */*;q=0.1"})
    for answer in (named, asked):
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.headers["content-disposition"] == f'attachment; filename="trees.{form}"'
        assert "accept" in answer.headers["vary"].lower()
    assert client.get(PATH, params={"f": "json"}, headers={"accept": kind}).headers["content-type"].endswith("json")


@pytest.mark.parametrize("form", WHOLE)
def test_a_file_holds_every_item_with_its_values_and_its_crs(client: TestClient, form: str, tmp_path: Path) -> None:
    asked = {"f": form, "filter": "height > 3", "properties": "species,height", "sortby": "height"}
    found = read(client.get(PATH, params=asked).content, form, tmp_path)
    pages = client.get(PATH, params={**asked, "f": "json", "limit": "1000"}).json()["features"]
    assert found.crs.to_epsg() == 4326
    assert set(found.columns) == {"id", "species", "height", "geometry"}
    told = {one["id"]: (one["properties"]["height"], one["geometry"]["coordinates"]) for one in pages}
    assert set(found["id"]) == set(told)
    for row in found.itertuples():
        height, place = told[row.id]
        assert row.height == height
        assert [row.geometry.x, row.geometry.y] == pytest.approx(place, abs=1e-7)
    if form != "geojson":
        moved = read(client.get(PATH, params={**asked, "crs": CITY}).content, form, tmp_path)
        assert moved.crs.to_epsg() == 5897
        # In a file x comes first, whatever the register says.
        assert 579_000 < moved.geometry.x.min() < 600_000


def test_geoparquet_says_crs_type_and_bounds(client: TestClient, tmp_path: Path) -> None:
    found = client.get("/api/collections/buildings/items", params={"f": "parquet", "crs": CITY}).content
    metadata = pq.ParquetFile(io.BytesIO(found)).metadata.metadata
    geo: dict[str, Any] = json.loads(metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert (geo["version"], column["encoding"], column["geometry_types"]) == ("1.1.0", "WKB", ["MultiPolygon"])
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 5897}
    assert column["bbox"] == pytest.approx(read(found, "parquet", tmp_path).total_bounds.tolist())


@pytest.mark.parametrize("form", [*WHOLE, "csv", "xlsx"])
def test_a_file_of_nothing_is_a_file(client: TestClient, form: str, tmp_path: Path) -> None:
    answer = client.get(PATH, params={"f": form, "filter": "FALSE"})
    assert answer.status_code == 200, answer.text
    if form in WHOLE:
        assert len(read(answer.content, form, tmp_path)) == 0


def test_csv_has_one_line_an_item_and_is_sent_small(client: TestClient) -> None:
    answer = client.get(PATH, params={"f": "csv", "sortby": "id"}, headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    table = pd.read_csv(io.StringIO(answer.content.decode()))
    assert list(table["id"]) == [f"t{number:05d}" for number in range(TREES)]
    assert {"lon", "lat"} < set(table.columns)
    with client.stream("GET", PATH, params={"f": "csv"}, headers={"accept-encoding": "gzip"}) as raw:
        assert gzip.decompress(b"".join(raw.iter_raw())).startswith(b"id,species")
    plain = client.get(PATH, params={"f": "csv"}, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "wkt" in client.get("/api/collections/buildings/items", params={"f": "csv"}).text.splitlines()[0]


@pytest.mark.parametrize("form", ["csv", "fgb", "xlsx"])
def test_more_than_a_file_holds_is_refused_not_cut(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(api.export, "MAX_ROWS", TREES - 1)
    monkeypatch.setattr(api.export, "MAX_WHOLE_ROWS", TREES - 1)
    answer = client.get(PATH, params={"f": form})
    assert answer.status_code == 413
    assert f"more than {TREES - 1} items" in answer.json()["detail"]


def test_a_file_of_the_past_is_of_the_past(client: TestClient) -> None:
    answer = client.get(PATH, params={"f": "csv", "datetime": "2001-01-01"})
    assert answer.text.count("\n") == 1


@pytest.mark.parametrize("asked", [{"f": "kml", "crs": CITY}, {"f": "geojson", "crs": CITY}, {"f": "exe"}])
def test_what_a_format_cannot_hold_is_refused(client: TestClient, asked: dict[str, str]) -> None:
    assert client.get(PATH, params=asked).status_code == 400
