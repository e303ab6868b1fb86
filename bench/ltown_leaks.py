"""The leaks of a simulated year in the way of BattLeDIM: 23, of which four run at its start.

Holes of 9 to 22 mm, abrupt or growing for weeks; the big ones are mended after some weeks, the small ones never. Those
that run at the start began in the four weeks before, one a week.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

STEPS_A_DAY = 288
GRAVITY = 9.80665
DISCHARGE = 0.75
"""Of the holes, as in BattLeDIM's generator."""

Kind = Literal["abrupt", "incipient", "existing"]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlantedLeak:
    """A hole of ``diameter`` [m] in the middle of ``pipe``; steps of 5 minutes at which it starts, peaks and ends."""

    pipe: str
    kind: Kind
    diameter: float
    start: int
    peak: int
    end: int

    def coefficients(self, steps: Array) -> Array:
        """Return the emitter coefficient [m3/s/m^0.5] at each of ``steps``: that of the growing hole's area."""
        grown = np.ones(steps.shape) if self.peak <= self.start else (steps - self.start) / (self.peak - self.start)
        diameter = self.diameter * np.clip(grown, 0.0, 1.0)
        area = 0.25 * np.pi * diameter**2
        there = (steps >= self.start) & (steps < self.end)
        return np.where(there, DISCHARGE * area * np.sqrt(2.0 * GRAVITY), 0.0)


def plant_leaks(
    pipes: Sequence[str], lengths: Array, pumped: NDArray[np.bool_], days: int, chance: np.random.Generator
) -> list[PlantedLeak]:
    """Return the leaks of a year of ``days``; a pipe is hit in proportion to its length [m].

    ``pumped`` (pipes,) are those behind the pump, which could not feed more than one leak: it is hit once at most.
    """
    order = chance.choice(len(pipes), len(pipes), replace=False, p=lengths / lengths.sum())
    behind = [k for k in order.tolist() if pumped[k]]
    chosen = [pipes[k] for k in order.tolist() if not pumped[k] or k == behind[0]][:23]
    counts: dict[Kind, int] = {"existing": 4, "abrupt": 9, "incipient": 10}
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    year = days * STEPS_A_DAY
    leaks = []
    for k, (pipe, kind) in enumerate(zip(chosen, kinds, strict=True)):
        if kind == "existing":
            start = -int((7 * k + chance.uniform(2.0, 6.0)) * STEPS_A_DAY)
            leaks.append(PlantedLeak(pipe, kind, chance.uniform(0.0088, 0.0120), start, start, year))
            continue
        start = int(chance.uniform(0.03, 0.85) * year)
        mended = chance.random() < 0.42
        diameter = chance.uniform(0.0160, 0.0220) if mended else chance.uniform(0.0090, 0.0155)
        growth = 0 if kind == "abrupt" else int(chance.uniform(15, 75) * STEPS_A_DAY)
        end = start + growth + int(chance.uniform(12, 50) * STEPS_A_DAY) if mended else year
        leaks.append(PlantedLeak(pipe, kind, diameter, start, start + growth, min(end, year)))
    return leaks
