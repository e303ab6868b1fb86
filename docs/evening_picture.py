"""The picture of an evening: two maps of the deepest water side by side, drawn as SVG and taken by a browser."""

import base64
import html
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from playwright.sync_api import Page, sync_playwright
from rasterio.io import MemoryFile

from layers.errors import SetupError
from layers.grid import Grid
from layers.schema import RasterLayer

Floats = NDArray[np.floating]
Colours = NDArray[np.uint8]

WIDTH = 1280
"""Width of the page [px]; the picture has SCALE times as many."""

SCALE = 1.5
QUALITY = 76
ROAD_WIDTHS = {"primary": 26.0, "secondary": 20.0, "tertiary": 15.0}
"""Drawn width of a road by its class [m]; others are ALLEY wide."""

ALLEY = 7.0
SUN = (315.0, 45.0)
"""Where the light of the shaded relief comes from: azimuth and height [deg]."""

RELIEF = 12.0
"""How many times heights are exaggerated: a delta is flat."""

LEAST_SHOWN = 0.05
"""Thinner water [m] is left out: rain on its way, not a flood."""

DEEPER = 0.05
"""Where one map has so much more water [m] than the other, it is marked."""

LEAST_MARKED = 10_000.0
"""Smaller patches [m2] are not marked."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What lies under the water on both maps: terrain [m] (rows, cols), open water, streets with their class."""

    terrain: Floats
    grid: Grid
    water: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One map: titles in Vietnamese and English, what stands below it, the deepest water [m], pumps with a sign."""

    titles: tuple[str, str]
    notes: tuple[str, str]
    depth: Floats
    pumps: NDArray[np.float64]
    running: bool


def draw_page(ground: Ground, panels: Sequence[Panel], layer: RasterLayer, words: Sequence[str]) -> str:
    """Return the page: ``words`` are its headings in Vietnamese and English and the line that says what was run."""
    title, subtitle, note = (html.escape(word) for word in words)
    base = _draw_ground(ground)
    before = panels[0].depth
    maps = "".join(_draw_panel(ground, base, panel, layer, None if panel is panels[0] else before) for panel in panels)
    return (
        f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><main><h1>{title}</h1><p class=sub>{subtitle}</p>"
        f"<div class=maps>{maps}</div><footer>{_draw_legend(layer)}<p class=note>{note}</p></footer></main>"
    )


def take_picture(page: str, path: Path) -> None:
    """Write the page as JPEG. Raises SetupError where there is no Chromium."""
    with _open_browser() as tab:
        tab.set_content(page)
        tab.evaluate("() => document.fonts.ready")
        tab.locator("main").screenshot(path=path, type="jpeg", quality=QUALITY)


@contextmanager
def _open_browser() -> Iterator[Page]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise SetupError("the picture is drawn by Chromium, which is not installed", hint="make setup-tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser.new_page(viewport={"width": WIDTH, "height": 900}, device_scale_factor=SCALE)
        finally:
            browser.close()


def shade_relief(terrain: Floats, cell_size: float) -> NDArray[np.float64]:
    """Return how bright the ground is (rows, cols), 0 in shadow to 1 facing the light (Horn 1981)."""
    high = np.pad(np.nan_to_num(terrain, nan=0.0), 1, mode="edge") * RELIEF
    east = (high[:-2, 2:] + 2 * high[1:-1, 2:] + high[2:, 2:]) - (high[:-2, :-2] + 2 * high[1:-1, :-2] + high[2:, :-2])
    south = (high[2:, :-2] + 2 * high[2:, 1:-1] + high[2:, 2:]) - (high[:-2, :-2] + 2 * high[:-2, 1:-1] + high[:-2, 2:])
    dx, dy = east / (8.0 * cell_size), south / (8.0 * cell_size)
    azimuth, height = np.radians(SUN)
    # Rows grow southwards: the light's southward part is −cos of its azimuth.
    lit = np.sin(height) - np.cos(height) * (np.sin(azimuth) * dx - np.cos(azimuth) * dy)
    return np.asarray(np.clip(lit / np.sqrt(1.0 + dx**2 + dy**2), 0.0, 1.0), dtype=np.float64)


def colour_depth(depth: Floats, layer: RasterLayer) -> Colours:
    """Return red, green, blue, alpha (4, rows, cols) of depths [m] by the ramp of the layer; thin water is clear."""
    stops = np.array([value for value, _ in layer.ramp])
    colours = np.array([[int(code[at : at + 2], 16) for at in (1, 3, 5, 7)] for _, code in layer.ramp])
    shown = np.nan_to_num(depth, nan=0.0)
    bands = np.stack([np.interp(shown, stops, colours[:, band]) for band in range(4)])
    bands[3, shown < LEAST_SHOWN] = 0.0
    return bands.round().astype(np.uint8)


def _draw_ground(ground: Ground) -> str:
    """Return the SVG parts below the water: land in relief, open water, streets."""
    light = shade_relief(ground.terrain, ground.grid.cell_size)
    tint = np.array([244.0, 241.0, 230.0])[:, None, None] * (0.80 + 0.28 * light)
    land = np.clip(tint, 0.0, 255.0).astype(np.uint8)
    water = "".join(_draw_shape(shape) for shape in ground.water.geometry)
    roads = "".join(
        f'<path d="{_trace(line)}" stroke-width="{ROAD_WIDTHS.get(kind, ALLEY):g}"/>'
        for line, kind in zip(ground.streets.geometry, ground.streets["road_class"], strict=True)
    )
    return f"{_place(land, ground.grid)}<g class=water>{water}</g><g class=roads>{roads}</g>"


def _draw_panel(ground: Ground, base: str, panel: Panel, layer: RasterLayer, before: Floats | None) -> str:
    x0, y0, x1, y1 = ground.grid.bounds
    depth = _place(colour_depth(panel.depth, layer), ground.grid)
    marks = "" if before is None else _draw_deeper(panel.depth, before, ground.grid)
    signs = "".join(_draw_pump(x, -y, running=panel.running) for x, y in panel.pumps)
    (vi, en), notes = panel.titles, "".join(f"<p>{html.escape(note)}</p>" for note in panel.notes)
    return (
        f"<figure><figcaption><b>{html.escape(vi)}</b> <i>{html.escape(en)}</i></figcaption>"
        f'<svg viewBox="{x0} {-y1} {x1 - x0} {y1 - y0}">{base}{depth}{marks}{signs}{_draw_scale(ground.grid)}</svg>'
        f"{notes}</figure>"
    )


def _draw_deeper(depth: Floats, before: Floats, grid: Grid) -> str:
    """Return outlines of where there is DEEPER more water than before."""
    more = np.nan_to_num(depth) - np.nan_to_num(before) >= DEEPER
    rows, cols = np.nonzero(more)
    half = grid.cell_size / 2.0
    x, y = grid.centres()
    cells = shapely.box(x[cols] - half, y[rows] - half, x[cols] + half, y[rows] + half)
    if not len(cells):
        return ""
    joined = shapely.buffer(shapely.buffer(shapely.union_all(cells), 3.0 * half), -2.0 * half)
    parts = shapely.get_parts(shapely.simplify(joined, half))
    outlines = "".join(_draw_shape(shapely.Polygon(part.exterior)) for part in parts if part.area >= LEAST_MARKED)
    return f"<g class=deeper>{outlines}</g>"


def _draw_pump(x: float, y: float, *, running: bool) -> str:
    sign = f"M{x - 20:.0f} {y - 30:.0f}l54 30-54 30z" if running else f"M{x - 26:.0f} {y - 26:.0f}l52 52m0-52l-52 52"
    return f'<g class={"on" if running else "off"}><circle cx="{x:.0f}" cy="{y:.0f}" r="62"/><path d="{sign}"/></g>'


def _draw_scale(grid: Grid) -> str:
    x0, y0, _, _ = grid.bounds
    x, y = x0 + 150.0, -y0 - 150.0
    return f'<g class=scale><path d="M{x} {y - 60}v60h1000v-60"/><text x="{x + 500}" y="{y - 60}">1 km</text></g>'


def _draw_legend(layer: RasterLayer) -> str:
    """Return the ramp from the least depth shown on, with its words."""
    stops = [(value, code) for value, code in layer.ramp if value >= LEAST_SHOWN]
    steps = "".join(
        f'<span class=step><i style="background:{code}"></i>{f"{value:g}".replace(".", ",")} m</span>'
        for value, code in stops
    )
    return (
        "<div class=legend><span><b>Độ sâu lớn nhất</b> Deepest water</span>"
        f"{steps}<span class=step><i class=deeper></i>sâu hơn ≥ {DEEPER * 100:.0f} cm khi bơm dừng · "
        f"{DEEPER * 100:.0f} cm deeper or more without pumps</span></div>"
    )


def _place(image: Colours, grid: Grid) -> str:
    """Return an SVG image of bands (3 or 4, rows, cols) that covers the grid."""
    x0, y0, x1, y1 = grid.bounds
    with MemoryFile() as memory:
        shape = {"height": grid.rows, "width": grid.cols, "count": len(image)}
        with memory.open(driver="PNG", dtype="uint8", transform=grid.transform, **shape) as file:
            file.write(image)
        data = base64.b64encode(memory.read()).decode()
    at = f'x="{x0}" y="{-y1}" width="{x1 - x0}" height="{y1 - y0}"'
    return f'<image {at} preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'


def _draw_shape(shape: shapely.Geometry) -> str:
    polygons = shapely.get_parts(shape)
    rings = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return f'<path d="{"".join(_trace(ring) + "z" for ring in rings)}"/>' if rings else ""


def _trace(line: shapely.Geometry) -> str:
    """Return the path of a line; north is up, so y goes down."""
    points = shapely.get_coordinates(shapely.simplify(line, 2.0))
    return "M" + "L".join(f"{x:.0f} {-y:.0f}" for x, y in points)


STYLE = """
* { margin: 0; box-sizing: border-box }
body { background: #fff }
main { width: 1280px; padding: 18px 20px 14px; background: #fff; color: #17303f;
  font: 17px/1.35 "Be Vietnam Pro", "Noto Sans", "DejaVu Sans", sans-serif }
h1 { font-size: 24px; font-weight: 700 }
.sub { color: #5a6f7d; font-size: 18px }
.maps { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; margin: 10px 0 }
figcaption { margin-bottom: 5px; font-size: 20px }
figcaption i, .legend span i + * { color: #5a6f7d; font-style: normal }
figure p:nth-of-type(2) { color: #5a6f7d }
svg { display: block; width: 100%; border: 1px solid #c9d3da; border-radius: 6px; margin-bottom: 5px }
image { image-rendering: auto }
.water path { fill: #b9cbd3; stroke: #93abb7; stroke-width: 5 }
.roads path { fill: none; stroke: #a3957f; stroke-opacity: .75; stroke-linejoin: round }
.deeper path { fill: none; stroke: #e8590c; stroke-width: 18; stroke-linejoin: round }
.on circle { fill: #2b8a3e; stroke: #fff; stroke-width: 14 } .on path { fill: #fff }
.off circle { fill: #c92a2a; stroke: #fff; stroke-width: 14 } .off path { stroke: #fff; stroke-width: 18; fill: none }
.scale path { fill: none; stroke: #17303f; stroke-width: 12 }
.scale text { font: 600 100px sans-serif; text-anchor: middle; fill: #17303f }
.legend { display: flex; flex-wrap: wrap; gap: 6px 18px; align-items: center }
.step { display: inline-flex; align-items: center; gap: 7px }
.step i { width: 26px; height: 16px; border-radius: 3px; box-shadow: inset 0 0 0 1px #0003 }
.step i.deeper { box-shadow: inset 0 0 0 3px #e8590c }
.note { margin-top: 6px; color: #5a6f7d; font-size: 15px }
"""
