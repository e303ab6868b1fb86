"""Where people live on the roads: those of population cells, spread over the junctions in each cell."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from network.roads import Mask, RoadGraph, Values
from twin.process import CityView

REACH = 1_000.0
"""People of a cell without a junction go to the nearest one within this [m]."""

FACILITIES = ("schools", "healthcare", "jobs")
"""What population cells count besides people."""

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Residents:
    """People by cell and junction.

    cells: the cells with people in them, with ``id``, ``people`` and of FACILITIES those they count. cell, junction,
    people: who of which cell lives at which junction (entries,). unplaced: people of cells far from any road. source:
    the layer they are from, "" where the city has none.
    """

    cells: gpd.GeoDataFrame
    cell: Index
    junction: Index
    people: Values
    unplaced: float
    source: str

    @property
    def total(self) -> float:
        """All people, placed or not."""
        return float(self.people.sum()) + self.unplaced

    def at_junctions(self, count: int) -> Values:
        """Return how many people live at each junction (count,)."""
        return np.bincount(self.junction, self.people, count).astype(np.float64)

    def add_up(self, values: Values) -> Values:
        """Return the sum over each cell (cells,) of people times a value of their junction (junctions,)."""
        return np.bincount(self.cell, self.people * values[self.junction], len(self.cells)).astype(np.float64)


def place_residents(view: CityView, graph: RoadGraph, main: Mask) -> Residents:
    """Return the people of the layer population, else of wards, at junctions of the ``main`` part (junctions,)."""
    source, frame = "population", view.layer("population", columns=["population", *FACILITIES])
    if not frame["population"].gt(0).any():
        source, frame = "wards", view.layer("wards", columns=["population"])
    frame = frame[frame["population"].gt(0) & frame.geometry.notna()].reset_index(drop=True)
    counted = {name: frame[name].fillna(0).astype(int) for name in FACILITIES if name in frame}
    cells = gpd.GeoDataFrame(
        {"id": frame["id"].astype(str), "people": frame["population"].astype(float), **counted},
        geometry=frame.geometry.to_numpy(),
        crs=view.crs,
    )
    junctions = np.flatnonzero(main)
    none = np.zeros(0, np.int64)
    if cells.empty or junctions.size == 0:
        return Residents(cells, none, none, np.zeros(0), float(cells["people"].sum()), source if len(cells) else "")
    tree = shapely.STRtree(np.asarray(shapely.points(graph.junction_xy[junctions]), dtype=object))
    shapes = cells.geometry.to_numpy()
    cell, found = tree.query(shapes, predicate="contains")
    empty = np.flatnonzero(np.bincount(cell, minlength=len(cells)) == 0)
    near = tree.query_nearest(shapely.point_on_surface(shapes[empty]), max_distance=REACH, all_matches=False)
    cell = np.concatenate([cell, empty[near[0]]]).astype(np.int64)
    junction = junctions[np.concatenate([found, near[1]])]
    people = cells["people"].to_numpy()
    counts = np.bincount(cell, minlength=len(cells))
    return Residents(cells, cell, junction, people[cell] / counts[cell], float(people[counts == 0].sum()), source)


def find_wards(view: CityView, points: NDArray[np.object_]) -> tuple[gpd.GeoDataFrame, Index]:
    """Return the wards, and which of them each point (n,) lies in, -1 for none."""
    wards = view.layer("wards", columns=["name", "ward_code"])
    wards = wards[wards.geometry.notna()].reset_index(drop=True)
    found = np.full(points.size, -1, np.int64)
    if len(wards) and points.size:
        place, ward = shapely.STRtree(wards.geometry.to_numpy()).query(points, predicate="within")
        found[place] = ward
    return wards, found
