"""Raster tiles: colours by the ramp, clear where there is nothing, times, places."""

import csv
import io

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.io import MemoryFile
from starlette.testclient import TestClient

from api.rasters.pictures import build_palette, colour, write_png
from layers.datum import make_transformer
from layers.registry import RASTER_LAYERS, read_raster_layer
from tests.api.conftest import BOUNDS, X0, Y0
from tests.api.test_discovery import collect_links

TILE = "15/26008/15467"


def read_png(body: bytes) -> np.ndarray:
    """Return RGBA (4, rows, cols) of an indexed PNG, read by GDAL."""
    with MemoryFile(io.BytesIO(body)) as file, file.open() as picture:
        table = picture.colormap(1)
        return np.moveaxis(np.array([table.get(place, (0, 0, 0, 0)) for place in range(256)])[picture.read(1)], -1, 0)


def find_depth(client: TestClient) -> str:
    runs = client.get("/api/runs?process=flood-forecast").json()["runs"]
    done = next(run for run in runs if run["status"] == "successful")
    return str(client.get(f"/api/runs/{done['id']}").json()["rasters"][0]["id"])


def test_a_terrain_tile_has_the_colours_of_the_ramp(client: TestClient) -> None:
    answer = client.get(f"/tiles/raster/terrain/{TILE}.png")
    assert answer.headers["content-type"] == "image/png"
    rgba = read_png(answer.content)
    assert rgba.shape == (4, 256, 256)
    # The test terrain rises from -1 m in the west to 3 m in the east; the ramp goes from blue to brown.
    filled = np.flatnonzero(rgba[3].any(axis=0))
    west, east = rgba[:3, 128, filled[2]], rgba[:3, 128, filled[-3]]
    assert west[2] > west[0]
    assert east[0] > east[2]


def test_values_become_the_colour_of_their_place_in_the_ramp() -> None:
    layer = read_raster_layer("flood_depth")
    values = np.array([[np.nan, 0.0, 0.019, 0.02, 0.1, 0.2, 2.0, 50.0]])
    rgba = read_png(write_png(colour(values, layer), layer))[:, 0].T
    assert rgba[:3].tolist() == [[0, 0, 0, 0]] * 3
    assert rgba[3].tolist() == [0xD3, 0xEC, 0xF5, 0xB0]
    assert rgba[4].tolist() == [0xA6, 0xD8, 0xEC, 0xD0]
    # Half way from 0.1 m to 0.3 m lies half way between their colours.
    assert np.abs(rgba[5] - np.mean([[0xA6, 0xD8, 0xEC, 0xD0], [0x5F, 0xB2, 0xDB, 0xE0]], axis=0)).max() <= 2
    assert rgba[6].tolist() == rgba[7].tolist() == [0x26, 0x2C, 0x74, 0xF8]


def test_codes_keep_their_own_colour() -> None:
    layer = read_raster_layer("land_cover")
    rgba = read_png(write_png(colour(np.array([[0.0, 1.0, 2.0, 8.0, 9.0]]), layer), layer))[:, 0].T
    expected = ["#00000000", "#9cc6deff", "#d9d5cfff", "#e6ddd3ff", "#e6ddd3ff"]
    assert ["#" + "".join(f"{part:02x}" for part in cell) for cell in rgba] == expected


@pytest.mark.parametrize("layer_id", list(RASTER_LAYERS))
def test_every_ramp_has_a_palette(layer_id: str) -> None:
    layer = read_raster_layer(layer_id)
    stops, places, rgb, alpha = build_palette(layer)
    assert len(rgb) == 3 * len(alpha) <= 768
    assert alpha[0] == 0
    for (value, color), place in zip(layer.ramp, places, strict=True):
        wanted = bytes.fromhex(color[1:])
        assert bytes([*rgb[int(place) * 3 : int(place) * 3 + 3], alpha[int(place)]]) == wanted, value
    assert stops.tolist() == [value for value, _ in layer.ramp]


def test_the_drawn_legend_is_in_the_language_asked_for(client: TestClient) -> None:
    drawn = [client.get(f"/tiles/raster/terrain/legend.png{query}") for query in ("", "?lang=vi", "?lang=en")]
    assert [answer.headers["content-type"] for answer in drawn] == ["image/png"] * 3
    assert drawn[0].content == drawn[1].content != drawn[2].content
    assert client.get("/tiles/raster/terrain/legend.png?lang=fr").status_code == 400


def test_where_nothing_is_the_tile_is_clear_and_small(client: TestClient) -> None:
    answer = client.get("/tiles/raster/terrain/15/0/0.png")
    assert answer.status_code == 200
    assert len(answer.content) < 1500
    assert not read_png(answer.content)[3].any()


def test_a_series_is_chosen_by_time(client: TestClient) -> None:
    raster_id = find_depth(client)
    described = client.get(f"/tiles/raster/{raster_id}.json").json()
    assert described["times"] == ["2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z", "2026-11-01T02:00:00Z"]
    # Every cell of the test series has 0.2 m times the number of its band; the first is dry.
    dry = client.get(f"/tiles/raster/{raster_id}/{TILE}.png")
    wet = client.get(f"/tiles/raster/{raster_id}/{TILE}.png?time={described['times'][2]}")
    assert not read_png(dry.content)[3].any()
    colours = {tuple(cell) for cell in read_png(wet.content).reshape(4, -1).T.tolist()}
    assert len(colours - {(0, 0, 0, 0)}) == 1
    assert dry.headers["etag"] != wet.headers["etag"]
    carried = client.get(f"/tiles/raster/{raster_id}.json?time={described['times'][2]}").json()["tiles"][0]
    assert client.get(carried.format(z=15, x=26008, y=15467)).headers["etag"] == wet.headers["etag"]
    wrong = client.get(f"/tiles/raster/{raster_id}/{TILE}.png?time=2026-11-01T00:30:00Z")
    assert wrong.status_code == 400
    assert "from 2026-11-01T00:00:00Z to 2026-11-01T02:00:00Z" in wrong.json()["hint"]


def test_an_unchanged_picture_is_304(client: TestClient) -> None:
    etag = client.get(f"/tiles/raster/terrain/{TILE}.png").headers["etag"]
    assert client.get(f"/tiles/raster/terrain/{TILE}.png", headers={"if-none-match": etag}).status_code == 304


def test_values_at_a_place(client: TestClient) -> None:
    west, south, east, north = BOUNDS
    raster_id = find_depth(client)
    said = client.get(f"/tiles/raster/{raster_id}/point?lon={(west + east) / 2}&lat={south + 0.002}").json()
    assert said["unit"] == "m"
    assert len(said["times"]) == 3
    assert said["values"] == pytest.approx([0.0, 0.2, 0.4], abs=1e-6)
    masked = client.get(f"/tiles/raster/{raster_id}/point?lon={(west + east) / 2}&lat={north - 0.002}").json()
    assert masked["values"] == [None, None, None]
    outside = client.get("/tiles/raster/terrain/point?lon=0&lat=0").json()
    assert outside == {"times": None, "values": [None], "unit": "m", "symbol": "m"}


def test_a_layer_stands_for_its_newest_raster(client: TestClient) -> None:
    raster_id = find_depth(client)
    assert (
        client.get("/tiles/raster/flood_depth.json")
        .json()["tiles"][0]
        .startswith(f"http://127.0.0.1:8000/tiles/raster/{raster_id}/")
    )
    assert client.get(f"/tiles/raster/flood_depth/{TILE}.png").status_code == 200
    assert client.get("/tiles/raster/no_such_layer.json").status_code == 404
    assert client.get("/tiles/raster/flood_stage_max.json").status_code == 404


@pytest.mark.parametrize(("suffix", "kind", "width"), [(".webp", "WEBP", 256), ("@2x.png", "PNG", 512)])
def test_tiles_come_as_webp_and_at_double_size(client: TestClient, suffix: str, kind: str, width: int) -> None:
    plain = np.asarray(Image.open(io.BytesIO(client.get(f"/tiles/raster/terrain/{TILE}.png").content)).convert("RGBA"))
    answer = client.get(f"/tiles/raster/terrain/{TILE}{suffix}")
    picture = Image.open(io.BytesIO(answer.content))
    assert answer.headers["content-type"] == f"image/{kind.lower()}"
    assert (picture.format, picture.width) == (kind, width)
    found = np.asarray(picture.convert("RGBA"))
    if width == 256:
        assert (found == plain)[plain[..., 3] > 0].all()
    empty = client.get(f"/tiles/raster/terrain/15/0/0{suffix}")
    assert not np.asarray(Image.open(io.BytesIO(empty.content)).convert("RGBA"))[..., 3].any()


def test_datetime_means_what_time_means(client: TestClient) -> None:
    address = f"/tiles/raster/{find_depth(client)}/{TILE}.png"
    second = client.get(f"{address}?time=2026-11-01T01:00:00Z").headers["etag"]
    for asked in ("2026-11-01T01:00:00Z", "2026-11-01T08:00:00%2B07:00", "2026-11-01T00:30:00Z/2026-11-01T01:30:00Z"):
        assert client.get(f"{address}?datetime={asked}").headers["etag"] == second
    assert client.get(f"{address}?datetime=2026-11-01").status_code == 200
    for wrong in ("datetime=2027-01-01/..", "datetime=yesterday", "time=2026-11-01T01:00:00Z&datetime=2026-11-01"):
        assert client.get(f"{address}?{wrong}").status_code == 400
    assert client.get(f"/tiles/raster/terrain/{TILE}.png?datetime=2026-11-01").status_code == 400


def test_a_series_at_a_place_comes_in_three_formats(client: TestClient) -> None:
    west, south, east, _ = BOUNDS
    address = f"/tiles/raster/{find_depth(client)}/point?lon={(west + east) / 2:.6f}&lat={south + 0.002:.6f}"
    plain = client.get(address).json()
    rows = list(csv.DictReader(io.StringIO(client.get(f"{address}&f=csv").text)))
    assert [row["time"] for row in rows] == plain["times"]
    assert [float(row["value"]) for row in rows] == pytest.approx(plain["values"])
    assert {row["unit"] for row in rows} == {"m"}
    answer = client.get(f"{address}&f=covjson")
    assert answer.headers["content-type"] == "application/prs.coverage+json"
    coverage = answer.json()
    assert coverage["domain"]["domainType"] == "PointSeries"
    assert coverage["domain"]["axes"]["t"]["values"] == plain["times"]
    assert coverage["ranges"]["flood_depth"]["shape"] == [3]
    assert coverage["ranges"]["flood_depth"]["values"] == pytest.approx(plain["values"])
    assert coverage["parameters"]["flood_depth"]["unit"]["symbol"]["value"] == "m"
    later = client.get(f"{address}&datetime=2026-11-01T00:30:00Z/..").json()
    assert (later["times"], later["values"]) == (plain["times"][1:], plain["values"][1:])
    assert client.get(f"{address}&datetime=2020-01-01").status_code == 400


def test_values_along_a_line(client: TestClient) -> None:
    """The terrain rises from −1 m to 3 m over 1990 m from west to east: so does the line."""
    to_degrees = make_transformer("EPSG:5897", "OGC:CRS84")
    ends = [to_degrees.transform(x, Y0) for x in (X0 + 200.0, X0 + 1200.0)]
    line = f"LINESTRING({ends[0][0]} {ends[0][1]}, {ends[1][0]} {ends[1][1]})"
    said = client.get("/tiles/raster/terrain/profile", params={"coords": line, "samples": 101}).json()
    assert said["distances"] == pytest.approx(np.linspace(0.0, 1000.0, 101), abs=0.1)
    # A value is that of its cell of 10 m, whose middle is at most 5 m away; the ground rises 0.02 m a cell.
    wanted = -1.0 + 4.0 / 199.0 * ((300.0 + np.array(said["distances"])) / 10.0 - 0.5)
    assert np.abs(np.array(said["values"]) - wanted).max() <= 0.5 * 4.0 / 199.0 + 1e-3
    rows = list(csv.DictReader(io.StringIO(
        client.get("/tiles/raster/terrain/profile", params={"coords": line, "samples": 101, "f": "csv"}).text
    )))  # fmt: skip
    assert [float(row["value"]) for row in rows] == pytest.approx(said["values"])
    outside = client.get("/tiles/raster/terrain/profile?coords=LINESTRING(105 10, 105.1 10)").json()
    assert set(outside["values"]) == {None}


@pytest.mark.parametrize(
    "query",
    ["coords=POINT(105 10)", "coords=LINESTRING(1)", "coords=LINESTRING(999 0, 0 0)", "coords=x", "",
     "coords=LINESTRING EMPTY", "coords=LINESTRING(105 10, 105.1 10)&samples=1", "coords=LINESTRING(0 0,1 nan)"],
)  # fmt: skip
def test_a_line_that_is_none_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/tiles/raster/terrain/profile?{query}").status_code == 400


def test_the_file_itself_is_handed_out(client: TestClient) -> None:
    answer = client.get("/tiles/raster/terrain.tif")
    assert answer.headers["content-type"].startswith("image/tiff")
    with MemoryFile(answer.content) as file, file.open() as dataset:
        assert dataset.crs == rasterio.crs.CRS.from_epsg(5897)
    part = client.get("/tiles/raster/terrain.tif", headers={"range": "bytes=0-3"})
    assert (part.status_code, len(part.content)) == (206, 4)


def test_vectors_and_pictures_lie_on_each_other(client: TestClient) -> None:
    """The picture's corner, warped by GDAL, and a point at the same city coordinates, warped by PostGIS, agree."""
    answer = client.get("/api/collections/trees/items/t00000").json()
    lon, lat = answer["geometry"]["coordinates"]
    # The tree stands at x = 580000, column 10 of the terrain (10 m cells from x = 579900), which is -1 + 10 * 4/199 m.
    value = client.get(f"/tiles/raster/terrain/point?lon={lon + 2e-5}&lat={lat}").json()["values"][0]
    assert value == pytest.approx(-1.0 + 10 * 4.0 / 199.0, abs=1e-4)


def test_results_of_a_run_lead_to_its_rasters(client: TestClient) -> None:
    runs = client.get("/api/jobs?status=successful").json()["jobs"]
    results = client.get(f"/api/jobs/{runs[0]['jobID']}/results").json()
    assert {"flood_depth", "flood_assets", "run"} <= set(results)
    for link in collect_links(results):
        assert client.get(link["href"]).status_code == 200
