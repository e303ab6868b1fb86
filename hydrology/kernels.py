"""Local inertial shallow water, one equation a kernel, each over the 1-D views of one row.

State: water stage [m] as float64, so that water at rest stays at rest and volumes close to rounding; unit discharge
[m2/s] as float32, which both cells of a face read, so that its rounding makes no water. A face whose crest is higher
than any water is closed: domain edges, cells without data and prescribed neighbours need no code of their own.

Sources: Bates, Horritt and Fewtrell 2010, doi:10.1016/j.jhydrol.2010.03.027 (eq. 15); de Almeida, Bates, Freer and
Souvignet 2012, doi:10.1029/2011WR011570 (theta); friction with the length of the discharge vector as in de Almeida
and Bates 2013, doi:10.1002/wrcr.20366.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_row

Row = NDArray[Any]

LEVEL_NOISE = 1.0e-10
"""Stage differences up to this are the rounding of bed + depth, not a slope [m]."""


@compile_row
def update_faces(
    before: Row,
    after: Row,
    crest: Row,
    friction: Row,
    discharge: Row,
    inertia: Row,
    side_a: Row,
    side_b: Row,
    out: Row,
    dt: float,
    cell_size: float,
    gravity: float,
    dry_depth: float,
    froude_max: float,
) -> None:
    """Write the unit discharge through n faces after one step [m2/s].

    q' = (inertia - g h dt dS/dx) / (1 + dt g n² |q| h^(-7/3)), |q'| <= froude_max h (g h)^(1/2), where h is the depth
    over the crest (Bates 2010 eq. 15 with the vector |q|).

    before, after: stage of the two cells of each face [m] (n,). crest: higher bed of the two [m]. friction: g n² of
    the face. discharge: q now. inertia: q now, or its blend with the neighbours. side_a, side_b: discharges across
    the two lines of four faces around, entries k and k+1 belonging to face k (n+1,).
    """
    third, four_thirds, quarter, one = np.float32(1.0 / 3.0), np.float32(4.0 / 3.0), np.float32(0.25), np.float32(1.0)
    push, step = np.float32(gravity * dt / cell_size), np.float32(dt)
    dry, cap = np.float32(dry_depth), np.float32(froude_max * np.sqrt(gravity))
    for k in range(out.size):
        rise = after[k] - before[k]
        rise = rise if abs(rise) > LEVEL_NOISE else 0.0
        over = np.float32(max(before[k], after[k]) - crest[k])
        h = np.float32(max(over, dry))
        # r = h^(-1/3): a guess from the exponent bits (3 % off), then Newton without a division; pow costs 3 times
        # as much as everything else here.
        bits = np.float32(h.view(np.int32))
        r = np.int32(np.int32(0x54A21D2A) - np.int32(bits * third)).view(np.float32)
        h_third = h * third
        r = r * (four_thirds - h_third * r * r * r)
        r = r * (four_thirds - h_third * r * r * r)
        r = r * (four_thirds - h_third * r * r * r)
        r2 = r * r
        across = quarter * ((side_a[k] + side_b[k]) + (side_a[k + 1] + side_b[k + 1]))
        length = np.sqrt(discharge[k] * discharge[k] + across * across)
        value = (inertia[k] - push * h * np.float32(rise)) / (one + step * friction[k] * length * (r2 * r2 * r2 * r))
        limit = cap * h * np.sqrt(h)
        value = min(max(value, -limit), limit)
        out[k] = value if over > dry else np.float32(0.0)


@compile_row
def blend_inertia(before: Row, now: Row, after: Row, theta: float, out: Row) -> None:
    """Write theta q + (1 - theta)/2 (q before + q after), the neighbours along the flow (de Almeida 2012 eq. 8)."""
    own, half = np.float32(theta), np.float32(0.5 * (1.0 - theta))
    for k in range(out.size):
        out[k] = own * now[k] + half * (before[k] + after[k])


@compile_row
def update_stages(
    stage: Row, bed: Row, per_length: Row, west: Row, north: Row, south: Row, dt: float, out: Row
) -> tuple[float, float]:
    """Write the stage of n cells after one step [m]: continuity, dS/dt = sum of q / cell size.

    per_length: 1 / cell size where the stage is computed, 0 where it is prescribed or there is no cell [1/m].
    west: discharge through the west faces, the last entry being the east face of the last cell (n+1,).
    Return the lowest depth [m] and the largest depth / cell size of the computed cells [1].
    """
    lowest, highest = 1.0e30, 0.0
    for k in range(out.size):
        gain = (np.float64(west[k]) - np.float64(west[k + 1])) + (np.float64(north[k]) - np.float64(south[k]))
        value = stage[k] + dt * per_length[k] * gain
        out[k] = value
        depth = value - bed[k]
        lowest = min(lowest, depth)
        highest = max(highest, depth * per_length[k])
    return lowest, highest


@compile_row
def limit_outflow(
    stage: Row, bed: Row, per_length: Row, after: Row, west: Row, north: Row, south: Row, dt: float
) -> None:
    """Scale what leaves a cell that would fall below its bed so that it leaves no more than it holds.

    A face carries water out of one cell only, so the result does not depend on the order of the cells, and what is
    not taken here is not given there: no water is made. ``after``: the stages that would come out [m].
    """
    for k in range(after.size):
        if after[k] < bed[k]:
            out = (max(-np.float64(west[k]), 0.0) + max(np.float64(west[k + 1]), 0.0)) + (
                max(-np.float64(north[k]), 0.0) + max(np.float64(south[k]), 0.0)
            )
            # The margin covers the rounding of float32 discharges and of the stage.
            held = max((stage[k] - bed[k]) * (1.0 - 1.0e-6) - 1.0e-12 * max(1.0, abs(bed[k])), 0.0)
            factor = np.float32(held / (dt * per_length[k] * out))
            if west[k] < 0.0:
                west[k] *= factor
            if west[k + 1] > 0.0:
                west[k + 1] *= factor
            if north[k] < 0.0:
                north[k] *= factor
            if south[k] > 0.0:
                south[k] *= factor


@compile_row
def record_depths(stage: Row, bed: Row, time: float, arrival_depth: float, depth_max: Row, arrival: Row) -> None:
    """Raise the largest depth [m] and note the first time [s] the depth reached ``arrival_depth`` [m]."""
    for k in range(depth_max.size):
        depth = stage[k] - bed[k]
        depth_max[k] = max(depth_max[k], np.float32(depth))
        arrival[k] = min(arrival[k], time if depth >= arrival_depth else np.inf)


@compile_row
def compute_flow(west: Row, north: Row, south: Row, out: Row) -> None:
    """Write the length of the unit discharge at the cell centres [m2/s]: depth times velocity."""
    half = np.float32(0.5)
    for k in range(out.size):
        x, y = half * (west[k] + west[k + 1]), half * (north[k] + south[k])
        out[k] = np.sqrt(x * x + y * y)


@compile_row
def record_flow(flow: Row, stage: Row, bed: Row, speed_depth: float, speed_max: Row, hazard_max: Row) -> None:
    """Raise the largest speed [m/s], where the depth is at least ``speed_depth`` [m], and depth × speed [m2/s]."""
    least = np.float32(speed_depth)
    for k in range(flow.size):
        depth = np.float32(stage[k] - bed[k])
        speed = flow[k] / max(depth, least)
        speed_max[k] = max(speed_max[k], speed if depth >= least else np.float32(0.0))
        hazard_max[k] = max(hazard_max[k], flow[k])


@compile_row
def add_depth(amount: float, share: Row, bed: Row, per_length: Row, stage: Row) -> float:
    """Raise the stages of a row by ``amount`` × ``share`` [m]; return the largest depth / cell size [1]."""
    highest = 0.0
    for k in range(stage.size):
        value = stage[k] + amount * share[k]
        stage[k] = value
        highest = max(highest, (value - bed[k]) * per_length[k])
    return highest


@compile_row
def compute_normal_discharge(depth: float, slope_by_n: float, gravity: float, dry: float, froude: float) -> float:
    """Return the unit discharge of uniform flow [m2/s], h^(5/3) S^(1/2) / n, not above the Froude limit."""
    if depth <= dry:
        return 0.0
    return float(min(depth ** (5.0 / 3.0) * slope_by_n, froude * depth * np.sqrt(gravity * depth)))
