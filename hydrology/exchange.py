"""Water between the surface and a sewer node through an opening: weir, submerged weir and orifice.

Chen, Djordjević, Leandro and Savić 2007 (NOVATECH) for the regimes; Rubinato et al. 2017,
doi:10.1016/j.jhydrol.2017.06.024, for the coefficients. Positive flows from the surface into the sewer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop
from layers.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ExchangeParameters:
    """How openings pass water.

    orifice, free_weir, submerged_weir: discharge coefficients [1]. donor_share: largest share of a cell's water that
    an opening takes in one coupling step [1]. relaxation: weight of the new rate against the last one [1]. damping:
    factor of a rate that changes sign [1]. gravity: [m/s2].
    """

    orifice: float = 0.167
    free_weir: float = 0.54
    submerged_weir: float = 0.056
    donor_share: float = 0.5
    relaxation: float = 0.9
    damping: float = 0.5
    gravity: float = 9.80665

    def __post_init__(self) -> None:
        ranges = {
            "orifice": (1.0e-3, 2.0),
            "free_weir": (1.0e-3, 2.0),
            "submerged_weir": (1.0e-3, 2.0),
            "donor_share": (0.01, 1.0),
            "relaxation": (0.05, 1.0),
            "damping": (0.0, 1.0),
            "gravity": (1.0, 30.0),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"parameter {name} is {value}, expected {low:g} to {high:g}")


@compile_loop
def discharge_through(
    stage: float, head: float, crest: float, area: float, width: float, orifice: float, weir: float, drowned: float,
    gravity: float,
) -> float:  # fmt: skip
    """Return the rate from the surface into the node [m3/s], negative where the node surcharges.

    stage: of the surface; head: of the node; crest: of the opening [m]. area [m2] and width (edge length) [m] of the
    opening. With d = stage − crest and y = the drop: orifice C A √(2g y) where the node surcharges and where
    d > area / width over a full node; free weir ⅔ C W √(2g) d^1.5 where the head is below the crest, at most what
    the opening passes as an orifice under d (FHWA HEC-22: an inlet in a sag is a weir when shallow, an orifice when
    drowned); submerged weir C W d √(2g y) between.
    """
    root = np.sqrt(2.0 * gravity)
    depth = stage - crest
    if head > crest and head > stage:
        return float(-orifice * area * root * np.sqrt(head - max(stage, crest)))
    if depth <= 0.0:
        return 0.0
    if head <= crest:
        free = 2.0 / 3.0 * weir * width * root * depth * np.sqrt(depth)
        return float(min(free, orifice * area * root * np.sqrt(depth)))
    if depth * width < area:
        return float(drowned * width * depth * root * np.sqrt(stage - head))
    return float(orifice * area * root * np.sqrt(stage - head))


@compile_loop
def settle(rate: float, drop: float, gain: float, area: float, step: float) -> float:
    """Return the mean ``rate`` over a step when the drop it empties changes with it [m3/s].

    A law q = k √y over storage ``area`` [m2] obeys area · dy/dt = gain − k √y. Implicit in the step [s]:
    a s² + k s − (a y + gain) = 0 with s = √y at its end and a = area / step; the rate is k s. It never overshoots
    and is exact in a steady state. drop: y now [m]; gain: net inflow that feeds it [m3/s].
    """
    if rate == 0.0 or drop <= 0.0:
        return 0.0
    k = abs(rate) / np.sqrt(drop)
    a = area / step
    supply = a * drop + gain
    if supply <= 0.0:
        return 0.0
    end = 2.0 * supply / (k + np.sqrt(k * k + 4.0 * a * supply))
    return float(np.sign(rate) * k * end)


@compile_loop
def exchange(
    stage: Array, bed: Array, crest: Array, cell_area: Array, head: Array, gain: Array, shaft: Array, area: Array,
    width: Array, last: Array, step: float, coefficients: Array, out: Array,
) -> None:  # fmt: skip
    """Write the rate of each opening for the next coupling step into ``out`` (openings,) [m3/s].

    stage, bed: of the cell, crest: of the opening, head: of the node [m]. This opening's share of the cell's area
    [m2], of what pipes bring to the node (gain) [m3/s] and of its surface area (shaft) [m2]. area [m2], width [m]: of
    the opening; last: rates of the step before [m3/s].
    step [s]. coefficients: orifice, free weir, submerged weir, donor share, relaxation, damping, gravity. Order:
    law, what donor and receiver allow, relaxation, sign change, and never more than the cell or the node holds.
    """
    orifice, weir, drowned, share, relaxation, damping, gravity = coefficients
    for k in range(out.size):
        rate = discharge_through(
            stage[k], head[k], crest[k], area[k], width[k], orifice, weir, drowned, gravity
        )  # fmt: skip
        held = max(stage[k] - bed[k], 0.0) * cell_area[k] / step
        if rate < 0.0:
            level = max(stage[k], crest[k])
            storage = shaft[k] if stage[k] < crest[k] else 1.0 / (1.0 / shaft[k] + 1.0 / cell_area[k])
            rate = settle(rate, head[k] - level, gain[k], storage, step)
        elif rate > 0.0:
            if head[k] > crest[k]:
                storage = 1.0 / (1.0 / shaft[k] + 1.0 / cell_area[k])
                rate = settle(rate, stage[k] - head[k], -gain[k], storage, step)
            # What fills the shaft to the level of the surface, and what the pipes carried away.
            rate = min(rate, max((stage[k] - head[k]) * shaft[k] / step - gain[k], 0.0))
            rate = min(rate, share * held)
        rate = relaxation * rate + (1.0 - relaxation) * last[k]
        if rate * last[k] < 0.0:
            rate *= damping
        supply = max((head[k] - max(stage[k], crest[k])) * shaft[k] / step + gain[k], 0.0)
        out[k] = min(max(rate, -supply), held)


def compute_exchange(
    stage: Array,
    bed: Array,
    crest: Array,
    cell_area: Array,
    head: Array,
    gain: Array,
    shaft: Array,
    area: Array,
    width: Array,
    last: Array,
    step_s: float,
    parameters: ExchangeParameters,
) -> Array:
    """Return the rates of all openings over the next ``step_s`` [s], surface into sewer positive (openings,) [m3/s].

    Parameters as in ``exchange``, arrays (openings,) of float64.
    """
    p = parameters
    numbers = (p.orifice, p.free_weir, p.submerged_weir, p.donor_share, p.relaxation, p.damping, p.gravity)
    out = np.empty_like(stage)
    exchange(
        stage, bed, crest, cell_area, head, gain, shaft, area, width, last, step_s, np.array(numbers), out
    )  # fmt: skip
    return out
