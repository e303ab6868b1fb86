"""Planned zones with what may be built in them."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.buildings import LAND_USE
from twin.demo.cells import Cells
from twin.demo.plan import WARDS
from twin.demo.shapes import Table, as_shapes, as_text, number_ids


@dataclass(frozen=True, slots=True)
class Limits:
    """What a zone allows: height [m], storeys, coverage, floor area ratio, uses."""

    height: float
    storeys: int
    coverage: float
    ratio: float
    uses: str


ZONE_LIMITS = {
    "residential": Limits(28.0, 7, 0.7, 4.9, "Nhà ở, cửa hàng nhỏ, dịch vụ khu dân cư"),
    "commercial": Limits(60.0, 15, 0.6, 8.0, "Thương mại, dịch vụ, văn phòng, khách sạn"),
    "industrial": Limits(20.0, 3, 0.6, 1.5, "Nhà xưởng, kho, hạ tầng kỹ thuật"),
    "public": Limits(30.0, 6, 0.4, 2.4, "Cơ quan, y tế, văn hóa"),
    "education": Limits(22.0, 5, 0.4, 2.0, "Trường học, ký túc xá"),
    "agriculture": Limits(10.0, 2, 0.05, 0.1, "Trồng trọt, nhà ở nông thôn hiện hữu"),
    "orchard": Limits(10.0, 2, 0.1, 0.2, "Vườn cây, du lịch sinh thái"),
    "green": Limits(8.0, 1, 0.05, 0.05, "Cây xanh, thể thao"),
    "water": Limits(0.0, 0, 0.0, 0.0, "Không xây dựng"),
}


def make_zoning(cells: Cells) -> Table:
    """Return planned zones: blocks of one purpose within a ward joined together."""
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for n, use in enumerate(cells.use):
        if use != "canal":
            zone = "commercial" if use == "dense" and cells.urbanity[n] > 0.85 else LAND_USE[use]
            groups[int(cells.ward[n]), zone].append(n)
    gross = cells.outline(gross=True)
    geometry = as_shapes([shapely.union_all(gross[members]) for members in groups.values()])
    limits = [ZONE_LIMITS[zone] for _, zone in groups]
    return Table(
        geometry,
        {
            "id": number_ids("ZN", len(groups)),
            "name": as_text(
                [f"Phân khu {zone_number} – {WARDS[ward].name}" for zone_number, (ward, _) in enumerate(groups, 1)]
            ),
            "zone": as_text([zone for _, zone in groups]),
            "permitted_use": as_text([limit.uses for limit in limits]),
            "max_height": np.array([limit.height for limit in limits]),
            "max_storeys": np.array([limit.storeys for limit in limits]),
            "max_coverage": np.array([limit.coverage for limit in limits]),
            "max_floor_area_ratio": np.array([limit.ratio for limit in limits]),
            "setback": np.array([3.0 if zone in ("commercial", "industrial", "public") else 0.0 for _, zone in groups]),
            "min_elevation": np.full(len(groups), 2.3),
            "decision": as_text(["Quyết định mô phỏng 01/QĐ-MP"] * len(groups)),
            "valid_since": np.full(len(groups), np.datetime64("2025-07-01")),
        },
    )
