"""Green waves: offsets, cycle and speeds of the signals along a street so that the bands through all greens are widest.

MAXBAND as a mixed-integer linear program: Little, Kelson and Gartner 1981, Transportation Research Record 795, without
left-turn phases. A band is a stretch of time in which whoever passes the first signal passes all of them without a
stop. All times inside are in cycles; the reciprocal of the cycle is a variable, so that cycle and speeds may vary.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix

from layers.errors import InputError, NumericsError

MOST_SIGNALS = 60
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GreenWave:
    """What was found. Outbound is from the first signal to the last.

    cycle [s]; outbound_band, inbound_band [s]; offsets: when green begins at each signal [s], 0 ≤ offset < cycle, 0 at
    the first; outbound_starts, inbound_starts: when the band reaches each signal [s], running on from signal to signal;
    outbound_speeds, inbound_speeds [km/h] (signals − 1,); efficiency: mean of both bands over the cycle; proven:
    whether no wider bands exist, else ``gap`` tells how much wider they could be, relative.
    """

    cycle: float
    outbound_band: float
    inbound_band: float
    offsets: Floats
    outbound_starts: Floats
    inbound_starts: Floats
    outbound_speeds: Floats
    inbound_speeds: Floats
    efficiency: float
    proven: bool
    gap: float


def maximize_bands(
    distances: Sequence[float],
    outbound_greens: Sequence[float],
    inbound_greens: Sequence[float] | None = None,
    *,
    cycles: tuple[float, float],
    speeds: tuple[float, float],
    speed_change: float | None = None,
    inbound_weight: float = 1.0,
    time_limit: float = 10.0,
) -> GreenWave:
    """Return the widest bands in both directions.

    distances: from each signal to the next [m] (signals − 1,); greens: share of the cycle (signals,); cycles: shortest
    and longest cycle [s]; speeds: slowest and fastest [km/h]; speed_change: by how much the speed may change from one
    stretch to the next [km/h]; inbound_weight: what the inbound band counts against the outbound one, 1 makes them
    equal, 0 leaves the inbound one aside (its band is then told as 0); time_limit [s].
    Raises InputError for what cannot be a corridor and NumericsError where there is no band, or none was found in time.
    """
    out, back = _check(distances, outbound_greens, inbound_greens, cycles, speeds)
    program = _Program(np.asarray(distances, np.float64), out, back, cycles, speeds, inbound_weight)
    program.add_bands()
    program.add_loops()
    program.add_speed_changes(speed_change)
    return program.solve(time_limit)


class _Program:
    """Columns: b, b̄, z, w (n), w̄ (n), t (n − 1), t̄ (n − 1), m (n − 1)."""

    def __init__(
        self, distances: Floats, out: Floats, back: Floats, cycles: tuple[float, float],
        speeds: tuple[float, float], weight: float,
    ) -> None:  # fmt: skip
        self.distances, self.out, self.back = distances, out, back
        self.cycles, self.slow, self.fast, self.weight = cycles, speeds[0] / 3.6, speeds[1] / 3.6, weight
        self.n = n = out.size
        self.w, self.v, self.t, self.u, self.m = 3, 3 + n, 3 + 2 * n, 2 + 3 * n, 1 + 4 * n
        self.columns = 4 * n + n
        self.rows: list[tuple[dict[int, float], float, float]] = []

    def add_bands(self) -> None:
        """Keep both bands inside every green, and the inbound one at least its share of the outbound one."""
        for i in range(self.n):
            self.rows.append(({self.w + i: 1.0, 0: 1.0}, -np.inf, float(self.out[i])))
            self.rows.append(({self.v + i: 1.0, 1: 1.0}, -np.inf, float(self.back[i])))
        if self.weight == 1.0:
            self.rows.append(({0: 1.0, 1: -1.0}, 0.0, 0.0))
        elif 0.0 < self.weight < 1.0:
            self.rows.append(({1: 1.0, 0: -self.weight}, 0.0, np.inf))
        elif self.weight == 0.0:
            self.rows.append(({1: 1.0}, 0.0, 0.0))
        elif self.weight > 1.0:
            self.rows.append(({1: 1.0, 0: -self.weight}, -np.inf, 0.0))

    def add_loops(self) -> None:
        """Keep speeds within their range; close each loop of two signals, out and back, in whole cycles."""
        for i in range(self.n - 1):
            length = float(self.distances[i])
            for column in (self.t + i, self.u + i):
                self.rows.append(({column: 1.0, 2: -length / self.fast}, 0.0, np.inf))
                self.rows.append(({column: 1.0, 2: -length / self.slow}, -np.inf, 0.0))
            if self.weight == 0.0:
                continue
            terms = {
                self.w + i: 1.0, self.v + i: -1.0, self.w + i + 1: -1.0, self.v + i + 1: 1.0,
                self.t + i: 1.0, self.u + i: 1.0, self.m + i: -1.0,
            }  # fmt: skip
            self.rows.append((terms, 0.0, 0.0))

    def add_speed_changes(self, change: float | None) -> None:
        """Let pace, the reciprocal of speed, differ between neighbours by what the change is at the middle speed."""
        if change is None:
            return
        middle = 0.5 * (self.slow + self.fast)
        most = change / 3.6 / middle**2
        for i in range(self.n - 2):
            here, there = float(self.distances[i]), float(self.distances[i + 1])
            for first in (self.t, self.u):
                pace = {first + i: 1.0 / here, first + i + 1: -1.0 / there}
                self.rows.append(({**pace, 2: -most}, -np.inf, 0.0))
                self.rows.append(({**pace, 2: most}, 0.0, np.inf))

    def solve(self, time_limit: float) -> GreenWave:
        """Solve it with HiGHS and read the plan."""
        shortest, longest = self.cycles
        low, high = np.zeros(self.columns), np.ones(self.columns)
        low[2], high[2] = 1.0 / longest, 1.0 / shortest
        most = self.distances / self.slow / shortest
        least = self.distances / self.fast / longest
        for first in (self.t, self.u):
            low[first : first + self.n - 1], high[first : first + self.n - 1] = least, most
        low[self.m :], high[self.m :] = np.floor(2.0 * least - 2.0), np.ceil(2.0 * most + 2.0)
        gain = np.zeros(self.columns)
        gain[0], gain[1] = -1.0, -self.weight
        whole = np.zeros(self.columns)
        whole[self.m :] = 1
        at = [(row, column, value) for row, (terms, _, _) in enumerate(self.rows) for column, value in terms.items()]
        rows, columns, values = (np.array(part) for part in zip(*at, strict=True))
        matrix = coo_matrix((values, (rows, columns)), (len(self.rows), self.columns)).tocsr()
        limits = LinearConstraint(matrix, [row[1] for row in self.rows], [row[2] for row in self.rows])
        found = milp(
            gain, constraints=limits, bounds=Bounds(low, high), integrality=whole,
            options={"time_limit": time_limit, "mip_rel_gap": 1e-6},
        )  # fmt: skip
        if found.x is None:
            raise NumericsError(
                "no band passes all signals in both directions" if found.status == 2 else found.message,
                hint="a range of cycles or speeds, or inbound_weight 0 for one direction alone",
            )
        return self._read(found.x, found.status == 0, float(found.mip_gap or 0.0))

    def _read(self, x: Floats, proven: bool, gap: float) -> GreenWave:
        n, cycle = self.n, 1.0 / float(x[2])
        out_times, back_times = x[self.t : self.t + n - 1], x[self.u : self.u + n - 1]
        begin = x[self.w] + np.concatenate(([0.0], np.cumsum(out_times)))
        greens = begin - x[self.w : self.w + n]
        returning = greens[0] + x[self.v] - np.concatenate(([0.0], np.cumsum(back_times)))
        returning += np.ceil(-returning.min())
        band, inbound = max(float(x[0]), 0.0), max(float(x[1]), 0.0)
        metres = self.distances * 3.6 / cycle
        offsets = np.mod(greens, 1.0)
        offsets[np.isclose(offsets, 1.0, atol=1e-9)] = 0.0
        return GreenWave(
            cycle, band * cycle, inbound * cycle, offsets * cycle, begin * cycle, returning * cycle,
            metres / out_times, metres / back_times, 0.5 * (band + inbound), proven, gap,
        )  # fmt: skip


def _check(
    distances: Sequence[float],
    outbound: Sequence[float],
    inbound: Sequence[float] | None,
    cycles: tuple[float, float],
    speeds: tuple[float, float],
) -> tuple[Floats, Floats]:
    out = np.asarray(outbound, np.float64)
    back = out if inbound is None else np.asarray(inbound, np.float64)
    if not 2 <= out.size <= MOST_SIGNALS:
        raise InputError(f"a corridor has 2 to {MOST_SIGNALS} signals, found {out.size}")
    if back.size != out.size or len(distances) != out.size - 1:
        raise InputError(
            f"{out.size} signals need {out.size} greens in each direction and {out.size - 1} distances, "
            f"found {back.size} and {len(distances)}"
        )
    if not all(0.0 < share < 1.0 for share in (*out, *back)):
        raise InputError("a share of green is not between 0 and 1")
    if not all(0.0 < length < 1e5 for length in distances):
        raise InputError("a distance between signals is not between 0 and 100 km")
    if not 0.0 < cycles[0] <= cycles[1] or not 0.0 < speeds[0] <= speeds[1]:
        raise InputError("the range of cycles or of speeds is empty, or not above 0")
    return out, back
