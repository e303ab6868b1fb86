"""Traffic now or at a time past: speed and level of service of the streets that counters see, answered at once."""

from collections import Counter
from datetime import datetime

import numpy as np

from layers.schema import Text
from network.level_of_service import GRADES, compute_time_index
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe
from twin.traffic.congestion import PCU, REACH_M, compute_state, make_frame
from twin.traffic.counting import gather_stations


class TrafficStateInputs(Inputs):
    """When, and how far a station speaks for its street."""

    at: datetime | None = describe(
        Text("Thời điểm", "Time"),
        Text("Tình trạng lúc này; bỏ trống là bây giờ.", "The state at this time; now if not given."),
        default=None,
    )
    reach: float = describe(
        Text("Tầm của trạm", "Reach of a station"),
        Text(
            "Trạm nói thay cho đường cùng tên trong khoảng này; 0 là chỉ đoạn có trạm.",
            "A station speaks for its street this far; 0 for its own stretch only.",
        ),
        unit="m",
        default=REACH_M,
        ge=0,
        le=5000,
    )
    pcu: float = describe(
        Text("Xe con quy đổi mỗi xe", "Car units a vehicle"),
        Text(
            "Trung bình của dòng xe, phần lớn xe máy.",
            "Mean of the traffic, most of it motorbikes; turns counts into use of capacity.",
        ),
        unit="1",
        default=PCU,
        gt=0,
        le=5,
    )


def compute(city: CityView, inputs: TrafficStateInputs, progress: Progress) -> Outputs:
    """Return what the newest readings tell of streets."""
    at = inputs.at or city.now
    roads = city.roads()
    progress.report(0.2, "reading")
    stations = gather_stations(city.road_series(at), roads)
    state = compute_state(stations, roads, at, reach=inputs.reach, pcu=inputs.pcu)
    frame = make_frame(state, roads, at, city.crs)
    lengths = roads.graph.lengths[state.links]
    graded = Counter(frame["grade"].dropna().tolist())
    index = compute_time_index(state.speeds, state.free_speeds)
    worst: dict[str, float] = {}
    for street, value in zip(frame["name"].tolist(), index.tolist(), strict=True):
        worst[street or ""] = max(worst.get(street or "", 1.0), value)
    slowest = sorted(worst.items(), key=lambda one: (-one[1], one[0]))[:10]
    summary = {
        "at": at.isoformat(),
        "stations": len(state.seen),
        "silent_stations": [one.id for one in state.silent],
        "links": int(state.links.size),
        "measured_links": int((state.distances == 0.0).sum()),
        "length": round(float(lengths.sum()), 1),
        "grades": {grade: graded.get(grade, 0) for grade in GRADES},
        "time_index": round(float(np.average(index, weights=lengths)), 4) if state.links.size else None,
        "slowest_streets": [{"street": street, "time_index": round(value, 3)} for street, value in slowest],
    }
    title = Text(f"Giao thông lúc {_tell(at, city)}", f"Traffic at {_tell(at, city)}")
    parameters = {"reach": inputs.reach, "pcu": inputs.pcu}
    return Outputs(title, at, 0.0, features={"traffic_state": frame}, summary=summary, parameters=parameters)


def _tell(at: datetime, city: CityView) -> str:
    return at.astimezone(city.zone).strftime("%Y-%m-%d %H:%M")


PROCESS = Process(
    "traffic-state",
    Text("Tình trạng giao thông", "State of traffic"),
    Text(
        "Tốc độ, mức phục vụ A–F (HCM 7), chỉ số thời gian đi của các đường có trạm đếm, bây giờ hoặc lúc đã qua.",
        "Speed, level of service A to F (HCM 7) and travel-time index of streets with counters, now or at a past time.",
    ),
    TrafficStateInputs,
    ("traffic_state",),
    compute,
    immediate=True,
    access="public",
)
