"""People, jobs, schools and health facilities on a 100 m grid, counted from buildings and places."""

import numpy as np
import shapely

from layers.grid import Grid
from twin.demo.plan import CRS, GRID
from twin.demo.shapes import Table, make_polygons

CELL_SIZE = 100.0
FLOOR_AREA_PER_JOB = {
    "shop": 45.0,
    "office": 22.0,
    "industrial": 90.0,
    "school": 110.0,
    "hospital": 45.0,
    "public": 40.0,
}


def make_population(buildings: Table, places: Table) -> Table:
    """Return the cells with anybody or anything in them; totals equal those of the buildings and places."""
    grid = Grid.covering(GRID.bounds, CELL_SIZE, CRS)
    centre = shapely.centroid(buildings.geometry)
    row, col, _ = grid.cells(shapely.get_x(centre), shapely.get_y(centre))
    home = row * grid.cols + col
    size = grid.rows * grid.cols
    people = np.bincount(home, weights=buildings.columns["residents"], minlength=size)
    floor = shapely.area(buildings.geometry) * buildings.columns["storeys"]
    share = np.array([1.0 / FLOOR_AREA_PER_JOB.get(use, np.inf) for use in buildings.columns["use"]])
    jobs = np.floor(np.bincount(home, weights=floor * share, minlength=size))
    row, col, _ = grid.cells(shapely.get_x(places.geometry), shapely.get_y(places.geometry))
    category = places.columns["category"]
    counted = {}
    for name, words in (("schools", ("school", "university")), ("healthcare", ("hospital", "clinic"))):
        weight = np.isin(category, words).astype(np.float64)
        counted[name] = np.bincount(row * grid.cols + col, weights=weight, minlength=size)
    cell = np.flatnonzero(people + jobs + counted["schools"] + counted["healthcare"])
    x0 = grid.x_min + (cell % grid.cols) * CELL_SIZE
    y1 = grid.y_max - (cell // grid.cols) * CELL_SIZE
    x = np.column_stack([x0, x0 + CELL_SIZE, x0 + CELL_SIZE, x0])
    y = np.column_stack([y1 - CELL_SIZE, y1 - CELL_SIZE, y1, y1])
    return Table(
        make_polygons(x, y),
        {
            "id": np.array([f"POP-{k:05d}" for k in cell], dtype=object),
            "population": people[cell].astype(np.int64),
            "jobs": jobs[cell].astype(np.int64),
            "schools": counted["schools"][cell].astype(np.int64),
            "healthcare": counted["healthcare"][cell].astype(np.int64),
        },
    )
