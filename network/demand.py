"""Trips between zones where none are given: a gravity model, doubly constrained, calibrated to a mean cost of a trip.

Trips from i to j are a_i b_j O_i D_j f(c_ij), with f(c) = c^p exp(-c / m): exponential where p is 0, else combined
(Ortúzar and Willumsen, Modelling Transport, 4th ed., 5.3). The factors come from Furness's balancing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError

Values = NDArray[np.float64]

MAX_ZONES = 5000
_ROUNDS, _TOLERANCE = 500, 1e-9
_TRIALS = 40


@dataclass(frozen=True, eq=False)
class Balance:
    """A balanced matrix (zones, zones), rounds it took, and how far its worst row or column is off, as a share."""

    trips: Values
    rounds: int
    error: float


@dataclass(frozen=True, eq=False)
class Gravity:
    """Trips (zones, zones) of a gravity model, m of its deterrence, mean cost of a trip in the unit of costs."""

    trips: Values
    scale: float
    mean_cost: float
    rounds: int
    error: float


def balance_trips(seed: Values, productions: Values, attractions: Values) -> Balance:
    """Return ``seed`` (zones, zones) with rows and columns multiplied until they sum up to what zones send and get.

    Furness 1965, also known as iterative proportional fitting. Attractions are scaled to the sum of productions. Where
    the seed has no trip there is none. InputError where a zone that sends or gets trips has none in the seed.
    """
    produced, attracted = _read_totals(seed, productions, attractions)
    rows, columns = np.ones(produced.size), np.ones(attracted.size)
    error = np.inf
    done = 0
    while error > _TOLERANCE and done < _ROUNDS:
        done += 1
        rows = _divide(produced, seed @ columns)
        columns = _divide(attracted, rows @ seed)
        # Columns fit by now; what rows are off says how far the whole is from done.
        off = np.abs(rows * (seed @ columns) - produced)
        error = float((off / np.maximum(produced, 1e-12))[produced > 0.0].max(initial=0.0))
    return Balance(rows[:, None] * seed * columns[None], done, error)


def build_gravity(
    productions: Values,
    attractions: Values,
    costs: Values,
    *,
    mean_cost: float | None = None,
    scale: float | None = None,
    power: float = 0.0,
) -> Gravity:
    """Return the trips that zones send (zones,) and get (zones,) at costs (zones, zones), infinite where no way leads.

    Give ``scale``, m of the deterrence, or the ``mean_cost`` that trips shall have: then m is sought (by bisection, as
    the mean rises with it). Without either m is a third of the mean cost between zones. InputError where no m gives
    that mean.
    """
    reached = np.isfinite(costs)
    if not reached.any():
        raise InputError("no zone can be reached from another")
    typical = float(np.mean(costs[reached]))
    if scale is not None or mean_cost is None:
        return _run(productions, attractions, costs, typical / 3.0 if scale is None else scale, power)
    low, high = typical * 1e-2, typical * 1e2
    least, most = (_run(productions, attractions, costs, m, power).mean_cost for m in (low, high))
    if not least <= mean_cost <= most:
        raise InputError(
            f"a mean cost of {mean_cost:.4g} a trip cannot be met between these zones",
            hint=f"it lies between {least:.4g} and {most:.4g}",
        )
    found = _run(productions, attractions, costs, np.sqrt(low * high), power)
    for _ in range(_TRIALS):
        low, high = (low, found.scale) if found.mean_cost > mean_cost else (found.scale, high)
        found = _run(productions, attractions, costs, float(np.sqrt(low * high)), power)
        if abs(found.mean_cost - mean_cost) <= 1e-4 * mean_cost:
            break
    return found


def _run(productions: Values, attractions: Values, costs: Values, scale: float, power: float) -> Gravity:
    near = np.where(np.isfinite(costs), costs, 0.0)
    with np.errstate(divide="ignore"):
        seed = np.where(np.isfinite(costs), near**power * np.exp(-near / scale), 0.0)
    if not np.all(np.isfinite(seed)):
        raise InputError("a cost of 0 between zones has no deterrence of a negative power")
    balance = balance_trips(seed, productions, attractions)
    whole = float(balance.trips.sum())
    mean = float(np.sum(balance.trips * near)) / whole if whole else 0.0
    return Gravity(balance.trips, scale, mean, balance.rounds, balance.error)


def _read_totals(seed: Values, productions: Values, attractions: Values) -> tuple[Values, Values]:
    produced, attracted = np.asarray(productions, np.float64), np.asarray(attractions, np.float64)
    if seed.ndim != 2 or seed.shape != (produced.size, attracted.size):
        raise InputError(f"a seed of shape {seed.shape} for {produced.size} productions, {attracted.size} attractions")
    if max(seed.shape, default=0) > MAX_ZONES:
        raise InputError(f"{max(seed.shape):,} zones, at most {MAX_ZONES:,} are taken")
    for name, values in (("seed", seed), ("production", produced), ("attraction", attracted)):
        if not np.all(np.isfinite(values) & (values >= 0.0)):
            raise InputError(f"a {name} is negative or no number")
    if produced.sum() > 0.0 and attracted.sum() == 0.0:
        raise InputError("zones send trips and none gets any")
    for name, values, sums in (
        ("sends", produced, seed[:, attracted > 0.0].sum(axis=1)),
        ("gets", attracted, seed[produced > 0.0].sum(axis=0)),
    ):
        lone = np.flatnonzero((values > 0.0) & (sums <= 0.0))
        if lone.size and produced.sum() > 0.0:
            raise InputError(f"zone {lone[0]} {name} trips and no way leads there", hint="leave such zones out")
    return produced, attracted * (produced.sum() / attracted.sum() if attracted.sum() else 0.0)


def _divide(wanted: Values, have: Values) -> Values:
    found = np.zeros(wanted.size)
    np.divide(wanted, have, out=found, where=have > 0.0)
    return found
