"""The score of BattLeDIM 2020, by the rule of its organisers' program (KIOS-Research/BattLeDIM, Scoring_Algorithm.m).

A detection is a time and a pipe. It is true while a leak runs whose pipe lies within 300 m of it along the network,
from middle to middle. It earns €0.80 for each m3 that the leak loses from then on to the end of the year, less €500
times the distance over 300 m. Detections go in the order of time; each takes the nearest leak that none before took;
one that only meets leaks taken before earns nothing; one that meets none costs €500. What was detected before the year
does not count.
Reference: Vrachimis et al. 2022, doi:10.1061/(ASCE)WR.1943-5452.0001601.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FARTHEST_M = 300.0
WATER_EURO = 0.80
CREW_EURO = 500.0
STEPS_AN_HOUR = 12

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Leak:
    """A leak of the year: pipe, first and last step at which it runs, outflow (steps of the year,) [m3/h]."""

    pipe: int
    start: int
    end: int
    outflow: Array


@dataclass(frozen=True, slots=True)
class Detection:
    """A step of the year and a pipe."""

    step: int
    pipe: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a detection earned [€], the leak it found or None, how far from it it lies [m] (inf where none runs)."""

    detection: Detection
    euro: float
    leak: int | None
    distance: float
    is_false: bool


def score_detections(detections: Sequence[Detection], leaks: Sequence[Leak], distances: Array) -> list[Verdict]:
    """Return the verdict on each detection of the year, in the order of time; distances (pipes, pipes) [m]."""
    verdicts: list[Verdict] = []
    taken: set[int] = set()
    for detection in sorted((each for each in detections if each.step >= 0), key=lambda each: each.step):
        running = [
            (float(distances[leak.pipe, detection.pipe]), k)
            for k, leak in enumerate(leaks)
            if leak.start <= detection.step <= leak.end
        ]
        met = [(far, k) for far, k in running if far <= FARTHEST_M]
        fresh = [(far, k) for far, k in met if k not in taken]
        nearest = min(running, default=(np.inf, -1))[0]
        if fresh:
            far, k = min(fresh)
            taken.add(k)
            earned = save_water(leaks[k], detection.step) - CREW_EURO * far / FARTHEST_M
            verdicts.append(Verdict(detection, earned, k, far, is_false=False))
        elif met:
            verdicts.append(Verdict(detection, 0.0, None, nearest, is_false=False))
        else:
            verdicts.append(Verdict(detection, -CREW_EURO, None, nearest, is_false=True))
    return verdicts


def save_water(leak: Leak, step: int) -> float:
    """Return what the water of a leak from ``step`` on to the end of the year costs [€]."""
    # The program counts steps from one and takes the first for the zeroth.
    return float(leak.outflow[max(step - 1, 0) :].sum()) / STEPS_AN_HOUR * WATER_EURO


def find_maximum(leaks: Sequence[Leak]) -> float:
    """Return the score of who names every leak's pipe at its first step [€]."""
    return sum(save_water(leak, max(leak.start, 0)) for leak in leaks)
