"""The paths of an assignment, side by side in flat arrays, and how a later assignment takes them over."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from network.assignment_kernels import add_flows
from network.assignment_network import Index, Pairs, Values

Offsets = NDArray[np.int64]
# Room for the paths of a pair and the links of a path, before it is known how many there are.
_PATHS, _LINKS = 2, 32


@dataclass(frozen=True, eq=False)
class Paths:
    """Paths by pair: those of pair i are first[i] to first[i + 1], the links of path j link_first[j] to the next.

    first: (pairs + 1,). flows: [pcu/h] and fixed: costs besides time [s], by path. links: of all paths. All but
    ``first`` may be longer than what is in use.
    """

    first: Offsets
    flows: Values
    fixed: Values
    link_first: Offsets
    links: Index

    @property
    def count(self) -> int:
        """How many paths there are."""
        return int(self.first[-1])

    @property
    def arrays(self) -> tuple[Offsets, Values, Values, Offsets, Index]:
        """What the loops take."""
        return self.first, self.flows, self.fixed, self.link_first, self.links

    @property
    def used_links(self) -> Index:
        """The links of all paths, without the spare room."""
        return self.links[: self.link_first[self.count]]

    @property
    def owners(self) -> Offsets:
        """The pair of each path (paths,)."""
        return np.repeat(np.arange(self.first.size - 1), np.diff(self.first))

    def sum_links(self, links: int, begin: int = 0, end: int | None = None) -> Values:
        """Return the flow of each link (links,) [pcu/h] of the pairs ``begin:end``, of all without them."""
        flows = np.zeros(links)
        last = self.first[-1] if end is None else self.first[end]
        add_flows(self.flows, self.link_first, self.links, self.first[begin], last, flows)
        return flows

    def sum_paths(self, values: Values) -> Values:
        """Return the sum of the values (links,) of the links of each path (paths,)."""
        sums = np.concatenate(([0.0], np.cumsum(values[self.used_links])))
        return sums[self.link_first[1 : self.count + 1]] - sums[self.link_first[: self.count]]

    def find_paths(self, links: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which paths (paths,) use one of the masked links (links,)."""
        hits = np.concatenate(([0], np.cumsum(links[self.used_links])))
        return hits[self.link_first[1 : self.count + 1]] > hits[self.link_first[: self.count]]

    def make_room(self, paths: "Paths") -> "Paths":
        """Return these arrays, or longer ones, with room for what ``paths`` holds."""
        roomy = self
        while roomy.flows.size < paths.count + 2 or roomy.links.size < paths.link_first[paths.count]:
            roomy = roomy.grow()
        return roomy

    def grow(self) -> "Paths":
        """Return the same with twice the room."""
        flows, fixed = np.empty(2 * self.flows.size), np.empty(2 * self.fixed.size)
        link_first = np.zeros(2 * self.link_first.size, np.int64)
        links = np.empty(2 * self.links.size, np.int32)
        flows[: self.flows.size], fixed[: self.fixed.size] = self.flows, self.fixed
        link_first[: self.link_first.size], links[: self.links.size] = self.link_first, self.links
        return Paths(self.first, flows, fixed, link_first, links)


def empty_paths(pairs: int) -> Paths:
    """Return no paths, with room for some."""
    room = pairs * _PATHS + 2
    return Paths(
        np.zeros(pairs + 1, np.int64), np.empty(room), np.empty(room), np.zeros(room + 1, np.int64),
        np.empty(pairs * _LINKS + 64, np.int32),
    )  # fmt: skip


def take_over(old: Paths, was: Pairs, pairs: Pairs, fixed: Values) -> Paths:
    """Return the old paths that are still open to their class, carrying what their pair sends now.

    Classes are the same by number. A pair that was not there, or has no open path left, has none.
    """
    where = np.searchsorted(pairs.keys, was.keys)
    where[where == pairs.count] = 0
    owners = old.owners
    target = where[owners]
    found = (pairs.keys[where] == was.keys)[owners] if pairs.count else np.zeros(owners.size, np.bool_)
    kinds = was.classes[was.groups][owners]
    extra = np.zeros(owners.size)
    for kind in np.unique(kinds[kinds < fixed.shape[0]]):
        mine = kinds == kind
        open_fixed = np.where(np.isfinite(fixed[kind]), fixed[kind], 0.0)
        extra[mine] = old.sum_paths(open_fixed)[mine]
        found[mine] &= ~old.find_paths(np.isinf(fixed[kind]))[mine]
    found &= (kinds < fixed.shape[0]) & (old.flows[: owners.size] > 0.0)
    if not found.any():
        return empty_paths(pairs.count)
    kept = np.flatnonzero(found)
    target, flows = target[kept], old.flows[kept]
    sums = np.bincount(target, flows, minlength=pairs.count)
    first = np.concatenate(([0], np.cumsum(np.bincount(target, minlength=pairs.count))))
    sizes = np.diff(old.link_first[: old.count + 1])
    link_first = np.concatenate(([0], np.cumsum(sizes[kept])))
    links = old.used_links[np.repeat(found, sizes)]
    return Paths(
        first, flows * (pairs.volumes / np.where(sums > 0.0, sums, 1.0))[target], extra[kept], link_first, links
    )
