"""A street of cells with incidents that are known: what stands between the detection and a real street.

Cell transmission (Daganzo 1994, doi:10.1016/0191-2615(94)90002-7): cells of 100 m, triangular fundamental diagram, two
lanes, a bottleneck at its end that backs up on busy days. Two stations read flow, occupancy and speed every five
minutes with Poisson counts and noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

CELL, STEP, CELLS, LANES = 100.0, 7.0, 30, 2
FROM, UNTIL = 5 * 3600, 21 * 3600
FREE, JAM, WAVE = 50.0 / 3.6, 0.133, 5.0
UPSTREAM, DOWNSTREAM, READING = 8, 22, 300
VEHICLE = 6.0
PEAK = (7.5, 17.0)


@dataclass(frozen=True, eq=False)
class Days:
    """Readings (times, days) of stations upstream and downstream, and what is true of each day (days,).

    start, end: of the incident [s of the day], infinite where there is none. reached: when its queue came to the
    station upstream, infinite where it never did.
    """

    times: Values
    flows: tuple[Values, Values]
    occupancies: tuple[Values, Values]
    speeds: tuple[Values, Values]
    start: Values
    end: Values
    reached: Values


def simulate_days(days: int, *, incidents: int, seed: int) -> Days:
    """Return days from 5 to 21 o'clock, the first ``incidents`` of them with one.

    It takes 55 to 75 % of the capacity for 30 to 60 minutes from some time between 6 and 19 o'clock on.
    """
    chance = np.random.default_rng(seed)
    capacity = LANES * FREE * WAVE * JAM / (FREE + WAVE)
    steps = int((UNTIL - FROM) / STEP)
    start = np.where(np.arange(days) < incidents, chance.uniform(6.0, 19.0, days) * 3600.0, np.inf)
    end = start + chance.uniform(1800.0, 3600.0, days)
    place = chance.integers(UPSTREAM + 3, DOWNSTREAM - 2, days)
    left = 1.0 - chance.uniform(0.55, 0.75, days)
    height = chance.uniform(0.70, 0.95, days) * capacity
    exit_share = chance.uniform(0.60, 1.0, days) * capacity
    cars = np.zeros((days, CELLS))
    waiting = np.zeros(days)
    out = np.zeros((2, 2, (UNTIL - FROM) // READING, days))
    reached = np.full(days, np.inf)
    rows = np.arange(days)
    for step in range(steps):
        now = FROM + step * STEP
        hour = now / 3600.0
        course = 0.10 + 0.25 * np.exp(-(((hour - 13.0) / 5.0) ** 2))
        course += 0.65 * sum(np.exp(-(((hour - peak) / 1.2) ** 2)) for peak in PEAK)
        limit = np.full((days, CELLS + 1), capacity)
        limit[:, -1] = exit_share
        on = (now >= start) & (now < end)
        limit[rows[on], place[on]] = (left * capacity)[on]
        waiting += np.minimum(course, 1.0) * height * STEP
        sent = np.minimum(cars * FREE / CELL, capacity)
        taken = np.minimum(np.maximum(WAVE * (LANES * JAM - cars / CELL), 0.0), capacity)
        flow = np.minimum(
            np.column_stack([np.minimum(waiting / STEP, capacity), sent]),
            np.column_stack([taken, np.full(days, np.inf)]),
        )
        flow = np.minimum(flow, limit)
        waiting -= flow[:, 0] * STEP
        cars += (flow[:, :-1] - flow[:, 1:]) * STEP
        slot = min(int(now - FROM) // READING, out.shape[2] - 1)
        here = on & (flow[:, UPSTREAM + 1] < 0.6 * FREE * cars[:, UPSTREAM] / CELL)
        reached = np.where(here & np.isinf(reached), now, reached)
        for number, cell in enumerate((UPSTREAM, DOWNSTREAM)):
            out[number, 0, slot] += flow[:, cell + 1] * STEP
            out[number, 1, slot] += cars[:, cell] / CELL * STEP / READING
    readings = []
    for number in range(2):
        counted = chance.poisson(out[number, 0]).astype(np.float64)
        density = out[number, 1] * np.exp(chance.normal(0.0, 0.06, out[number, 1].shape))
        speed = np.divide(
            out[number, 0] / READING, out[number, 1], out=np.full(density.shape, FREE), where=density > 1e-6
        )
        speed = np.minimum(speed, FREE) * 3.6 * np.exp(chance.normal(0.0, 0.04, density.shape))
        readings.append((counted * 3600.0 / READING, np.minimum(density / LANES * VEHICLE, 1.0), speed))
    times = np.asarray(FROM + (np.arange(out.shape[2]) + 1.0) * READING, np.float64)
    (flow_a, share_a, speed_a), (flow_b, share_b, speed_b) = readings
    return Days(
        times, (flow_a, flow_b), (share_a, share_b), (speed_a, speed_b), np.asarray(start, np.float64), end, reached
    )
