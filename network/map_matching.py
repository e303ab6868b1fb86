"""From a track of positions to the roads that were driven: hidden Markov map matching.

Newson and Krumm 2009, doi:10.1145/1653771.1653818. A position lies about its road with a normal error; from one
position to the next the way along the roads is about as long as the straight one, with an exponential difference.
Positions nearer than two errors to the one before are passed over (section 4.1). Where no way joins two positions the
track breaks off and begins anew, and the gap is told.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.map_matching_kernels import find_sequence, find_way
from network.paths_answers import Index, Values
from network.roads import Mask, RoadGraph

ERROR_M = 10.0
"""Standard deviation of positions [m]: telephones between houses; the paper's 4.07 m is of a good receiver."""
BETA_M = 5.0
"""Mean difference of way and straight line [m]; the paper's figure 5 has 0.5 m at 1 s to 8 m at 60 s apart."""
TOP_SPEED = 200.0 / 3.6


class _Network(NamedTuple):
    """Arcs by tail, their lengths [m], inf where closed, and arcs by link."""

    first: Index
    tails: Index
    heads: Index
    lengths: Values
    link_first: Index
    link_arcs: Index


@dataclass(frozen=True, eq=False)
class Candidates:
    """Where each position may lie: those of position i are first[i] to first[i + 1].

    links, alongs: the link and metres along it as it runs; offs: how far the position is from there [m].
    """

    first: Index
    links: Index
    alongs: Values
    offs: Values


@dataclass(frozen=True, eq=False)
class Stretch:
    """One unbroken part of a track: the links driven, in order, and the positions that lie on them.

    links (links,); begin, end: metres along the first and the last link where it begins and ends; points: which
    positions (points,), on: the link each lies on as a place in ``links``; alongs: metres along that link.
    """

    links: Index
    begin: float
    end: float
    points: Index
    on: Index
    alongs: Values

    def lengths(self, graph: RoadGraph) -> Values:
        """Return how much of each link was driven (links,) [m]."""
        driven = graph.lengths[self.links].copy()
        if driven.size:
            driven[-1] = self.end
            driven[0] -= self.begin
        return np.maximum(driven, 0.0)


@dataclass(frozen=True, eq=False)
class Match:
    """Unbroken parts in order; passed: positions passed over as standing still; lost: those no road is near to."""

    stretches: tuple[Stretch, ...]
    passed: Index
    lost: Index


def match_track(
    graph: RoadGraph,
    open_links: Mask,
    xy: ArrayLike,
    candidates: Candidates,
    *,
    times: ArrayLike | None = None,
    error: float = ERROR_M,
    beta: float = BETA_M,
) -> Match:
    """Return the roads a track was driven on.

    open_links: links the mode may use (links,). xy: positions in order (points, 2) [m]; times [s] (points,), with which
    no way faster than 200 km/h is taken. candidates: for all positions, on open links only. error: standard deviation
    of positions [m]; beta [m].
    """
    places = np.asarray(xy, np.float64).reshape(-1, 2)
    if not error > 0.0 or not beta > 0.0:
        raise InputError(f"an error of {error:g} m and a beta of {beta:g} m, expected both above 0")
    if candidates.first.size != places.shape[0] + 1:
        raise InputError(f"{places.shape[0]} positions have candidates of {candidates.first.size - 1}")
    moments = None if times is None else np.asarray(times, np.float64)
    if moments is not None and (moments.shape != (places.shape[0],) or (np.diff(moments) < 0.0).any()):
        raise InputError("the times of a track do not ascend, or are not one a position")
    counts = np.diff(candidates.first)
    used = _thin(places, counts > 0, 2.0 * error)
    passed = np.setdiff1d(np.flatnonzero(counts > 0), used).astype(np.int32)
    lost = np.flatnonzero(counts == 0).astype(np.int32)
    if not used.size:
        return Match((), passed, lost)
    moves = np.concatenate(([0.0], np.hypot(*np.diff(places[used], axis=0).T)))
    gaps = np.zeros(used.size) if moments is None else np.concatenate(([0.0], np.diff(moments[used])))
    lengths = np.where(open_links, graph.lengths, np.inf)[graph.links]
    network = _Network(graph.first, graph.tails, graph.heads, lengths, *graph.link_arcs)
    chosen, broken = _choose(graph, network, candidates, used, moves, gaps, error, beta)
    parts = np.split(np.arange(used.size), np.flatnonzero(broken))
    stretches = tuple(
        _follow(graph, network, candidates, chosen[part], used[part], moves[part], 2.0 * error) for part in parts
    )
    return Match(stretches, passed, lost)


def measure_times(graph: RoadGraph, stretch: Stretch, times: ArrayLike) -> Values:
    """Return the seconds on each link of a stretch (links,), in proportion to the way between positions.

    times: of all positions of the track [s].
    """
    ends = np.cumsum(stretch.lengths(graph))
    starts = ends - stretch.lengths(graph)
    alongs = stretch.alongs - np.where(stretch.on == 0, stretch.begin, 0.0)
    at = np.maximum.accumulate(starts[stretch.on] + alongs)
    moments = np.asarray(times, np.float64)[stretch.points]
    return np.interp(ends, at, moments) - np.interp(starts, at, moments)


def _thin(xy: Values, good: Mask, apart: float) -> NDArray[np.int64]:
    """Return the good positions that are ``apart`` or more from the one kept before, and the last."""
    kept, points = list[int](), np.flatnonzero(good).tolist()
    for point in points:
        if not kept or point == points[-1] or np.hypot(*(xy[point] - xy[kept[-1]])) >= apart:
            kept.append(point)
    return np.array(kept, np.int64)


def _choose(
    graph: RoadGraph,
    network: _Network,
    candidates: Candidates,
    used: NDArray[np.int64],
    moves: Values,
    gaps: Values,
    error: float,
    beta: float,
) -> tuple[NDArray[np.int64], Mask]:
    """Return the likeliest candidate of each used position, and whether the way breaks off before it."""
    counts = np.diff(candidates.first)[used]
    begin = np.concatenate(([0], np.cumsum(counts)))
    rows = np.repeat(candidates.first[used] - begin[:-1], counts) + np.arange(begin[-1])
    emission = -0.5 * (candidates.offs[rows] / error) ** 2
    links = candidates.links[rows]
    chosen, broken = find_sequence(
        *network, graph.link_heads, graph.lengths, begin, links, candidates.alongs[rows], emission, moves, gaps,
        beta, 2.0 * error, TOP_SPEED,
    )  # fmt: skip
    return np.asarray(rows[chosen], np.int64), np.asarray(broken, np.bool_)


def _follow(
    graph: RoadGraph,
    network: _Network,
    candidates: Candidates,
    chosen: NDArray[np.int64],
    points: NDArray[np.int64],
    moves: Values,
    slack: float,
) -> Stretch:
    """Return the links from the first chosen candidate to the last."""
    links, alongs = candidates.links[chosen].tolist(), candidates.alongs[chosen].tolist()
    way, on, kept = [links[0]], [0], [alongs[0]]
    for place in range(1, len(links)):
        if links[place] == way[-1] and alongs[place] >= kept[-1] - slack:
            kept.append(max(alongs[place], kept[-1]))
        else:
            arcs = find_way(*network, graph.link_heads[way[-1]], links[place], 4.0 * moves[place] + 500.0)
            way += [*graph.links[arcs].tolist(), links[place]]
            kept.append(alongs[place])
        on.append(len(way) - 1)
    return Stretch(
        np.array(way, np.int32), float(kept[0]), float(kept[-1]), points.astype(np.int32),
        np.array(on, np.int32), np.array(kept),
    )  # fmt: skip
