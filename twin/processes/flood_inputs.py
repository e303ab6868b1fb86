"""From the city to the water's domain: terrain with its dykes, roughness, rivers and canals, gates, pumps, breaches."""

from collections.abc import Iterable, Set
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy import ndimage

from hydrology.parameters import MANNINGS_N
from hydrology.structures import Pump, Structure
from hydrology.terrain import lower_cells, raise_cells
from layers.datum import CRS84, make_transformer
from layers.errors import InputError, NotFoundError, TooLargeError
from layers.grid import Grid
from twin.process import CityView
from twin.scenario import BreachDyke, OpenGate, Scenario

Mask = NDArray[np.bool_]
Raster = NDArray[np.float64]

MAX_CELLS = 6_000_000
DEFAULT_COVER = "urban"
COVER_NAMES = {
    1: "water",
    2: "road",
    3: "building",
    4: "grass",
    5: "trees",
    6: "bare",
    7: "crops",
    8: "urban",
}
RUNOFF = {1: 1.0, 2: 0.90, 3: 0.95, 4: 0.35, 5: 0.30, 6: 0.50, 7: 0.40, 8: 0.80}
"""Runoff coefficient by cover code: Chow, Maidment and Mays 1988, Applied Hydrology, table 15.1.1, 25-year storm."""

CLOSED_GATE_FREEBOARD = 2.0
CANAL_DEPTH = 1.0
"""Water a closed canal keeps to flow in [m] below its starting level; ponds and lakes start full to the bed."""

EDGE_DEPTH = 0.5
GATE_BAND = 0.2
"""Tide gates shut for the whole run when the stage will rise so far [m] above the usual one."""
PUMP_BAND = 0.10


@dataclass(frozen=True, slots=True, eq=False)
class FloodDomain:
    """All that a flood run needs but the stage in time.

    bed [m], mannings_n [s/m^(1/3)], runoff [1], depth: initial water [m], all (rows, cols). stage_cells hold the
    river's stage; ``water`` are all cells that are water on any day, which a flood map leaves out.
    """

    grid: Grid
    bed: Raster
    mannings_n: Raster
    runoff: Raster
    depth: Raster
    stage_cells: Mask
    water: Mask
    structures: tuple[Structure, ...]


@dataclass(frozen=True, slots=True)
class Levels:
    """Water levels [m]: at the start, the highest to come, and the usual one that closed canals and ponds keep."""

    start: float
    highest: float
    usual: float


def read_terrain(view: CityView, cell_size: float) -> tuple[Raster, Grid]:
    """Return the terrain [m] on cells of ``cell_size`` [m]; TooLargeError when those are too many."""
    array, grid = view.raster("terrain", cell_size=cell_size)
    if array.size > MAX_CELLS:
        raise TooLargeError(
            f"{array.size:,} cells of {cell_size:g} m exceed the limit of {MAX_CELLS:,}", hint="use a larger cell_size"
        )
    if not np.isfinite(array).any():
        raise InputError("the terrain has no value anywhere in the city", hint="load a source of layer terrain")
    return array.astype(np.float64), grid


def find_river_below(bed: Raster, elevation: float) -> Mask:
    """Return the cells not above ``elevation`` [m] that are connected to the edge of the terrain through such cells.

    For a city without polygons of water: the river is the low ground that leaves the map. InputError when there is
    none.
    """
    low = np.isfinite(bed) & (bed <= elevation)
    labels, _ = ndimage.label(low)
    rim = ~ndimage.binary_erosion(np.isfinite(bed), border_value=0)
    kept = np.unique(labels[rim & low])
    river: Mask = np.isin(labels, kept[kept > 0])
    if not river.any():
        lowest = float(np.nanmin(np.where(rim, bed, np.nan)))
        raise InputError(
            f"river_below {elevation:g} m finds no river: the lowest cell at the edge lies at {lowest:.2f} m",
            hint="give an elevation above the water surface of the terrain",
        )
    return river


def build_domain(
    view: CityView, scenario: Scenario, bed: Raster, grid: Grid, levels: Levels, *, river: Mask | None = None
) -> FloodDomain:
    """Return the domain of a flood over ``bed`` [m] with the scenario's gates, pumps and breaches.

    ``river`` replaces the city's water bodies. Dykes are burned into the bed with their crest and never under
    water themselves; closed canals and ponds start at their usual level. Raises InputError for a city without water.
    """
    opened = {edit.gate_id for edit in scenario.find(OpenGate)} if levels.highest > levels.usual + GATE_BAND else None
    stage, still, canal = _find_none(grid, river) if river is not None else find_water(view, bed, grid, levels, opened)
    ground = bed
    bed, walls = burn_dykes(view, bed, grid)
    breached = find_breaches(view, scenario, ground, grid)
    for cells, crest in breached:
        bed = lower_cells(bed, cells, crest)
        walls = walls & ~cells
    stage = stage & ~walls & np.isfinite(bed)
    closed = (still > 0) & ~walls & np.isfinite(bed)
    # A closed gate holds against any stage; only the flanks can be overtopped.
    shut = closed & ndimage.binary_dilation(stage)
    bed = raise_cells(bed, shut, levels.highest + CLOSED_GATE_FREEBOARD)
    closed &= ~shut
    if not stage.any():
        raise InputError(
            "the city has no river or tidal canal on this grid",
            hint="load water_bodies, or give river_below [m] to take low ground at the edge as the river",
        )
    level = np.where(closed, fill_still_water(bed, still, closed, levels), -np.inf)
    # Deep still water would shorten every step and keep its surroundings awake; only what rises above it matters.
    bed = raise_cells(bed, closed, level - np.where(canal, CANAL_DEPTH, 0.0))
    depth = np.where(closed, np.maximum(level - bed, 0.0), 0.0)
    n, runoff = read_cover(view, grid, stage | closed)
    pumps = read_pumps(view, grid, bed, depth, stage)
    return FloodDomain(grid, bed, n, runoff, depth, stage, stage | closed | shut, pumps)


def find_water(
    view: CityView, bed: Raster, grid: Grid, levels: Levels, opened: Set[str] | None
) -> tuple[Mask, NDArray[np.int32], Mask]:
    """Return the cells that follow the river, the number of the still body other water is in, and closed canals.

    Rivers and canals follow it unless they are not tidal (a closed gate makes them so). At high water all gates shut
    but those ``opened`` (None: no high water). A cell at the water's edge belongs to it when its mean bed [m] lies well
    below the usual level. A city with centre lines only gets them at their width, or 6 m.
    """
    bodies = view.layer("water_bodies")
    if bodies.empty:
        return _find_none(grid, _rasterize_lines(view, grid))
    kinds, tidal = bodies["water_type"], bodies["is_tidal"]
    follows = (tidal == True) | (tidal.isna() & kinds.isin(("river", "canal")))  # noqa: E712 - column holds null too
    chosen = follows.to_numpy(dtype=bool)
    shapes = bodies.geometry.to_numpy()
    if opened is not None:
        chosen = chosen & (bodies["gate_id"].isna() | bodies["gate_id"].isin(opened)).to_numpy(dtype=bool)
    edge = _rasterize(shapes[chosen], grid, touched=True) > 0
    stage = (_rasterize(shapes[chosen], grid) > 0) | (edge & (bed < levels.usual - EDGE_DEPTH))
    still = _rasterize(shapes[~chosen], grid, numbered=True)
    canal = _rasterize(shapes[~chosen & bodies["gate_id"].notna().to_numpy(dtype=bool)], grid) > 0
    return stage, np.where(stage, 0, still).astype(np.int32), canal


def _find_none(grid: Grid, stage: Mask) -> tuple[Mask, NDArray[np.int32], Mask]:
    return stage, np.zeros(grid.shape, dtype=np.int32), np.zeros(grid.shape, dtype=bool)


def _rasterize_lines(view: CityView, grid: Grid) -> Mask:
    lines = view.layer("waterways")
    if lines.empty:
        return np.zeros(grid.shape, dtype=bool)
    lines = lines[lines["is_tidal"].ne(False) & lines["waterway"].isin(("river", "canal", "stream"))]
    width = lines["width"].astype(float).fillna(6.0).to_numpy()
    return _rasterize(shapely.buffer(lines.geometry.to_numpy(), width / 2.0), grid, touched=True) > 0


def burn_dykes(view: CityView, bed: Raster, grid: Grid) -> tuple[Raster, Mask]:
    """Return the bed with every cell a dyke touches at least at its crest [m], and those cells."""
    dykes = view.layer("dykes", columns=["crest_elevation"])
    dykes = dykes[dykes["crest_elevation"].notna()].sort_values("crest_elevation")
    if dykes.empty:
        return bed, np.zeros(grid.shape, dtype=bool)
    # Later shapes win, so the highest crest of a shared cell remains.
    crest = rasterize(
        zip(dykes.geometry, dykes["crest_elevation"].astype(float), strict=True),
        out_shape=grid.shape,
        transform=grid.transform,
        fill=np.nan,
        all_touched=True,
        dtype="float64",
    )
    cells = np.isfinite(crest) & np.isfinite(bed)
    return raise_cells(bed, cells, np.where(cells, crest, -np.inf)), cells


def find_breaches(view: CityView, scenario: Scenario, ground: Raster, grid: Grid) -> list[tuple[Mask, float]]:
    """Return cells and crest [m] of each breach: a disc of its width, at least three cells across.

    Without a crest it reaches the lowest ground beside it. Raises InputError for a point outside the terrain.
    """
    breaches: list[tuple[Mask, float]] = []
    x, y = grid.centres()
    for edit in scenario.find(BreachDyke):
        at = _locate_breach(view, edit)
        if not grid.cells(np.array([at.x]), np.array([at.y]))[2][0]:
            raise InputError(f"breach at ({edit.lon}, {edit.lat}) lies outside the terrain")
        distance = np.hypot(x[np.newaxis, :] - at.x, y[:, np.newaxis] - at.y)
        cells = (distance <= max(edit.width / 2.0, 1.5 * grid.cell_size)) & np.isfinite(ground)
        if not cells.any():
            raise InputError(f"breach at ({edit.lon}, {edit.lat}) lies where the terrain has no value")
        crest = edit.crest if edit.crest is not None else float(ground[cells].min())
        breaches.append((cells, crest))
    return breaches


def _locate_breach(view: CityView, edit: BreachDyke) -> shapely.Point:
    if edit.lon is not None and edit.lat is not None:
        x, y = make_transformer(CRS84, view.crs).transform(edit.lon, edit.lat)
        return shapely.Point(x, y)
    dykes = view.layer("dykes", columns=["crest_elevation"])
    found = dykes.loc[dykes["id"] == edit.dyke_id]
    if found.empty:
        raise NotFoundError(f"dyke '{edit.dyke_id}' does not exist")
    return found.geometry.iloc[0].interpolate(0.5, normalized=True)


def fill_still_water(bed: Raster, still: NDArray[np.int32], closed: Mask, levels: Levels) -> Raster:
    """Return the starting level [m] of still water: usual level, not above the start stage nor the body's own rim."""
    count = int(still.max()) + 1
    rim = ndimage.grey_dilation(np.where(closed, still, 0), size=(3, 3))
    outside = np.where((rim > 0) & ~closed & np.isfinite(bed), rim, 0)
    lowest = np.asarray(ndimage.minimum(bed, outside, index=np.arange(count)), dtype=np.float64)
    has_rim = np.bincount(outside.ravel(), minlength=count) > 0
    level = np.where(has_rim, np.minimum(lowest, levels.usual), levels.usual)
    return level[still]


def read_cover(view: CityView, grid: Grid, water: Mask) -> tuple[Raster, Raster]:
    """Return Manning's n [s/m^(1/3)] and the runoff coefficient [1] by land cover; urban where it is not known."""
    n_by_code, runoff_by_code = np.full(256, MANNINGS_N[DEFAULT_COVER]), np.full(256, RUNOFF[8])
    for code, name in COVER_NAMES.items():
        n_by_code[code], runoff_by_code[code] = MANNINGS_N[name], RUNOFF[code]
    codes = np.zeros(grid.shape, dtype=np.int64)
    try:
        cover, cover_grid = view.raster("land_cover", cell_size=grid.cell_size, bounds=grid.bounds)
    except NotFoundError:
        pass
    else:
        x, y = grid.centres()
        columns, lines = np.meshgrid(x, y)
        row, col, inside = cover_grid.cells(columns, lines)
        found = cover[row, col]
        known = inside & np.isfinite(found) & (found >= 0) & (found < 256)
        codes = np.where(known, np.where(known, found, 0), 0).astype(np.int64)
    codes = np.where(water, 1, codes)
    return n_by_code[codes], runoff_by_code[codes]


def read_pumps(view: CityView, grid: Grid, bed: Raster, depth: Raster, stage: Mask) -> tuple[Pump, ...]:
    """Return the pumps in operation: from the cell at the link's start to the one at its end.

    A pump into the river or off the map delivers outside. It starts 10 cm above the water its cell starts with.
    """
    links = view.layer("drainage_links", columns=["link_type", "capacity", "is_active"])
    links = links[(links["link_type"] == "pump") & links["capacity"].notna() & links["is_active"].ne(False)]
    if links.empty:
        return ()
    ends = np.array([(line.coords[0], line.coords[-1]) for line in links.geometry])[:, :, :2]
    rows, cols, inside = grid.cells(ends[:, :, 0], ends[:, :, 1])
    pumps: list[Pump] = []
    for k, (link_id, capacity) in enumerate(zip(links["id"], links["capacity"], strict=True)):
        (row, to_row), (col, to_col) = rows[k], cols[k]
        if not inside[k, 0] or not np.isfinite(bed[row, col]) or stage[row, col]:
            continue
        leaves = not inside[k, 1] or stage[to_row, to_col] or not np.isfinite(bed[to_row, to_col])
        full = float(depth[row, col])
        pumps.append(
            Pump(
                id=str(link_id),
                row=int(row),
                col=int(col),
                to_row=None if leaves else int(to_row),
                to_col=None if leaves else int(to_col),
                capacity=float(capacity),
                start_depth=full + PUMP_BAND,
                stop_depth=max(full, 0.02),
            )
        )
    return tuple(pumps)


def _rasterize(
    shapes: Iterable[shapely.Geometry], grid: Grid, *, numbered: bool = False, touched: bool = False
) -> NDArray[np.int32]:
    """Return 1 (or the shape's number from 1) in cells whose centre a shape covers, 0 elsewhere."""
    found = [shape for shape in shapes if shape is not None and not shapely.is_empty(shape)]
    if not found:
        return np.zeros(grid.shape, dtype=np.int32)
    values = range(1, len(found) + 1) if numbered else [1] * len(found)
    drawn = rasterize(
        zip(found, values, strict=True),
        out_shape=grid.shape,
        transform=grid.transform,
        fill=0,
        all_touched=touched,
        dtype="int32",
    )
    return np.asarray(drawn, dtype=np.int32)
