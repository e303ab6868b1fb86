"""The plan of the demo district: a curved frame along the river, canals, sectors between them, wards.

Everything is placed in frame coordinates (u along the river, v inland from its bank, both [m]) and mapped to
the city CRS by one smooth warp, so that streets follow river and canals as they do in a delta town.
"""

from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops
from numpy.typing import ArrayLike, NDArray
from shapely.geometry import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry

from layers.grid import Grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Shapes = NDArray[np.object_]

CRS = "EPSG:5897"
BOUNDS = (582_500.0, 1_107_000.0, 588_500.0, 1_112_000.0)
EXTENT = box(*BOUNDS)
GRID = Grid.covering(BOUNDS, 5.0, CRS)
PROVINCE_CODE = "99"

RIVER_WIDTH = 1000.0
RIVER_ID = "WB-HAU"
BANK_ROAD_SETBACK = 17.0
GATE_V = 62.0

_BANK_POINT = (BOUNDS[0] + 4600.0, BOUNDS[1] + 3700.0)
_ALONG = np.array([0.6820, -0.7314])
_INLAND = np.array([-0.7314, -0.6820])
_ARC = 2.2e-5


@dataclass(frozen=True, slots=True)
class Frame:
    """The warp from (u, v) to the city CRS; ``phases`` come from the seed."""

    phases: tuple[float, ...]

    def _shift(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        p = self.phases
        du = 30.0 * np.sin(v / 260.0 + 0.8 * np.sin(u / 700.0) + p[0]) + 13.0 * np.sin(v / 140.0 + u / 390.0 + p[1])
        dv = 26.0 * np.sin(u / 330.0 + p[2]) + 13.0 * np.sin(u / 170.0 + v / 350.0 + p[3]) + _ARC * u * u
        return du, dv

    def to_map(self, u: ArrayLike, v: ArrayLike) -> tuple[Floats, Floats]:
        """Return x and y [m] of frame coordinates."""
        u, v = np.broadcast_arrays(np.asarray(u, np.float64), np.asarray(v, np.float64))
        du, dv = self._shift(u, v)
        a, b = u + du, v + dv
        return (
            _BANK_POINT[0] + a * _ALONG[0] + b * _INLAND[0],
            _BANK_POINT[1] + a * _ALONG[1] + b * _INLAND[1],
        )

    def to_frame(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return u and v of map points by fixed-point iteration (the warp is a contraction, error < 1 cm)."""
        dx, dy = x - _BANK_POINT[0], y - _BANK_POINT[1]
        det = _ALONG[0] * _INLAND[1] - _ALONG[1] * _INLAND[0]
        a = (dx * _INLAND[1] - dy * _INLAND[0]) / det
        b = (dy * _ALONG[0] - dx * _ALONG[1]) / det
        u, v = a.copy(), b.copy()
        for _ in range(12):
            du, dv = self._shift(u, v)
            u, v = a - du, b - dv
        return u, v

    def draw_line(self, u: ArrayLike, v: ArrayLike) -> LineString:
        """Return the line through frame points."""
        return LineString(np.column_stack(self.to_map(u, v)))


@dataclass(frozen=True, slots=True)
class Canal:
    """A canal that leaves the river at ``u`` and runs inland to ``v_end``, meandering with ``amplitude`` [m]."""

    key: str
    name: str
    u: float
    width: float
    bed: float
    v_end: float
    amplitude: float
    wavelength: float
    phase: float
    gated: bool

    @property
    def waterway_id(self) -> str:
        """Id of its centre line."""
        return f"WW-{self.key}"

    @property
    def body_id(self) -> str:
        """Id of its water surface (inside the gate, where it has one)."""
        return f"WB-{self.key}"

    @property
    def gate_id(self) -> str:
        """Id of the gate link near its mouth."""
        return f"GATE-{self.key}"

    def centre(self, v: ArrayLike) -> Floats:
        """Return u of the centre line at ``v`` [m]."""
        return self.u + self.amplitude * np.sin(np.asarray(v, np.float64) / self.wavelength + self.phase)


CANALS = (
    Canal("LADUA", "Rạch Lá Dừa", -1680.0, 20.0, -2.2, 2350.0, 45.0, 380.0, 0.4, True),
    Canal("BANXANH", "Rạch Bần Xanh", -560.0, 46.0, -3.5, 6600.0, 70.0, 520.0, 2.0, False),
    Canal("SAY", "Kênh Sậy", 560.0, 26.0, -2.5, 3350.0, 55.0, 430.0, 4.1, True),
    Canal("MUU", "Rạch Mù U", 1750.0, 54.0, -3.8, 6600.0, 80.0, 600.0, 5.2, False),
)


@dataclass(frozen=True, slots=True)
class CrossCanal:
    """A canal parallel to the river inside ``sector``, from the canal on its ``joins`` side at constant ``v``."""

    key: str
    name: str
    sector: int
    v: float
    width: float
    bed: float
    from_fraction: float
    to_fraction: float
    gated: bool

    @property
    def waterway_id(self) -> str:
        """Id of its centre line."""
        return f"WW-{self.key}"

    @property
    def body_id(self) -> str:
        """Id of its water surface (inside the gate, where it has one)."""
        return f"WB-{self.key}"

    @property
    def gate_id(self) -> str:
        """Id of the gate link near its mouth."""
        return f"GATE-{self.key}"


CROSS_CANALS = (
    CrossCanal("NGANG", "Kênh Ngang", 2, 1960.0, 18.0, -2.0, 0.0, 1.0, True),
    CrossCanal("OMOI", "Rạch Ô Môi", 1, 2790.0, 14.0, -1.8, 1.0, 0.03, False),
)

SECTOR_COLUMNS = (15, 8, 8, 9, 12)
MAJOR_ROWS = (20.0, 430.0, 940.0, 1560.0, 2360.0, 3200.0, 4000.0, 4900.0, 5800.0, 6500.0)


@dataclass(frozen=True, slots=True)
class Sector:
    """The land between two canals: a grid of street columns (fractions 0…1) and rows (v)."""

    index: int
    fractions: Floats
    rows: Floats
    majors: Flags
    canal_rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The frame and the sectors of one seed."""

    seed: int
    frame: Frame
    sectors: tuple[Sector, ...]

    def side_u(self, sector: ArrayLike, right: bool, v: ArrayLike) -> Floats:
        """Return u of the left or right bank road of sectors at ``v`` [m]."""
        index = np.asarray(sector, np.int64) + (1 if right else 0)
        v = np.asarray(v, np.float64)
        base = np.array([-4400.0, *(c.u for c in CANALS), 3900.0])[index]
        amplitude = np.array([0.0, *(c.amplitude for c in CANALS), 0.0])[index]
        wavelength = np.array([1.0, *(c.wavelength for c in CANALS), 1.0])[index]
        phase = np.array([0.0, *(c.phase for c in CANALS), 0.0])[index]
        half = np.array([0.0, *(c.width / 2 + BANK_ROAD_SETBACK for c in CANALS), 0.0])[index]
        u = base + amplitude * np.sin(v / wavelength + phase) + np.where(right, -half, half)
        return np.asarray(u, np.float64)

    def column_u(self, sector: ArrayLike, fraction: ArrayLike, v: ArrayLike) -> Floats:
        """Return u at ``fraction`` of the way between the bank roads of ``sector`` [m]."""
        left, right = self.side_u(sector, False, v), self.side_u(sector, True, v)
        return left + np.asarray(fraction, np.float64) * (right - left)

    def place(self, sector: ArrayLike, fraction: ArrayLike, v: ArrayLike) -> tuple[Floats, Floats]:
        """Return x and y [m] of a point given by sector, fraction across it and v."""
        return self.frame.to_map(self.column_u(sector, fraction, v), v)


def compute_urbanity(u: ArrayLike, v: ArrayLike) -> Floats:
    """Return how urban a place is, 1 in the centre by the quay and 0 in the fields."""
    u, v = np.asarray(u, np.float64), np.asarray(v, np.float64)
    centre = np.exp(-(((u + 50.0) / 1750.0) ** 2) - (np.maximum(v, 0.0) / 1550.0) ** 2)
    second = 0.55 * np.exp(-(((u - 1150.0) / 600.0) ** 2) - ((v - 1900.0) / 500.0) ** 2)
    works = 0.3 * np.exp(-(((u - 2250.0) / 480.0) ** 2) - ((v - 350.0) / 420.0) ** 2)
    return np.where(v < -1.0, 0.0, np.maximum(np.maximum(centre, second), works))


def make_plan(seed: int) -> Plan:
    """Return the plan of ``seed``."""
    rng = np.random.default_rng([seed, 1])
    frame = Frame(tuple(float(p) for p in rng.uniform(0.0, 2.0 * np.pi, 4)))
    sectors = tuple(_lay_sector(index, columns, rng) for index, columns in enumerate(SECTOR_COLUMNS))
    return Plan(seed, frame, sectors)


def _lay_sector(index: int, columns: int, rng: np.random.Generator) -> Sector:
    steps = rng.uniform(0.75, 1.25, columns - 1)
    fractions = np.concatenate([[0.0], np.cumsum(steps) / steps.sum()])
    fractions[-1] = 1.0
    fixed = dict.fromkeys(MAJOR_ROWS, True)
    pairs = []
    for canal in CROSS_CANALS:
        if canal.sector == index:
            half = canal.width / 2 + 12.0
            fixed[canal.v - half] = False
            fixed[canal.v + half] = False
            pairs.append(canal.v - half)
    stops = sorted(fixed)
    rows: list[float] = []
    majors: list[bool] = []
    for low, high in zip(stops, [*stops[1:], stops[-1]], strict=True):
        rows.append(low)
        majors.append(fixed[low])
        if low in pairs or high == low:
            continue
        count = max(1, round((high - low) / _target_spacing(low)))
        inner = low + (high - low) * (np.arange(1, count) + rng.uniform(-0.15, 0.15, count - 1)) / count
        rows.extend(float(v) for v in inner)
        majors.extend([False] * (count - 1))
    return Sector(index, fractions, np.array(rows), np.array(majors), tuple(rows.index(low) for low in pairs))


def _target_spacing(v: float) -> float:
    return 132.0 if v < 900.0 else 160.0 if v < 2300.0 else 270.0


@dataclass(frozen=True, slots=True)
class Water:
    """Open water as polygons and centre lines, clipped to the extent.

    ``bodies``: id → polygon; ``lines``: id → centre line; ``all``: the union of the bodies.
    """

    bodies: dict[str, Polygon]
    lines: dict[str, LineString]
    all: BaseGeometry


def _clip_line(line: LineString) -> LineString:
    parts = [part for part in shapely.get_parts(shapely.intersection(line, EXTENT)) if part.length > 1.0]
    return LineString(max(parts, key=lambda part: float(part.length)))


def draw_river(plan: Plan) -> Polygon:
    """Return the river between the quay (v = 0) and the far bank."""
    u = np.arange(-5500.0, 5501.0, 25.0)
    near = np.column_stack(plan.frame.to_map(u, 0.0))
    far = np.column_stack(plan.frame.to_map(u, -RIVER_WIDTH + 50.0 * np.sin(u / 420.0)))
    return _take_largest(Polygon(np.vstack([near, far[::-1]])).intersection(EXTENT))


def cross_canal_line(plan: Plan, canal: CrossCanal) -> LineString:
    """Return the centre line of a cross canal, from the canal it joins."""
    start, end = canal.from_fraction, canal.to_fraction
    u = np.linspace(
        float(_reach(plan, canal, start)),
        float(_reach(plan, canal, end)),
        90,
    )
    return plan.frame.draw_line(u, np.full_like(u, canal.v))


def _reach(plan: Plan, canal: CrossCanal, fraction: float) -> Floats:
    """u of an end: on the centre line of the neighbouring canal at fraction 0 or 1, else where it stops."""
    if fraction == 0.0:
        return CANALS[canal.sector - 1].centre(canal.v)
    if fraction == 1.0:
        return CANALS[canal.sector].centre(canal.v)
    return plan.column_u(canal.sector, fraction, canal.v)


def cross_gate_u(plan: Plan, canal: CrossCanal) -> float:
    """Return u of the gate of a cross canal: behind the bank road of the canal it joins."""
    return float(plan.column_u(canal.sector, 0.0, canal.v)) + 30.0


def draw_water(plan: Plan) -> Water:
    """Return river, canals and creeks; a gated canal is cut at its gate into a tidal mouth and an inner reach."""
    bodies: dict[str, Polygon] = {RIVER_ID: draw_river(plan)}
    lines: dict[str, LineString] = {}
    river_u = np.arange(-5500.0, 5501.0, 40.0)
    lines["WW-HAU"] = _clip_line(plan.frame.draw_line(river_u, np.full_like(river_u, -RIVER_WIDTH / 2)))
    taken: BaseGeometry = bodies[RIVER_ID]
    for canal in CANALS:
        lines[canal.waterway_id] = _clip_line(_along(plan, canal, -40.0, canal.v_end))
        reaches = [(canal.body_id, -60.0, canal.v_end)]
        if canal.gated:
            reaches = [(f"{canal.body_id}-MOUTH", -60.0, GATE_V - 5.0), (canal.body_id, GATE_V + 5.0, canal.v_end)]
        for body_id, low, high in reaches:
            bodies[body_id] = _ribbon(_along(plan, canal, low, high), canal.width, taken)
        taken = shapely.union_all(list(bodies.values()))
    for cross in CROSS_CANALS:
        line = cross_canal_line(plan, cross)
        lines[cross.waterway_id] = _clip_line(line)
        if not cross.gated:
            bodies[cross.body_id] = _ribbon(line, cross.width, taken)
            continue
        gate = line.project(shapely.Point(plan.frame.to_map(cross_gate_u(plan, cross), cross.v)))
        mouth = _cut(line, 0.0, gate - 5.0)
        inner = _cut(line, gate + 5.0, line.length)
        bodies[f"{cross.body_id}-MOUTH"] = _ribbon(mouth, cross.width, taken)
        bodies[cross.body_id] = _ribbon(inner, cross.width, taken)
    return Water(bodies, lines, shapely.union_all(list(bodies.values())))


def _cut(line: LineString, low: float, high: float) -> LineString:
    return LineString(shapely.get_coordinates(shapely.ops.substring(line, low, high)))


def _along(plan: Plan, canal: Canal, low: float, high: float) -> LineString:
    v = np.linspace(low, high, max(2, int((high - low) / 15.0)))
    return plan.frame.draw_line(canal.centre(v), v)


def _ribbon(line: LineString, width: float, taken: BaseGeometry) -> Polygon:
    ribbon = line.buffer(width / 2, cap_style="flat").difference(taken).intersection(EXTENT)
    return _take_largest(ribbon)


def _take_largest(area: BaseGeometry) -> Polygon:
    return Polygon(max(shapely.get_parts(area), key=lambda part: float(part.area)))


@dataclass(frozen=True, slots=True)
class Ward:
    """One fictitious ward: where it lies in the frame and its names."""

    code: str
    name: str
    name_en: str
    ward_type: str
    sector: int
    v_low: float
    v_high: float


WARD_SPLIT = 1560.0
_FAR = 9000.0
WARDS = (
    Ward("99001", "Phường Bến Sậy", "Ben Say Ward", "ward", 2, -_FAR, WARD_SPLIT),
    Ward("99002", "Phường Cầu Mận", "Cau Man Ward", "ward", 2, WARD_SPLIT, _FAR),
    Ward("99003", "Phường Lá Dừa", "La Dua Ward", "ward", 1, -_FAR, WARD_SPLIT),
    Ward("99004", "Phường Ô Môi", "O Moi Ward", "ward", 1, WARD_SPLIT, _FAR),
    Ward("99005", "Phường Vàm Xanh", "Vam Xanh Ward", "ward", 3, -_FAR, WARD_SPLIT),
    Ward("99006", "Phường Chợ Lá", "Cho La Ward", "ward", 3, WARD_SPLIT, _FAR),
    Ward("99007", "Xã Vườn Trâm", "Vuon Tram Commune", "commune", 0, -_FAR, _FAR),
    Ward("99008", "Xã Đồng Sen", "Dong Sen Commune", "commune", 4, -_FAR, _FAR),
)
WARD_CODES = np.array([ward.code for ward in WARDS])


def locate_ward(u: ArrayLike, v: ArrayLike) -> Ints:
    """Return the index into WARDS of frame points: wards meet in the middle of canals and on one street."""
    u, v = np.broadcast_arrays(np.asarray(u, np.float64), np.asarray(v, np.float64))
    sector = np.zeros(u.shape, np.int64)
    for canal in CANALS:
        sector += u >= canal.centre(v)
    inland = (v >= WARD_SPLIT).astype(np.int64)
    table = np.array([[6, 6], [2, 3], [0, 1], [4, 5], [7, 7]])
    return np.asarray(table[sector, inland], np.int64)


def draw_ward(plan: Plan, ward: Ward) -> Polygon:
    """Return the outline of a ward, clipped to the extent; neighbours share every point of their border."""
    v = np.arange(-4000.0, 7001.0, 20.0)
    v = v[(v >= ward.v_low) & (v <= ward.v_high)]
    left = np.full_like(v, -6500.0) if ward.sector == 0 else CANALS[ward.sector - 1].centre(v)
    right = np.full_like(v, 6500.0) if ward.sector == len(CANALS) else CANALS[ward.sector].centre(v)
    share = np.linspace(0.0, 1.0, 80)[1:-1]
    top = left[0] + share * (right[0] - left[0])
    bottom = right[-1] + share * (left[-1] - right[-1])
    u = np.concatenate([left[::-1], top, right, bottom])
    w = np.concatenate([v[::-1], np.full_like(top, v[0]), v, np.full_like(bottom, v[-1])])
    outline = shapely.make_valid(Polygon(np.column_stack(plan.frame.to_map(u, w)))).intersection(EXTENT)
    return _take_largest(outline)
