"""Capacity by return period: the smallest design storm that fills each conduit and that floods each node."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.swmm_run import SwmmResults
from twin.swmm.results_layers import FLOODED, FULL, is_conduit

NEVER = 0
"""Of what none of the storms fills or floods."""


@dataclass(frozen=True, slots=True, eq=False)
class Capacity:
    """Return periods [years], rising, with the results of each storm; ``fills``, ``floods``: the smallest, or NEVER."""

    periods: tuple[int, ...]
    results: tuple[SwmmResults, ...]
    fills: NDArray[np.int64]
    floods: NDArray[np.int64]


def find_capacity(periods: Sequence[int], results: Sequence[SwmmResults]) -> Capacity:
    """Return the smallest period that fills each link (links,) and floods each node (nodes,).

    A conduit is full when its greatest depth is the full one: the storm no longer runs in it with a free surface.
    """
    fills = np.full(len(results[0].links.ids), NEVER, dtype=np.int64)
    floods = np.full(len(results[0].nodes.ids), NEVER, dtype=np.int64)
    for period, one in sorted(zip(periods, results, strict=True), key=lambda pair: -pair[0]):
        fills[is_conduit(one.links) & (one.links.fill >= FULL)] = period
        floods[one.nodes.flooding_volume >= FLOODED] = period
    return Capacity(tuple(periods), tuple(results), fills, floods)


def classify(periods: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the class of each period: ``p5`` for 5 years, ``none`` for NEVER."""
    return np.array([f"p{period}" if period != NEVER else "none" for period in periods.tolist()], dtype=object)


def tabulate_storms(capacity: Capacity, depths: Sequence[float]) -> list[dict[str, Any]]:
    """Return a row a storm: its depth [mm], what is full and flooded in it, its peak outflow and its water balance."""
    rows = []
    for period, depth, one in zip(capacity.periods, depths, capacity.results, strict=True):
        full = is_conduit(one.links) & (one.links.fill >= FULL)
        flooded = one.nodes.flooding_volume >= FLOODED
        rows.append(
            {
                "return_period": period,
                "depth": round(depth, 1),
                "full_links": int(full.sum()),
                "full_length": round(float(one.links.length[full].sum()), 1),
                "flooded_nodes": int(flooded.sum()),
                "flooding_volume": round(float(one.nodes.flooding_volume[flooded].sum()), 1),
                "peak_outflow": round(float(one.series.outflow.max(initial=0.0)), 4),
                "relative_error": one.account.worst,
            }
        )
    return rows


def tabulate_classes(capacity: Capacity) -> list[dict[str, Any]]:
    """Return a row a class: conduits that the storm is the smallest to fill, their length [m] and its share [1].

    The last row, of return period None, is what no storm fills.
    """
    links = capacity.results[0].links
    conduits = is_conduit(links)
    whole = float(links.length[conduits].sum())
    rows = []
    for period in (*capacity.periods, NEVER):
        own = conduits & (capacity.fills == period)
        length = float(links.length[own].sum())
        rows.append(
            {
                "return_period": period or None,
                "links": int(own.sum()),
                "length": round(length, 1),
                "share": round(length / whole, 4) if whole > 0.0 else 0.0,
                "nodes": int((capacity.floods == period).sum()),
            }
        )
    return rows
