"""Road works of the demo: a work zone, a street dug up, a closure to come, a limit of weight, a road under water.

Their times lie about the end of the readings, so that some are in force whenever the demo was made.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.demo.shapes import Table, as_shapes, as_text

DAY_S = 86_400
BLOCK_M = 150.0


@dataclass(frozen=True, slots=True)
class RoadWork:
    """One event. ``road``: a street's name, or a class of street; ``days``: from and to, in days after the end."""

    name: str
    event_type: str
    event_status: str
    vehicle_impact: str
    direction: str
    road: str
    days: tuple[float, float]
    started: bool = True
    ended: bool = False
    lanes: tuple[int, int] = (0, 0)
    speed: float = np.nan
    weight: float = np.nan
    no_trucks: bool = False
    work_type: str | None = None
    detour: str | None = None


WORKS = (
    RoadWork(
        "Mở rộng Đại lộ Hòa Bình", "work_zone", "active", "some_lanes_closed", "forward", "Đại lộ Hòa Bình",
        (-30.0, 60.0), lanes=(2, 1), speed=30.0, work_type="surface",
    ),
    RoadWork(
        "Đào đường đặt ống cấp nước", "closure", "active", "all_lanes_closed", "both", "residential", (-1.0, 3.0),
        work_type="below_road", detour="Đi vòng theo đường song song.",
    ),
    RoadWork(
        "Cấm đường phục vụ lễ hội bến sông", "closure", "planned", "all_lanes_closed", "both", "Đường Bến Sông Hậu",
        (6.0, 6.3), started=False, detour="Theo Đường 30 Tháng 4.",
    ),
    RoadWork(
        "Hạn chế xe tải chờ sửa mặt đường", "work_zone", "active", "all_lanes_open", "both", "Đường 3 Tháng 2",
        (-10.0, 20.0), weight=5.0, no_trucks=True, work_type="maintenance",
    ),
    RoadWork(
        "Ngập do triều cường", "flood_closure", "completed", "all_lanes_closed", "both", "tertiary", (-1.5, -1.2),
        ended=True,
    ),
)  # fmt: skip


def make_road_works(roads: Table, end: datetime) -> Table:
    """Return the events as of ``end``, each on a link in the middle of its street."""
    rows = [_find_road(roads, work.road) for work in WORKS]
    moment = np.datetime64(end.astimezone(UTC).replace(tzinfo=None), "ms")

    def at(place: int, wanted: list[bool]) -> NDArray[np.datetime64]:
        days = np.array([work.days[place] for work in WORKS])
        times = moment + (days * DAY_S * 1000.0).astype("timedelta64[ms]")
        return np.where(wanted, times, np.datetime64("NaT", "ms"))

    every = [True] * len(WORKS)
    return Table(
        as_shapes([roads.geometry[row] for row in rows]),
        {
            "id": as_text([f"RW-{number:02d}" for number in range(1, len(WORKS) + 1)]),
            "name": as_text([work.name for work in WORKS]),
            "event_type": as_text([work.event_type for work in WORKS]),
            "event_status": as_text([work.event_status for work in WORKS]),
            "vehicle_impact": as_text([work.vehicle_impact for work in WORKS]),
            "affected_direction": as_text([work.direction for work in WORKS]),
            "road_name": np.array([roads.columns["name"][row] for row in rows], object),
            "road_link_id": as_text([str(roads.columns["id"][row]) for row in rows]),
            "planned_start": at(0, every),
            "planned_end": at(1, every),
            "actual_start": at(0, [work.started for work in WORKS]),
            "actual_end": at(1, [work.ended for work in WORKS]),
            "reduced_speed_limit": np.array([work.speed for work in WORKS]),
            "max_weight": np.array([work.weight for work in WORKS]),
            "no_trucks": np.array([work.no_trucks for work in WORKS]),
            "work_type": np.array([work.work_type for work in WORKS], object),
            "detour_note": np.array([work.detour for work in WORKS], object),
            "lanes_total": np.array([work.lanes[0] or 2 for work in WORKS], np.int64),
            "lanes_closed": np.array([work.lanes[1] for work in WORKS], np.int64),
            "organization": as_text(["Sở Xây dựng (mô phỏng)"] * len(WORKS)),
        },
    )


def _find_road(roads: Table, road: str) -> int:
    """Return a link of about a block in the middle third of what the city has of a street, no bridge."""
    columns = roads.columns
    own = (columns["name"] == road) | (columns["road_class"] == road)
    rows = np.flatnonzero(own & ~columns["is_bridge"].astype(bool))
    middle = rows[len(rows) // 3 : max(2 * len(rows) // 3, len(rows) // 3 + 1)]
    return int(middle[np.argmin(np.abs(shapely.length(roads.geometry[middle]) - BLOCK_M))])
