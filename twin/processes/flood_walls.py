"""Dykes, river walls and raised roads as walls between cells, and the breaches in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize

from hydrology.breaches import Breach, suggest_breach
from hydrology.flow_laws import GRAVITY
from hydrology.terrain import lower_cells, raise_cells
from hydrology.walls import Walls, trace_walls
from layers.datum import CRS84, make_transformer
from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from twin.process import CityView
from twin.processes.flood_water import Mask, Raster
from twin.scenario import BreachDyke, Scenario

ROAD_RISE = (0.3, 3.0)
"""A road is a wall where it lies so far [m] above the ground of the terrain, half of the way; higher is a viaduct."""

REACH = 1.0
"""Lines that come so near [m] are one line of defence."""

INITIAL_WIDTH = 10.0
"""A breach deepens at this width [m], or its own if that is less."""

FORELAND = 2
"""Cells that a dyke touches count as its water side so many cells from the water."""

LEAST_HEIGHT = 0.5
"""Height of a breach [m] that its formation time is taken from at least."""


@dataclass(frozen=True, slots=True, eq=False)
class WallLines:
    """Lines of defence: ids, lines, crests [m]; the first ``dykes`` of them are dykes, the others raised roads."""

    ids: tuple[str, ...]
    lines: tuple[shapely.LineString, ...]
    crests: tuple[float, ...]
    dykes: int

    def trace(self, grid: Grid) -> Walls:
        """Return the faces the lines raise."""
        return trace_walls([shapely.get_coordinates(line) for line in self.lines], self.crests, grid)


def read_walls(view: CityView, bed: Raster, grid: Grid, *, sunk: float = 0.0) -> WallLines:
    """Return dykes and raised roads; their crests have sunk by ``sunk`` [m] as the ground they stand on.

    Roads without an elevation, on bridges, in tunnels and those that lie as the terrain lies are left out.
    """
    dykes = view.layer("dykes", columns=["crest_elevation"])
    dykes = dykes[dykes["crest_elevation"].notna() & dykes.geometry.notna()]
    roads = _select_raised(view, bed, grid, sunk)
    ids, lines, crests = [], [], []
    for frame, column in ((dykes, "crest_elevation"), (roads, "elevation")):
        for name, shape, crest in zip(frame["id"], frame.geometry, frame[column].astype(float), strict=True):
            for part in shapely.get_parts(shape):
                ids.append(str(name))
                lines.append(part)
                crests.append(float(crest) - sunk)
    return WallLines(tuple(ids), tuple(lines), tuple(crests), int(shapely.get_num_geometries(dykes.geometry).sum()))


def _select_raised(view: CityView, bed: Raster, grid: Grid, sunk: float) -> pd.DataFrame:
    roads = view.layer("road_links", columns=["elevation", "is_bridge", "is_tunnel", "level"])
    ground = roads["is_bridge"].ne(True) & roads["is_tunnel"].ne(True) & roads["level"].fillna(0).eq(0)
    roads = roads[roads["elevation"].notna() & ground & roads.geometry.notna()]
    if roads.empty:
        return roads
    points, number = shapely.get_coordinates(
        shapely.segmentize(roads.geometry.to_numpy(), grid.cell_size), return_index=True
    )
    row, col, inside = grid.cells(points[:, 0], points[:, 1])
    rise = roads["elevation"].astype(float).to_numpy()[number] - sunk - np.where(inside, bed[row, col], np.nan)
    middle = pd.Series(rise).groupby(number).median().reindex(range(len(roads))).to_numpy()
    return roads[(middle >= ROAD_RISE[0]) & (middle <= ROAD_RISE[1])]


def burn_water_sides(bed: Raster, walls: WallLines, traced: Walls, wet: Mask, grid: Grid) -> tuple[Raster, Mask]:
    """Return the bed [m] with the cells a dyke touches on its water side at its crest, and those cells.

    Water is drawn to its bank, where the dyke stands: what a dyke's cell holds of the river or of a foreland narrower
    than two cells is the dyke's, and no land that floods. All other cells keep the ground that was surveyed.
    """
    pairs = sorted(zip(walls.lines[: walls.dykes], walls.crests[: walls.dykes], strict=True), key=lambda pair: pair[1])
    if not pairs:
        return bed, np.zeros(grid.shape, dtype=bool)
    # Later shapes win, so the highest crest of a shared cell remains.
    crest = rasterize(
        pairs, out_shape=grid.shape, transform=grid.transform, fill=np.nan, all_touched=True, dtype="float64"
    )
    touched = np.isfinite(crest) & np.isfinite(bed)
    reached = wet.copy()
    for _ in range(FORELAND):
        spread = reached.copy()
        across, down = traced.line_x[:, 1:-1] < 0, traced.line_y[1:-1] < 0
        spread[:, 1:] |= reached[:, :-1] & across
        spread[:, :-1] |= reached[:, 1:] & across
        spread[1:] |= reached[:-1] & down
        spread[:-1] |= reached[1:] & down
        reached |= spread & touched
    cells = touched & reached
    return raise_cells(bed, cells, np.where(cells, crest, -np.inf)), cells


def draw_breaches(
    view: CityView, scenario: Scenario, ground: Raster, water: Mask, walls: WallLines, grid: Grid
) -> list[tuple[Mask, float, list[Breach]]]:
    """Return for each breach the cells whose ground it takes away, its crest [m], and its parts in the walls there.

    The cells are a disc of its width, at least three cells across: where the terrain holds the dyke it goes with it.
    Without a crest it reaches the lowest dry ground there. It opens ``start_hours`` after the start, over
    ``formation_hours`` or as long as Froehlich's dykes of that width and height took. Raises InputError for a point
    outside the terrain, and for one that starts later where no dyke is known to hold until then.
    """
    return [_draw_breach(view, edit, ground, water, walls, grid) for edit in scenario.find(BreachDyke)]


def _draw_breach(
    view: CityView, edit: BreachDyke, ground: Raster, water: Mask, walls: WallLines, grid: Grid
) -> tuple[Mask, float, list[Breach]]:
    at, place = _locate_breach(view, edit), edit.dyke_id or f"({edit.lon}, {edit.lat})"
    if not grid.cells(np.array([at.x]), np.array([at.y]))[2][0]:
        raise InputError(f"breach at {place} lies outside the terrain")
    x, y = grid.centres()
    distance = np.hypot(x[np.newaxis, :] - at.x, y[:, np.newaxis] - at.y)
    radius = max(edit.width / 2.0, 1.5 * grid.cell_size)
    cells = (distance <= radius) & np.isfinite(ground)
    if not cells.any():
        raise InputError(f"breach at {place} lies where the terrain has no value")
    dry = cells & ~water
    crest = edit.crest if edit.crest is not None else float(ground[dry if dry.any() else cells].min())
    numbers = _find_lines(walls, at, radius, edit.dyke_id)
    if not numbers and edit.start_hours > 0.0:
        raise InputError(
            f"breach at {place} opens after {edit.start_hours:g} h, but no dyke lies within {radius:g} m of it",
            hint="without a dyke to hold until then a breach is open from the start: give start_hours 0",
        )
    top = max((walls.crests[number] for number in numbers), default=crest)
    duration = choose_formation(edit, top - crest)
    parts = [
        Breach(
            id=f"{place} {part}",
            line=number,
            place=middle,
            start=edit.start_hours * 3600.0,
            duration=duration,
            final_width=width,
            final_crest=crest,
            initial_width=min(INITIAL_WIDTH, width),
        )
        for part, (number, middle, width) in enumerate(_cut_lines(walls, numbers, at, edit.width))
    ]
    return cells, crest, parts


def choose_formation(edit: BreachDyke, height: float) -> float:
    """Return the time a breach takes to form [s]: as given, or by Froehlich's regression for its width and height [m].

    His width grows with the volume of water, of which a river has any: that which gives the width gives the time.
    """
    if edit.formation_hours is not None:
        return edit.formation_hours * 3600.0
    height = max(height, LEAST_HEIGHT)
    unit, _ = suggest_breach(1.0, height)
    volume = (edit.width / unit) ** (1.0 / 0.32)
    return 63.2 * float(np.sqrt(volume / (GRAVITY * height**2)))


def _find_lines(walls: WallLines, at: shapely.Point, radius: float, dyke_id: str | None) -> list[int]:
    """Return the wall at a point and those that join it: the dyke named, else the nearest within ``radius`` [m]."""
    lines = walls.lines[: walls.dykes]
    if not lines:
        return []
    away = shapely.distance(np.array(lines), at)
    if dyke_id is not None:
        named = np.array([name == dyke_id for name in walls.ids[: walls.dykes]])
        away = np.where(named, away, np.inf)
    first = int(np.argmin(away))
    if not away[first] <= radius:
        return []
    joined = shapely.distance(np.array(lines), lines[first]) <= REACH
    return [first, *(k for k in np.flatnonzero(joined).tolist() if k != first)]


def _cut_lines(
    walls: WallLines, numbers: Sequence[int], at: shapely.Point, width: float
) -> list[tuple[int, float, float]]:
    """Return number, middle along it [m] and width [m] of what a gap of ``width`` [m] takes of each line."""
    if not numbers:
        return []
    centre = shapely.line_interpolate_point(
        walls.lines[numbers[0]], shapely.line_locate_point(walls.lines[numbers[0]], at)
    )
    disc, found = centre.buffer(width / 2.0, quad_segs=32), []
    for number in numbers:
        line = walls.lines[number]
        for part in shapely.get_parts(shapely.intersection(line, disc)):
            if part.length > 0.01 * width:
                middle = part.interpolate(0.5, normalized=True)
                found.append((number, float(line.project(middle)), float(part.length)))
    return found


def apply_breaches(
    bed: Raster, walls: Walls, drawn: Sequence[tuple[Mask, float, list[Breach]]], cell_size: float
) -> tuple[Raster, tuple[Breach, ...]]:
    """Return the bed [m] without the ground the breaches take, and their parts that meet a raised face.

    Where the wall is no higher than the ground it stands on there is no face to breach, and the cells are all.
    """
    for cells, crest, _ in drawn:
        bed = lower_cells(bed, cells, crest)
    parts: list[Breach] = []
    if any(own for _, _, own in drawn):
        line, place = list_raised(walls, bed)
        for part in (part for _, _, own in drawn for part in own):
            near = np.abs(place[line == part.line] - part.place) <= part.final_width / 2.0 + 2.0 * cell_size
            if near.any():
                parts.append(part)
    return bed, tuple(parts)


def list_raised(walls: Walls, bed: Raster) -> tuple[NDArray[np.int64], Raster]:
    """Return line and place along it [m] of the faces that stand above both cells beside them."""
    inner = (
        (walls.x, walls.line_x, walls.place_x, np.maximum(bed[:, 1:], bed[:, :-1]), np.s_[:, 1:-1]),
        (walls.y, walls.line_y, walls.place_y, np.maximum(bed[1:], bed[:-1]), np.s_[1:-1]),
    )
    lines, places = [], []
    for crest, line, place, ground, inside in inner:
        up = (line[inside] >= 0) & (np.nan_to_num(crest[inside], nan=-np.inf) > ground + 1e-3)
        lines.append(line[inside][up])
        places.append(place[inside][up])
    return np.concatenate(lines), np.concatenate(places)


def _locate_breach(view: CityView, edit: BreachDyke) -> shapely.Point:
    if edit.lon is not None and edit.lat is not None:
        x, y = make_transformer(CRS84, view.crs).transform(edit.lon, edit.lat)
        return shapely.Point(x, y)
    dykes = view.layer("dykes", columns=["crest_elevation"])
    found = dykes.loc[dykes["id"] == edit.dyke_id]
    if found.empty:
        raise NotFoundError(f"dyke '{edit.dyke_id}' does not exist")
    return found.geometry.iloc[0].interpolate(0.5, normalized=True)
