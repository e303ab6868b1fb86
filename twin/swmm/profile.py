"""Long profiles: bed, crown, ground and hydraulic grade line along the drains between two nodes of a run."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from network.graph import build_graph
from network.tracing import find_shortest_path, set_passes
from twin.swmm.results_files import StoredRun
from twin.swmm.results_layers import FLOODED

Array = NDArray[np.float64]

DEVICE_LENGTH = 3.0
"""A pump, gate or weir is drawn as long as this [m]: SWMM gives it no length."""

MOST_NODES = 5_000


@dataclass(frozen=True, slots=True)
class Station:
    """A node of a profile: ``distance`` from its beginning [m], elevations [m], ``rim`` None for an outfall.

    max_head: highest level [m]; head: level at the asked time [m], None without one. surcharge_time [s],
    flooding_volume [m3].
    """

    id: str
    kind: str
    distance: float
    invert: float
    rim: float | None
    max_head: float
    head: float | None
    surcharge_time: float
    flooding_volume: float
    flooded: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """A link of a profile from ``start`` to ``end`` [m], both along the profile; beds, crowns and levels at them [m].

    against: its own direction is against the profile's. A device has no crown. full_time [s], max_flow [m3/s].
    """

    id: str
    kind: str
    start: float
    end: float
    start_bed: float
    end_bed: float
    start_crown: float | None
    end_crown: float | None
    start_max_head: float
    end_max_head: float
    start_head: float | None
    end_head: float | None
    max_flow: float
    full_time: float
    full: bool
    against: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """Stations and reaches in order; ``length`` [m]; ``at``: the time of ``head`` since the start [s], or None."""

    stations: tuple[Station, ...]
    reaches: tuple[Reach, ...]
    length: float
    at: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the profile as arrays for a chart."""
        return {
            "length": round(self.length, 3),
            "at": self.at,
            "flooded": [station.id for station in self.stations if station.flooded],
            "full": [reach.id for reach in self.reaches if reach.full],
            "stations": _transpose([asdict(station) for station in self.stations]),
            "reaches": _transpose([asdict(reach) for reach in self.reaches]),
        }


def _transpose(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [_round(row[name]) for row in rows] for name in rows[0]} if rows else {}


def _round(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def find_path(run: StoredRun, start: int, end: int) -> tuple[list[int], list[int]]:
    """Return nodes and links of the shortest way between two nodes: with the flow, against it, or any.

    Raises InputError where no links join them, or the way is too long to draw.
    """
    lengths = np.maximum(run.column("links", "length"), DEVICE_LENGTH)
    graph = build_graph(run.links["start"], run.links["end"], nodes=len(run.nodes["ids"]), weights=lengths)
    for direction in ("forward", "backward", "both"):
        path = find_shortest_path(graph, start, end, passes=set_passes(graph, direction))
        if path is not None:
            if path.nodes.size > MOST_NODES:
                raise InputError(f"the way has {path.nodes.size} nodes, expected at most {MOST_NODES}")
            return path.nodes.tolist(), path.links.tolist()
    names = run.nodes["ids"]
    raise InputError(
        f"no links join '{names[start]}' and '{names[end]}'", hint="choose two nodes of one connected part"
    )


def read_profile(run: StoredRun, first: str, last: str, *, at: float | None = None) -> Profile:
    """Return the profile from node ``first`` to ``last`` (ids or names), with levels at ``at`` [s since the start].

    Raises NotFoundError for nodes that are not in the run, InputError where no way joins them.
    """
    start, end = run.find_node(first), run.find_node(last)
    if start == end:
        raise InputError(f"the profile begins and ends at '{first}', expected two nodes")
    if at is not None and not 0.0 <= at <= float(run.times[-1]) + 1.0:
        raise InputError(f"time {at:g} s is outside the run, expected 0 to {run.times[-1]:g} s")
    nodes, links = find_path(run, start, end)
    invert, depth = run.column("nodes", "invert"), run.column("nodes", "full_depth")
    max_head = invert + run.column("nodes", "max_depth")
    moment = None if at is None else run.find_moment(at)
    head = None if moment is None else invert + run.read_depths(moment)
    lengths = np.maximum(run.column("links", "length")[links], DEVICE_LENGTH)
    distances = np.concatenate([[0.0], np.cumsum(lengths)])
    volumes, surcharged = run.column("nodes", "flooding_volume"), run.column("nodes", "surcharge_time")
    kinds = run.nodes["kinds"]
    stations = tuple(
        Station(
            run.nodes["ids"][k],
            kinds[k],
            float(distance),
            float(invert[k]),
            None if kinds[k] == "outfall" else float(invert[k] + depth[k]),
            float(max_head[k]),
            None if head is None else float(head[k]),
            float(surcharged[k]),
            float(volumes[k]),
            bool(volumes[k] >= FLOODED),
        )
        for k, distance in zip(nodes, distances, strict=True)
    )
    reaches = tuple(
        _read_reach(run, link, (nodes[k], nodes[k + 1]), (distances[k], distances[k + 1]), (invert, max_head, head))
        for k, link in enumerate(links)
    )
    return Profile(stations, reaches, float(distances[-1]), None if moment is None else float(run.times[moment]))


def _read_reach(
    run: StoredRun,
    link: int,
    ends: tuple[int, int],
    places: tuple[float, float],
    levels: tuple[Array, Array, Array | None],
) -> Reach:
    invert, max_head, head = levels
    against = run.links["start"][link] != ends[0]
    offsets = [run.links["start_offset"][link], run.links["end_offset"][link]]
    if against:
        offsets.reverse()
    beds = [float(invert[node] + offset) for node, offset in zip(ends, offsets, strict=True)]
    conduit = run.links["kinds"][link] == "conduit"
    height = float(run.links["full_depth"][link])
    crowns = [bed + height if conduit else None for bed in beds]
    # Where the water of a manhole stands below the pipe's bed, what falls out of the pipe is at its bed.
    highest = [max(float(max_head[node]), bed) for node, bed in zip(ends, beds, strict=True)]
    now = [None if head is None else max(float(head[node]), bed) for node, bed in zip(ends, beds, strict=True)]
    full_time = float(run.links["full_time"][link])
    return Reach(
        run.links["ids"][link], run.links["kinds"][link], float(places[0]), float(places[1]), beds[0], beds[1],
        crowns[0], crowns[1], highest[0], highest[1], now[0], now[1], float(run.links["max_flow"][link]), full_time,
        conduit and float(run.links["max_depth"][link]) >= 0.999 * height, bool(against),
    )  # fmt: skip
