"""What signs say of turns → ways of edges that nobody may go: from one road, over a node or a road, to another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from network.roads import MODES, RoadGraph, Values, mode_bits
from twin.networks.reading import Objects, Rows

TURNS = "turn_restrictions"
TURN_COLUMNS = (
    "restriction", "from_road", "via", "to_road", "except_motorbike", "except_bus", "except_truck", "except_bicycle",
    "only_for", "hours",
)  # fmt: skip
REACH = 30.0
"""A sign stands no further than this from the junction it speaks of [m]."""
_ANGLES = {"left": 90.0, "right": -90.0, "straight": 0.0, "u": 180.0}
_HEEDED_BY = mode_bits("car", "motorbike", "truck", "bus", "bicycle")
_LONGEST_VIA = 8
Half = tuple[int, bool]


@dataclass(frozen=True, slots=True)
class Ban:
    """Ways that a sign forbids to the modes of a bit mask; ``sign`` is its id."""

    sign: str
    modes: int
    ways: tuple[tuple[Half, ...], ...]


@dataclass(frozen=True, slots=True)
class Unheeded:
    """A sign that says nothing to the graph, where it stands [m], and why."""

    sign: str
    xy: tuple[float, float]
    reason: str


def choose_ways(bans: Iterable[Ban], mode: str) -> list[tuple[Half, ...]]:
    """Return the ways that are forbidden to a mode."""
    bit = mode_bits(mode)
    return [way for ban in bans if ban.modes & bit for way in ban.ways]


def resolve_turns(
    rows: Rows, graph: RoadGraph, places: Mapping[str, list[int]], shapes: Objects
) -> tuple[tuple[Ban, ...], tuple[Unheeded, ...]]:
    """Return what the signs forbid, and the signs that cannot be heeded.

    places: the edges of each feature, in order along it. shapes: the line of each edge. People on foot and emergency
    vehicles heed no sign; a sign of some hours only is not in the graph, for it would hold all day.
    """
    assert rows.shapes is not None
    junctions = _Junctions(graph, shapes)
    bans: list[Ban] = []
    unheeded: list[Unheeded] = []
    for k, sign in enumerate(rows.ids.tolist()):
        said = {name: rows.values[name][k] for name in TURN_COLUMNS}
        point = rows.shapes[k]
        found = _resolve(said, (point.x, point.y), places, junctions)
        if isinstance(found, str):
            unheeded.append(Unheeded(sign, (point.x, point.y), found))
        elif found:
            bans.append(Ban(sign, _modes(said), found))
    return tuple(bans), tuple(unheeded)


class _Junctions:
    """Links by the junction they leave, and by how far it is to turn from one into another."""

    def __init__(self, graph: RoadGraph, shapes: Objects) -> None:
        self.graph = graph
        self._shapes = shapes
        self._leave = np.searchsorted(graph.starts, np.arange(graph.junction_count + 1))

    def half(self, link: int) -> Half:
        return int(self.graph.edges[link]), bool(self.graph.forward[link])

    def halves(self, edge: int) -> list[int]:
        return [int(link) for link in self.graph.edge_links[edge] if link >= 0]

    def leaving(self, junction: int) -> list[int]:
        return list(range(int(self._leave[junction]), int(self._leave[junction + 1])))

    def turn(self, first: int, second: int) -> float:
        """Return how far a turn goes to the left [deg], 180 back, negative to the right."""
        a, b = self._bearing(first, -1), self._bearing(second, 0)
        return float((np.degrees(b - a) + 180.0) % 360.0 - 180.0)

    def _bearing(self, link: int, at: int) -> float:
        coords = np.asarray(self._shapes[self.graph.edges[link]].coords)
        if not self.graph.forward[link]:
            coords = coords[::-1]
        step = coords[1] - coords[0] if at == 0 else coords[-1] - coords[-2]
        return float(np.arctan2(step[1], step[0]))


def _modes(said: Mapping[str, Any]) -> int:
    if said["only_for"]:
        return mode_bits(str(said["only_for"]))
    freed = [mode for mode in MODES if said.get(f"except_{mode}")]
    return _HEEDED_BY & ~mode_bits(*freed)


def _resolve(
    said: Mapping[str, Any], xy: tuple[float, float], places: Mapping[str, list[int]], junctions: _Junctions
) -> tuple[tuple[Half, ...], ...] | str:
    """Return the ways a sign forbids, or why it cannot be told."""
    if said["hours"]:
        return "it holds for some hours only"
    into, out = (_list_halves(said[name], places, junctions) for name in ("from_road", "to_road"))
    for name, halves in (("from", into), ("to", out)):
        if not halves:
            return f"the road it leads {name} is not among the roads"
    graph, kind = junctions.graph, str(said["restriction"])
    near = _nearest([int(graph.ends[link]) for link in into], graph.junction_xy, xy)
    if near is None:
        return f"the road it leads from has no junction within {REACH:g} m"
    into = [link for link in into if graph.ends[link] == near]
    over = [name for name in str(said["via"] or "").split(";") if name in places]
    if over:
        return _find_over(kind, into, out, {edge for name in over for edge in places[name]}, junctions)
    out = [link for link in out if graph.starts[link] == near]
    if not out:
        return "its two roads do not meet there"
    if kind in ("no_entry", "no_exit"):
        return tuple((junctions.half(a), junctions.half(b)) for a in into for b in out)
    pair = _choose(kind, [(a, b) for a in into for b in out], junctions)
    if kind.startswith("only_"):
        others = [link for link in junctions.leaving(near) if link != pair[1]]
        return tuple((junctions.half(pair[0]), junctions.half(link)) for link in others)
    return ((junctions.half(pair[0]), junctions.half(pair[1])),)


def _list_halves(named: Any, places: Mapping[str, list[int]], junctions: _Junctions) -> list[int]:
    names = [name for name in str(named or "").split(";") if name in places]
    return [link for name in names for edge in places[name] for link in junctions.halves(edge)]


def _nearest(junctions: list[int], places: Values, xy: tuple[float, float]) -> int | None:
    off = np.hypot(places[junctions, 0] - xy[0], places[junctions, 1] - xy[1])
    best = int(np.argmin(off))
    return junctions[best] if off[best] <= REACH else None


def _choose(kind: str, pairs: list[tuple[int, int]], junctions: _Junctions) -> tuple[int, int]:
    """Return the pair of links whose turn is most like the one the sign shows; a road is not left where it came."""
    wanted = next((angle for word, angle in _ANGLES.items() if f"_{word}" in kind), None)
    if len(pairs) == 1 or wanted is None:
        return pairs[0]

    def off(pair: tuple[int, int]) -> float:
        return abs((junctions.turn(*pair) - wanted + 180.0) % 360.0 - 180.0)

    return min(pairs, key=off)


def _find_over(
    kind: str, into: list[int], out: list[int], over: set[int], junctions: _Junctions
) -> tuple[tuple[Half, ...], ...] | str:
    """Return the way from the first road over the edges between to the last, and what goes round it."""
    if kind.startswith("only_"):
        return "it orders a way over another road"
    graph, last = junctions.graph, set(out)
    ways: list[tuple[int, ...]] = [(link,) for link in into]
    for _ in range(_LONGEST_VIA):
        longer: list[tuple[int, ...]] = []
        for way in ways:
            for link in junctions.leaving(int(graph.ends[way[-1]])):
                if link in last and len(way) > 1:
                    return _bar([junctions.half(part) for part in (*way, link)])
                if int(graph.edges[link]) in over and link not in way:
                    longer.append((*way, link))
        ways = longer
    return "the road it goes over does not lead from the first to the last"


def _bar(way: list[Half]) -> tuple[tuple[Half, ...], ...]:
    """Return a way, and the turns round on the edges between, by two of which the way would be gone after all."""
    round_about = [(*way[: k + 1], (way[k][0], not way[k][1])) for k in range(1, len(way) - 1)]
    return (tuple(way), *round_about)
