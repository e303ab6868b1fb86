"""Fixed-time plans of one signal: cycle, splits and delay after Webster 1958, Road Research Technical Paper 39.

A phase is what has green together. Its critical flow ratio is flow over saturation flow of its busiest lane group; the
lost time of a cycle is what starting and clearing take of all phases.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError

SHORTEST_CYCLE_S, LONGEST_CYCLE_S = 40.0, 150.0
"""Shorter cycles lose too much in changing, longer ones keep people waiting (HCM 7, chapter 31; FHWA-HOP-08-024)."""

SATURATION_FLOW = 1900.0
"""Base saturation flow of a lane [pcu/h], HCM 7, chapter 19."""

FULLEST = 0.95
"""A sum of critical flow ratios from which Webster's cycle has no meaning any more."""


@dataclass(frozen=True, slots=True)
class SignalPlan:
    """A fixed-time plan.

    cycle [s]; greens: effective green of each phase [s]; flow_ratio: sum of the critical ratios; saturation: degree of
    saturation of each phase; delays: mean delay of each phase [s]; delay: mean over all vehicles [s].
    """

    cycle: float
    greens: tuple[float, ...]
    flow_ratio: float
    saturation: tuple[float, ...]
    delays: tuple[float, ...]
    delay: float


def compute_cycle(
    lost_time: float, flow_ratio: float, *, shortest: float = SHORTEST_CYCLE_S, longest: float = LONGEST_CYCLE_S
) -> float:
    """Return Webster's cycle (1.5 L + 5) / (1 − Y) [s], not below ``shortest`` nor above ``longest``.

    lost_time: L [s]; flow_ratio: Y, the sum of the critical flow ratios; from ``FULLEST`` on the longest cycle is
    returned, for no cycle serves such flows.
    """
    if not lost_time > 0.0:
        raise InputError(f"a lost time of {lost_time:g} s is not above 0 s")
    if flow_ratio < 0.0:
        raise InputError(f"a sum of flow ratios of {flow_ratio:g} is below 0")
    if flow_ratio >= FULLEST:
        return longest
    return float(min(max((1.5 * lost_time + 5.0) / (1.0 - flow_ratio), shortest), longest))


def compute_plan(
    flows: Sequence[float],
    saturation_flows: Sequence[float],
    *,
    lost_time: float,
    cycle: float | None = None,
    shortest_green: float = 7.0,
    shortest: float = SHORTEST_CYCLE_S,
    longest: float = LONGEST_CYCLE_S,
) -> SignalPlan:
    """Return cycle, splits and delays of a signal.

    flows, saturation_flows: critical flow and its saturation flow of each phase [pcu/h] (phases,); lost_time [s] of the
    whole cycle; cycle [s]: given, as in a corridor, else Webster's; shortest_green [s], for people who cross.
    Green is shared in the ratio of the critical flow ratios, which makes the degrees of saturation equal. Raises
    InputError where the greens do not fit into the cycle.
    """
    flow, capacity = np.asarray(flows, np.float64), np.asarray(saturation_flows, np.float64)
    if flow.ndim != 1 or flow.size < 1 or flow.shape != capacity.shape:
        raise InputError(f"{flow.size} flows and {capacity.size} saturation flows, expected one of each a phase")
    if not (np.isfinite(flow).all() and (flow >= 0.0).all() and (capacity > 0.0).all()):
        raise InputError("a flow is negative, or a saturation flow is not above 0 pcu/h")
    ratios = flow / capacity
    total = float(ratios.sum())
    chosen = compute_cycle(lost_time, total, shortest=shortest, longest=longest) if cycle is None else float(cycle)
    greens = _split(chosen - lost_time, ratios, shortest_green)
    shares = greens / chosen
    saturation = ratios / shares
    delays = compute_delays(chosen, shares, saturation, flow)
    mean = float((delays * flow).sum() / flow.sum()) if flow.sum() > 0.0 else 0.0
    return SignalPlan(chosen, tuple(greens.tolist()), total, tuple(saturation.tolist()), tuple(delays.tolist()), mean)


def compute_delays(
    cycle: float, shares: NDArray[np.float64], saturation: NDArray[np.float64], flows: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean delay of a vehicle of each phase [s].

    Webster's two terms, uniform and random, times 0.9, up to a saturation of 0.95; above it the random term is that of
    HCM 7 equation 19-26 for a quarter of an hour, which stays finite. cycle [s]; shares: green over cycle; saturation:
    degree of saturation; flows [pcu/h].
    """
    x = np.minimum(saturation, 1.0)
    uniform = cycle * (1.0 - shares) ** 2 / (2.0 * np.maximum(1.0 - shares * x, 1e-9))
    per_second = np.maximum(flows, 1e-9) / 3600.0
    calm = np.minimum(saturation, FULLEST)
    random = calm**2 / (2.0 * per_second * (1.0 - calm))
    capacity = np.maximum(flows, 1e-9) / np.maximum(saturation, 1e-12)
    over = (
        900.0
        * 0.25
        * ((saturation - 1.0) + np.sqrt((saturation - 1.0) ** 2 + 8.0 * 0.5 * saturation / (capacity * 0.25)))
    )
    found = np.where(saturation < FULLEST, 0.9 * (uniform + random), uniform + over)
    return np.asarray(np.where(flows > 0.0, found, 0.0), np.float64)


def _split(green: float, ratios: NDArray[np.float64], shortest: float) -> NDArray[np.float64]:
    """Return the greens [s]: each at least ``shortest``, the rest in the ratio of ``ratios``."""
    if green < shortest * ratios.size - 1e-9:
        raise InputError(
            f"{ratios.size} phases of at least {shortest:g} s do not fit into {green:.1f} s of green",
            hint="a longer cycle, a shorter least green or fewer phases",
        )
    held = np.zeros(ratios.size, np.bool_)
    while True:
        free = green - shortest * held.sum()
        open_ratios = np.where(held, 0.0, ratios)
        total = open_ratios.sum()
        given = open_ratios / total * free if total > 0.0 else np.where(held, 0.0, free / max((~held).sum(), 1))
        short = ~held & (given < shortest)
        if not short.any():
            return np.asarray(np.where(held, shortest, given), np.float64)
        held |= short
