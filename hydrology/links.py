"""Structures as flat arrays, and the compiled loop that sets them and moves the water.

Water moves as pairs: what leaves the donor is what arrives. A gravity structure never moves more in one step than
levels its two cells, nor more than half of what the donor holds, so that no exchange can grow into an oscillation.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_row
from hydrology.controls import ABSENT, HELD_SHUT, RUNNING, judge_levels, move_setting, read_schedule
from hydrology.flow_laws import (
    FEET,
    GRAVITY,
    RATING_NODES,
    compute_barrel,
    compute_gate,
    compute_inlet,
    compute_orifice,
    compute_pump,
    compute_weir,
    tabulate_inlet,
    tabulate_section,
)
from hydrology.structures import INLETS, Culvert, Gate, Orifice, Pump, Structure, Weir
from layers.errors import InputError

Index = NDArray[np.int64]

PUMP, WEIR, GATE, ORIFICE, CULVERT = range(5)

FLAP, RATE, RULED, CLOSE, OPEN, DIFFERENCE, MARGIN, SENSOR = range(8)
CAPACITY, START, STOP, BY_STAGE, OUTLET = range(8, 13)
LEVEL, WIDTH, COEFFICIENT, OPENING, CONTRACTION = range(8, 13)
AREA, HEIGHT = WIDTH, OPENING
LEVEL_B, BARRELS, FULL, LIMIT, C, Y, BOX, CRITICAL, FRICTION, ENTRANCE, LEAVING = range(13, 24)
COLUMNS = 24
"""Columns of ``Links.table``. The first eight are everyone's; the next five a pump's, or the others'; the rest a
culvert's. A column that a structure has no use for holds 0."""

AT_ONCE = 1.0e30
"""Rate of a setting that needs no time to move [1/s]."""


class Links(NamedTuple):
    """Structures in indices of the padded grid, (n,) each; row 0 is outside of the domain.

    kind: PUMP to CULVERT. table: parameters (n, COLUMNS). curve_x, curve_y: pump curves [m], [m3/s], or (y only) the
    tables of culverts; entries curve_start[k] to curve_start[k + 1] belong to structure k. schedule_time [s],
    schedule_setting [1]: likewise. setting, running: state at the start.
    """

    kind: Index
    row_a: Index
    col_a: Index
    row_b: Index
    col_b: Index
    table: NDArray[np.float64]
    curve_start: Index
    curve_x: NDArray[np.float64]
    curve_y: NDArray[np.float64]
    schedule_start: Index
    schedule_time: NDArray[np.float64]
    schedule_setting: NDArray[np.float64]
    setting: NDArray[np.float64]
    running: NDArray[np.uint8]


def select_active(structures: Sequence[Structure]) -> tuple[Structure, ...]:
    """Return the structures that take part: all but pumps that are off. Entry k is structure k of build_links."""
    return tuple(item for item in structures if not (isinstance(item, Pump) and not item.on))


def list_times(structures: Sequence[Structure]) -> NDArray[np.float64]:
    """Return every time [s] at which a schedule commands something."""
    times = [item.schedule.times for item in structures if item.schedule is not None]
    return np.unique(np.concatenate(times)) if times else np.empty(0)


def _name(item: Structure) -> str:
    return f"{type(item).__name__.lower()} '{item.id}'"


def _locate(item: Structure, computed: NDArray[np.bool_], there: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return row and column of both ends in the padded grid; raise InputError where an end cannot be used."""
    rows, cols = there.shape
    ends = [("draws from" if isinstance(item, Pump) else "begins in", item.row, item.col)]
    if item.to_row is not None and item.to_col is not None:
        ends.append(("delivers to" if isinstance(item, Pump) else "ends in", item.to_row, item.to_col))
    for number, (verb, row, col) in enumerate(ends):
        free = number == 0 and isinstance(item, Pump)
        usable = computed if free else there
        if not (0 <= row < rows and 0 <= col < cols and usable[row, col]):
            raise InputError(
                f"{_name(item)} {verb} cell ({row}, {col}), expected a cell of the domain"
                + (" whose stage is not prescribed" if free else "")
            )
    if not any(computed[row, col] for _, row, col in ends):
        raise InputError(f"{_name(item)} joins two cells whose stage is prescribed, expected at least one that is not")
    outside = (0, 0) if len(ends) == 1 else (ends[1][1] + 1, ends[1][2] + 1)
    return item.row + 1, item.col + 1, *outside


def _describe_control(item: Structure, values: NDArray[np.float64]) -> None:
    values[FLAP] = 0.0 if isinstance(item, Pump) else float(item.flap)
    values[RATE] = 1.0 / item.travel_time if item.travel_time > 0.0 else AT_ONCE
    values[RULED] = 0.0
    if item.rule is not None:
        rule = item.rule
        pairs = (
            (rule.close_stage, ABSENT),
            (rule.open_stage, -ABSENT),
            (rule.head_difference, ABSENT),
            (rule.margin, ABSENT),
        )
        values[RULED] = 1.0
        values[CLOSE : MARGIN + 1] = [absent if level is None else level for level, absent in pairs]
        values[SENSOR] = float(rule.sensor == "b")


def _describe_culvert(item: Culvert, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill the columns of a culvert and return its tables: inlet control, areas, R^(4/3)."""
    box = item.diameter is None
    width, height = (item.width or 0.0, item.height or 0.0) if item.diameter is None else (0.0, item.diameter)
    _, k, m, c, y = INLETS[item.inlet]
    limit, rating = tabulate_inlet(k, m, c, y, diameter=item.diameter, width=width, height=height)
    section = tabulate_section(diameter=item.diameter, width=width, height=height)
    area = width * height if box else 0.25 * math.pi * height**2
    values[LEVEL], values[LEVEL_B], values[HEIGHT], values[BARRELS] = item.invert, item.to_invert, height, item.barrels
    values[FULL] = area * math.sqrt(height) / FEET
    values[LIMIT], values[C], values[Y], values[BOX] = limit, c, y, float(box)
    values[CRITICAL] = (GRAVITY * width**2) ** (-1.0 / 3.0) if box else 1.01 / (height**0.26 * GRAVITY**0.25)
    values[FRICTION] = 2.0 * GRAVITY * item.mannings_n**2 * item.length
    values[ENTRANCE], values[LEAVING] = item.entrance_loss, item.exit_loss
    return np.concatenate([rating, section])


def _describe(item: Structure, values: NDArray[np.float64]) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Fill the columns of one structure and return its kind and its curve."""
    _describe_control(item, values)
    none = np.empty(0)
    match item:
        case Pump():
            by_stage = item.start_stage is not None and item.stop_stage is not None
            values[CAPACITY], values[BY_STAGE] = item.capacity, float(by_stage)
            values[START] = item.start_stage if item.start_stage is not None else item.start_depth
            values[STOP] = item.stop_stage if item.stop_stage is not None else item.stop_depth
            values[OUTLET] = item.outlet_stage or 0.0
            return (PUMP, item.curve.heads, item.curve.discharges) if item.curve is not None else (PUMP, none, none)
        case Weir():
            values[LEVEL], values[WIDTH], values[COEFFICIENT] = item.crest, item.width, item.coefficient
            return WEIR, none, none
        case Gate():
            values[LEVEL : CONTRACTION + 1] = item.sill, item.width, item.coefficient, item.opening, item.contraction
            return GATE, none, none
        case Orifice():
            values[LEVEL], values[AREA], values[HEIGHT] = item.invert, item.area, item.height
            values[COEFFICIENT] = item.discharge_coefficient
            return ORIFICE, none, none
        case Culvert():
            tables = _describe_culvert(item, values)
            return CULVERT, np.zeros_like(tables), tables


def _start(item: Structure, time: float) -> tuple[float, int]:
    """Return the setting [1] and the state of a structure before its first step: pumps stand still."""
    if item.rule is not None and item.rule.starts_shut:
        return 0.0, HELD_SHUT
    if isinstance(item, Pump):
        return 0.0, 0
    return (1.0 if item.schedule is None else item.schedule.setting_at(time)), 0


def _start_offsets(parts: Sequence[NDArray[np.float64]]) -> Index:
    return np.cumsum([0, *(part.size for part in parts)], dtype=np.int64)


def build_links(
    structures: Sequence[Structure], computed: NDArray[np.bool_], there: NDArray[np.bool_], start_time: float
) -> Links:
    """Return the flat arrays of the active structures, set as at ``start_time`` [s].

    computed: cells whose stage is computed; there: cells of the domain; both (rows, cols). Raise InputError for a
    repeated id, an end outside of the domain, a pump that draws from a prescribed cell, and a structure between two
    prescribed ones.
    """
    items = select_active(structures)
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise InputError(f"structure id '{item.id}' repeats, expected each once")
        seen.add(item.id)
    cells = np.array([_locate(item, computed, there) for item in items], dtype=np.int64).reshape(-1, 4)
    table = np.zeros((len(items), COLUMNS))
    described = [_describe(item, table[k]) for k, item in enumerate(items)]
    empty = np.empty(0)
    plans = [(item.schedule.times, item.schedule.settings) if item.schedule else (empty, empty) for item in items]
    states = [_start(item, start_time) for item in items]
    return Links(
        np.array([kind for kind, _, _ in described], dtype=np.int64),
        cells[:, 0].copy(),
        cells[:, 1].copy(),
        cells[:, 2].copy(),
        cells[:, 3].copy(),
        table,
        _start_offsets([x for _, x, _ in described]),
        np.concatenate([empty, *(x for _, x, _ in described)]),
        np.concatenate([empty, *(y for _, _, y in described)]),
        _start_offsets([times for times, _ in plans]),
        np.concatenate([empty, *(times for times, _ in plans)]),
        np.concatenate([empty, *(settings for _, settings in plans)]),
        np.array([setting for setting, _ in states], dtype=np.float64),
        np.array([state for _, state in states], dtype=np.uint8),
    )


@compile_row
def update_setting(
    links: Links,
    settings: NDArray[np.float64],
    running: NDArray[np.uint8],
    k: int,
    stage_a: float,
    stage_b: float,
    bed_a: float,
    time: float,
    dt: float,
) -> None:
    """Move the setting of structure ``k`` to what its schedule, its rule and (a pump's) levels command; see controls.

    stages and bed at its ends [m]; a step of ``dt`` [s] from ``time`` [s] on. settings [1] and running change.
    """
    row = links.table[k]
    target = read_schedule(
        links.schedule_time, links.schedule_setting, links.schedule_start[k], links.schedule_start[k + 1], time
    )
    state = running[k]
    if links.kind[k] == PUMP:
        water = stage_a if row[BY_STAGE] > 0.0 else stage_a - bed_a
        on = state & RUNNING
        if water <= row[STOP]:
            on = 0
        elif water >= row[START]:
            on = RUNNING
        state = (state & HELD_SHUT) | on
        target = target if on else 0.0
    if row[RULED] > 0.0:
        watched = stage_b if row[SENSOR] > 0.0 else stage_a
        shut = judge_levels(
            (state & HELD_SHUT) != 0, stage_a, stage_b, watched, row[CLOSE], row[OPEN], row[DIFFERENCE], row[MARGIN]
        )
        state = (state & RUNNING) | (HELD_SHUT if shut else 0)
        target = 0.0 if shut else target
    running[k] = state
    settings[k] = move_setting(settings[k], target, row[RATE], dt)


@compile_row
def compute_discharge(links: Links, k: int, setting: float, stage_a: float, stage_b: float) -> float:
    """Return the discharge of structure ``k`` from a to b [m3/s], negative backwards; stages [m], setting [1]."""
    row, kind = links.table[k], links.kind[k]
    if setting <= 0.0:
        return 0.0
    if kind == PUMP:
        most = row[CAPACITY]
        lo, hi = links.curve_start[k], links.curve_start[k + 1]
        if hi > lo:
            most = min(most, compute_pump(stage_b - stage_a, links.curve_x, links.curve_y, lo, hi))
        return float(setting * most)
    back = stage_b > stage_a
    if back and row[FLAP] > 0.0:
        return 0.0
    base, sign = row[LEVEL], -1.0 if back else 1.0
    upper, lower = (stage_b, stage_a) if back else (stage_a, stage_b)
    flow = 0.0
    if kind == WEIR:
        flow = setting * compute_weir(upper - base, lower - base, row[COEFFICIENT], row[WIDTH])
    elif kind == GATE:
        flow = compute_gate(
            upper - base, lower - base, setting * row[OPENING], row[CONTRACTION], row[COEFFICIENT], row[WIDTH]
        )
    elif kind == ORIFICE:
        flow = compute_orifice(upper - base, lower - base, setting * row[AREA], row[HEIGHT], row[COEFFICIENT])
    elif kind == CULVERT:
        near, far = (row[LEVEL_B], base) if back else (base, row[LEVEL_B])
        if upper > near and upper > far:
            start, rise = links.curve_start[k], row[HEIGHT]
            most = compute_inlet(upper - near, rise, row[FULL], row[LIMIT], row[C], row[Y], links.curve_y, start)
            flow = compute_barrel(
                upper - near, lower - far, near - far, rise, most, row[BOX] > 0.0, row[CRITICAL], row[FRICTION],
                row[ENTRANCE], row[LEAVING], links.curve_y, start + RATING_NODES,
            )  # fmt: skip
            flow *= setting * row[BARRELS]
    return float(sign * flow)


@compile_row
def compute_transfer(
    links: Links,
    k: int,
    setting: float,
    stage_a: float,
    stage_b: float,
    held_a: float,
    held_b: float,
    rise_a: float,
    rise_b: float,
    dt: float,
) -> float:
    """Return the volume that structure ``k`` moves from a to b in ``dt`` [s], negative backwards [m3].

    held_a, held_b: water of the two cells [m3], inf where prescribed. rise_a, rise_b: rise of their stage by a volume
    [1/m2], 0 where prescribed. A pump takes no more than there is; gravity no more than half of it, and no more than
    levels the two stages.
    """
    volume = compute_discharge(links, k, setting, stage_a, stage_b) * dt
    if links.kind[k] == PUMP:
        return min(volume, held_a)
    level = abs(stage_a - stage_b) / (rise_a + rise_b)
    if volume >= 0.0:
        return min(volume, level, 0.5 * held_a)
    return -min(-volume, level, 0.5 * held_b)


@compile_row
def run_links(
    links: Links,
    settings: NDArray[np.float64],
    running: NDArray[np.uint8],
    moved: NDArray[np.float64],
    stage: NDArray[np.float64],
    bed: NDArray[np.float32],
    gain: NDArray[np.float32],
    cell_area: float,
    dt: float,
    time: float,
) -> tuple[float, float]:
    """Run every structure over ``dt`` [s] from ``time`` [s] on, one after the other.

    settings [1] and running (n,): their state. moved: volume a to b and b to a [m3] (n, 2), which grows. stage [m], bed
    [m] and gain [1/m], padded: 1 / (cell size × storage share), 0 where the stage is prescribed or nothing is there; a
    volume raises the stage by volume × gain × cell size / cell_area [m2]. Return the volume that left the domain
    and the net volume that went to prescribed cells [m3].
    """
    by_volume = 1.0 / math.sqrt(cell_area)
    out = given = 0.0
    for k in range(links.kind.size):
        ra, ca, rb, cb = links.row_a[k], links.col_a[k], links.row_b[k], links.col_b[k]
        stage_a, bed_a, rise_a = stage[ra, ca], float(bed[ra, ca]), gain[ra, ca] * by_volume
        stage_b, bed_b, rise_b = stage[rb, cb], float(bed[rb, cb]), gain[rb, cb] * by_volume
        if rb == 0:
            stage_b = links.table[k, OUTLET]
        update_setting(links, settings, running, k, stage_a, stage_b, bed_a, time, dt)
        held_a = (stage_a - bed_a) / rise_a if rise_a > 0.0 else np.inf
        held_b = (stage_b - bed_b) / rise_b if rise_b > 0.0 else np.inf
        volume = compute_transfer(links, k, settings[k], stage_a, stage_b, held_a, held_b, rise_a, rise_b, dt)
        if volume > 0.0:
            if rise_a > 0.0:
                left = max(stage_a - volume * rise_a, bed_a)
                volume = (stage_a - left) / rise_a
                stage[ra, ca] = left
            else:
                given -= volume
            moved[k, 0] += volume
            if rb == 0:
                out += volume
            elif rise_b > 0.0:
                stage[rb, cb] = stage_b + volume * rise_b
            else:
                given += volume
        elif volume < 0.0:
            volume = -volume
            if rise_b > 0.0:
                left = max(stage_b - volume * rise_b, bed_b)
                volume = (stage_b - left) / rise_b
                stage[rb, cb] = left
            else:
                given -= volume
            moved[k, 1] += volume
            if rise_a > 0.0:
                stage[ra, ca] = stage_a + volume * rise_a
            else:
                given += volume
    return out, given
