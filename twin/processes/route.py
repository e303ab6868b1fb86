"""Route: from a place to another, over others, by any mode, at any time, around what is closed or under water."""

from datetime import timedelta
from typing import Any

import geopandas as gpd
import numpy as np

from layers.errors import InputError
from layers.schema import Text
from network.alternatives import MOST_ALTERNATIVES
from twin.process import CityView, Outputs, Process, Progress, describe
from twin.processes.route_inputs import (
    Place,
    Travel,
    TravelInputs,
    find_lonlat,
    read_travel,
    tell_conditions,
    tell_snaps,
)
from twin.roads.profiles import MODE_TITLES
from twin.roads.routing import Route, find_routes
from twin.roads.routing_lines import draw_route
from twin.roads.routing_reasons import explain_no_way
from twin.roads.routing_steps import find_main_streets, list_steps, write_step

MOST_VIA = 20


class RouteInputs(TravelInputs):
    """From where to where."""

    origin: Place = describe(Text("Điểm đi", "Origin"), Text("KINH ĐỘ,VĨ ĐỘ.", "LON,LAT."))
    destination: Place = describe(Text("Điểm đến", "Destination"), Text("KINH ĐỘ,VĨ ĐỘ.", "LON,LAT."))
    via: tuple[Place, ...] = describe(
        Text("Qua các điểm", "Via"),
        Text("Các điểm phải qua, theo thứ tự.", "Places that are passed, in this order."),
        default=(),
        max_length=MOST_VIA,
    )
    alternatives: int = describe(
        Text("Số phương án", "Alternatives"),
        Text(
            "Tìm tối đa bấy nhiêu đường, không dài quá 1,4 lần và không trùng nhau quá 0,8.",
            "Up to so many ways, none above 1.4 times the quickest, none that shares more than 0.8 with another.",
        ),
        unit="{#}",
        default=1,
        ge=1,
        le=MOST_ALTERNATIVES,
    )
    steps: bool = describe(
        Text("Chỉ dẫn", "Steps"), Text("Kèm chỉ dẫn từng bước.", "With instructions turn by turn."), default=True
    )


def compute(view: CityView, inputs: RouteInputs, progress: Progress) -> Outputs:
    """Find the routes; see ``twin.roads.routing``."""
    if inputs.via and inputs.alternatives > 1:
        raise InputError("alternatives are given between two places only", hint="alternatives=1, or no via")
    travel = read_travel(view, inputs)
    places = (inputs.origin, *inputs.via, inputs.destination)
    snaps = travel.snap(places, "origin, via, destination")
    progress.report(0.3, "tìm đường — finding ways")
    routes = find_routes(travel.roads, travel.costs, snaps, count=inputs.alternatives, clock=travel.clock)
    if not routes:
        raise explain_no_way(view, travel.roads, travel.conditions, travel.costs, snaps)
    progress.report(0.8, "vẽ đường — drawing them")
    frame = _build_frame(travel, inputs, routes)
    best, mode = routes[0], MODE_TITLES[inputs.mode]
    told = f"{best.length / 1000:.1f} km, {best.duration / 60:.0f}"
    return Outputs(
        title=Text(f"Đường đi {mode.vi.lower()}: {told} phút", f"Route by {mode.en.lower()}: {told} min"),
        base_time=travel.leaves or view.now,
        horizon_hours=0.0,
        features={"routes": frame},
        summary={
            "mode": inputs.mode,
            "places": tell_snaps(travel, snaps),
            "routes": [_tell_route(travel, route, steps=inputs.steps) for route in routes],
            **tell_conditions(travel),
        },
        parameters={"stamp": travel.roads.stamp, "engine": travel.costs.router.engine},
    )


def _build_frame(travel: Travel, inputs: RouteInputs, routes: list[Route]) -> gpd.GeoDataFrame:
    leaves = travel.leaves
    return gpd.GeoDataFrame(
        {
            "id": [f"R{rank + 1}" for rank in range(len(routes))],
            "rank": [rank + 1 for rank in range(len(routes))],
            "mode": inputs.mode,
            "streets": [", ".join(find_main_streets(travel.roads, route)) or None for route in routes],
            "length": [round(route.length, 1) for route in routes],
            "duration": [round(route.duration, 1) for route in routes],
            "departure": [leaves for _ in routes],
            "arrival": [None if leaves is None else leaves + timedelta(seconds=route.duration) for route in routes],
        },
        geometry=[draw_route(travel.roads, route) for route in routes],
        crs=travel.view.crs,
    )


def _tell_route(travel: Travel, route: Route, *, steps: bool) -> dict[str, Any]:
    ends = np.cumsum(route.legs)
    begins = ends - np.array(route.legs)
    legs = [
        {
            "length": round(float(route.lengths[begin:end].sum()), 1),
            "duration": round(float(route.seconds[begin:end].sum()), 1),
        }
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    ]
    told: dict[str, Any] = {
        "length": round(route.length, 1),
        "duration": round(route.duration, 1),
        "arrival": None
        if travel.leaves is None
        else (travel.leaves + timedelta(seconds=route.duration)).isoformat(timespec="seconds"),
        "streets": find_main_streets(travel.roads, route),
        "legs": legs,
    }
    if steps:
        listed = list_steps(travel.roads, route, travel.usable)
        lonlat = find_lonlat(np.array([step.at for step in listed]), travel.view.crs)
        told["steps"] = [write_step(step, (lon, lat)) for step, (lon, lat) in zip(listed, lonlat.tolist(), strict=True)]
    return told


PROCESS = Process(
    id="route",
    title=Text("Tìm đường", "Route"),
    description=Text(
        "Đường đi nhanh nhất bằng xe máy, ô tô, xe tải, xe buýt, xe cứu thương, xe đạp, đi bộ; phương án khác, điểm "
        "qua, giờ đi, đường cấm, đường ngập; chỉ dẫn từng bước.",
        "The quickest way by motorbike, car, truck, bus, ambulance, bicycle or on foot; alternatives, places to pass, "
        "time of departure, closures, water on roads; instructions turn by turn.",
    ),
    inputs=RouteInputs,
    outputs=("routes",),
    compute=compute,
    immediate=True,
    access="public",
)
