"""Raster layers as OGC collections: map tilesets, parts as GeoTIFF, positions as CoverageJSON."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rasterio.io import MemoryFile
from starlette.testclient import TestClient

from api.links import Links
from api.routes.raster_collections import describe_raster_collections, read_raster_collection
from layers.errors import NotFoundError
from tests.api.conftest import ADDRESS, BOUNDS, X0, Y0
from tests.api.test_rasters import TILE

OGC = "http://www.opengis.net/def/rel/ogc/1.0"
MIDDLE = ((BOUNDS[0] + BOUNDS[2]) / 2, BOUNDS[1] + 0.002)
PLACE = f"POINT({MIDDLE[0]:.6f} {MIDDLE[1]:.6f})"


def find_links(described: dict[str, Any], rel: str) -> list[dict[str, Any]]:
    return [link for link in described["links"] if link["rel"] == rel]


@pytest.fixture
def described(client: TestClient) -> list[dict[str, Any]]:
    resources = client.app.state.resources  # type: ignore[attr-defined]
    with resources.engine.connect() as connection:
        return describe_raster_collections(connection, resources, Links(ADDRESS))


def test_layers_with_a_raster_are_collections(described: list[dict[str, Any]]) -> None:
    by_id = {each["id"]: each for each in described}
    assert list(by_id) == ["terrain", "flood_depth"]
    terrain, depth = by_id["terrain"], by_id["flood_depth"]
    assert terrain["extent"]["spatial"]["bbox"] == [list(BOUNDS)]
    assert "temporal" not in terrain["extent"]
    assert depth["extent"]["temporal"]["interval"] == [["2026-11-01T00:00:00Z", "2026-11-01T02:00:00Z"]]
    assert depth["extent"]["temporal"]["grid"]["cellsCount"] == 3
    for each in described:
        assert each["itemType"] == "coverage"
        assert each["storageCrs"].endswith("/5897")
        assert {link["rel"] for link in each["links"]} >= {"self", f"{OGC}/map", f"{OGC}/tilesets-map"}
        assert each["parameter_names"][each["id"]]["unit"]["symbol"]["value"] == each["unit"] == "m"


def test_one_raster_is_a_collection_too(client: TestClient, described: list[dict[str, Any]]) -> None:
    resources = client.app.state.resources  # type: ignore[attr-defined]
    raster_id = described[1]["raster"]
    with resources.engine.connect() as connection:
        one = read_raster_collection(raster_id, connection, resources, Links(ADDRESS))
        assert (one["id"], one["raster"]) == (raster_id, raster_id)
        assert one["extent"] == described[1]["extent"]
        for wrong in ("trees", "flood_stage_max", "nothing"):
            with pytest.raises(NotFoundError):
                read_raster_collection(wrong, connection, resources, Links(ADDRESS))


def test_links_of_a_raster_collection_lead_somewhere(client: TestClient, described: list[dict[str, Any]]) -> None:
    assert client.get("/api/collections").json()["collections"][-len(described) :] == described
    for each in described:
        for link in each["links"]:
            answer = client.get(link["href"])
            assert answer.status_code == 200, link
            assert answer.headers["content-type"].split(";")[0] == link["type"].split(";")[0], link


@pytest.mark.conformance(
    "ogcapi-tiles-1/1.0/conf/geodata-tilesets", "ogcapi-tiles-1/1.0/conf/png", "ogcapi-tiles-1/1.0/conf/jpeg"
)
@pytest.mark.parametrize(("fmt", "kind"), [("png", "PNG"), ("webp", "WEBP"), ("jpeg", "JPEG")])
def test_a_map_tileset_leads_to_its_tiles(
    client: TestClient, described: list[dict[str, Any]], fmt: str, kind: str
) -> None:
    """From the collection by its links to the list, the tileset and a tile, which is that of the XYZ address."""
    [listed] = find_links(described[0], f"{OGC}/tilesets-map")
    tilesets = client.get(listed["href"]).json()["tilesets"]
    assert [each["dataType"] for each in tilesets] == ["map"]
    tileset = client.get(find_links(tilesets[0], "self")[0]["href"]).json()
    assert tileset["tileMatrixSetURI"] == "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
    z, x, y = (int(part) for part in TILE.split("/"))
    limits = next(each for each in tileset["tileMatrixSetLimits"] if each["tileMatrix"] == str(z))
    assert limits["minTileCol"] <= x <= limits["maxTileCol"]
    assert limits["minTileRow"] <= y <= limits["maxTileRow"]
    [item] = [link for link in find_links(tileset, "item") if link["type"] == f"image/{fmt}"]
    assert item["templated"] is True
    answer = client.get(item["href"].format(tileMatrix=z, tileRow=y, tileCol=x))
    assert answer.headers["content-type"] == f"image/{fmt}"
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.format, picture.size) == (kind, (256, 256))
    plain = Image.open(io.BytesIO(client.get(f"/tiles/raster/terrain/{TILE}.png").content)).convert("RGBA")
    if fmt != "jpeg":
        shown = np.asarray(plain)
        same = np.asarray(picture.convert("RGBA")) == shown
        assert same[shown[..., 3] > 0].all()
    again = client.get(str(answer.request.url), headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def test_map_tiles_of_a_series_are_chosen_by_datetime(client: TestClient) -> None:
    z, x, y = TILE.split("/")
    address = f"/api/collections/flood_depth/map/tiles/WebMercatorQuad/{z}/{y}/{x}"
    tags = [
        client.get(f"{address}?datetime={when}").headers["etag"]
        for when in ("2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z", "2026-11-01T00:30:00Z/..")
    ]
    assert len(set(tags)) == 3
    assert client.get(address).headers["etag"] == tags[0]
    for wrong in ("datetime=2020-01-01", "f=gif", "time=2026-11-01T00:00:00Z"):
        assert client.get(f"{address}?{wrong}").status_code == 400
    assert client.get(address.replace("WebMercatorQuad", "Other")).status_code == 404
    assert client.get(address.replace("flood_depth", "trees")).status_code == 404


def test_a_coverage_holds_the_cells_of_the_box(client: TestClient) -> None:
    west, south, _, _ = BOUNDS
    box = f"{west + 0.004},{south + 0.004},{west + 0.008},{south + 0.006}"
    answer = client.get(f"/api/collections/terrain/coverage?bbox={box}")
    assert answer.headers["content-type"].startswith("image/tiff; application=geotiff")
    with MemoryFile(answer.content) as file, file.open() as part:
        assert part.crs.to_epsg() == 5897
        assert part.res == (10.0, 10.0)
        # 0.004° are 438 m: 44 columns, and the ones cut by the edge.
        assert 43 <= part.width <= 47
        first = (part.bounds.left - (X0 - 100.0)) / 10.0
        wanted = -1.0 + 4.0 / 199.0 * (first + np.arange(part.width))
        assert np.abs(part.read(1) - wanted).max() < 1e-4
    with (
        MemoryFile(client.get("/api/collections/terrain/coverage?scale-factor=10").content) as file,
        file.open() as few,
    ):
        assert (few.shape, few.res) == ((20, 20), (100.0, 100.0))
        assert few.bounds == (X0 - 100.0, Y0 - 1000.0, X0 + 1900.0, Y0 + 1000.0)
        # The mean of ten columns in a row that rise evenly.
        assert np.abs(few.read(1)[5] - (-1.0 + 4.0 / 199.0 * (4.5 + 10.0 * np.arange(20)))).max() < 1e-4


def test_a_coverage_of_a_series_has_a_band_a_time(client: TestClient) -> None:
    address = "/api/collections/flood_depth/coverage"
    with MemoryFile(client.get(f"{address}?datetime=2026-11-01T00:30:00Z/..").content) as file, file.open() as part:
        assert part.descriptions == ("2026-11-01T01:00:00Z", "2026-11-01T02:00:00Z")
        values = part.read()
        assert np.nanmax(values[0]) == pytest.approx(0.2)
        assert np.isnan(values[:, :100]).all()
    for wrong in ("bbox=1,1,2,2", "bbox=1,2", "datetime=2020-01-01", "scale-factor=0", "scale-factor=nan", "f=png"):
        assert client.get(f"{address}?{wrong}").status_code == 400, wrong
    assert client.get("/api/collections/terrain/coverage?datetime=2026-11-01").status_code == 400


def test_a_position_answers_with_the_series(client: TestClient) -> None:
    answer = client.get("/api/collections/flood_depth/position", params={"coords": PLACE})
    assert answer.headers["content-type"] == "application/prs.coverage+json"
    coverage = answer.json()
    assert coverage["domain"]["axes"]["t"]["values"][-1] == "2026-11-01T02:00:00Z"
    assert coverage["ranges"]["flood_depth"]["values"] == pytest.approx([0.0, 0.2, 0.4], abs=1e-6)
    fixed = client.get("/api/collections/terrain/position", params={"coords": PLACE, "crs": "CRS84"}).json()
    assert fixed["domain"]["domainType"] == "Point"
    assert fixed["ranges"]["terrain"]["shape"] == []
    some = client.get(
        "/api/collections/flood_depth/position",
        params={"coords": PLACE, "datetime": "2026-11-01T01:00:00Z", "f": "CSV", "parameter-name": "flood_depth"},
    )
    assert some.text.splitlines()[1].startswith("2026-11-01T01:00:00Z,")
    assert len(some.text.splitlines()) == 2


@pytest.mark.parametrize(
    "query",
    ["", "coords=POINT(1)", "coords=POLYGON((0 0,1 1,0 1,0 0))", f"coords={PLACE}&crs=EPSG:3857",
     f"coords={PLACE}&f=xml", f"coords={PLACE}&parameter-name=salt", f"coords={PLACE}&z=3",
     f"coords={PLACE}&datetime=2020-01-01"],
)  # fmt: skip
def test_a_position_that_cannot_be_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/api/collections/flood_depth/position?{query}").status_code == 400
