"""The numbers of a flood-access run, as plain JSON: lengths [m], times [s], people."""

from typing import Any

import numpy as np

from network.access import ReopeningPlan, find_cut_off, find_main_part
from network.flooded_roads import WATER_LIMITS
from network.roads import MODES, ROAD_CLASSES
from twin.roads.access import Account, Scene, class_states, measure_edges
from twin.roads.access_features import judge_places
from twin.roads.access_people import FACILITIES
from twin.roads.access_responders import Arrival, read_medians

MOST_ROWS = 200
CUT_SHARE = 0.5
"""What a cell counts is cut off where this share of its people is."""


def summarize_roads(scene: Scene, account: Account) -> dict[str, Any]:
    """Return the lengths of road that are slow and closed at the time shown, by mode (and people cut off) and class."""
    graph, water = scene.graph, scene.water
    length = measure_edges(graph)
    states, _, _ = class_states(scene, account.now, account.closed_now)
    used = np.zeros(graph.edge_count, np.bool_)
    used[graph.edges[scene.usable]] = True
    classes = np.full(graph.edge_count, ROAD_CLASSES.index("other"))
    classes[graph.edges] = graph.road_classes
    peak = scene.find_closed(water.peak)

    def add(which: Any) -> float:
        return round(float(length[which].sum()), 1)

    return {
        "length": add(used),
        "wet_length": add(used & (account.now.deepest > 0.05)),
        "slow_length": add(used & (states == "slow")),
        "closed_length": add(used & account.closed_now),
        "closed_length_peak": add(used & peak),
        "closed_from_depth": scene.closing_depth or WATER_LIMITS[scene.mode].depth,
        "unknown_length": round(float((length * water.outside)[used].sum()), 1),
        "above_water_length": add(used & water.bridges),
        "own_elevation_length": add(used & water.lifted),
        "by_mode": [_summarize_mode(scene, account, mode, length) for mode in MODES],
        "by_class": [
            {
                "road_class": name,
                "length": add(used & (classes == number)),
                "closed_length": add(used & account.closed_now & (classes == number)),
            }
            for number, name in enumerate(ROAD_CLASSES)
            if (used & (classes == number)).any()
        ],
    }


def summarize_people(scene: Scene, account: Account) -> dict[str, Any]:
    """Return how many people are cut off, at the time shown and over time."""
    people = scene.people
    seconds = account.measure(account.cut_off)
    steps = account.cut_off @ people
    return {
        "source": scene.residents.source,
        "people": round(scene.residents.total),
        "without_a_road": round(scene.residents.unplaced),
        "cut_off": round(float(people[account.cut_now].sum())),
        "cut_off_ever": round(float(people[account.cut_off.any(axis=0) | account.cut_now].sum())),
        "person_hours": round(float((people * seconds).sum()) / 3600.0, 1) if len(account.times) > 1 else None,
        "no_hospital": round(float(people[account.no_hospital_now].sum())) if account.has_hospitals else None,
        "steps": [
            {
                "time": time.isoformat(),
                "cut_off": round(float(cut)),
                "closed_length": round(float(measure_edges(scene.graph)[closed].sum()), 1),
            }
            for time, cut, closed in zip(account.times, steps, account.closed, strict=True)
        ]
        if account.times
        else [],
    }


def summarize_places(scene: Scene, account: Account) -> dict[str, Any]:
    """Return how many places of each category are under water, cut off or have no road near."""
    states = judge_places(scene, account)
    category = scene.places.frame["category"].to_numpy(dtype=object)
    return {
        str(name): {
            "count": int((category == name).sum()),
            "flooded": int(((category == name) & (states == "flooded")).sum()),
            "cut_off": int(((category == name) & (states == "cut_off")).sum()),
            "no_road_near": int(((category == name) & (scene.places.junction < 0)).sum()),
        }
        for name in sorted(set(category.tolist()))
    }


def summarize_stops(scene: Scene, account: Account) -> dict[str, int]:
    """Return how many stops are lost: under water, at a road closed to buses, or cut off."""
    found = summarize_places(scene, account).get("stop", {"count": 0, "flooded": 0, "cut_off": 0})
    return {"count": found["count"], "lost": found["flooded"] + found["cut_off"], "flooded": found["flooded"]}


def summarize_cells(scene: Scene, account: Account) -> dict[str, dict[str, int]]:
    """Return what population cells count besides people: in all, and in those of which half the people are cut off."""
    residents = scene.residents
    cells = residents.cells
    share = residents.add_up(account.cut_now.astype(np.float64)) / np.maximum(cells["people"].to_numpy(), 1e-9)
    return {
        name: {"count": int(cells[name].sum()), "cut_off": int(cells.loc[share >= CUT_SHARE, name].sum())}
        for name in FACILITIES
        if name in cells and cells[name].sum() > 0
    }


def summarize_wards(scene: Scene, account: Account, arrivals: dict[str, Arrival]) -> list[dict[str, Any]]:
    """Return a row for each ward with people: cut off, and when responders arrive, before and under water."""
    people, wards = scene.people, scene.wards
    own = scene.junction_wards
    count = len(wards)
    inside = own >= 0
    seconds = np.nan_to_num(account.measure(account.cut_off))

    def add(values: Any) -> Any:
        return np.bincount(own[inside], (people * values)[inside], count)

    lives, cut, hours = add(np.ones(people.size)), add(account.cut_now.astype(float)), add(seconds) / 3600.0
    times = {
        name: (read_medians(each.dry, people, own, count), read_medians(each.wet, people, own, count))
        for name, each in arrivals.items()
    }
    rows: list[dict[str, Any]] = [
        {
            "ward_code": str(wards["ward_code"].iloc[i]),
            "name": str(wards["name"].iloc[i]),
            "people": round(float(lives[i])),
            "cut_off": round(float(cut[i])),
            "person_hours": round(float(hours[i]), 1) if len(account.times) > 1 else None,
            **{
                f"{name}_{when}": values[i]
                for name, pair in times.items()
                for when, values in zip(("before", "under_water"), pair, strict=True)
            },
        }
        for i in range(count)
        if lives[i] > 0
    ]
    return sorted(rows, key=lambda row: -row["cut_off"])[:MOST_ROWS]


def summarize_reopening(plan: ReopeningPlan, names: list[str], counted: str) -> list[dict[str, Any]]:
    """Return a row for each step of the order in which to reopen roads."""
    return [
        {
            "step": number + 1,
            "road": names[number],
            "stretches": int(step.edges.size),
            "length": round(step.length, 1),
            "people": round(step.people),
            "people_total": round(step.people_total),
            **(
                {
                    "person_hours": round(step.person_hours, 1),
                    "person_hours_total": round(step.person_hours_total, 1),
                }
                if counted == "person_hours"
                else {}
            ),
        }
        for number, step in enumerate(plan.steps)
    ]


def _summarize_mode(scene: Scene, account: Account, mode: str, length: Any) -> dict[str, Any]:
    """Return what the water shown takes from those who move by a mode: length of road, and people cut off."""
    graph, own = scene.graph, mode == scene.mode
    usable = scene.usable if own else graph.allows(mode)
    used = np.zeros(graph.edge_count, np.bool_)
    used[graph.edges[usable]] = True
    closed = scene.find_closed(account.now, mode)
    if own:
        cut = account.cut_now
    else:
        main = find_main_part(graph, usable, scene.people)
        cut = find_cut_off(graph, main, usable & ~closed[graph.edges], scene.people)
    depth = scene.closing_depth if own and scene.closing_depth else WATER_LIMITS[mode].depth
    return {
        "mode": mode,
        "closed_from_depth": depth,
        "closed_length": round(float(length[used & closed].sum()), 1),
        "cut_off": round(float(scene.people[cut].sum())),
    }
