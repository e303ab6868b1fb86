"""Which street runs along each side of each block: classes and names of the columns and rows of the plan."""

from dataclasses import dataclass

import numpy as np

from twin.demo.cells import DENSE, HALF_RESERVE, SUBURBAN, Cells, is_canal_row
from twin.demo.plan import CANALS, CROSS_CANALS, MAJOR_ROWS, Plan, compute_urbanity

MAJOR_NAMES = (
    "Đường Bến Sông Hậu", "Đường 30 Tháng 4", "Đại lộ Hòa Bình", "Đường 3 Tháng 2", "Đường Vành Đai Vườn Trâm",
    "Đường Đồng Sen", "Đường Tỉnh Mô Phỏng 1", "Đường Tỉnh Mô Phỏng 2", "Đường Tỉnh Mô Phỏng 3",
    "Đường Tỉnh Mô Phỏng 4",
)  # fmt: skip
MINOR_NAMES = (
    "Hoa Sữa", "Phượng Vĩ", "Bằng Lăng", "Hoàng Yến", "Lộc Vừng", "Hoa Sứ", "Mai Vàng", "Sao Đen", "Dầu Rái",
    "Điên Điển", "Bông Trang", "Hoa Giấy", "Trâm Bầu", "Cây Gáo", "Bình Bát", "Dừa Nước", "Cà Na", "Sầu Đâu",
    "Me Tây", "Lim Xẹt", "Viết", "Long Não", "Ngọc Lan", "Dạ Lý", "Thiên Lý", "Bông Súng", "Lục Bình", "So Đũa",
    "Gừa", "Bần Ổi", "Đước", "Tràm", "Vú Sữa", "Măng Cụt", "Sầu Riêng", "Chôm Chôm", "Mận Hồng", "Bưởi Năm Roi",
    "Quýt Hồng", "Cam Sành", "Xoài Cát", "Ổi Xá Lị", "Nhãn Tiêu", "Mít Nghệ", "Khế Ngọt", "Sơ Ri", "Dâu Hạ Châu",
    "Hòa Hợp", "Đoàn Kết", "Thống Nhất", "Sum Vầy", "Bình Yên", "An Lành", "Phù Sa", "Nước Nổi", "Con Nước",
    "Chợ Sớm", "Ghe Hàng", "Bến Đò", "Lò Gốm", "Vườn Cò", "Cầu Tre", "Xuồng Ba Lá", "Câu Hò",
)  # fmt: skip
MAJOR_CLASSES = (
    "secondary", "secondary", "primary", "secondary", "primary", "tertiary", "tertiary", "tertiary", "tertiary",
    "tertiary",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """The street along one side of a cell."""

    road_class: str
    name: str
    is_bridge: bool = False
    reaches_border: bool = False


@dataclass(frozen=True, slots=True)
class FrameRoads:
    """Streets by place: ``rows[(sector, row, column)]`` runs from column to column + 1, ``columns[(sector, column,
    row)]`` from row to row + 1, ``crossings[(canal, row v)]`` over a canal between two sectors."""

    rows: dict[tuple[int, int, int], Side]
    columns: dict[tuple[int, int, int], Side]
    crossings: dict[tuple[int, float], Side]


def draw_frame_roads(plan: Plan) -> FrameRoads:
    """Return the streets of the plan; in the fields only the main ones and those on canal banks remain."""
    rng = np.random.default_rng([plan.seed, 3])
    names = _Names(list(rng.permutation(MINOR_NAMES)))
    rows: dict[tuple[int, int, int], Side] = {}
    columns: dict[tuple[int, int, int], Side] = {}
    for sector in plan.sectors:
        for j in range(len(sector.rows)):
            name = names.row(plan, sector.index, j)
            for i in range(len(sector.fractions) - 1):
                side = _row_side(plan, sector.index, i, j, name, rng)
                if side:
                    rows[sector.index, j, i] = side
        for i in range(len(sector.fractions)):
            name = names.column(plan, sector.index, i)
            for j in range(len(sector.rows) - 1):
                side = _column_side(plan, sector.index, i, j, name, rng)
                if side:
                    columns[sector.index, i, j] = side
    crossings = {}
    for k, canal in enumerate(CANALS):
        for m, v in enumerate(MAJOR_ROWS):
            is_bridge = v < canal.v_end + 10.0
            crossings[k, v] = Side(_major_class(plan, k, m), MAJOR_NAMES[m], is_bridge)
    return FrameRoads(rows, columns, crossings)


class _Names:
    """Hands out street names, falling back on numbers when the list is used up."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._number = 0

    def _next(self) -> str:
        if self._words:
            return f"Đường {self._words.pop(0)}"
        self._number += 1
        return f"Đường Số {self._number}"

    def row(self, plan: Plan, sector: int, j: int) -> str:
        v = float(plan.sectors[sector].rows[j])
        if v in MAJOR_ROWS:
            return MAJOR_NAMES[MAJOR_ROWS.index(v)]
        cross = next((c for c in CROSS_CANALS if c.sector == sector and abs(c.v - v) < 40.0), None)
        if cross:
            return f"Đường Bờ {'Bắc' if v < cross.v else 'Nam'} {cross.name}"
        return self._next()

    def column(self, plan: Plan, sector: int, i: int) -> str:
        if i == 0 and sector > 0:
            return f"Đường Bờ Đông {CANALS[sector - 1].name}"
        if i == len(plan.sectors[sector].fractions) - 1 and sector < len(CANALS):
            return f"Đường Bờ Tây {CANALS[sector].name}"
        return self._next()


def _major_class(plan: Plan, canal: int, m: int) -> str:
    urban = float(compute_urbanity(CANALS[canal].u, MAJOR_ROWS[m]))
    return MAJOR_CLASSES[m] if urban > 0.05 or m in (2, 4) else "tertiary"


def _row_side(plan: Plan, s: int, i: int, j: int, name: str, rng: np.random.Generator) -> Side | None:
    sector = plan.sectors[s]
    v = float(sector.rows[j])
    middle = (sector.fractions[i] + sector.fractions[i + 1]) / 2
    urban = float(compute_urbanity(plan.column_u(s, middle, v), v))
    dropped = rng.random()
    if sector.majors[j]:
        m = MAJOR_ROWS.index(v)
        return Side(MAJOR_CLASSES[m] if urban > 0.05 or m in (2, 4) else "tertiary", name, reaches_border=True)
    if j in sector.canal_rows or j - 1 in sector.canal_rows:
        return Side("tertiary" if urban > SUBURBAN else "residential", name)
    limit = 0.06 if urban > DENSE else 0.25
    return Side("residential", name) if urban > SUBURBAN and dropped > limit else None


def _column_side(plan: Plan, s: int, i: int, j: int, name: str, rng: np.random.Generator) -> Side | None:
    sector = plan.sectors[s]
    last = len(sector.fractions) - 1
    v = float(sector.rows[j] + sector.rows[j + 1]) / 2
    urban = float(compute_urbanity(plan.column_u(s, sector.fractions[i], v), v))
    dropped = rng.random()
    bridge = is_canal_row(plan, s, j)
    if (i == 0 and s == 0) or (i == last and s == len(CANALS)):
        return None
    if i in (0, last):
        crosses = bridge and _touches(s, j, plan, at_last=i == last)
        return Side("tertiary" if urban > SUBURBAN else "residential", name, crosses, reaches_border=True)
    if i == last // 2:
        middle_class = ("tertiary", "secondary", "primary", "secondary", "tertiary")[s]
        return Side(middle_class if urban > 0.1 else "tertiary", name, bridge, reaches_border=True)
    if bridge:
        return Side("residential", name, True) if i % 3 == 1 else None
    limit = 0.07 if urban > DENSE else 0.25
    return Side("residential", name) if urban > SUBURBAN and dropped > limit else None


def _touches(sector: int, row: int, plan: Plan, *, at_last: bool) -> bool:
    """Return whether the cross canal below ``row`` reaches the bank road at that end of the sector."""
    v = float(plan.sectors[sector].rows[row])
    for canal in CROSS_CANALS:
        if canal.sector == sector and abs(canal.v - v) < 40.0:
            return (1.0 if at_last else 0.0) in (canal.from_fraction, canal.to_fraction)
    return False


def set_insets(cells: Cells, roads: FrameRoads) -> None:
    """Write the half street reserve of each side into the cells [m]; half a metre where no street runs."""
    for n in range(len(cells)):
        s, i, j = int(cells.sector[n]), int(cells.column[n]), int(cells.row[n])
        sides = {
            "top": roads.rows.get((s, j, i)),
            "bottom": roads.rows.get((s, j + 1, i)),
            "left": roads.columns.get((s, i, j)),
            "right": roads.columns.get((s, i + 1, j)),
        }
        for name, side in sides.items():
            cells.insets[name][n] = HALF_RESERVE[side.road_class] if side else 0.5
