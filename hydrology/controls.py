"""What moves a gate or a pump: a schedule of settings, and rules on the water at its own two ends.

A setting is the share of a structure that is open or running, 0 to 1. Commands are held, not interpolated: an
operator's order stands until the next one. How fast the structure follows is its own travel time.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import check_series
from hydrology.compile import compile_row
from layers.errors import InputError

RUNNING, HELD_SHUT = 1, 2
"""Bits of a structure's state: the pump runs by its own levels; its rule holds it shut."""

ABSENT = 1.0e30
"""A level that a rule does not have, beyond any water [m]: close_stage, head_difference and margin; minus this for
open_stage."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Settings [1] commanded at times [s], both (n,): each holds until the next, the first also before its time."""

    times: NDArray[np.float64]
    settings: NDArray[np.float64]

    def __post_init__(self) -> None:
        times, settings = check_series("schedule", self.times, self.settings)
        bad = (settings < 0.0) | (settings > 1.0)
        if bad.any():
            first = int(np.argmax(bad))
            raise InputError(
                f"schedule: setting {first} is {settings[first]:g}, expected 0 (shut, off) to 1 (open, full)",
                hint="give settings as shares, not in percent",
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "settings", settings)

    def setting_at(self, time: float) -> float:
        """Return the setting [1] commanded at ``time`` [s]."""
        index = int(np.searchsorted(self.times, time, side="right")) - 1
        return float(self.settings[max(index, 0)])


@dataclass(frozen=True, slots=True)
class LevelRule:
    """When a structure shuts and opens again, by the stages at its ends a and b [m].

    close_stage, open_stage: it shuts where the stage at ``sensor`` passes close_stage and opens where it comes back
        past open_stage; rising shuts where close_stage is the higher of the two or they are equal, else falling.
    head_difference, margin: it shuts where b stands more than head_difference above a, and opens where b stands
        more than margin below a [m].
    sensor: the end that close_stage and open_stage are read at, ``a`` or ``b``.
    starts_shut: state before the first reading.

    One of the two pairs is enough; with both, either shuts, and either opens once none shuts. Between its levels
    the rule keeps what it did last. A tide gate is ``LevelRule(head_difference=0.0, margin=0.05)``. A pump is
    stopped in place of shut.
    """

    close_stage: float | None = None
    open_stage: float | None = None
    head_difference: float | None = None
    margin: float | None = None
    sensor: str = "b"
    starts_shut: bool = False

    def __post_init__(self) -> None:
        pairs = (("close_stage", "open_stage"), ("head_difference", "margin"))
        for pair in pairs:
            values = [getattr(self, name) for name in pair]
            if (values[0] is None) != (values[1] is None):
                raise InputError(
                    f"level rule has {pair[0]} {values[0]} and {pair[1]} {values[1]}, expected both or none"
                )
            for name, value in zip(pair, values, strict=True):
                if value is not None and not math.isfinite(value):
                    raise InputError(f"level rule {name} is {value} m, expected a number")
        if self.close_stage is None and self.head_difference is None:
            raise InputError(
                "level rule has no level, expected close_stage and open_stage or head_difference and margin"
            )
        if self.head_difference is not None and self.margin is not None and self.head_difference + self.margin < 0.0:
            raise InputError(
                f"level rule has head_difference {self.head_difference:g} m and margin {self.margin:g} m, expected a "
                "sum of 0 or more: it would shut and open at one level"
            )
        if self.sensor not in ("a", "b"):
            raise InputError(f"level rule sensor is '{self.sensor}', expected 'a' or 'b'")


@compile_row
def read_schedule(times: NDArray[np.float64], settings: NDArray[np.float64], lo: int, hi: int, time: float) -> float:
    """Return the setting [1] commanded at ``time`` [s] by entries [lo, hi) of all schedules; 1 where there is none."""
    if hi == lo:
        return 1.0
    first, last = lo, hi - 1
    while first < last:
        middle = (first + last + 1) // 2
        if times[middle] <= time:
            first = middle
        else:
            last = middle - 1
    return float(settings[first])


@compile_row
def judge_levels(
    shut: bool,
    stage_a: float,
    stage_b: float,
    watched: float,
    close_stage: float,
    open_stage: float,
    head_difference: float,
    margin: float,
) -> bool:
    """Return whether a rule holds its structure shut, given whether it did; stages [m], ABSENT for levels not given.

    ``watched``: the stage close_stage and open_stage are compared with. See LevelRule.
    """
    rising = close_stage >= open_stage
    closes = watched > close_stage if rising else watched < close_stage
    if closes or stage_b > stage_a + head_difference:
        return True
    opens = watched < open_stage if rising else watched > open_stage
    if opens or stage_b < stage_a - margin:
        return False
    return shut


@compile_row
def move_setting(setting: float, target: float, rate: float, dt: float) -> float:
    """Return the setting [1] after ``dt`` [s] on the way to ``target`` at no more than ``rate`` [1/s]."""
    reach = rate * dt
    return min(max(target, setting - reach), setting + reach)
