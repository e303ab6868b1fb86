"""Rain on the grid: a series of intensities and the design storm."""

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


def design_storm(depth_mm: float, duration_s: float, step_s: float = 300.0, peak_ratio: float = 0.4) -> RainSeries:
    """Return a storm of ``depth_mm`` [mm] in ``duration_s`` [s] with one peak at ``peak_ratio`` of its duration.

    The Chicago storm (Keifer and Chu 1957, J. Hydraulics Div. 83(4)) of the intensity curve i = a / (t + b)^c with
    b = duration / 12 and c = 0.75, scaled to the depth; each step carries the mean of its curve, so the depth is
    exact. Raise InputError naming what cannot be.
    """
    if not 0.0 < depth_mm <= QUANTITIES["rainfall"].maximum:
        raise InputError(f"storm depth is {depth_mm:g} mm, expected above 0 and at most 5000 mm")
    if not (0.0 < step_s <= duration_s):
        raise InputError(f"storm step is {step_s:g} s, expected above 0 and at most its duration of {duration_s:g} s")
    if not 0.0 <= peak_ratio <= 1.0:
        raise InputError(f"storm peak_ratio is {peak_ratio:g}, expected 0 to 1")
    times = np.append(np.arange(0.0, duration_s * (1.0 - 1e-12), step_s), duration_s)
    peak = peak_ratio * duration_s
    shift, power = duration_s / 12.0, 0.75

    def fallen(time: NDArray[np.float64]) -> NDArray[np.float64]:
        # Depth of a curve over any window T around its peak is T / (T + b)^c: the two limbs share it by peak_ratio.
        limb = np.where(time < peak, max(peak, 1e-9), max(duration_s - peak, 1e-9))
        share = np.where(time < peak, peak_ratio, 1.0 - peak_ratio)
        window = np.abs(time - peak) / limb * duration_s
        return np.sign(time - peak) * share * window / (window + shift) ** power

    portions = np.diff(fallen(times))
    intensity = portions / portions.sum() * depth_mm / (np.diff(times) / 3600.0)
    return RainSeries(times, np.append(intensity, 0.0))
