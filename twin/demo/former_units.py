"""The administrative units before the made-up merger: each ward was two or three, in an urban and a rural district."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import shapely

from twin.demo.plan import EXTENT, PROVINCE_CODE, WARDS, Floats, Ints, Plan, draw_ward, locate_ward
from twin.demo.shapes import Table, as_shapes, as_text

DECISION = "Nghị quyết mô phỏng 99/NQ-MP"
EFFECTIVE = np.datetime64("2025-07-01")
DISTRICTS = (("991", "Quận Bến Sậy"), ("992", "Huyện Vườn Trâm"))
PROVINCE = "Thành phố mẫu Vàm Sông"
# Where a ward was cut, by its code: depths v inland from the bank [m], with the names between the cuts.
FORMER = {
    "99001": ((700.0,), ("Phường Bến Sậy", "Phường Phù Sa")),
    "99002": ((2360.0,), ("Phường Cầu Mận", "Xã Hoa Nắng")),
    "99003": ((800.0,), ("Phường Lá Dừa", "Phường Cầu Tre")),
    "99004": ((2360.0,), ("Phường Ô Môi", "Xã Sen Hồng")),
    "99005": ((760.0,), ("Phường Vàm Xanh", "Phường Nắng Mai")),
    "99006": ((2360.0,), ("Phường Chợ Lá", "Xã Gió Lành")),
    "99007": ((1240.0, 2800.0), ("Thị trấn Vườn Trâm", "Xã Mây Trắng", "Xã Lúa Vàng")),
    "99008": ((1500.0,), ("Xã Đồng Sen", "Xã Hừng Đông")),
}


@dataclass(frozen=True, slots=True)
class FormerWard:
    """One ward as it was: its code and name, its district, and the ward (index into WARDS) it went into."""

    code: str
    name: str
    district: int
    ward: int
    v_low: float
    v_high: float


@cache
def list_former_wards() -> tuple[FormerWard, ...]:
    """Return the wards as they were, in the order of those they went into."""
    found: list[FormerWard] = []
    for k, ward in enumerate(WARDS):
        cuts, names = FORMER[ward.code]
        for low, high, name in zip((ward.v_low, *cuts), (*cuts, ward.v_high), names, strict=True):
            found.append(FormerWard(f"98{len(found) + 1:03d}", name, int(k >= 6), k, low, high))
    return tuple(found)


def locate_former_ward(u: Floats, v: Floats) -> Ints:
    """Return the index into the former wards of frame points."""
    wards = list_former_wards()
    ward = locate_ward(u, v)
    found = np.zeros(len(ward), np.int64)
    for k, former in enumerate(wards):
        found[(ward == former.ward) & (v >= former.v_low) & (v < former.v_high)] = k
    return found


def make_admin_changes(plan: Plan) -> Table:
    """Return the former wards with what became of them, the abolished districts, and the province that stays."""
    wards = list_former_wards()
    shapes = [draw_ward(plan, replace(WARDS[one.ward], v_low=one.v_low, v_high=one.v_high)) for one in wards]
    of_district = [
        shapely.union_all([shape for shape, one in zip(shapes, wards, strict=True) if one.district == k])
        for k in range(len(DISTRICTS))
    ]
    geometry = as_shapes([*shapes, *of_district, EXTENT])
    rows: list[tuple[str | None, ...]] = [
        (one.code, one.name, "ward", DISTRICTS[one.district][1], WARDS[one.ward].code, WARDS[one.ward].name, "merged")
        for one in wards
    ]
    rows += [(code, name, "district", None, None, None, "abolished") for code, name in DISTRICTS]
    rows.append((PROVINCE_CODE, PROVINCE, "province", None, PROVINCE_CODE, PROVINCE, "kept"))
    parts = [as_text(list(part)) for part in zip(*rows, strict=True)]
    keys = ("old_code", "old_name", "old_level", "old_district", "new_code", "new_name", "change")
    count = len(rows)
    return Table(
        geometry,
        dict(zip(keys, parts, strict=True))
        | {
            "id": as_text([f"OLD-{row[0]}" for row in rows]),
            "old_province": as_text([PROVINCE] * count),
            "is_part": np.zeros(count, bool),
            "effective": np.full(count, EFFECTIVE),
            "decision": as_text([DECISION] * count),
        },
    )
