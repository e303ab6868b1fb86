"""Earthworks of a scenario on the grid: retention ponds, widened canals, raised roads and new dykes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy import ndimage

from hydrology.terrain import raise_cells
from layers.datum import CRS84, make_transformer
from layers.errors import InputError
from layers.grid import Grid
from twin.processes.flood_ground import measure_cover
from twin.processes.flood_walls import WallLines
from twin.processes.flood_water import Mask, Raster
from twin.scenario import BuildDyke, DigPond, Places, RaiseRoad, Scenario, WidenCanal


@dataclass(frozen=True, slots=True, eq=False)
class Earthworks:
    """The ground after the works, all (rows, cols).

    bed [m]; ``dug`` are cells of new ponds and canals, ``canal`` those of canals alone: water, and no land that floods.
    ``lines`` are new crests between cells; ``notes`` tell for each of the works what was moved.
    """

    bed: Raster
    dug: Mask
    canal: Mask
    lines: WallLines
    notes: tuple[dict[str, Any], ...]


def build_works(scenario: Scenario, crs: str, bed: Raster, grid: Grid, wet: Mask) -> Earthworks:
    """Return the surveyed ``bed`` [m] after the scenario's earthworks; ``wet`` cells are water already and stay.

    A pond or canal takes of each cell its depth times the share of the cell it covers, so that the volume is that of
    the drawing at any size of cells. A road is raised over the width of a cell at least. Raises InputError for works
    outside the terrain, and for a pond or canal that is all in water.
    """
    dug, canal = np.zeros(grid.shape, dtype=bool), np.zeros(grid.shape, dtype=bool)
    pieces: list[tuple[str, shapely.LineString, float]] = []
    notes: list[dict[str, Any]] = []
    ground = bed
    digs: list[DigPond | WidenCanal] = [*scenario.find(DigPond), *scenario.find(WidenCanal)]
    for edit in digs:
        shape = _draw_dug(edit, crs)
        share = np.where(wet | ~np.isfinite(ground), 0.0, measure_cover([shape], grid))
        _check_reached(type(edit).__name__, shape, share > 0.0, grid)
        lowered = np.where(share > 0.0, bed - edit.depth * share, bed)
        notes.append(_note(edit, float(shapely.area(shape)) * edit.depth, np.nansum(bed - lowered) * grid.cell_area))
        bed = lowered
        own = share >= min(0.5, float(share.max()))
        dug |= own
        if isinstance(edit, WidenCanal):
            canal |= own
    for road in scenario.find(RaiseRoad):
        line = project_line(road.line, crs)
        strip = shapely.buffer(line, max(road.width, grid.cell_size) / 2.0, cap_style="flat")
        cells = (measure_cover([strip], grid) >= 0.5) & ~wet & np.isfinite(ground)
        raised = raise_cells(bed, cells, ground + road.height)
        notes.append(_note(road, line.length * road.width * road.height, np.nansum(raised - bed) * grid.cell_area))
        bed = raised
        pieces += _cut_crests("road", line, road.height, ground, grid)
    dykes: list[tuple[str, shapely.LineString, float]] = []
    for dyke in scenario.find(BuildDyke):
        line = project_line(dyke.line, crs)
        dykes += _cut_crests("dyke", line, dyke.height, ground, grid)
        notes.append(_note(dyke, None, None) | {"length": round(float(line.length), 1)})
    drawn = [*dykes, *pieces]
    lines = WallLines(
        tuple(name for name, _, _ in drawn),
        tuple(part for _, part, _ in drawn),
        tuple(crest for _, _, crest in drawn),
        len(dykes),
    )
    return Earthworks(bed, dug & np.isfinite(bed), canal & np.isfinite(bed), lines, tuple(notes))


def fill_canals(canal: Mask, bed: Raster, stage: Mask, level: float) -> Raster:
    """Return the water [m] over ``bed`` [m] that new canals hold at the start.

    It stands at ``level`` [m] where they are open to the river; elsewhere they are empty.
    """
    if not canal.any():
        return np.zeros(stage.shape)
    labels, _ = ndimage.label(canal | stage, structure=np.ones((3, 3)))
    open_to_river = np.isin(labels, np.unique(labels[stage])) & canal
    return np.where(open_to_river, np.maximum(level - bed, 0.0), 0.0)


def join_lines(first: WallLines, second: WallLines) -> WallLines:
    """Return the lines of both, dykes before roads."""
    one, two = first.dykes, second.dykes
    return WallLines(
        (*first.ids[:one], *second.ids[:two], *first.ids[one:], *second.ids[two:]),
        (*first.lines[:one], *second.lines[:two], *first.lines[one:], *second.lines[two:]),
        (*first.crests[:one], *second.crests[:two], *first.crests[one:], *second.crests[two:]),
        one + two,
    )


def project_line(places: Places, crs: str) -> shapely.LineString:
    """Return longitudes and latitudes as a line in ``crs``."""
    longitudes, latitudes = np.array(places).T
    return shapely.LineString(np.column_stack(make_transformer(CRS84, crs).transform(longitudes, latitudes)))


def _draw_dug(edit: DigPond | WidenCanal, crs: str) -> shapely.Geometry:
    if isinstance(edit, WidenCanal):
        return shapely.buffer(project_line(edit.line, crs), edit.width / 2.0, cap_style="flat")
    return shapely.make_valid(shapely.Polygon(project_line(edit.ring, crs)))


def _check_reached(kind: str, shape: shapely.Geometry, cells: Mask, grid: Grid) -> None:
    if not cells.any():
        x, y = shapely.get_coordinates(shapely.centroid(shape))[0]
        raise InputError(
            f"{kind} at ({x:.0f}, {y:.0f}) covers no land of the terrain on cells of {grid.cell_size:g} m",
            hint="draw it on dry ground within the city, larger than a quarter of a cell",
        )


def _cut_crests(
    name: str, line: shapely.LineString, height: float, ground: Raster, grid: Grid
) -> list[tuple[str, shapely.LineString, float]]:
    """Return a line in pieces of about a cell with crests [m] of ``height`` [m] above the higher ground they touch."""
    corners = shapely.get_coordinates(shapely.segmentize(line, grid.cell_size))
    row, col, inside = grid.cells(corners[:, 0], corners[:, 1])
    levels = np.where(inside, ground[row, col], np.nan)
    if not np.isfinite(levels).any():
        raise InputError(f"{name} at ({corners[0, 0]:.0f}, {corners[0, 1]:.0f}) lies outside the terrain")
    found = []
    for place in range(len(corners) - 1):
        ends = levels[place : place + 2]
        if np.isfinite(ends).any():
            piece = shapely.LineString(corners[place : place + 2])
            found.append((f"{name} {place}", piece, float(np.nanmax(ends)) + height))
    return found


def _note(
    edit: DigPond | WidenCanal | RaiseRoad | BuildDyke, drawn: float | None, moved: float | None
) -> dict[str, Any]:
    """Return what one of the works moved [m3]: as it was drawn, and on the grid."""
    volumes = {} if drawn is None or moved is None else {"drawn_volume": drawn, "volume": float(moved)}
    return {"edit": type(edit).__name__, **{name: round(value, 1) for name, value in volumes.items()}}
