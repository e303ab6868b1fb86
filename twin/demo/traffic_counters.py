"""Counters of traffic in the demo: a pair on each of two main streets, so that what happens between them is seen."""

import numpy as np
import shapely

from twin.demo.plan import Ints
from twin.demo.shapes import Table
from twin.demo.stations import Station

STREETS, LINKS = 2, 30
"""So many streets get counters: the longest of those of so many links or more."""
FIRST_AT, APART_M = 0.4, 900.0


def place_counters(roads: Table) -> list[Station]:
    """Return two counters a street, of the way that the street is drawn in, APART_M apart along it."""
    stations: list[Station] = []
    for pair, rows in enumerate(_choose_streets(roads), 1):
        start = shapely.get_point(roads.geometry[rows[0]], 0)
        along = np.array([shapely.distance(start, _middle(roads, row)) for row in rows.tolist()])
        first = int(np.argmin(np.abs(along - FIRST_AT * along.max())))
        second = int(np.argmin(np.abs(along - along[first] - APART_M)))
        for side, place in (("up", first), ("down", second)):
            row = int(rows[place])
            name, street = str(roads.columns["id"][row]), str(roads.columns["name"][row])
            number = len(stations) + 1
            stations.append(
                Station(
                    f"S-XE-{number:02d}", f"Đếm xe {street} {number}", f"Traffic counter {street} {number}", "traffic",
                    _middle(roads, row), "road_links", name, scale=max(float(roads.columns["lanes"][row]) / 2.0, 1.0),
                    pair=pair, side=side,
                )
            )  # fmt: skip
    return stations


def _choose_streets(roads: Table) -> list[Ints]:
    """Return the links of each street in the order in which its traffic meets them."""
    main = np.isin(roads.columns["road_class"], ["primary", "secondary"])
    names = np.where(main, roads.columns["name"].astype(str), "")
    found = [np.flatnonzero(names == name) for name in np.unique(names[main])]
    long = [rows for rows in found if len(rows) >= LINKS]
    long.sort(key=lambda rows: -float(shapely.length(roads.geometry[rows]).sum()))
    return [_order(roads, rows) for rows in long[:STREETS]]


def _order(roads: Table, rows: Ints) -> Ints:
    """Return the rows in order along the mean direction in which they are drawn."""
    starts = np.array([roads.geometry[row].coords[0] for row in rows.tolist()])
    ends = np.array([roads.geometry[row].coords[-1] for row in rows.tolist()])
    way = (ends - starts).sum(axis=0)
    return np.asarray(rows[np.argsort((starts + ends) @ way, kind="stable")], np.int64)


def _middle(roads: Table, row: int) -> shapely.Point:
    point = roads.geometry[row].interpolate(0.5, normalized=True)
    return shapely.Point(round(point.x, 3), round(point.y, 3))
