"""Alternatives to the cheapest way: few, different from each other, and none a detour for its own sake.

Plateau method: Abraham, Delling, Goldberg and Werneck 2013, doi:10.1145/2444016.2444019, section 4. Where the tree from
the start and the tree to the end share a stretch (a plateau), the way through it is the cheapest over it, so an
alternative along a long plateau is itself sensible. Where plateaus give too few, the arcs of the ways found are made
dearer and the search is asked again (penalty method).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from layers.errors import InputError
from network.alternatives_kernels import measure_plateaus
from network.paths import Path, Router
from network.paths_answers import Index, Tree, Values

STRETCH, SHARE = 1.4, 0.8
"""An alternative costs at most 1.4 times the best and shares at most 0.8 of the shorter of both with any other."""
MOST_ALTERNATIVES = 5
_PENALTY, _ROUNDS = 1.5, 12
_TRIED = 400


@dataclass(frozen=True, eq=False)
class Ends:
    """Start and end of a journey: nodes with the costs from and to there."""

    sources: Index
    source_costs: Values
    targets: Index
    target_costs: Values


def find_alternatives(
    router: Router,
    tails: Index,
    heads: Index,
    ends: Ends,
    count: int,
    *,
    stretch: float = STRETCH,
    share: float = SHARE,
) -> list[Path]:
    """Return up to ``count`` ways, the cheapest first; fewer where there are no more, none where there is no way.

    tails, heads: nodes of each arc (arcs,). Each way costs at most ``stretch`` times the cheapest, shares with each
    other one at most ``share`` of the cost of the cheaper of both, and passes no node twice. InputError for a count
    outside 1 to 5.
    """
    if not 1 <= count <= MOST_ALTERNATIVES:
        raise InputError(f"{count} ways are asked for, expected 1 to {MOST_ALTERNATIVES}")
    best = _ask(router, ends)
    if best is None:
        return []
    if count == 1 or not best.arcs.size:
        return [best]
    chosen = _Chosen([best], router.costs, stretch * best.cost, share)
    for path in _list_plateaus(router, tails, heads, ends, chosen.most):
        if len(chosen.paths) == count:
            break
        chosen.offer(path)
    if len(chosen.paths) < count:
        _add_by_penalty(router, ends, chosen, count)
    return sorted(chosen.paths, key=lambda path: path.cost)


def measure_shared(first: Path, second: Path, costs: ArrayLike) -> float:
    """Return what two ways share: the cost of their common arcs over that of the arcs of the cheaper one, 0–1."""
    values = np.asarray(costs, np.float64)
    shorter = min(float(values[first.arcs].sum()), float(values[second.arcs].sum()))
    common = float(values[np.intersect1d(first.arcs, second.arcs)].sum())
    return common / shorter if shorter > 0.0 else 1.0


class _Chosen:
    """The ways taken so far, and what another one must be to be taken."""

    def __init__(self, paths: list[Path], costs: Values, most: float, share: float) -> None:
        self.paths, self.costs, self.most, self.share = paths, costs, most, share

    def offer(self, path: Path) -> bool:
        """Take a way that is short enough and differs from all; say whether it was taken."""
        if not path.cost <= self.most * (1.0 + 1e-12) or not path.arcs.size:
            return False
        if any(measure_shared(path, other, self.costs) > self.share for other in self.paths):
            return False
        self.paths.append(path)
        return True


def _ask(router: Router, ends: Ends) -> Path | None:
    found = router.find_path(ends.sources, ends.targets, source_costs=ends.source_costs, target_costs=ends.target_costs)
    return found if np.isfinite(found.cost) else None


def _list_plateaus(router: Router, tails: Index, heads: Index, ends: Ends, limit: float) -> Iterator[Path]:
    """Give the ways through plateaus within ``limit``, first those that leave the trees least for their length."""
    ahead = router.grow_tree(ends.sources, source_costs=ends.source_costs, limit=limit)
    back = router.grow_tree(ends.targets, source_costs=ends.target_costs, limit=limit, backward=True)
    length = measure_plateaus(ahead.order, ahead.by, back.by, tails, ahead.costs)
    arcs = ahead.by[ahead.order]
    arcs = arcs[arcs >= 0]
    continues = np.zeros(ahead.by.size, np.bool_)
    continues[tails[arcs[back.by[tails[arcs]] == arcs]]] = True
    nodes = ahead.order
    total = ahead.costs[nodes] + back.costs[nodes]
    good = ~continues[nodes] & (total <= limit) & (length[nodes] > 0.0)
    found, worth = nodes[good], total[good] - length[nodes[good]]
    for node in found[np.argsort(worth, kind="stable")][:_TRIED].tolist():
        path = _join(ahead, back, tails, heads, ends, node)
        if path is not None:
            yield path


def _join(ahead: Tree, back: Tree, tails: Index, heads: Index, ends: Ends, node: int) -> Path | None:
    """Return the way by both trees over ``node``; None where it passes a node twice."""
    first, last, arcs = node, node, list[int]()
    while ahead.by[first] >= 0:
        arcs.append(int(ahead.by[first]))
        first = int(tails[arcs[-1]])
    arcs.reverse()
    while back.by[last] >= 0:
        arcs.append(int(back.by[last]))
        last = int(heads[arcs[-1]])
    way = np.array(arcs, np.int32)
    if np.unique(heads[way]).size != way.size or first in heads[way]:
        return None
    cost = float(ahead.costs[node] + back.costs[node])
    return Path(cost, way, _find(ends.sources, ends.source_costs, first), _find(ends.targets, ends.target_costs, last))


def _find(nodes: Index, costs: Values, node: int) -> int:
    places = np.flatnonzero(nodes == node)
    return int(places[np.argmin(costs[places])])


def _add_by_penalty(router: Router, ends: Ends, chosen: _Chosen, count: int) -> None:
    """Ask again with the arcs of the ways found made dearer, round by round."""
    other = router.fork()
    for _ in range(_ROUNDS):
        used = np.unique(np.concatenate([path.arcs for path in chosen.paths]))
        other.update(used, other.costs[used] * _PENALTY)
        found = _ask(other, ends)
        if found is None:
            return
        # What it really costs, without the penalties.
        cost = float(router.costs[found.arcs].sum() + ends.source_costs[found.source] + ends.target_costs[found.target])
        path = Path(cost, found.arcs, found.source, found.target)
        if chosen.offer(path) and len(chosen.paths) == count:
            return
