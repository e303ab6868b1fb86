"""The projects under way: on streets, along canals and in blocks, some late, one dear, one stopped."""

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from twin.demo.cells import Cells
from twin.demo.plan import CANALS, EXTENT, WARD_CODES, Plan, Water, locate_ward
from twin.demo.shapes import Table, as_shapes, as_text, number_ids
from twin.demo.streets import Streets

BILLION = 1.0e9
HALF_ROAD = 11.0
BANK = 9.0


@dataclass(frozen=True, slots=True)
class Project:
    """One project. ``place``: a street's name, a canal's key or the use of a block.

    ``money``: budget and spent [billion đồng]; ``progress``: reached and planned (0…1); ``days``: start, planned
    finish, expected finish.
    """

    name: str
    project_type: str
    stage: str
    quality: str
    place: str
    money: tuple[float, float]
    progress: tuple[float, float]
    days: tuple[str, str, str]


PROJECTS = (
    Project(
        "Mở rộng Đại lộ Hòa Bình", "transport", "construction", "acceptable", "Đại lộ Hòa Bình",
        (640.0, 305.0), (0.46, 0.60), ("2025-03-10", "2027-06-30", "2027-12-31"),
    ),
    Project(
        "Kè Rạch Bần Xanh giai đoạn 2", "drainage", "construction", "good", "BANXANH",
        (910.0, 628.0), (0.72, 0.70), ("2024-05-20", "2027-03-31", "2027-03-31"),
    ),
    Project(
        "Kè Kênh Sậy", "drainage", "design", "not_assessed", "SAY",
        (380.0, 6.5), (0.0, 0.0), ("2027-02-01", "2029-06-30", "2029-06-30"),
    ),
    Project(
        "Khu dân cư Phù Sa", "housing", "construction", "good", "suburban",
        (1250.0, 402.0), (0.35, 0.35), ("2025-08-01", "2028-12-31", "2028-12-31"),
    ),
    Project(
        "Khu tái định cư Ô Môi", "housing", "finished", "good", "dense",
        (210.0, 204.0), (1.0, 1.0), ("2023-04-15", "2026-04-30", "2026-05-20"),
    ),
    Project(
        "Công viên Nước Nổi", "park", "tender", "not_assessed", "park",
        (95.0, 1.2), (0.0, 0.05), ("2026-12-01", "2028-03-31", "2028-03-31"),
    ),
    Project(
        "Nâng cấp Đường 3 Tháng 2", "transport", "suspended", "defects", "Đường 3 Tháng 2",
        (150.0, 71.0), (0.28, 0.80), ("2024-09-01", "2026-09-30", "2027-09-30"),
    ),
    Project(
        "Trung tâm Y tế Vàm Xanh", "public", "construction", "good", "clinic",
        (320.0, 181.0), (0.61, 0.55), ("2025-01-12", "2027-01-31", "2026-12-15"),
    ),
    Project(
        "Khu công nghiệp Vàm Xanh mở rộng", "industry", "proposed", "not_assessed", "industrial",
        (2100.0, 0.0), (0.0, 0.0), ("2028-01-01", "2031-12-31", "2031-12-31"),
    ),
    Project(
        "Chiếu sáng tiết kiệm Đường 30 Tháng 4", "power", "finished", "acceptable", "Đường 30 Tháng 4",
        (24.0, 23.1), (1.0, 1.0), ("2025-10-01", "2026-08-31", "2026-08-25"),
    ),
    Project(
        "Tuyến ống cấp nước Vườn Trâm", "water_supply", "construction", "acceptable", "Đường Vành Đai Vườn Trâm",
        (88.0, 41.0), (0.52, 0.50), ("2026-02-15", "2027-05-31", "2027-05-31"),
    ),
)  # fmt: skip
REACHES = {"BANXANH": (700.0, 1900.0), "SAY": (300.0, 1500.0)}


def make_projects(plan: Plan, cells: Cells, streets: Streets, water: Water) -> Table:
    """Return the projects on the streets, canal banks and blocks they are about."""
    geometry = as_shapes([_draw_place(project.place, plan, cells, streets, water) for project in PROJECTS])
    middle = shapely.point_on_surface(geometry)
    ward = locate_ward(*plan.frame.to_frame(shapely.get_x(middle), shapely.get_y(middle)))
    days = np.array([project.days for project in PROJECTS], "datetime64[D]")
    money = np.array([project.money for project in PROJECTS]) * BILLION
    progress = np.array([project.progress for project in PROJECTS])
    return Table(
        geometry,
        {
            "id": number_ids("PJ", len(PROJECTS)),
            "name": as_text([project.name for project in PROJECTS]),
            "project_type": as_text([project.project_type for project in PROJECTS]),
            "stage": as_text([project.stage for project in PROJECTS]),
            "progress": progress[:, 0],
            "planned_progress": progress[:, 1],
            "quality": as_text([project.quality for project in PROJECTS]),
            "budget": money[:, 0],
            "spent": money[:, 1],
            "start": days[:, 0],
            "finish": days[:, 1],
            "expected_finish": days[:, 2],
            "investor": as_text(["Ban Quản lý dự án Vàm Sông (mô phỏng)"] * len(PROJECTS)),
            "decision": as_text([f"Quyết định mô phỏng {k + 11}/QĐ-MP" for k in range(len(PROJECTS))]),
            "area": shapely.area(geometry).round(0),
            "ward_code": WARD_CODES[ward].astype(object),
        },
    )


def _draw_place(place: str, plan: Plan, cells: Cells, streets: Streets, water: Water) -> BaseGeometry:
    if place in REACHES:
        canal = next(one for one in CANALS if one.key == place)
        v = np.linspace(*REACHES[place], 60)
        reach = plan.frame.draw_line(canal.centre(v), v)
        shape = reach.buffer(canal.width / 2 + BANK, cap_style="flat").difference(water.all.buffer(0.5))
    elif place in cells.use:
        blocks = [n for n, use in enumerate(cells.use) if use == place]
        return shapely.MultiPolygon([cells.outline(gross=False)[blocks[len(blocks) // 2]]])
    else:
        parts = [link.line for link in streets.links if link.name == place]
        shape = shapely.union_all(parts).buffer(HALF_ROAD, cap_style="flat").intersection(EXTENT)
    return shapely.MultiPolygon([part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"])
