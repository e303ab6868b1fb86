"""What questions about travel share: mode, vehicle, time, closures, water, and places as longitude and latitude."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from layers.datum import CRS84, make_transformer
from layers.errors import InputError
from layers.schema import Text
from network.paths_answers import Values
from twin.process import CityView, Inputs, describe
from twin.roads.city_roads import CityRoads
from twin.roads.profiles import (
    MODE_TITLES,
    Mode,
    find_second_of_week,
    read_mode,
    read_vehicle,
)
from twin.roads.profiles_counted import SPEEDS
from twin.roads.routers import MOST_AVOIDED, ROUTERS, Conditions, RoadCosts
from twin.roads.routing import Clock
from twin.roads.snapping import REACH_M, Snaps, project_places, require_snaps, snap_places


def _check_place(place: tuple[float, float]) -> tuple[float, float]:
    lon, lat = place
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise ValueError(f"{lon:g}, {lat:g} is no place: expected longitude −180–180, latitude −90–90")
    return place


Place = Annotated[tuple[float, float], AfterValidator(_check_place)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Size = Annotated[float, Field(gt=0.0)]


class TravelInputs(Inputs):
    """Who travels, when, and what is in the way."""

    mode: Mode = describe(
        Text("Phương tiện", "Mode"),
        Text("Đi bằng gì.", "What one travels by."),
        choices=MODE_TITLES,
        default="motorbike",
    )
    departure: datetime | None = describe(
        Text("Giờ đi", "Departure"),
        Text(
            "Có giờ đi thì tốc độ đổi theo giờ trong tuần; không có thì đường thông thoáng. Không ghi múi giờ là giờ "
            "thành phố.",
            "With it speeds change by the hour of the week, without it roads are free. Without a zone, the city's.",
        ),
        default=None,
    )
    height: float | None = describe(
        Text("Chiều cao xe", "Height"),
        Text("Chiều cao cả hàng.", "With its load."),
        unit="m",
        default=None,
        gt=0,
        le=20,
    )
    weight: float | None = describe(
        Text("Tải trọng", "Weight"), Text("Tổng trọng lượng.", "Of all of it."), unit="t", default=None, gt=0, le=500
    )
    width: float | None = describe(
        Text("Chiều rộng xe", "Width"), Text("Bề rộng xe.", "Of the vehicle."), unit="m", default=None, gt=0, le=10
    )
    avoid: tuple[Word, ...] = describe(
        Text("Tránh đường", "Avoid"),
        Text("Mã đoạn đường hoặc tên đường không đi.", "Ids of roads or names of streets that are not used."),
        default=(),
        max_length=MOST_AVOIDED,
    )
    closures: bool = describe(
        Text("Tính đường cấm", "Closures"),
        Text("Tránh đường đang thi công, đang cấm.", "Respect works and closures in force."),
        default=True,
    )
    flood_run: str | None = describe(
        Text("Lần chạy ngập", "Flood run"),
        Text("Đường ngập theo lần chạy này.", "Roads are under the water of this run."),
        default=None,
        max_length=120,
    )
    flood_at: datetime | None = describe(
        Text("Giờ ngập", "Time of the flood"),
        Text("Không có: lúc ngập nhất.", "Without it, its peak."),
        default=None,
    )


@dataclass(frozen=True, eq=False)
class Travel:
    """The roads, what they cost under the inputs, and the clock where a departure is given.

    leaves: the departure, with a zone; None without. counted: classes of road whose speeds by the hour are of counters.
    """

    view: CityView
    roads: CityRoads
    conditions: Conditions
    costs: RoadCosts
    clock: Clock | None
    leaves: datetime | None
    counted: tuple[str, ...] = ()

    @property
    def usable(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Links that the mode may use as things are (links,)."""
        return np.isfinite(self.costs.seconds)

    @property
    def open_ways(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Links that the mode may use when nothing is closed or flooded (links,): places are put on these."""
        return self.roads.graph.allows(self.conditions.mode)

    def snap(self, places: Sequence[Sequence[float]], name: str) -> Snaps:
        """Return places on roads; NotFoundError for one that no road is near to, naming the input."""
        snaps = self.snap_loosely(places, name)
        require_snaps(snaps, places, name, self.conditions.mode, REACH_M)
        return snaps

    def snap_loosely(self, places: Sequence[Sequence[float]], name: str) -> Snaps:
        """Return places on roads; those no road is near to have none."""
        return snap_places(self.roads, self.open_ways, project_places(places, self.view.crs, name))


def read_travel(view: CityView, inputs: TravelInputs, *, prepared: bool = False) -> Travel:
    """Return the roads and what they cost under the inputs; InputError or NotFoundError for what is named wrongly.

    prepared: with the engine that answers many questions soonest, even if it must be waited for.
    """
    if inputs.flood_at is not None and inputs.flood_run is None:
        raise InputError("'flood_at' is given without 'flood_run'", hint="name the run whose water counts")
    roads, mode = view.roads(), read_mode(inputs.mode)
    leaves = place_in_zone(view, inputs.departure)
    conditions = Conditions(
        mode, leaves or view.now, read_vehicle(inputs.height, inputs.weight, inputs.width), inputs.closures,
        inputs.flood_run, place_in_zone(view, inputs.flood_at), inputs.avoid,
    )  # fmt: skip
    costs = ROUTERS.get(view, roads, conditions, prepared=prepared)
    if leaves is None:
        return Travel(view, roads, conditions, costs, None, None)
    speeds = SPEEDS.get(view, roads, mode)
    clock = Clock(find_second_of_week(leaves, view.zone), speeds.profiles)
    return Travel(view, roads, conditions, costs, clock, leaves, speeds.counted)


def place_in_zone(view: CityView, moment: datetime | None) -> datetime | None:
    """Return a moment with a zone: the city's where it has none."""
    return moment.replace(tzinfo=view.zone) if moment is not None and moment.tzinfo is None else moment


def find_lonlat(xy: Values, crs: str) -> Values:
    """Return places in the city's CRS (places, 2) as longitude and latitude (places, 2)."""
    lon, lat = make_transformer(crs, CRS84).transform(xy[:, 0], xy[:, 1])
    return np.column_stack((lon, lat))


def tell_snaps(travel: Travel, snaps: Snaps) -> list[dict[str, Any] | None]:
    """Return where each place was put: the place on the road, how far off, the road; None where none is near."""
    lonlat = find_lonlat(snaps.xy, travel.view.crs)
    return [
        None
        if edge < 0
        else {
            "location": [round(lon, 6), round(lat, 6)],
            "distance": round(off, 1),
            "road": str(travel.roads.items[edge]),
            "name": str(travel.roads.names[edge]),
        }
        for edge, off, (lon, lat) in zip(snaps.edges.tolist(), snaps.offs.tolist(), lonlat.tolist(), strict=True)
    ]


def tell_conditions(travel: Travel) -> dict[str, Any]:
    """Return what counted: closures in force that touch roads, water, the departure."""
    works = [
        {
            "id": work.id,
            "name": work.name,
            "until": None if work.until is None else work.until.isoformat(),
            "closes": work.closes,
        }
        for work in travel.costs.works
        if work.links.size
    ]
    return {
        "departure": None if travel.leaves is None else travel.leaves.isoformat(),
        "counted_classes": list(travel.counted),
        "works": works,
        "flooded_links": int(np.count_nonzero(travel.costs.flooded)),
        "stamp": travel.roads.stamp,
    }
