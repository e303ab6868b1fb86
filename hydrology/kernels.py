"""Local inertial shallow water, one equation a kernel, each over the 1-D views of one row.

State: water stage [m] as float64, so that water at rest stays at rest and volumes close to rounding; unit discharge
[m2/s] as float32, which both cells of a face read, so that its rounding makes no water. A face whose crest is higher
than any water is closed: domain edges, cells without data and prescribed neighbours need no code of their own.

A kernel reads at most eight arrays: with more, the compiler leaves its loop scalar without a word.

Sources: Bates, Horritt and Fewtrell 2010, doi:10.1016/j.jhydrol.2010.03.027 (eq. 15); de Almeida, Bates, Freer and
Souvignet 2012, doi:10.1029/2011WR011570 (theta); friction with the length of the discharge vector as in de Almeida
and Bates 2013, doi:10.1002/wrcr.20366.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_row

Row = NDArray[Any]


@compile_row
def update_faces(
    before: Row,
    after: Row,
    crest: Row,
    friction: Row,
    discharge: Row,
    side_a: Row,
    side_b: Row,
    out: Row,
    push: np.float32,
    dt: np.float32,
    dry_depth: np.float32,
    froude: np.float32,
) -> None:
    """Bring the unit discharge through n faces forward by one step [m2/s].

    q' = (inertia - g h dt dS/dx) / (1 + dt g n² |q| h^(-7/3)), |q'| <= froude h^(3/2), where h is the depth over the
    crest (Bates 2010 eq. 15 with the vector |q|).

    before, after: stage of the two cells of each face [m] (n,). crest: of the face [m]. friction: g n² of the face.
    discharge: q now. side_a, side_b: discharges across the two lines of four faces around, entries k and k+1 belonging
    to face k (n+1,). out: holds the inertia (q now, or its blend with the neighbours), becomes q'. All scalars 32 bits:
    push: g dt / dx [m/s], froude: largest Froude number × g^(1/2) [m^(1/2)/s].
    """
    third, four_thirds, quarter, one = np.float32(1.0 / 3.0), np.float32(4.0 / 3.0), np.float32(0.25), np.float32(1.0)
    for k in range(out.size):
        rise = np.float32(after[k] - before[k])
        over = np.float32(max(before[k], after[k]) - np.float64(crest[k]))
        h = np.float32(max(over, dry_depth))
        # r = h^(-1/3): a guess from the exponent bits (3 % off), then Newton without a division, to 1e-5; pow costs 3
        # times as much as everything else here.
        r = np.int32(np.int32(0x54A21D2A) - np.int32(np.float32(h.view(np.int32)) * third)).view(np.float32)
        h_third = h * third
        r = r * (four_thirds - h_third * r * r * r)
        r = r * (four_thirds - h_third * r * r * r)
        r2 = r * r
        across = quarter * ((side_a[k] + side_b[k]) + (side_a[k + 1] + side_b[k + 1]))
        length = np.sqrt(discharge[k] * discharge[k] + across * across)
        value = (out[k] - push * h * rise) / (one + dt * friction[k] * length * (r2 * r2 * r2 * r))
        limit = froude * h * np.sqrt(h)
        value = min(max(value, -limit), limit)
        out[k] = value if over > dry_depth else np.float32(0.0)


@compile_row
def copy_row(source: Row, out: Row) -> None:
    """Write ``source`` to ``out``: an assignment of slices would look for overlaps and allocate."""
    for k in range(out.size):
        out[k] = source[k]


@compile_row
def blend_inertia(before: Row, now: Row, after: Row, theta: float, out: Row) -> None:
    """Write theta q + (1 - theta)/2 (q before + q after), the neighbours along the flow (de Almeida 2012 eq. 8)."""
    own, half = np.float32(theta), np.float32(0.5 * (1.0 - theta))
    for k in range(out.size):
        out[k] = own * now[k] + half * (before[k] + after[k])


@compile_row
def add_push(before: Row, after: Row, crest: Row, push: np.float32, whole_depth: np.float32, out: Row) -> None:
    """Add ``push`` [m2/s] to the inertia of n faces where they are ``whole_depth`` [m] deep, less where shallower."""
    one, nothing, share = np.float32(1.0), np.float32(0.0), np.float32(1.0 / whole_depth)
    for k in range(out.size):
        over = np.float32(max(before[k], after[k]) - np.float64(crest[k]))
        out[k] += push * min(max(over * share, nothing), one)


@compile_row
def update_stages(
    stage: Row, bed: Row, gain: Row, west: Row, north: Row, south: Row, dt: float
) -> tuple[np.int32, np.int32]:
    """Bring the stage of n cells forward by one step [m]: continuity, dS/dt = gain × sum of q.

    gain: 1 / (cell size × storage share) where the stage is computed, 0 where it is prescribed or there is no cell
    [1/m]. west: discharge through the west faces, the last entry being the east face of the last cell (n+1,). Return
    the largest depth × gain [1] as the bits of a float32 (``read_bits``), and a negative number where a stage may lie
    below its bed: whole numbers order like the positive floats they stand for, and their extremes vectorise.
    """
    highest, lowest = np.int32(0), np.int32(0)
    for k in range(stage.size):
        net = (np.float64(west[k]) - np.float64(west[k + 1])) + (np.float64(north[k]) - np.float64(south[k]))
        value = stage[k] + dt * np.float64(gain[k]) * net
        stage[k] = value
        bits = np.float32(np.float32(value - np.float64(bed[k])) * gain[k]).view(np.int32)
        highest = max(highest, bits)
        lowest = min(lowest, bits)
    return highest, lowest


@compile_row
def find_deepest(stage: Row, bed: Row, gain: Row) -> np.int32:
    """Return the largest depth × gain of a row [1], 0 where no computed cell has water, as in ``update_stages``."""
    highest = np.int32(0)
    for k in range(stage.size):
        bits = np.float32(np.float32(stage[k] - np.float64(bed[k])) * gain[k]).view(np.int32)
        highest = max(highest, bits)
    return highest


@compile_row
def read_bits(bits: np.int32) -> np.float32:
    """Return the float32 that the bits of ``update_stages`` and ``find_deepest`` stand for."""
    return np.int32(bits).view(np.float32)


@compile_row
def record_depths(stage: Row, bed: Row, time: float, arrival_depth: float, depth_max: Row, arrival: Row) -> None:
    """Raise the largest depth [m] and note the first time [s] the depth reached ``arrival_depth`` [m]."""
    now, never, least = np.float32(time), np.float32(np.inf), np.float32(arrival_depth)
    for k in range(depth_max.size):
        depth = np.float32(stage[k] - np.float64(bed[k]))
        depth_max[k] = max(depth_max[k], depth)
        arrival[k] = min(arrival[k], now if depth >= least else never)


@compile_row
def record_durations(stage: Row, bed: Row, span: float, depth: float, duration: Row) -> None:
    """Add ``span`` [s] to the duration of the cells at least ``depth`` [m] deep."""
    least, more, nothing = np.float32(depth), np.float32(span), np.float32(0.0)
    for k in range(duration.size):
        duration[k] += more if np.float32(stage[k] - np.float64(bed[k])) >= least else nothing


@compile_row
def record_flow(
    stage: Row, bed: Row, west: Row, north: Row, south: Row, speed_depth: float, speed_max: Row, hazard_max: Row
) -> None:
    """Raise the largest speed [m/s], where the depth is at least ``speed_depth`` [m], and depth × speed [m2/s]."""
    least, half, nothing = np.float32(speed_depth), np.float32(0.5), np.float32(0.0)
    for k in range(speed_max.size):
        x, y = half * (west[k] + west[k + 1]), half * (north[k] + south[k])
        flow = np.sqrt(x * x + y * y)
        depth = np.float32(stage[k] - np.float64(bed[k]))
        speed = flow / max(depth, least)
        speed_max[k] = max(speed_max[k], speed if depth >= least else nothing)
        hazard_max[k] = max(hazard_max[k], flow)


@compile_row
def add_rates(stage: Row, rate: Row, dt: float) -> None:
    """Raise the stages of a row by ``rate`` [m/s] × dt."""
    for k in range(stage.size):
        stage[k] += dt * np.float64(rate[k])


@compile_row
def compute_film_faces(
    before: Row, after: Row, bed_before: Row, bed_after: Row, crest: Row, friction: Row, out: Row,
    least: np.float32, most: np.float32, slope_scale: np.float32,
) -> None:  # fmt: skip
    """Write the unit discharge of a film of water through n faces [m2/s]: Manning without inertia.

    q = h^(5/3) (|dS| / dx)^(1/2) / n down the slope, not more than a quarter of what the donor holds and of what would
    level the two cells. least: thinner films stay where they are [m]. most: dx / (4 dt) [m/s]. slope_scale:
    (g / dx)^(1/2), for friction is g n².
    """
    third, four_thirds = np.float32(1.0 / 3.0), np.float32(4.0 / 3.0)
    for k in range(out.size):
        rise = np.float32(after[k] - before[k])
        over = np.float32(max(before[k], after[k]) - np.float64(crest[k]))
        h = np.float32(max(over, least))
        r = np.int32(np.int32(0x54A21D2A) - np.int32(np.float32(h.view(np.int32)) * third)).view(np.float32)
        h_third = h * third
        r = r * (four_thirds - h_third * r * r * r)
        r = r * (four_thirds - h_third * r * r * r)
        drop = abs(rise)
        held = np.float32(before[k] - np.float64(bed_before[k]))
        there = np.float32(after[k] - np.float64(bed_after[k]))
        held = there if rise > np.float32(0.0) else held
        rough = max(friction[k], np.float32(1.0e-9))
        size = min(
            h * h * r * slope_scale * np.sqrt(drop / rough), most * max(min(min(held, drop), over), np.float32(0.0))
        )
        size = size if over > least else np.float32(0.0)
        out[k] = -size if rise > np.float32(0.0) else size


@compile_row
def move_film(stage: Row, gain: Row, west: Row, north: Row, south: Row, dt: float) -> float:
    """Move the film of n cells by continuity; return what came into cells whose stage is given [m2/s]."""
    lost = 0.0
    for k in range(stage.size):
        net = (np.float64(west[k]) - np.float64(west[k + 1])) + (np.float64(north[k]) - np.float64(south[k]))
        stage[k] += dt * np.float64(gain[k]) * net
        lost += net if gain[k] == np.float32(0.0) else 0.0
    return lost


@compile_row
def compute_normal_discharge(depth: float, slope_by_n: float, gravity: float, dry: float, froude: float) -> float:
    """Return the unit discharge of uniform flow [m2/s], h^(5/3) S^(1/2) / n, not above the Froude limit."""
    if depth <= dry:
        return 0.0
    return float(min(depth ** (5.0 / 3.0) * slope_by_n, froude * depth * np.sqrt(gravity * depth)))
