"""Rain on the grid: a series of intensities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import check_series
from layers.errors import InputError
from layers.quantities import QUANTITIES

MM_PER_HOUR = 1.0 / 3.6e6
"""1 mm/h in m/s."""


@dataclass(frozen=True, slots=True, eq=False)
class RainSeries:
    """Rain on every cell.

    times [s] and intensity [mm/h] (n,): each value holds until the next time, the last one for good, and nothing
    falls before the first. coefficient: share of the rain that runs off, (rows, cols) [1], 1 where not given.
    """

    times: NDArray[np.float64]
    intensity: NDArray[np.float64]
    coefficient: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        times, intensity = check_series("rain", self.times, self.intensity)
        most = QUANTITIES["rainfall_intensity"].maximum
        bad = (intensity < 0.0) | (intensity > most)
        if bad.any():
            first = int(np.argmax(bad))
            raise InputError(f"rain intensity {first} is {intensity[first]:g} mm/h, expected 0 to {most:g} mm/h")
        wet = intensity[intensity > 0.0]
        if wet.size and wet.max() < 0.01:
            raise InputError(
                f"rain intensity never exceeds {wet.max():g} mm/h, which no gauge can read",
                hint="give the intensity in mm/h, not in m/h or m/s",
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "intensity", intensity)

    def intensity_at(self, time: float) -> float:
        """Return the intensity [mm/h] from ``time`` [s] on."""
        index = int(np.searchsorted(self.times, time, side="right")) - 1
        return float(self.intensity[index]) if index >= 0 else 0.0
