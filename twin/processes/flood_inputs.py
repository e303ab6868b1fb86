"""From the city to the water's domain: terrain, rivers and canals, walls, ground, structures put together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from rasterio.features import rasterize
from scipy import ndimage

from hydrology.breaches import Breach
from hydrology.infiltration import Losses
from hydrology.structures import Structure
from hydrology.terrain import raise_cells
from hydrology.walls import Walls
from hydrology.wind import Wind
from layers.errors import InputError, TooLargeError
from layers.grid import Grid
from twin.process import CityView
from twin.processes.flood_ground import Ground, build_surface, condition_terrain
from twin.processes.flood_structures import Site, build_structures, count_kinds
from twin.processes.flood_walls import (
    WallLines,
    apply_breaches,
    burn_water_sides,
    draw_breaches,
    list_raised,
    read_walls,
)
from twin.processes.flood_water import (
    Levels,
    Mask,
    OpenWater,
    Raster,
    check_voids,
    fill_still_water,
    fill_voids,
    find_water,
    take_river,
)
from twin.processes.flood_works import build_works, fill_canals, join_lines
from twin.scenario import BlowWind, OpenGate, OperateGate, Scenario, Subside

MAX_CELLS = 6_000_000
CLOSED_GATE_FREEBOARD = 2.0
CANAL_DEPTH = 1.0
"""Water a closed canal keeps to flow in [m] below its starting level; ponds and lakes start full to the bed."""

GATE_BAND = 0.2
"""Tide gates are worked when the stage will rise so far [m] above the usual one; else they stand open."""


@dataclass(frozen=True, slots=True, eq=False)
class FloodDomain:
    """All that a flood run needs but the stage and the rain in time.

    bed [m], mannings_n [s/m^(1/3)], runoff: share of the rain a cell gets [1], depth: initial water [m], all (rows,
    cols). stage_cells hold the river's stage; ``water`` are all cells that are water on any day, which a flood map
    leaves out. storage: share of each cell that holds water [1]. notes: what was made of the city, for the record.
    """

    grid: Grid
    bed: Raster
    mannings_n: Raster
    runoff: Raster
    depth: Raster
    stage_cells: Mask
    water: Mask
    structures: tuple[Structure, ...]
    walls: Walls | None = None
    breaches: tuple[Breach, ...] = ()
    losses: Losses | None = None
    storage: Raster | None = None
    wind: Wind | None = None
    notes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


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


def build_domain(
    view: CityView,
    scenario: Scenario,
    bed: Raster,
    grid: Grid,
    levels: Levels,
    *,
    river: Mask | None = None,
    ground: Ground | None = None,
    sewer: bool = False,
) -> FloodDomain:
    """Return the domain of a flood over ``bed`` [m] with the scenario's gates, pumps, breaches and earthworks.

    ``river`` replaces the city's water bodies. Closed canals and ponds start at their usual level. ``sewer``: a sewer
    model carries the pipes. Raises InputError for a city without water and for a terrain with holes.
    """
    ground = ground or Ground()
    water = _find_water(view, scenario, bed, grid, levels, river)
    wet = water.stage | (water.still > 0)
    bed = fill_voids(bed, wet, levels)
    sunk = sum(edit.metres for edit in scenario.find(Subside))
    bed = np.where(wet, bed, bed - sunk)
    lines = read_walls(view, bed, grid, sunk=sunk)
    notes: dict[str, Any] = {}
    if ground.condition:
        bed, notes["conditioning"] = condition_terrain(view, bed, grid, wet, _touch_dykes(lines, grid))
    check_voids(bed, grid)
    works = build_works(scenario, view.crs, bed, grid, wet)
    bed, lines = works.bed, join_lines(works.lines, lines)
    drawn = draw_breaches(view, scenario, bed, wet, lines, grid)
    walls = lines.trace(grid)
    bed, burned = burn_water_sides(bed, lines, walls, wet, grid)
    bed, breaches = apply_breaches(bed, walls, drawn, grid.cell_size)
    stage = water.stage & ~burned & np.isfinite(bed)
    if not stage.any():
        raise InputError(
            "the city has no river or tidal canal on this grid",
            hint="load water_bodies, or give river_below [m] to take low ground at the edge as the river",
        )
    closed = (water.still > 0) & ~burned & np.isfinite(bed)
    # A closed gate holds against any stage; only the flanks can be overtopped. What passes it is the gate's.
    shut = closed & ndimage.binary_dilation(stage)
    bed = raise_cells(bed, shut, levels.highest + CLOSED_GATE_FREEBOARD)
    closed &= ~shut
    level = np.where(closed, fill_still_water(bed, water.still, closed, levels), -np.inf)
    # Deep still water would shorten every step and keep its surroundings awake; only what rises above it matters.
    bed = raise_cells(bed, closed, level - np.where(water.canal, CANAL_DEPTH, 0.0))
    dug = works.dug & ~stage & ~closed & ~shut
    surface = build_surface(view, ground, bed, grid, stage | closed | shut | dug)
    depth = np.where(closed, np.maximum(level - surface.bed, 0.0), 0.0)
    depth += fill_canals(works.canal & dug, surface.bed, stage, levels.start)
    built = build_structures(
        view, scenario, Site(grid, surface.bed, depth, stage, closed, water), sunk=sunk, sewer=sewer
    )
    if works.notes:
        notes["earthworks"] = list(works.notes)
    notes["walls"] = {"lines": len(lines.ids), "faces": int(list_raised(walls, surface.bed)[0].size)}
    notes["structure_counts"] = count_kinds(built.structures)
    notes["structures_left_out"] = {reason: list(ids) for reason, ids in built.left_out.items()}
    return FloodDomain(
        grid,
        surface.bed,
        surface.mannings_n,
        surface.runoff,
        depth,
        stage,
        stage | closed | shut | dug,
        built.structures,
        walls,
        breaches,
        surface.losses,
        surface.storage,
        _read_wind(scenario),
        notes,
    )


def _find_water(
    view: CityView, scenario: Scenario, bed: Raster, grid: Grid, levels: Levels, river: Mask | None
) -> OpenWater:
    if river is not None:
        return take_river(grid, river)
    high = levels.highest > levels.usual + GATE_BAND
    opened = {edit.gate_id for edit in scenario.find(OpenGate)} if high else None
    worked = {edit.gate_id for edit in scenario.find(OperateGate)}
    return find_water(view, bed, grid, levels, opened, worked)


def _touch_dykes(lines: WallLines, grid: Grid) -> Mask:
    """Return the cells that a line of defence touches."""
    if not lines.lines:
        return np.zeros(grid.shape, dtype=bool)
    drawn = rasterize(
        lines.lines, out_shape=grid.shape, transform=grid.transform, all_touched=True, default_value=1, dtype="uint8"
    )
    return np.asarray(drawn > 0)


def _read_wind(scenario: Scenario) -> Wind | None:
    """Return the scenario's wind, the same all the time."""
    winds = scenario.find(BlowWind)
    if not winds:
        return None
    if len(winds) > 1:
        raise InputError(f"the scenario has {len(winds)} winds, expected one")
    return Wind(np.zeros(1), np.array([winds[0].speed]), np.array([winds[0].direction]))
