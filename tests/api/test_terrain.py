"""Heights as pictures: what a map decodes is what the raster holds, and neighbouring tiles meet without a step."""

import io
import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.transform import from_bounds
from rasterio.warp import reproject
from starlette.testclient import TestClient

from api.rasters.elevation import STEPS, Encoding, decode_heights, draw_heights, encode_heights, parse_encoding
from api.rasters.pictures import draw_map, draw_tile
from api.rasters.warping import sample_between, sample_nearest, warp
from layers.datum import make_transformer, write_for_gdal
from layers.errors import InputError
from layers.grid import Grid
from layers.registry import read_raster_layer
from layers.store.rasters import write_cog
from layers.store.tiles import TileAddress
from tests.api.conftest import X0, Y0

ENCODINGS: tuple[Encoding, ...] = ("terrarium", "mapbox")
TERRAIN = read_raster_layer("terrain")
GRID = Grid(600, 600, X0, Y0, 10.0, "EPSG:5897")
# 10 m cells; tiles of 512 px are about as fine at zoom 13 and finer at 14.
ZOOMS = (11, 13, 15)


def undulate(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return heights [m] of a smooth delta, between −1.2 and 3.2 m, at city coordinates."""
    return 1.0 + 1.4 * np.sin((x - X0) / 500.0) * np.cos((y - Y0) / 700.0) + (x - X0) / 7500.0


@pytest.fixture(scope="module")
def terrain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("terrain") / "terrain.tif"
    x, y = np.meshgrid(*GRID.centres())
    write_cog(path, undulate(x, y).astype(np.float32), GRID)
    return path


def find_tile(zoom: int) -> TileAddress:
    """Return the tile that holds the middle of the terrain."""
    lon, lat = make_transformer("EPSG:5897", "OGC:CRS84").transform(X0 + 3000.0, Y0 - 3000.0)
    across = 1 << zoom
    down = (1.0 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2.0
    return TileAddress(zoom, int((lon + 180.0) / 360.0 * across), int(down * across))


def locate_pixels(tile: TileAddress, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return city coordinates of the centres of a tile's pixels."""
    x0, _, _, y1 = tile.bounds
    steps = (np.arange(size) + 0.5) * tile.width / size
    x, y = np.meshgrid(x0 + steps, y1 - steps)
    lon, lat = Transformer.from_crs("EPSG:3857", "OGC:CRS84", always_xy=True).transform(x, y)
    return make_transformer("OGC:CRS84", "EPSG:5897").transform(lon, lat)


def read_heights(body: bytes, encoding: Encoding) -> np.ndarray:
    return decode_heights(np.asarray(Image.open(io.BytesIO(body)).convert("RGB")), encoding)


@given(heights=st.lists(st.floats(-9_000.0, 9_000.0), min_size=1, max_size=40), encoding=st.sampled_from(ENCODINGS))
def test_a_height_comes_back_within_half_a_step(heights: list[float], encoding: Encoding) -> None:
    given_heights = np.array([heights])
    back = decode_heights(encode_heights(given_heights, encoding), encoding)
    assert np.abs(back - given_heights).max() <= STEPS[encoding] / 2.0 + 1e-9


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_colours_are_those_the_encodings_publish(encoding: Encoding) -> None:
    rgb = encode_heights(np.array([[0.0, 1.0, -1.0, np.nan]]), encoding)[0].tolist()
    zero = {"terrarium": [128, 0, 0], "mapbox": [1, 134, 160]}[encoding]
    above = {"terrarium": [128, 1, 0], "mapbox": [1, 134, 170]}[encoding]
    below = {"terrarium": [127, 255, 0], "mapbox": [1, 134, 150]}[encoding]
    assert rgb == [zero, above, below, zero]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("fmt", ["png", "webp"])
def test_a_tile_holds_the_height_at_the_centre_of_each_pixel(
    terrain: Path, encoding: Encoding, zoom: int, fmt: str
) -> None:
    tile = find_tile(zoom)
    found = read_heights(draw_heights(terrain, TERRAIN, tile, 1, encoding, fmt=fmt), encoding)  # type: ignore[arg-type]
    x, y = locate_pixels(tile, 512)
    inside = (x > X0 + 100) & (x < X0 + 5900) & (y < Y0 - 100) & (y > Y0 - 5900)
    assert inside.sum() > 5_000
    # Half a step of the encoding, and what a curve bends between the cells that are averaged (second derivative
    # 1.4 / 500² a metre, 10 m cells, at zoom 11 the mean of 4 × 4 of them).
    curved = 1.4 / 500.0**2 * (40.0 if zoom == 11 else 10.0) ** 2
    assert np.abs(found - undulate(x, y))[inside].max() <= STEPS[encoding] / 2.0 + curved


@pytest.mark.parametrize("zoom", ZOOMS)
def test_neighbours_meet_without_a_step(terrain: Path, zoom: int) -> None:
    """The slope from the last column of a tile to the first of the next is that of the ground, not a wall."""
    tile = find_tile(zoom)
    right, below = TileAddress(zoom, tile.x + 1, tile.y), TileAddress(zoom, tile.x, tile.y + 1)
    drawn = [read_heights(draw_heights(terrain, TERRAIN, each, 1, "terrarium"), "terrarium") for each in (tile, right)]
    under = read_heights(draw_heights(terrain, TERRAIN, below, 1, "terrarium"), "terrarium")
    places = [locate_pixels(each, 512) for each in (tile, right, below)]
    met = 0
    for first, second, one, other in (
        (drawn[0][:, -1], drawn[1][:, 0], [axis[:, -1] for axis in places[0]], [axis[:, 0] for axis in places[1]]),
        (drawn[0][-1], under[0], [axis[-1] for axis in places[0]], [axis[0] for axis in places[2]]),
    ):
        x, y = one
        inside = (x > X0 + 100) & (x < X0 + 5800) & (y < Y0 - 200) & (y > Y0 - 5900)
        ground = undulate(*one) - undulate(*other)
        assert (np.abs((first - second) - ground)[inside] <= 3 * STEPS["terrarium"]).all()
        met += int(inside.sum())
    assert met > 100


def test_where_there_is_no_ground_the_height_is_zero(terrain: Path) -> None:
    tile = find_tile(11)
    heights = read_heights(draw_heights(terrain, TERRAIN, tile, 1, "terrarium"), "terrarium")
    x, _ = locate_pixels(tile, 512)
    assert (heights[x < X0 - 200] == 0.0).all()


def test_a_tile_and_its_description_over_http(client: TestClient) -> None:
    said = client.get("/tiles/raster/terrain.json?encoding=terrarium").json()
    assert (said["encoding"], said["tileSize"]) == ("terrarium", 512)
    # Cells of 10 m: 512 px a tile are finer from zoom 13 on.
    assert said["maxzoom"] == 13
    address = said["tiles"][0].format(z=13, x=6502, y=3866)
    assert address.endswith("/13/6502/3866@2x.png?encoding=terrarium")
    body = client.get(address)
    assert body.headers["content-type"] == "image/png"
    heights = read_heights(body.content, "terrarium")
    assert heights.shape == (512, 512)
    assert -1.0 - 1 / 256 <= heights.min() < heights.max() <= 3.0 + 1 / 256
    again = client.get(address, headers={"if-none-match": body.headers["etag"]})
    assert again.status_code == 304
    for other in ("mapbox", "terrain-rgb"):
        other_heights = read_heights(
            client.get(address.replace("terrarium", other).replace(".png", ".webp")).content, "mapbox"
        )
        assert np.abs(other_heights - heights).max() <= 0.05 + 1 / 256


@pytest.mark.parametrize("path", ["terrain/13/6502/3866.png?encoding=float", "land_cover.json?encoding=terrarium"])
def test_what_cannot_be_heights_is_refused(client: TestClient, path: str) -> None:
    assert client.get(f"/tiles/raster/{path}").status_code in (400, 404)
    with pytest.raises(InputError, match="heights are in m"):
        parse_encoding("terrarium", read_raster_layer("flood_arrival"))


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:4326", "EPSG:9210", "EPSG:32648"])
def test_a_map_in_any_crs_shows_the_same_ground(terrain: Path, crs: str) -> None:
    """The middle of a map that is as wide as 1 km has the colour of the ground there."""
    moving = make_transformer("EPSG:5897", crs)
    bounds = moving.transform_bounds(X0 + 2500.0, Y0 - 3500.0, X0 + 3500.0, Y0 - 2500.0)
    body = draw_map(terrain, TERRAIN, bounds=bounds, crs=crs, width=101, height=101, band=1)
    found = np.asarray(Image.open(io.BytesIO(body)).convert("RGB"))[50, 50].astype(int)
    x, y = make_transformer(crs, "EPSG:5897").transform((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    height = float(undulate(np.array(x), np.array(y)))
    stops = [value for value, _ in TERRAIN.ramp]
    ramp = np.array([[int(color[k : k + 2], 16) for k in (1, 3, 5)] for _, color in TERRAIN.ramp])
    wanted = [np.interp(height, stops, ramp[:, k]) for k in range(3)]
    assert np.abs(found - wanted).max() <= 3.0


@pytest.mark.parametrize(("fmt", "kind"), [("png", "PNG"), ("webp", "WEBP"), ("jpeg", "JPEG")])
def test_a_map_comes_as_asked_for(terrain: Path, fmt: str, kind: str) -> None:
    bounds = (-180.0, -85.0, 180.0, 85.0)
    world = draw_map(terrain, TERRAIN, bounds=bounds, crs="EPSG:4326", width=64, height=32, band=1, fmt=fmt)  # type: ignore[arg-type]
    opened = Image.open(io.BytesIO(world))
    assert (opened.format, opened.size) == (kind, (64, 32))
    if fmt != "jpeg":
        assert opened.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]
    paper = draw_map(
        terrain, TERRAIN, bounds=bounds, crs="EPSG:4326", width=64, height=32, band=1, fmt=fmt,  # type: ignore[arg-type]
        transparent=False, background=(10, 200, 30),
    )  # fmt: skip
    corner = np.array(Image.open(io.BytesIO(paper)).convert("RGBA").getpixel((0, 0)))
    assert np.abs(corner - [10, 200, 30, 255]).max() <= 3


def test_a_map_without_area_or_too_large_is_refused(terrain: Path) -> None:
    for bounds, width in (
        ((0.0, 0.0, 0.0, 1.0), 10),
        ((0.0, 0.0, float("inf"), 1.0), 10),
        ((0.0, 0.0, 1.0, 1.0), 10**6),
    ):
        with pytest.raises(InputError):
            draw_map(terrain, TERRAIN, bounds=bounds, crs="EPSG:4326", width=width, height=width, band=1)


def test_an_overview_is_read_where_it_is_fine_enough(terrain: Path) -> None:
    """A tile drawn from an overview differs from one drawn from every cell by less than the ramp can show."""
    whole = draw_tile(terrain, TERRAIN, find_tile(10), 1)
    found = np.asarray(Image.open(io.BytesIO(whole)).convert("RGBA"))
    x, y = locate_pixels(find_tile(10), 256)
    inside = (x > X0 + 200) & (x < X0 + 5800) & (y < Y0 - 200) & (y > Y0 - 5800)
    assert inside.any()
    stops = [value for value, _ in TERRAIN.ramp]
    ramp = np.array([[int(color[k : k + 2], 16) for k in (1, 3, 5)] for _, color in TERRAIN.ramp])
    wanted = np.stack([np.interp(undulate(x, y), stops, ramp[:, k]) for k in range(3)], axis=-1)
    assert np.abs(found[..., :3] - wanted)[inside].max() <= 6.0


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:4326", "EPSG:9210"])
@pytest.mark.parametrize("resampling", [Resampling.nearest, Resampling.bilinear])
def test_places_and_values_are_those_of_gdal(terrain: Path, crs: str, resampling: Resampling) -> None:
    """GDAL's warper, told the city's datum shift, gives the same values; it rounds places to an eighth of a cell."""
    bounds = make_transformer("EPSG:5897", crs).transform_bounds(X0 + 1000.0, Y0 - 2500.0, X0 + 2500.0, Y0 - 1000.0)
    found = warp(terrain, bounds=bounds, crs=crs, width=300, height=301, band=1, resampling=resampling)
    wanted = np.full(found.shape, np.nan, dtype=np.float32)
    with rasterio.open(terrain) as dataset:
        reproject(
            dataset.read(1), wanted, src_transform=dataset.transform, src_crs=write_for_gdal("EPSG:5897"),
            dst_transform=from_bounds(*bounds, 300, 301), dst_crs=write_for_gdal(crs), resampling=resampling,
        )  # fmt: skip
    # The ground rises at most 1.4 / 500 + 1 / 7500 m a metre: 0.03 m a cell.
    rounding = 0.03 / 8.0 if resampling is Resampling.bilinear else 0.03
    assert np.abs(found - wanted).max() <= rounding
    assert np.abs(found - wanted).mean() <= rounding / 8.0


@given(
    values=st.lists(st.floats(-5.0, 5.0, width=32) | st.just(float("nan")), min_size=12, max_size=12),
    col=st.floats(-0.49, 3.49),
    row=st.floats(-0.49, 2.49),
)
def test_a_value_between_cells_lies_between_them(values: list[float], col: float, row: float) -> None:
    cells = np.array(values, dtype=np.float32).reshape(3, 4)
    made = sample_between(cells, np.array([[col]]), np.array([[row]]))[0, 0]
    own = sample_nearest(cells, np.array([[col]]), np.array([[row]]))[0, 0]
    c, r = math.floor(col), math.floor(row)
    around = cells[max(r, 0) : r + 2, max(c, 0) : c + 2]
    assert np.isnan(made) == np.isnan(own)
    if not np.isnan(own):
        assert np.nanmin(around) - 1e-5 <= made <= np.nanmax(around) + 1e-5
