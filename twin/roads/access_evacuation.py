"""From where the water comes to shelters with room: who goes where, by which roads, when at the latest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from network.evacuation import Evacuation, assign_evacuees
from network.paths import Path
from network.roads import Values
from twin.roads.access import Account, Scene, list_ends
from twin.roads.access_places import FLOODED_FROM

MOST_ROUTES = 2_000
"""Routes that are drawn, of those with the most people."""

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Shelters:
    """Where people go: routes as features, people at each place (places,), and the account in numbers."""

    routes: gpd.GeoDataFrame
    loads: NDArray[np.int64]
    summary: dict[str, Any]


def evacuate(scene: Scene, account: Account, depth_from: float, crs: str) -> Shelters:
    """Return who goes to which shelter: people whose junction stands in ``depth_from`` [m] of water or is cut off.

    Ways are those of dry roads: people leave before the water. Shelters under water take nobody.
    """
    places = scene.places
    shelters = places.select("shelter")
    room = pd.to_numeric(places.frame["capacity"]).fillna(0).to_numpy(np.float64)[shelters].astype(np.int64)
    dry = places.depth[shelters] < FLOODED_FROM
    capacities = np.where(dry, room, 0)
    origins, people, cells = _find_evacuees(scene, account, depth_from)
    graph = scene.graph
    costs = scene.compute_times(scene.mode, None)
    router = scene.build_router(scene.mode, None)
    ends = list_ends(graph, places.junction[shelters])
    times = router.compute_matrix(origins, ends)
    found = assign_evacuees(times, people, capacities)
    loads = np.zeros(len(places.frame), np.int64)
    np.add.at(loads, shelters[found.shelters], found.people)
    largest = np.argsort(-found.people, kind="stable")[:MOST_ROUTES]
    rows: list[dict[str, Any]] = []
    for move in largest.tolist():
        origin, shelter = int(found.origins[move]), int(found.shelters[move])
        path = router.find_path([origins[origin]], ends.nodes[ends.first[shelter] : ends.first[shelter + 1]])
        rows.append({
            "id": str(len(rows)),
            "area_id": scene.residents.cells["id"].iloc[int(cells[origin])],
            "shelter_id": places.frame["place_id"].iloc[int(shelters[shelter])],
            "shelter_name": places.frame["name"].iloc[int(shelters[shelter])],
            "people": int(found.people[move]),
            "travel_time": round(float(path.cost), 1),
            "length": round(float(graph.lengths[graph.links[path.arcs]].sum()), 1),
            "leave_by": _find_last_departure(scene, account, path, costs),
            "geometry": _draw(scene, path),
        })  # fmt: skip
    return Shelters(_frame(rows, crs), loads, _summarize(scene, found, people, times, shelters, capacities, dry))


def _find_evacuees(scene: Scene, account: Account, depth_from: float) -> tuple[Index, NDArray[np.int64], Index]:
    """Return a junction, people and the cell of each origin: cells with people in water or cut off at any step."""
    graph, residents = scene.graph, scene.residents
    row, col, inside = scene.water.grid.cells(graph.junction_xy[:, 0], graph.junction_xy[:, 1])
    depth = np.where(inside, np.nan_to_num(scene.water.depth[row, col]), 0.0)
    endangered = (depth >= depth_from) | account.cut_off.any(axis=0) | account.cut_now
    people = np.rint(residents.add_up(endangered.astype(np.float64))).astype(np.int64)
    cells = np.flatnonzero(people > 0)
    weight = residents.people * endangered[residents.junction]
    order = np.lexsort((-weight, residents.cell))
    cell, first = np.unique(residents.cell[order], return_index=True)
    junction = np.full(len(residents.cells), -1, np.int64)
    junction[cell] = residents.junction[order[first]]
    return junction[cells], people[cells], cells


def _find_last_departure(scene: Scene, account: Account, path: Path, costs: Values) -> datetime | None:
    """Return the latest time to leave so that no stretch is closed on arrival; None where none ever is.

    A stretch closes between two steps: it counts as open until the first of them.
    """
    if not account.times:
        return None
    graph = scene.graph
    links = graph.links[path.arcs]
    first, _, _ = account.find_spans(account.closed[:, graph.edges[links]])
    entered = np.append(0.0, np.cumsum(costs[links])[:-1])
    shut = first >= 0
    if not shut.any():
        return None
    latest = float((account.seconds[np.maximum(first[shut] - 1, 0)] - entered[shut]).min())
    return datetime.fromtimestamp(latest, account.times[0].tzinfo).replace(microsecond=0)


def _draw(scene: Scene, path: Path) -> shapely.LineString:
    graph = scene.graph
    links = graph.links[path.arcs]
    if links.size == 0:
        return shapely.LineString()
    lines = scene.roads.lines(graph.edges[links])
    turned = np.where(graph.forward[links], lines, shapely.reverse(lines))
    return shapely.remove_repeated_points(shapely.LineString(shapely.get_coordinates(turned)))


def _frame(rows: list[dict[str, Any]], crs: str) -> gpd.GeoDataFrame:
    columns = (
        "id", "area_id", "shelter_id", "shelter_name", "people", "travel_time", "length", "leave_by", "geometry"
    )  # fmt: skip
    found = gpd.GeoDataFrame(pd.DataFrame(rows, columns=list(columns)), geometry="geometry", crs=crs)
    found["leave_by"] = pd.to_datetime(found["leave_by"], utc=True)
    # Who lives at the shelter's own junction has no road to draw.
    return found[~found.geometry.is_empty & found.geometry.notna()].reset_index(drop=True)


def _summarize(
    scene: Scene,
    found: Evacuation,
    people: NDArray[np.int64],
    times: Values,
    shelters: Index,
    capacities: NDArray[np.int64],
    dry: NDArray[np.bool_],
) -> dict[str, Any]:
    load = np.bincount(found.shelters, found.people, capacities.size).astype(np.int64)
    frame = scene.places.frame.iloc[shelters]
    person_seconds = float((found.people * times[found.origins, found.shelters]).sum()) if found.people.size else 0.0
    return {
        "people": int(people.sum()),
        "sheltered": int(found.people.sum()),
        "left": int(found.left.sum()),
        "capacity": int(capacities.sum()),
        "mean_travel_time": round(person_seconds / max(int(found.people.sum()), 1), 1),
        "shelters": [
            {
                "id": str(key),
                "name": name if isinstance(name, str) else None,
                "capacity": int(room),
                "load": int(own),
                "flooded": not bool(ok),
            }
            for key, name, room, own, ok in zip(frame["place_id"], frame["name"], capacities, load, dry, strict=True)
        ],
    }
