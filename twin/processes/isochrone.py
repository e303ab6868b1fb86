"""Isochrone: how far one comes from places within some minutes, and who and what lies there."""

from collections import Counter
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from layers.errors import InputError
from layers.schema import Text
from network.isochrone_areas import REACH_M
from twin.networks.results_frames import LazyFrames
from twin.process import CityView, Outputs, Process, Progress, describe
from twin.processes.route_inputs import Place, Travel, TravelInputs, read_travel, tell_conditions, tell_snaps
from twin.roads.isochrones import Reach, draw_areas, draw_reached, find_reach, list_reached
from twin.roads.profiles import MODE_TITLES

MOST_ORIGINS, MOST_MINUTES, LONGEST_MIN = 50, 6, 180.0
MOST_LINKS = 20_000
"""More reached stretches than this are counted, and not handed out as features."""


class IsochroneInputs(TravelInputs):
    """From where, and for how long."""

    origins: tuple[Place, ...] = describe(
        Text("Điểm đi", "Origins"),
        Text("Một hay nhiều điểm KINH ĐỘ,VĨ ĐỘ.", "One place or several, LON,LAT each."),
        min_length=1,
        max_length=MOST_ORIGINS,
    )
    minutes: tuple[float, ...] = describe(
        Text("Số phút", "Minutes"),
        Text("Tối đa 6 giá trị, tối đa 180 phút.", "Up to 6 values, up to 180 minutes."),
        unit="min",
        default=(5.0, 10.0, 15.0),
        min_length=1,
        max_length=MOST_MINUTES,
    )
    beside: float = describe(
        Text("Bề rộng hai bên đường", "Ground beside roads"),
        Text("Đất cách đường tối đa bấy nhiêu coi là tới được.", "Ground this near to a reached road is reached too."),
        unit="m",
        default=REACH_M,
        ge=20.0,
        le=500.0,
    )


def compute(view: CityView, inputs: IsochroneInputs, progress: Progress) -> Outputs:
    """Find what is within reach; see ``twin.roads.isochrones``."""
    limits = read_limits(inputs.minutes)
    travel = read_travel(view, inputs)
    snaps = travel.snap(inputs.origins, "origins")
    progress.report(0.3, "tìm vùng tới được — spreading out")
    reach = find_reach(travel.costs, snaps, limits[-1], travel.clock)
    areas = draw_areas(travel.roads, reach, limits, beside=inputs.beside)
    progress.report(0.7, "đếm người, địa điểm — counting people and places")
    told = _count_within(view, areas)
    lengths = [_measure(travel, reach, limit) for limit in limits]
    links = list_reached(travel.roads, reach, limits[-1])
    given = links.edges.size <= MOST_LINKS
    mode = MODE_TITLES[inputs.mode]
    longest = f"{limits[-1] / 60:g}"
    return Outputs(
        title=Text(
            f"Vùng tới được bằng {mode.vi.lower()}: {longest} phút", f"Reach by {mode.en.lower()}: {longest} min"
        ),
        base_time=travel.leaves or view.now,
        horizon_hours=0.0,
        features=LazyFrames(
            {
                "isochrones": lambda: _build_areas(travel, inputs, limits, areas, told),
                "isochrone_links": lambda: _build_links(travel, reach, limits, given=given),
            }
        ),
        summary={
            "mode": inputs.mode,
            "origins": tell_snaps(travel, snaps),
            "areas": [
                {"minutes": limit / 60.0, "area": round(area.area, 1), "road_length": round(length, 1), **counts}
                for limit, area, length, counts in zip(limits, areas, lengths, told, strict=True)
            ],
            "link_count": int(links.edges.size),
            "links_given": given,
            **tell_conditions(travel),
        },
        parameters={"stamp": travel.roads.stamp, "engine": travel.costs.router.engine, "beside": inputs.beside},
    )


def read_limits(minutes: tuple[float, ...]) -> list[float]:
    """Return the limits [s], the shortest first, each once; InputError for one that is not within 0 to 180 min."""
    wrong = next((each for each in minutes if not 0.0 < each <= LONGEST_MIN), None)
    if wrong is not None:
        raise InputError(f"'minutes' has {wrong:g}, expected more than 0 and up to {LONGEST_MIN:g}")
    return sorted({60.0 * each for each in minutes})


def _measure(travel: Travel, reach: Reach, limit: float) -> float:
    """Return the length of roads reached within a limit [m]."""
    reached = list_reached(travel.roads, reach, limit)
    pair = travel.roads.graph.edge_links[reached.edges]
    link = np.where(pair[:, 0] >= 0, pair[:, 0], pair[:, 1])
    return float((travel.roads.graph.lengths[link] * (reached.ends - reached.begins)).sum())


def _count_within(view: CityView, areas: list[shapely.MultiPolygon]) -> list[dict[str, Any]]:
    """Return people and places within each area: a cell of population counts where its middle lies inside."""
    bounds = areas[-1].bounds if not areas[-1].is_empty else None
    if bounds is None:
        return [{"people": 0, "places": {}} for _ in areas]
    cells = view.layer("population", bounds=bounds, columns=["population"])
    places = view.layer("places", bounds=bounds, columns=["category"])
    people = cells["population"].astype(float).fillna(0.0).to_numpy()
    middle = shapely.get_coordinates(shapely.centroid(cells.geometry.to_numpy().astype(object)))
    at = shapely.get_coordinates(shapely.centroid(places.geometry.to_numpy().astype(object)))
    kinds = places["category"].fillna("other").to_numpy(object)
    told = []
    for area in areas:
        shapely.prepare(area)
        inside = shapely.contains_xy(area, middle[:, 0], middle[:, 1])
        within = shapely.contains_xy(area, at[:, 0], at[:, 1])
        told.append({
            "people": round(float(people[inside].sum())),
            "places": dict(sorted(Counter(kinds[within].tolist()).items())),
        })  # fmt: skip
    return told


def _build_areas(
    travel: Travel, inputs: IsochroneInputs, limits: list[float], areas: list[shapely.MultiPolygon],
    told: list[dict[str, Any]],
) -> gpd.GeoDataFrame:  # fmt: skip
    """Return the areas as features, the largest first, so that the smaller ones are drawn over it."""
    order = range(len(limits) - 1, -1, -1)
    return gpd.GeoDataFrame(
        {
            "id": [f"I{place + 1}" for place in order],
            "reached_within": [limits[place] for place in order],
            "mode": inputs.mode,
            "area": [round(areas[place].area, 1) for place in order],
            "people": [told[place]["people"] for place in order],
            "places": [sum(told[place]["places"].values()) for place in order],
        },
        geometry=[areas[place] for place in order],
        crs=travel.view.crs,
    )


def _build_links(travel: Travel, reach: Reach, limits: list[float], *, given: bool) -> gpd.GeoDataFrame:
    reached = list_reached(travel.roads, reach, limits[-1])
    chosen = np.flatnonzero(reached.ends > reached.begins) if given else np.zeros(0, np.int64)
    lines = draw_reached(travel.roads, reached)[chosen] if given else np.zeros(0, object)
    within = np.array(limits)[np.searchsorted(limits, reached.arrivals[chosen])]
    return gpd.GeoDataFrame(
        {
            "id": [f"E{place}" for place in chosen.tolist()],
            "road_link_id": travel.roads.items[reached.edges[chosen]].astype(str),
            "reached_within": within,
            "arrival": np.round(reached.arrivals[chosen], 1),
        },
        geometry=lines,
        crs=travel.view.crs,
    )


PROCESS = Process(
    id="isochrone",
    title=Text("Vùng tới được", "Isochrone"),
    description=Text(
        "Từ một hay nhiều điểm tới được đâu trong số phút: vùng lồng nhau, đường, số người, địa điểm; theo phương "
        "tiện, giờ đi, đường cấm, đường ngập.",
        "How far one comes from one place or several within some minutes: nested areas, roads, people, places; by "
        "mode, time of departure, closures and water on roads.",
    ),
    inputs=IsochroneInputs,
    outputs=("isochrones", "isochrone_links"),
    compute=compute,
    immediate=True,
    access="public",
)
