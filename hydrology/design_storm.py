"""Design storms: how much rain a return period brings in any duration, and how it falls in time."""

from dataclasses import dataclass
from math import ceil, log10
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hydrology.rainfall import RainSeries
from layers.errors import InputError
from layers.quantities import QUANTITIES

Series = NDArray[np.float64]
Shape = Literal["chicago", "alternating", "uniform", "huff1", "huff2", "huff3", "huff4"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

MM_PER_HOUR_PER_LITRE = 0.36
"""1 l/s/ha in mm/h."""

HUFF: dict[Shape, tuple[float, ...]] = {
    "huff1": (0, 16, 33, 43, 52, 60, 66, 71, 75, 79, 82, 84, 86, 88, 90, 92, 94, 96, 97, 98, 100),
    "huff2": (0, 3, 8, 12, 16, 22, 29, 39, 51, 62, 70, 76, 81, 85, 88, 91, 93, 95, 97, 98, 100),
    "huff3": (0, 3, 6, 9, 12, 15, 19, 23, 27, 32, 38, 45, 57, 70, 79, 85, 89, 92, 95, 97, 100),
    "huff4": (0, 2, 5, 8, 10, 13, 16, 19, 22, 25, 28, 32, 35, 39, 45, 51, 59, 72, 84, 92, 100),
}
"""Median rain fallen [%] after each 5 % of a storm that is heaviest in its 1st, 2nd, 3rd or last quarter.

Huff 1990, Illinois State Water Survey Circular 173, table 3 (rain at a point); the method is Huff 1967,
doi:10.1029/WR003i004p01007. Storms of the Middle West: a shape to test with, not the climate of another region.
"""


@dataclass(frozen=True, slots=True)
class DepthCurve:
    """The most rain that falls in any duration t, for one return period: i = rate / (t + shift)^power.

    rate [mm/h · s^power], shift [s], power [1].
    """

    rate: float
    shift: float
    power: float

    def depth(self, duration: Series | float) -> Series:
        """Return the rain [mm] of ``duration`` [s]."""
        t = np.asarray(duration, dtype=np.float64)
        return np.asarray(self.rate * t / 3600.0 / (t + self.shift) ** self.power)

    def check_duration(self, duration: float) -> None:
        """Raise InputError where ``duration`` [s] is not positive, or so long that a longer one brings less rain."""
        if not duration > 0.0:
            raise InputError(f"storm duration is {duration:g} s, expected above 0")
        if self.power > 1.0 and duration > self.shift / (self.power - 1.0):
            limit = self.shift / (self.power - 1.0) / 3600.0
            raise InputError(f"storm duration is {duration / 3600.0:g} h, its curve grows only to {limit:.3g} h")


@dataclass(frozen=True, slots=True)
class RainCurve:
    """Intensity by duration and return period, q = A (1 + C lg P) / (t + b)^n [l/s/ha], as TCVN 7957 writes it.

    a: A [l/s/ha · min^n]; c: C [1]; b [min]; n [1], of the place: the standard's annex or the local weather service.
    """

    a: float
    c: float
    b: float
    n: float

    def __post_init__(self) -> None:
        ranges = {"a": (1.0, 1.0e6), "c": (0.0, 5.0), "b": (0.0, 240.0), "n": (0.05, 2.0)}
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"coefficient {name} of the rain curve is {value:g}, expected {low:g} to {high:g}")
        if self.b == 0.0 and self.n >= 1.0:
            raise InputError(f"coefficient b of the rain curve is 0, expected above 0 with n {self.n:g}")

    def at(self, return_period: float) -> DepthCurve:
        """Return the curve of ``return_period`` P [years]; InputError where it is out of the formula's reach."""
        if not 0.1 <= return_period <= 1000.0:
            raise InputError(f"return period is {return_period:g} years, expected 0.1 to 1000")
        factor = 1.0 + self.c * log10(return_period)
        if factor <= 0.0:
            raise InputError(f"return period {return_period:g} years gives no rain with C = {self.c:g}")
        # t and b in seconds: (t + b)^n grows by 60^n.
        return DepthCurve(self.a * factor * MM_PER_HOUR_PER_LITRE * 60.0**self.n, self.b * 60.0, self.n)


def fit_curve(depth: float, duration: float) -> DepthCurve:
    """Return a curve through ``depth`` [mm] in ``duration`` [s] where nothing else is known of the place.

    Its shift is duration / 12 and its power 0.75. Raise InputError naming what cannot be.
    """
    most = QUANTITIES["rainfall"].maximum
    if not 0.0 < depth <= most:
        raise InputError(f"storm depth is {depth:g} mm, expected above 0 and at most {most:g} mm")
    curve = DepthCurve(1.0, duration / 12.0, 0.75)
    curve.check_duration(duration)
    return DepthCurve(depth / float(curve.depth(duration)), curve.shift, curve.power)


def build_storm(
    curve: DepthCurve, duration: float, *, shape: Shape = "chicago", step: float = 300.0, peak_ratio: float = 0.4
) -> RainSeries:
    """Return the storm of ``duration`` [s] with the curve's depth exactly, in equal steps of at most ``step`` [s].

    chicago: every duration around the peak has the curve's depth (Keifer and Chu 1957, J. Hydraulics Div. 83(4)).
    alternating: the same by whole steps, the heaviest at the peak and the others in turn beside it (Chow, Maidment
    and Mays 1988, Applied Hydrology, section 14.4). uniform: one intensity. huff1 to huff4: see ``HUFF``; these take
    only the total from the curve, and a part of them may exceed it. ``peak_ratio`` [1] is where in the duration the
    first two peak. Raise InputError naming what cannot be.
    """
    curve.check_duration(duration)
    if not step > 0.0:
        raise InputError(f"storm step is {step:g} s, expected above 0")
    if not 0.0 <= peak_ratio <= 1.0:
        raise InputError(f"storm peak_ratio is {peak_ratio:g}, expected 0 to 1")
    if shape not in SHAPES:
        raise InputError(f"storm shape is '{shape}', expected one of {', '.join(SHAPES)}")
    times = np.linspace(0.0, duration, max(1, ceil(duration / step - 1.0e-9)) + 1)
    if shape == "chicago":
        portions = np.diff(_accumulate_chicago(curve, times, peak_ratio))
    elif shape == "alternating":
        portions = _alternate(np.diff(curve.depth(times)), peak_ratio)
    elif shape == "uniform":
        portions = np.full(times.size - 1, float(curve.depth(duration)) / (times.size - 1))
    else:
        fallen = np.interp(times / duration, np.linspace(0.0, 1.0, 21), HUFF[shape]) / 100.0
        portions = np.diff(fallen) * float(curve.depth(duration))
    return RainSeries(times, np.append(portions / np.diff(times) * 3600.0, 0.0))


def _accumulate_chicago(curve: DepthCurve, times: Series, peak_ratio: float) -> Series:
    """Return the rain [mm] from the peak to each of ``times`` [s], negative before it."""
    from_peak = times - peak_ratio * times[-1]
    # The two limbs share the depth of the window around the peak as they share its length.
    share = np.where(from_peak < 0.0, peak_ratio, 1.0 - peak_ratio)
    window = np.abs(from_peak) / np.maximum(share, 1.0e-12)
    return np.asarray(np.sign(from_peak) * share * curve.depth(window))


def _alternate(portions: Series, peak_ratio: float) -> Series:
    """Return falling ``portions`` with the first at ``peak_ratio`` and the next ones right and left of it in turn."""
    placed = np.empty_like(portions)
    left = right = min(int(peak_ratio * portions.size), portions.size - 1)
    placed[left] = portions[0]
    for k in range(1, portions.size):
        goes_right = right + 1 < portions.size and (k % 2 == 1 or left == 0)
        if goes_right:
            right += 1
        else:
            left -= 1
        placed[right if goes_right else left] = portions[k]
    return placed
