"""Made-up cities to assign trips on: a jittered street grid with arterials, and trips by gravity from zone to zone."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

Case = dict[str, NDArray[np.generic]]

# Streets and arterials: speed [km/h], capacity [pcu/h]. Every sixth row and column is an arterial.
_SPEEDS, _CAPACITIES = (30.0, 60.0), (600.0, 1800.0)
_EVERY, _BLOCK_M = 6, 120.0
# Spent over free time at the flows that everybody's free path would bring.
_LOAD = 0.75


def make_case(nodes: int, zones: int, seed: int = 7) -> Case:
    """Return a city of ``nodes`` nodes: links (both ways), and trips between ``zones`` of its nodes, an hour's.

    Members: starts, ends, free_times [s], capacities [pcu/h], a, power (links,); origins, destinations, volumes
    (pairs,) [veh/h]; node_count. One street in ten of the grid is missing, and every node can be reached.
    """
    chance = np.random.default_rng(seed)
    cols = int(np.ceil(np.sqrt(nodes)))
    node = np.arange(nodes)
    row, col = node // cols, node % cols
    xy = np.stack([col, row], axis=1) * _BLOCK_M + chance.uniform(-0.3, 0.3, (nodes, 2)) * _BLOCK_M
    right, down = node[(col < cols - 1) & (node + 1 < nodes)], node[node + cols < nodes]
    a, b = np.concatenate((right, down)), np.concatenate((right + 1, down + cols))
    major = np.concatenate((row[right] % _EVERY == 0, col[down] % _EVERY == 0))
    # The first row and column stay whole, so that no node is cut off more than by chance in between.
    kept = major | (chance.random(a.size) > 0.1)
    a, b, major = a[kept], b[kept], major[kept]
    lengths = np.hypot(*(xy[a] - xy[b]).T) * chance.uniform(1.0, 1.2, a.size)
    free = lengths / (np.where(major, _SPEEDS[1], _SPEEDS[0]) / 3.6)
    capacity = np.where(major, _CAPACITIES[1], _CAPACITIES[0]) * chance.uniform(0.8, 1.2, a.size)
    starts, ends = np.concatenate((a, b)), np.concatenate((b, a))
    free, capacity = np.tile(free, 2), np.tile(capacity, 2)
    reach = dijkstra(coo_array((free, (starts, ends)), shape=(nodes, nodes)).tocsr(), indices=0)
    zone = chance.choice(np.flatnonzero(np.isfinite(reach)), zones, replace=False)
    origins, destinations, volumes = _spread_trips(chance, zone, xy)
    volumes *= _find_scale(starts, ends, free, capacity, zone, origins, destinations, volumes)
    return {
        "starts": starts, "ends": ends, "free_times": free, "capacities": capacity, "a": np.full(free.size, 0.15),
        "power": np.full(free.size, 4.0), "origins": zone[origins], "destinations": zone[destinations],
        "volumes": volumes, "node_count": np.array(nodes),
    }  # fmt: skip


def _spread_trips(
    chance: np.random.Generator, zone: NDArray[np.int64], xy: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return pairs of zones and volumes that fall with distance; the weakest half of all pairs has none."""
    size = chance.lognormal(0.0, 0.7, zone.size)
    apart = np.hypot(*(xy[zone][:, None] - xy[zone][None]).transpose(2, 0, 1))
    trips = size[:, None] * size[None] * np.exp(-apart / (0.25 * apart.max()))
    np.fill_diagonal(trips, 0.0)
    trips[trips < np.median(trips)] = 0.0
    origins, destinations = np.nonzero(trips)
    return origins, destinations, trips[origins, destinations]


def _find_scale(
    starts: NDArray[np.int64], ends: NDArray[np.int64], free: NDArray[np.float64], capacity: NDArray[np.float64],
    zone: NDArray[np.int64], origins: NDArray[np.int64], destinations: NDArray[np.int64], volumes: NDArray[np.float64],
) -> float:  # fmt: skip
    """Return what to multiply volumes by so that few links are asked for much more than their capacity."""
    count = int(max(starts.max(), ends.max())) + 1
    graph = coo_array((free, (starts, ends)), shape=(count, count)).tocsr()
    link = coo_array((np.arange(starts.size), (starts, ends)), shape=(count, count)).tocsr()
    apart, before = dijkstra(graph, indices=zone, return_predecessors=True)
    flows = np.zeros(starts.size)
    for at in range(zone.size):
        through = np.zeros(count)
        mine = origins == at
        through[zone[destinations[mine]]] = volumes[mine]
        for node in np.argsort(-np.where(np.isfinite(apart[at]), apart[at], -1.0)):
            up = before[at, node]
            if up >= 0 and through[node]:
                through[up] += through[node]
                flows[link[up, node]] += through[node]
    loads = np.sort((flows / capacity)[flows > 0])
    return float(2.0 * _LOAD / loads[int(0.95 * loads.size)])
