"""Local inertial flow between cells that look up their stage, and faces that look up depth and roughness.

State: the mean depth of a cell, its volume over its area [m] as float64, and the unit discharge per width of the
whole face [m2/s] as float32, which both cells of a face read. Each kernel works on the views of one row. Sources: van
Ormondt et al. 2025 (doi:10.5194/gmd-18-843-2025) for the tables in the momentum equation, Bates, Horritt and Fewtrell
2010 (doi:10.1016/j.jhydrol.2010.03.027) for the equation.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_row

Row = NDArray[Any]

BLOCK = 16
"""Cells of a row that are skipped or computed together."""

LEVEL_NOISE = 1.0e-10
"""Stage differences up to this are the rounding of the tables' round trip, not a slope [m]."""


@compile_row
def look_up_face(over: np.float32, per_span: np.float32, face: Row) -> tuple[float, float]:
    """Return depth [m] and n² [SI] of a face with water ``over`` its opening level [m]; face (levels + 2, 2).

    per_span: levels² / span [1/m]. Linear between the levels. Above them the depth grows with the stage, and what
    the roughness lacks to that of deep water shrinks as 1 / depth², as the mean of h^(5/3) over a bed does.
    """
    last = face.shape[0] - 2
    place = np.float32(over * per_span)
    if place >= np.float32(last * last):
        top = face[last, 0]
        depth = top + (over - np.float32(last * last) / per_span) * face[last + 1, 0]
        near = top / depth
        return depth, face[last + 1, 1] + near * near * (face[last, 1] - face[last + 1, 1])
    m = np.int32(np.sqrt(place))
    low = np.float32(m)
    part = (place - low * low) / (low + low + np.float32(1.0))
    return face[m, 0] + part * (face[m + 1, 0] - face[m, 0]), face[m, 1] + part * (face[m + 1, 1] - face[m, 1])


@compile_row
def update_faces(
    before: Row,
    after: Row,
    steep_before: Row,
    steep_after: Row,
    depth: Row,
    rough: Row,
    discharge: Row,
    side_a: Row,
    side_b: Row,
    out: Row,
    dt: float,
    cell_size: float,
    gravity: float,
    froude_max: float,
    courant: float,
) -> None:
    """Write the unit discharge through n faces after one step [m2/s].

    q' = (q - g H dt dS/dx) / (1 + dt g n² |q| H^(-7/3)), |q'| <= froude_max H (g H)^(1/2), with ``depth`` H and
    ``rough`` n² of the tables and the vector |q| as in Bates 2010 eq. 15. The push on the water is no larger than the
    storage of the two cells can answer, 2 courant² dx / (dt (dS/dD + dS/dD)): in cells with little wet ground that
    keeps the Courant number that the step has elsewhere.

    before, after: stage of the two cells [m] (n,); steep: rise of their stage per mean depth [1], 0 where it is
    prescribed. side_a, side_b: discharges across the two lines of four faces around, entries k and k+1 belonging to
    face k (n+1,).
    """
    third, four_thirds, quarter, one = np.float32(1.0 / 3.0), np.float32(4.0 / 3.0), np.float32(0.25), np.float32(1.0)
    push, drag = np.float32(gravity * dt / cell_size), np.float32(gravity * dt)
    answer = np.float32(2.0 * courant * courant * cell_size / dt)
    cap, least = np.float32(froude_max * np.sqrt(gravity)), np.float32(1.0e-6)
    for k in range(out.size):
        rise = after[k] - before[k]
        rise = rise if abs(rise) > LEVEL_NOISE else 0.0
        h = np.float32(max(depth[k], least))
        # r = h^(-1/3): a guess from the exponent bits (3 % off), then Newton without a division.
        bits = np.float32(h.view(np.int32))
        r = np.int32(np.int32(0x54A21D2A) - np.int32(bits * third)).view(np.float32)
        h_third = h * third
        r = r * (four_thirds - h_third * r * r * r)
        r = r * (four_thirds - h_third * r * r * r)
        r = r * (four_thirds - h_third * r * r * r)
        r2 = r * r
        across = quarter * ((side_a[k] + side_b[k]) + (side_a[k + 1] + side_b[k + 1]))
        length = np.sqrt(discharge[k] * discharge[k] + across * across)
        force = min(push * h, answer / (steep_before[k] + steep_after[k] + least))
        value = (discharge[k] - force * np.float32(rise)) / (one + drag * rough[k] * length * (r2 * r2 * r2 * r))
        limit = cap * h * np.sqrt(h)
        value = min(max(value, -limit), limit)
        out[k] = value if depth[k] > np.float32(0.0) else np.float32(0.0)


@compile_row
def update_depths(depth: Row, per_length: Row, west: Row, north: Row, south: Row, dt: float, out: Row) -> float:
    """Write the mean depth of n cells after one step [m], dD/dt = sum of q / cell size; return the lowest.

    per_length: 1 / cell size where the stage is computed, 0 elsewhere [1/m]. west: discharge through the west faces,
    the last entry being the east face of the last cell (n+1,).
    """
    lowest = 0.0
    for k in range(out.size):
        gain = (np.float64(west[k]) - np.float64(west[k + 1])) + (np.float64(north[k]) - np.float64(south[k]))
        out[k] = depth[k] + dt * per_length[k] * gain
        lowest = min(lowest, out[k])
    return lowest


@compile_row
def limit_outflow(depth: Row, per_length: Row, after: Row, west: Row, north: Row, south: Row, dt: float) -> None:
    """Scale what leaves a cell that would fall below empty so that it leaves no more than it holds.

    A face carries water out of one cell only, so the result does not depend on the order of the cells, and what is
    not taken here is not given there. ``after``: the depths that would come out [m].
    """
    for k in range(after.size):
        if after[k] < 0.0:
            out = (max(-np.float64(west[k]), 0.0) + max(np.float64(west[k + 1]), 0.0)) + (
                max(-np.float64(north[k]), 0.0) + max(np.float64(south[k]), 0.0)
            )
            # The margin covers the rounding of float32 discharges.
            factor = np.float32(depth[k] * (1.0 - 1.0e-6) / (dt * per_length[k] * out))
            if west[k] < 0.0:
                west[k] *= factor
            if west[k + 1] > 0.0:
                west[k + 1] *= factor
            if north[k] < 0.0:
                north[k] *= factor
            if south[k] > 0.0:
                south[k] *= factor


@compile_row
def look_up_stage(depth: float, base: float, per_full: float, full: float, above: float, table: Row) -> float:
    """Return the stage [m] of a cell with mean ``depth`` [m]; table (levels + 1,), per_full: levels² / full [1/m]."""
    last = table.size - 1
    place = depth * per_full
    if place >= last * last:
        return base + np.float64(table[last]) + (depth - full) * above
    k = int(np.sqrt(place))
    low = np.float64(table[k])
    return base + low + (place - k * k) / (2 * k + 1) * (np.float64(table[k + 1]) - low)


@compile_row
def record_levels(
    depth: Row,
    per_length: Row,
    per_full: Row,
    time: float,
    last_place: Row,
    depth_max: Row,
    peak: Row,
    reached: Row,
    arrival: Row,
) -> None:
    """Raise the largest depth [m] and its time [s]; note the times at which levels were reached.

    arrival (n, levels + 2) [s]: of D > 0, of the levels of the cell's table and of ``last_place``, the place in the
    table where the highest pixel counts as flooded. reached: levels so far (n,).
    """
    levels, most = arrival.shape[1] - 2, 0.0
    for k in range(depth.size):
        most = max(most, depth[k] - depth_max[k] if per_length[k] > 0.0 else 0.0)
    if most <= 0.0:
        return
    for k in range(depth.size):
        if per_length[k] == 0.0 or depth[k] <= depth_max[k]:
            continue
        depth_max[k] = depth[k]
        peak[k] = time
        place, m = depth[k] * per_full[k], int(reached[k])
        while m <= levels + 1 and place >= (np.float64(m * m) if m <= levels else last_place[k]):
            arrival[k, m] = np.float32(time)
            m += 1
        reached[k] = m


@compile_row
def record_speeds(depth: Row, west: Row, north: Row, south: Row, speed_depth: float, speed_max: Row) -> None:
    """Raise the largest speed [m/s] of cells whose mean depth is at least ``speed_depth`` [m]; west (n+1,)."""
    half, least, zero = np.float32(0.5), np.float32(speed_depth), np.float32(0.0)
    for k in range(depth.size):
        x, y, deep = half * (west[k] + west[k + 1]), half * (north[k] + south[k]), np.float32(depth[k])
        speed = np.sqrt(x * x + y * y) / max(deep, least)
        speed_max[k] = max(speed_max[k], speed if deep >= least else zero)
