"""People in the water where buildings name no residents: those of the population cells, spread over their land."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize

from hydrology.hazard import HAZARD_LIMITS
from twin.process import CityView
from twin.processes.flood_touch import CLASS_BOUNDS, Water


class Residents(NamedTuple):
    """The people of population cells on the water's grid.

    ``cell`` (rows, cols) is the place of a cell's population cell in ``middle``, −1 where there is none; ``people``
    (rows, cols) how many live in it.
    """

    cell: NDArray[np.int64]
    people: NDArray[np.float64]
    middle: NDArray[np.object_]


def spread_residents(view: CityView, water: Water) -> Residents:
    """Return the people of the layer population, spread evenly over the land of each of its cells."""
    frame = view.layer("population", columns=["population"])
    shapes = frame.geometry.to_numpy()
    number = np.zeros(water.grid.shape, dtype=np.int32)
    if len(frame):
        pairs = zip(shapes, range(1, len(frame) + 1), strict=True)
        number = rasterize(pairs, out=number, transform=water.grid.transform)
    cell = np.where(np.isfinite(water.depth_max), number, 0).astype(np.int64) - 1
    cells = np.bincount(cell[cell >= 0], minlength=len(frame))
    share = frame["population"].astype(float).fillna(0.0).to_numpy() / np.maximum(cells, 1)
    people = np.append(share, 0.0)[cell]
    return Residents(cell, people, shapely.centroid(shapes))


def touch_people(residents: Residents, water: Water) -> pd.DataFrame:
    """Return the people on wet land by population cell and depth class: columns people, depth_max [m], geometry."""
    count = len(residents.middle)
    rows = []
    bounds = [bound for bound, _ in CLASS_BOUNDS]
    for lower, upper in zip(bounds, [*bounds[1:], np.inf], strict=True):
        within = (water.depth_max >= np.float32(lower)) & (water.depth_max < np.float32(upper))
        inside = within & (residents.cell >= 0)
        own = residents.cell[inside]
        touched = np.bincount(own, residents.people[inside], minlength=count)
        deepest = np.zeros(count)
        np.maximum.at(deepest, own, water.depth_max[inside])
        some = touched > 0.0
        middle = residents.middle[some]
        rows.append(pd.DataFrame({"people": touched[some], "depth_max": deepest[some], "geometry": middle}))
    return pd.concat(rows, ignore_index=True)


def count_people_by_hazard(residents: Residents, hazard: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the people in each hazard class, by its code from 0 on, of a raster of classes (rows, cols)."""
    found = np.bincount(hazard.ravel(), residents.people.ravel(), minlength=HAZARD_LIMITS[-1].code + 1)
    return np.asarray(found, dtype=np.float64)
