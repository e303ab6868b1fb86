"""The ground: roughness and losses by land cover and soil, buildings, and a terrain made to drain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy import ndimage

from hydrology.conditioning import breach_pits, fill_depressions, trace_line
from hydrology.infiltration import COVER_LOSSES, CurveNumber, Losses, compute_retention, describe_soil
from hydrology.parameters import MANNINGS_N
from layers.errors import NotFoundError
from layers.grid import Grid
from twin.process import CityView
from twin.processes.flood_water import Mask, Raster, find_voids

LossModel = Literal["runoff", "green_ampt", "curve_number"]
BuildingModel = Literal["rough", "raised", "porous"]
SoilGroup = Literal["A", "B", "C", "D"]
SoilTexture = Literal[
    "sand",
    "loamy_sand",
    "sandy_loam",
    "loam",
    "silt_loam",
    "sandy_clay_loam",
    "clay_loam",
    "silty_clay_loam",
    "sandy_clay",
    "silty_clay",
    "clay",
]

DEFAULT_COVER = 8
BUILDING = 3
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

SOIL_GROUPS: dict[SoilTexture, SoilGroup] = {
    "sand": "A",
    "loamy_sand": "A",
    "sandy_loam": "A",
    "silt_loam": "B",
    "loam": "B",
    "sandy_clay_loam": "C",
    "clay_loam": "D",
    "silty_clay_loam": "D",
    "sandy_clay": "D",
    "silty_clay": "D",
    "clay": "D",
}
"""Hydrologic soil group by texture: USDA 1986, TR-55, appendix A."""

LEAST_STORAGE = 0.2
"""Share of a cell that holds water however densely it is built."""

FINE = 4
"""Footprints and what is dug are drawn on cells so many times finer than the grid's."""

PLINTH = 0.3
"""Height of a ground floor of unknown level above the ground [m]: the demo's and many surveys' middle."""

ROOF_MOST = 4.0
"""A cell takes the rain of at most so many cells, its own included; what is more stays on the roof's own cell."""

PIT_LENGTH, PIT_DEPTH = 50.0, 0.3
"""Pits are let out by ditches of at most this length and depth [m]."""

NOISE = 0.05
"""Pits no deeper than this [m] are noise of the survey and are filled."""

DITCH = 0.5
"""Depth of a waterway of unknown bed below the ground [m]."""


@dataclass(frozen=True, slots=True)
class Ground:
    """How the ground is described.

    losses: model of what it takes of the rain; soil: USDA texture, which gives the group of curve numbers too;
    saturation: share of its pores that hold water at the start [1] and groundwater_depth [m] below the ground, for
    Green–Ampt. buildings: ``rough`` ground, ``raised`` to their floors, or ``porous``. condition: whether the terrain
    is made to drain.
    """

    losses: LossModel = "runoff"
    soil: SoilTexture = "silty_clay"
    saturation: float = 0.5
    groundwater_depth: float = 0.5
    buildings: BuildingModel = "rough"
    condition: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """What the water meets, all (rows, cols).

    bed [m], mannings_n [s/m^(1/3)], runoff: share of the rain a cell gets [1], above 1 where it drains roofs. losses:
    what the ground takes, None where the runoff has it in it. storage: share of each cell that holds water [1] or None.
    """

    bed: Raster
    mannings_n: Raster
    runoff: Raster
    losses: Losses | None = None
    storage: Raster | None = None


def build_surface(view: CityView, ground: Ground, bed: Raster, grid: Grid, water: Mask) -> Surface:
    """Return the surface of ``bed`` [m] with its cover, soil and buildings."""
    codes = read_cover(view, grid, water)
    n, runoff = _look_up(codes, {code: MANNINGS_N[name] for code, name in COVER_NAMES.items()}), _look_up(codes, RUNOFF)
    losses = choose_losses(ground, codes)
    if losses is not None:
        runoff = np.ones_like(runoff)
    if ground.buildings == "rough":
        return Surface(bed, n, runoff, losses)
    share = np.where(water, 0.0, measure_footprints(view, grid))
    if ground.buildings == "porous":
        storage = np.maximum(1.0 - share, LEAST_STORAGE)
        # Between the buildings the ground is paved; what narrows the way is the share they take, not their cover.
        between = np.where((codes == BUILDING) & (share > 0.0), MANNINGS_N["paved"], n)
        return Surface(bed, between / storage, runoff, losses, storage)
    raised = (share > 0.5) & np.isfinite(bed)
    floors = read_floors(view, grid)
    floor = np.where(np.isfinite(floors), np.maximum(floors, bed), bed + PLINTH)
    return Surface(np.where(raised, floor, bed), n, drain_roofs(runoff, raised, water | ~np.isfinite(bed)), losses)


def read_cover(view: CityView, grid: Grid, water: Mask) -> NDArray[np.int64]:
    """Return the land cover code of each cell; urban where it is not known."""
    codes = np.full(grid.shape, DEFAULT_COVER, dtype=np.int64)
    try:
        cover, cover_grid = view.raster("land_cover", cell_size=grid.cell_size, bounds=grid.bounds)
    except NotFoundError:
        pass
    else:
        x, y = grid.centres()
        columns, lines = np.meshgrid(x, y)
        row, col, inside = cover_grid.cells(columns, lines)
        found = cover[row, col]
        known = inside & np.isin(found, list(COVER_NAMES))
        codes[known] = found[known].astype(np.int64)
    codes[water] = 1
    return codes


def choose_losses(ground: Ground, codes: NDArray[np.int64]) -> Losses | None:
    """Return what the ground takes under each cover; None where the runoff coefficient has it in it."""
    if ground.losses == "runoff":
        return None
    cover = {code: COVER_LOSSES[name] for code, name in COVER_NAMES.items()}
    impervious = _look_up(codes, {code: loss.impervious for code, loss in cover.items()})
    if ground.losses == "curve_number":
        which = "ABCD".index(SOIL_GROUPS[ground.soil])
        numbers = _look_up(codes, {code: loss.curve_numbers[which] for code, loss in cover.items()})
        return CurveNumber(compute_retention(numbers), np.full(codes.shape, 0.2), impervious)
    soil = describe_soil(ground.soil, ground.saturation, storage=0.0, impervious=0.0)
    room = ground.groundwater_depth * float(soil.deficit)
    return describe_soil(ground.soil, ground.saturation, storage=np.full(codes.shape, room), impervious=impervious)


def _look_up(codes: NDArray[np.int64], values: dict[int, float]) -> Raster:
    table = np.full(max(values) + 1, np.nan)
    table[list(values)] = list(values.values())
    return table[codes]


def measure_footprints(view: CityView, grid: Grid) -> Raster:
    """Return the share of each cell that buildings cover [1]."""
    frame = view.layer("buildings", columns=["use"])
    shapes = [shape for shape in frame.geometry if shape is not None and not shape.is_empty]
    return measure_cover(shapes, grid)


def measure_cover(shapes: Sequence[shapely.Geometry], grid: Grid) -> Raster:
    """Return the share of each cell that any of the shapes covers [1], to a sixteenth."""
    if not shapes:
        return np.zeros(grid.shape)
    finer = Grid(grid.rows * FINE, grid.cols * FINE, grid.x_min, grid.y_max, grid.cell_size / FINE, grid.crs)
    drawn = rasterize(shapes, out_shape=finer.shape, transform=finer.transform, fill=0, default_value=1, dtype="uint8")
    return np.asarray(drawn.reshape(grid.rows, FINE, grid.cols, FINE).mean(axis=(1, 3)), dtype=np.float64)


def read_floors(view: CityView, grid: Grid) -> Raster:
    """Return the highest ground-floor elevation [m] of the buildings that touch each cell, NaN where none is known."""
    frame = view.layer("buildings", columns=["floor_elevation"])
    frame = frame[frame["floor_elevation"].notna() & frame.geometry.notna()].sort_values("floor_elevation")
    if frame.empty:
        return np.full(grid.shape, np.nan)
    floors = rasterize(
        zip(frame.geometry, frame["floor_elevation"].astype(float), strict=True),
        out_shape=grid.shape,
        transform=grid.transform,
        fill=np.nan,
        all_touched=True,
        dtype="float64",
    )
    return np.asarray(floors, dtype=np.float64)


def drain_roofs(runoff: Raster, roofs: Mask, closed: Mask) -> Raster:
    """Return the share of the rain each cell gets [1] where roofs give theirs to the nearest open ground.

    closed: cells that take none. The sum stays the same; where a cell would take more than ROOF_MOST the rest stays on
    the roofs, in equal parts.
    """
    ground = ~roofs & ~closed
    giving = roofs & (runoff > 0.0)
    if not (ground.any() and giving.any()):
        return runoff
    row, col = ndimage.distance_transform_edt(~ground, return_distances=False, return_indices=True)
    target = np.ravel_multi_index((row[giving], col[giving]), runoff.shape)
    given = np.bincount(target, weights=runoff[giving], minlength=runoff.size)
    room = np.maximum(ROOF_MOST - runoff.ravel(), 0.0)
    taken = np.divide(np.minimum(given, room), given, out=np.zeros(runoff.size), where=given > 0.0)
    shared = (runoff.ravel() + given * taken).reshape(runoff.shape)
    shared[giving] = runoff[giving] * (1.0 - taken[target])
    return shared


def condition_terrain(
    view: CityView, bed: Raster, grid: Grid, water: Mask, kept: Mask
) -> tuple[Raster, dict[str, dict[str, float]]]:
    """Return the bed [m] made to drain, and how many cells and what volume [m3] each step changed.

    Holes get the value of the nearest cell; waterways narrower than a cell are dug, under roads too, for there they
    have culverts; pits that only a short low bar dams are let out; shallow pits are filled. ``water`` drains the land
    and stays as it is, and so do cells ``kept`` (dykes).
    """
    log: dict[str, dict[str, float]] = {}

    def note(name: str, before: Raster, after: Raster) -> Raster:
        change = np.nan_to_num(after - before)
        log[name] = {"cells": int((change != 0.0).sum()), "volume": float(change.sum() * grid.cell_area)}
        return after

    holes = find_voids(bed)
    if holes.any():
        row, col = ndimage.distance_transform_edt(~np.isfinite(bed), return_distances=False, return_indices=True)
        bed = np.where(holes, bed[row, col], bed)
    log["holes"] = {"cells": int(holes.sum()), "volume": 0.0}
    fixed = water | kept
    bed = note("waterways", bed, _dig_waterways(view, bed, grid, fixed))
    land = np.where(water, np.nan, bed)
    length = max(round(PIT_LENGTH / grid.cell_size), 1)
    bed = note("ditches", bed, np.where(fixed, bed, breach_pits(land, max_length=length, max_depth=PIT_DEPTH)))
    land = np.where(water, np.nan, bed)
    return note("pits", bed, np.where(fixed, bed, _fill_noise(land))), log


def _dig_waterways(view: CityView, bed: Raster, grid: Grid, fixed: Mask) -> Raster:
    frame = view.layer("waterways", columns=["width", "bed_elevation"])
    frame = frame[frame.geometry.notna() & ~(frame["width"].astype(float) >= grid.cell_size)]
    dug = bed.copy()
    for line, level in zip(frame.geometry, frame["bed_elevation"].astype(float), strict=True):
        for part in shapely.get_parts(line):
            rows, cols, _ = trace_line(shapely.get_coordinates(part), grid)
            floor = bed[rows, cols] - DITCH if np.isnan(level) else np.full(rows.shape, level)
            dug[rows, cols] = np.minimum(dug[rows, cols], floor)
    return np.where(fixed, bed, dug)


def _fill_noise(land: Raster) -> Raster:
    filled = fill_depressions(land)
    pits, count = ndimage.label(filled > land)
    if count == 0:
        return filled
    deepest = np.concatenate([[0.0], ndimage.maximum(filled - land, pits, np.arange(1, count + 1))])
    return np.where(deepest[pits] <= NOISE, filled, land)
