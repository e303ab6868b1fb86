"""Wind over the water: its stress on the surface as a push on the unit discharge."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import check_series
from layers.errors import InputError

AIR_BY_WATER = 1.225 / 998.0
"""Density of air relative to water [1]."""

SHELTER_DEPTH = 0.25
"""Wind has its whole hold on water of this depth; over thinner water it falls off to none [m]."""


@dataclass(frozen=True, slots=True, eq=False)
class Wind:
    """Wind at 10 m over the whole domain.

    times [s], speed [m/s] and direction it blows from, degrees clockwise from north [deg], (n,): the vectors are linear
    between, the first and last held outside.
    """

    times: NDArray[np.float64]
    speed: NDArray[np.float64]
    direction: NDArray[np.float64]

    def __post_init__(self) -> None:
        times, speed = check_series("wind", self.times, self.speed)
        _, direction = check_series("wind direction", self.times, self.direction)
        for name, values, high in (("speed", speed, 100.0), ("direction", direction, 360.0)):
            bad = ~((values >= 0.0) & (values <= high))
            if bad.any():
                first = int(np.argmax(bad))
                raise InputError(f"wind {name} {first} is {values[first]:g}, expected 0 to {high:g}")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "speed", speed)
        object.__setattr__(self, "direction", direction)

    def stress_at(self, time: float) -> tuple[float, float]:
        """Return the stress over the water's density to the east and to the south at ``time`` [s] [m2/s2].

        Drag (0.75 + 0.067 W) 10^-3: Garratt 1977, doi:10.1175/1520-0493(1977)105<0915:RODCOO>2.0.CO;2.
        """
        angle = np.deg2rad(self.direction)
        east = float(np.interp(time, self.times, -self.speed * np.sin(angle)))
        south = float(np.interp(time, self.times, self.speed * np.cos(angle)))
        speed = float(np.hypot(east, south))
        scale = AIR_BY_WATER * (0.75 + 0.067 * speed) * 1.0e-3 * speed
        return scale * east, scale * south
