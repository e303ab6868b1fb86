"""How long a link takes as it fills: BPR and conical volume-delay functions, their slopes and integrals.

Both are convex and rise with flow, so that the equilibrium of a network is unique in its costs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.assignment_kernels import BPR, CONICAL, set_states

Values = NDArray[np.float64]

KINDS = ("bpr", "conical")


@dataclass(frozen=True, eq=False)
class Delays:
    """Volume-delay functions of one kind: ``curves`` (links, 4) hold free time [s], capacity [pcu/h] and two shapes.

    The shapes are a and the power b of BPR, or Spiess's α and β.
    """

    kind: str
    curves: Values

    @property
    def free_times(self) -> Values:
        """Seconds at no flow, times 1 + a where the BPR power is 0."""
        return self.compute_times(np.zeros(self.curves.shape[0]))

    @property
    def capacities(self) -> Values:
        """Flow at which the function says that a link is full [pcu/h]."""
        return self.curves[:, 1]

    @property
    def code(self) -> int:
        """The number by which the compiled loops know the kind."""
        return CONICAL if self.kind == "conical" else BPR

    def compute_states(self, flows: Values) -> Values:
        """Return time [s] and slope [s/(pcu/h)] of each link (links, 2) at flows (links,) [pcu/h]."""
        states = np.empty((self.curves.shape[0], 2))
        set_states(self.code, self.curves, np.ascontiguousarray(flows, np.float64), states)
        return states

    def set_states(self, flows: Values, states: Values) -> None:
        """Write what ``compute_states`` returns into an array that is there."""
        set_states(self.code, self.curves, flows, states)

    def compute_times(self, flows: Values) -> Values:
        """Return the time [s] of each link at flows (links,) [pcu/h]."""
        return self.compute_states(flows)[:, 0]

    def integrate(self, flows: Values) -> Values:
        """Return the integral of time over flow from 0 (links,) [s pcu/h], the terms of Beckmann's objective."""
        free, capacity, a, b = self.curves.T
        x = np.maximum(flows, 0.0) / capacity
        if self.kind == "conical":
            far, near = a * (1.0 - x), a
            bent = (_integrate_root(near, b) - _integrate_root(far, b)) / a
            area: Values = 2.0 * x + bent - a * (x - x * x / 2.0) - b * x
        else:
            area = x + a * x ** (b + 1.0) / (b + 1.0)
        whole: Values = free * capacity * area
        return whole


def _integrate_root(u: Values, b: Values) -> Values:
    """Return the antiderivative of sqrt(u² + b²)."""
    root = np.hypot(u, b)
    return (u * root + b * b * np.arcsinh(u / b)) / 2.0


def build_bpr(
    free_times: ArrayLike, capacities: ArrayLike, *, a: ArrayLike = 0.15, power: ArrayLike = 4.0
) -> Delays:  # fmt: skip
    """Return time = free (1 + a (flow / capacity)^power), Bureau of Public Roads 1964; all (links,) or one value.

    InputError where a value is negative, a capacity is 0 or a value is not finite.
    """
    return _build("bpr", free_times, capacities, a, power)


def build_conical(free_times: ArrayLike, capacities: ArrayLike, *, alpha: ArrayLike = 4.0) -> Delays:
    """Return Spiess's conical function (1990, doi:10.1287/trsc.24.2.153): twice the free time at capacity.

    alpha: steepness at capacity, above 1. InputError as for BPR.
    """
    steep = np.asarray(alpha, np.float64)
    if not np.all(steep > 1.0):
        raise InputError(f"alpha of a conical delay is {float(np.min(steep)):g}, expected above 1")
    return _build("conical", free_times, capacities, steep, (2.0 * steep - 1.0) / (2.0 * steep - 2.0))


def _build(kind: str, free_times: ArrayLike, capacities: ArrayLike, a: ArrayLike, b: ArrayLike) -> Delays:
    parts = np.broadcast_arrays(*(np.asarray(part, np.float64) for part in (free_times, capacities, a, b)))
    curves = np.ascontiguousarray(np.stack([np.atleast_1d(part) for part in parts], axis=-1))
    names = ("free time", "capacity", "a", "power")
    for column, name in enumerate(names):
        lowest = 0.0 if name != "capacity" else np.nextafter(0.0, 1.0)
        wrong = np.flatnonzero(~(np.isfinite(curves[:, column]) & (curves[:, column] >= lowest)))
        if wrong.size:
            found = curves[wrong[0], column]
            raise InputError(f"the {name} of link {wrong[0]} is {found:g}, expected a number of at least {lowest:g}")
    return Delays(kind, curves)
