"""Criticality of roads: what the network loses with each of its stretches, by measures that need not agree."""

from dataclasses import replace
from itertools import combinations
from typing import Any, Literal

import geopandas as gpd
import numpy as np
from scipy.stats import kendalltau, rankdata

from layers.errors import InputError
from layers.schema import Text
from network.access import find_main_part
from network.criticality import (
    Closures,
    Index,
    choose_stretches,
    close_each,
    count_behind,
    count_cut_off,
    load_roads,
    measure_redundancy,
)
from network.criticality_capacity import CapacityCuts, cut_capacities
from network.roads import ROAD_CLASSES, RoadGraph, Values
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe
from twin.roads.access_people import place_residents
from twin.roads.city_roads import CityRoads
from twin.roads.criticality import CityTrips, make_trips
from twin.roads.routers import ROUTERS, Conditions, RoadCosts

PCU = {"car": 1.0, "motorbike": 0.25, "truck": 2.5, "bus": 2.5}
"""Room of a vehicle in passenger car units, as traffic-assignment takes it without other word."""
MEASURES = ("trips", "unserved", "added", "people", "redundancy")
FAMILIES = (("trips",), ("unserved", "added"), ("people", "redundancy"))
"""How much a stretch is used, what happens to trips without it, who is left alone: each counts alike."""
LEVELS, LAST_RANKS = ("first", "high", "medium", "tried"), (5, 15, 40)
"""Levels of the layer, and the last rank of all but the last of them."""
SHOWN = 20


class RoadCriticalityInputs(Inputs):
    """What the ranking of roads is asked."""

    mode: Literal["car", "motorbike", "truck", "bus"] = describe(
        Text("Phương tiện", "Mode"),
        Text("Ai đi trên đường.", "Who travels."),
        default="motorbike",
        choices={
            "car": Text("Ô tô con", "Car"),
            "motorbike": Text("Xe máy", "Motorbike"),
            "truck": Text("Xe tải", "Truck"),
            "bus": Text("Xe buýt", "Bus"),
        },
    )
    count: int = describe(
        Text("Số đoạn đường", "Stretches"),
        Text(
            "Bao nhiêu đoạn được thử cấm: nhiều chuyến đi nhất và nhiều người phía sau nhất.",
            "How many are tried: those with most trips and most people behind.",
        ),
        unit="1",
        default=60,
        ge=1,
        le=300,
    )
    places: int = describe(
        Text("Số nơi đi và đến", "Origins and destinations"),
        Text("Mẫu rút theo dân số và việc làm.", "Drawn in proportion to people and to jobs or places."),
        unit="1",
        default=100,
        ge=2,
        le=400,
    )
    trips_per_person: float = describe(
        Text("Chuyến đi mỗi người", "Trips a person"),
        Text("Trong giờ cao điểm.", "In the busiest hour."),
        unit="1",
        default=0.15,
        gt=0.0,
        le=5.0,
    )
    mean_time: float = describe(
        Text("Thời gian đi trung bình", "Mean time of trips"),
        Text("Của hàm hấp dẫn theo mũ.", "Of the exponential deterrence."),
        unit="min",
        default=10.0,
        gt=0.0,
        le=240.0,
    )
    capacity_cut: float = describe(
        Text("Phần sức chứa mất đi", "Capacity lost"),
        Text("Ngoài việc cấm hẳn: bớt bấy nhiêu sức chứa.", "Besides closing: this share of the room is lost."),
        unit="1",
        default=0.8,
        ge=0.05,
        le=0.99,
    )
    equilibria: int = describe(
        Text("Số đoạn tính cân bằng", "Stretches with equilibrium"),
        Text(
            "Với bao nhiêu đoạn đứng đầu thì bớt sức chứa và tính lại cân bằng; 0 là không tính.",
            "For how many of the first the capacity is cut and the equilibrium computed anew; 0 for none.",
        ),
        unit="1",
        default=6,
        ge=0,
        le=30,
    )
    closures: bool = describe(
        Text("Kể cả đường đang cấm", "Heed road works"),
        Text("Công trường và lệnh cấm đang có hiệu lực.", "Works and closures in force now."),
        default=True,
    )


def compute(view: CityView, inputs: RoadCriticalityInputs, progress: Progress) -> Outputs:
    """Return the stretches with their measures and ranks. Raises InputError for a city without roads or people."""
    progress.report(0.0, "đường và chuyến đi — roads and trips")
    roads = view.roads()
    if roads.graph.edge_count == 0:
        raise InputError("the city has no roads", hint="load a source of layer road_links")
    costs = ROUTERS.get(view, roads, Conditions(inputs.mode, view.now, closures=inputs.closures))
    graph, usable = costs.graph, np.isfinite(costs.seconds)
    everywhere = np.ones(graph.junction_count, np.bool_)
    people = place_residents(view, graph, everywhere).at_junctions(graph.junction_count)
    main = find_main_part(graph, usable, people)
    trips = make_trips(
        view, graph, costs.router, usable, main,
        places=inputs.places, per_person=inputs.trips_per_person, mean_time=60.0 * inputs.mean_time,
    )  # fmt: skip
    if not trips.demand.trips.sum() > 0.0:
        raise InputError("nobody lives by the roads of the city", hint="load population or wards with a population")
    progress.report(0.1, "đường nhiều chuyến đi — roads with most trips")
    behind = count_behind(graph, usable, trips.people)
    # Trips begin where dead ends do; in them are those of the people who live there.
    at_ends = inputs.trips_per_person * behind
    loads = np.maximum(load_roads(graph, costs.router, trips.demand), at_ends)
    stretches = choose_stretches(graph, usable, loads, behind, inputs.count)
    size = max(stretches.size, 1)
    words = "cấm từng đoạn — closing each"
    closed = close_each(
        graph, costs.router, trips.demand, stretches, lambda k: progress.report(0.2 + 0.3 * (k + 1) / size, words)
    )
    closed = replace(closed, unserved=np.where(closed.unserved > 0.0, closed.unserved, at_ends[stretches]))
    cut, without = count_cut_off(
        graph, usable, trips.people, trips.hospitals, stretches,
        lambda k: progress.report(0.5 + 0.2 * (k + 1) / size, words),
    )  # fmt: skip
    progress.report(0.7, "đường vòng — other ways")
    detours, ways = measure_redundancy(graph, costs.router, stretches, usable)
    ranks = rank_measures(loads[stretches], closed.unserved, closed.added, cut, detours)
    first = np.argsort(ranks["all"], kind="stable")
    chosen = first[: inputs.equilibria]
    cuts = cut_capacities(
        graph, costs.seconds, trips.demand, stretches[chosen], share=inputs.capacity_cut, pcu=PCU[inputs.mode],
        follow=lambda k: progress.report(0.75 + 0.24 * (k + 1) / size, "cân bằng mới — equilibria"),
    )  # fmt: skip
    congested = np.full(stretches.size, np.nan)
    congested[chosen] = cuts.added
    frame = list_stretches(
        view, roads, graph, stretches, ranks, loads[stretches], closed, cut, without, detours, ways, congested
    )
    return Outputs(
        title=Text(f"Đường trọng yếu: {stretches.size} đoạn", f"Critical roads: {stretches.size} stretches"),
        base_time=view.now,
        horizon_hours=0.0,
        features={"road_criticality": frame.iloc[first]},
        summary={
            "criticality": {
                "mode": inputs.mode,
                "trips": _tell_trips(trips, closed),
                "stretches": {
                    "edges": int(np.unique(graph.edges[usable]).size),
                    "tried": int(stretches.size),
                    "only_ways": int(np.count_nonzero(behind[stretches] > 0.0)),
                    "people_behind_only_ways": round(float(behind.max(initial=0.0))),
                },
                "agreement": correlate(ranks),
                "disagreements": _tell_disagreements(frame),
                "capacity": _tell_cuts(cuts, inputs, costs),
                "first": _tell_first(frame.iloc[first[:SHOWN]]),
            }
        },
        parameters={"roads": roads.stamp, "pcu": PCU[inputs.mode], "works": [work.id for work in costs.works]},
    )


def rank_measures(trips: Values, unserved: Values, added: Values, people: Values, detours: Values) -> dict[str, Values]:
    """Return the rank of each stretch (k,) by each measure, 1 the worst, equal ones alike, and over all.

    Over all counts the mean of the families, within each the mean of its measures.
    """
    values = dict(zip(MEASURES, (trips, unserved, added, people, detours), strict=True))
    # The mean of the places that equal ones share; an infinite detour is the worst and the same for all.
    shared = {name: rankdata(-each, method="average") for name, each in values.items()}
    ranks = {name: rankdata(-each, method="min") for name, each in values.items()}
    mean = np.mean([np.mean([shared[name] for name in family], axis=0) for family in FAMILIES], axis=0)
    return {**ranks, "all": rankdata(mean, method="ordinal")}


def correlate(ranks: dict[str, Values]) -> list[dict[str, Any]]:
    """Return Kendall's tau-b of each pair of measures, None where one of them tells nothing apart."""
    rows = []
    for one, two in combinations(MEASURES, 2):
        told = ranks[one].size > 1 and np.ptp(ranks[one]) > 0 and np.ptp(ranks[two]) > 0
        tau = float(kendalltau(ranks[one], ranks[two]).statistic) if told else None
        rows.append({"measures": [one, two], "kendall_tau": None if tau is None else round(tau, 3)})
    return rows


def list_stretches(
    view: CityView,
    roads: CityRoads,
    graph: RoadGraph,
    stretches: Index,
    ranks: dict[str, Values],
    loads: Values,
    closed: Closures,
    cut: Values,
    without: Values,
    detours: Values,
    ways: Index,
    congested: Values,
) -> gpd.GeoDataFrame:
    """Return the features of road_criticality, in the order of ``stretches``."""
    links = graph.edge_links[stretches]
    link = np.where(links[:, 0] >= 0, links[:, 0], links[:, 1])
    each = np.array([ranks[name] for name in MEASURES]).reshape(len(MEASURES), stretches.size)
    items = zip(roads.items[stretches], roads.parts[stretches], strict=True)
    return gpd.GeoDataFrame(
        {
            "id": [f"{item}-{part}" for item, part in items],
            "road_id": roads.items[stretches].astype(str),
            "name": [name or None for name in roads.names[stretches]],
            "road_class": np.array(ROAD_CLASSES, object)[graph.road_classes[link]],
            "level": np.array(LEVELS, object)[np.searchsorted(LAST_RANKS, ranks["all"])],
            "rank": ranks["all"].astype(int),
            **{f"rank_{name}": ranks[name].astype(int) for name in MEASURES},
            "rank_spread": np.ptp(each, axis=0).astype(int) if stretches.size else np.zeros(0, int),
            "trips": loads.round(1),
            "unserved_trips": closed.unserved.round(1),
            "added_time": closed.added.round(),
            "capacity_cut_time": congested.round(),
            "people_cut_off": cut.round().astype(int),
            "people_no_hospital": without.round().astype(int),
            "detour_ratio": np.where(np.isfinite(detours), detours, np.nan).round(2),
            "disjoint_ways": ways,
            "only_way": np.isinf(detours),
        },
        geometry=roads.lines(stretches),
        crs=view.crs,
    )


def _tell_trips(trips: CityTrips, closed: Closures) -> dict[str, Any]:
    demand = trips.demand
    return {
        "people": round(trips.residents.total),
        "trips": round(float(demand.trips.sum()), 1),
        "served": round(closed.served, 1),
        "person_hours": round(closed.spent / 3600.0, 1),
        "mean_minutes": round(closed.spent / max(closed.served, 1e-9) / 60.0, 2),
        "origins": int(demand.origins.size),
        "destinations": int(demand.destinations.size),
        "drawn_by": trips.drawn_by,
        "hospitals": int(trips.hospitals.size),
    }


def _tell_disagreements(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return the five stretches about which the measures disagree most, each with its ranks."""
    most = frame.sort_values(["rank_spread", "rank"], ascending=[False, True]).head(5)
    names = [f"rank_{name}" for name in MEASURES]
    return [
        {"road_id": row["road_id"], "name": row["name"], **{name: int(row[name]) for name in (*names, "rank_spread")}}
        for _, row in most.iterrows()
    ]


def _tell_cuts(cuts: CapacityCuts, inputs: RoadCriticalityInputs, costs: RoadCosts) -> dict[str, Any]:
    noise = cuts.gap * cuts.spent
    return {
        "share_lost": inputs.capacity_cut,
        "vehicle_hours": round(cuts.spent / PCU[inputs.mode] / 3600.0, 1),
        "gap": cuts.gap,
        "noise": round(noise / 3600.0, 3),
        "unserved_trips": round(cuts.lost / PCU[inputs.mode], 1),
        "tried": int(cuts.added.size),
        "better_with_less": int(np.count_nonzero(cuts.added < -noise)),
        "banned_turns_heeded": bool(costs.graph.arc_count == costs.graph.link_count),
    }


def _tell_first(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    columns = [name for name in frame.columns if name not in ("geometry", "id")]
    return [
        {name: None if value is None or value != value else value for name, value in zip(columns, row, strict=True)}
        for row in frame[columns].astype(object).itertuples(index=False)
    ]


PROCESS = Process(
    id="road-criticality",
    title=Text("Đường trọng yếu", "Critical roads"),
    description=Text(
        "Lần lượt cấm từng đoạn đường: bao nhiêu chuyến không đi được, thêm bao nhiêu thời gian, ai bị chia cắt, "
        "đường vòng dài bao nhiêu; bớt sức chứa thì cả thành phố mất bao lâu. Xếp hạng theo từng thước đo, và các "
        "thước đo giống nhau đến đâu.",
        "Closes stretches of road one at a time: trips without a way, time added, people cut off, how long the next "
        "way is; and what the whole city loses when capacity is cut. Ranks by each measure, and how far they agree.",
    ),
    inputs=RoadCriticalityInputs,
    outputs=("road_criticality",),
    compute=compute,
)
