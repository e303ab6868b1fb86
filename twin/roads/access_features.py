"""The features a flood-access run writes: roads, cells, places, roads to reopen."""

from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from network.access import ReopeningPlan
from network.roads import MODES, ROAD_CLASSES, Mask, Values
from twin.roads.access import Account, Scene, class_states, measure_edges

LEAST_SHOWN = 0.02
"""Roads with less water than this [m] at any time are not drawn, unless they are closed."""

ALWAYS = ("hospital", "shelter", "fire_station")
"""Categories that are told even where they are reachable."""

Index = NDArray[np.int64]


def list_roads(scene: Scene, account: Account) -> gpd.GeoDataFrame:
    """Return the stretches under water as features of flooded_roads; their state is that of the time shown."""
    graph, roads, water = scene.graph, scene.roads, scene.water
    states, speed, free = class_states(scene, account.now, account.closed_now)
    deepest = np.maximum(water.peak.deepest, account.now.deepest)
    shown = np.flatnonzero((deepest >= LEAST_SHOWN) | account.closed.any(axis=0))
    first, last, seconds = account.find_spans(account.closed[:, shown])
    by_mode = [scene.find_closed(account.now, mode)[shown] for mode in MODES]
    classes = np.full(graph.edge_count, ROAD_CLASSES.index("other"))
    classes[graph.edges] = graph.road_classes
    names = roads.names[shown]
    return gpd.GeoDataFrame(
        {
            "id": [f"{item}-{part}" for item, part in zip(roads.items[shown], roads.parts[shown], strict=True)],
            "road_id": roads.items[shown].astype(str),
            "name": [name or None for name in names],
            "road_class": np.array(ROAD_CLASSES, dtype=object)[classes[shown]],
            "state": states[shown],
            "closed_to": _join_modes(by_mode, shown.size),
            "depth_max": deepest[shown].astype(np.float64).round(3),
            "depth": account.now.deepest[shown].astype(np.float64).round(3),
            "speed": speed[shown].round(1),
            "free_speed": free[shown].round(1),
            "closed_from": _tell(account.times, first),
            "closed_until": _tell(account.times, last),
            "closed_time": np.where(first >= 0, seconds, np.nan) if account.times else np.nan,
            "length": measure_edges(graph)[shown].round(1),
        },
        geometry=roads.lines(shown),
        crs=scene.residents.cells.crs,
    )


def list_cells(scene: Scene, account: Account, plan: ReopeningPlan, names: list[str]) -> gpd.GeoDataFrame:
    """Return the cells with people cut off, or without a hospital, at any time as features of cut_off_areas.

    names: the road that each step of the plan opens.
    """
    residents = scene.residents
    ever = account.cut_off.any(axis=0) | account.cut_now
    touched = residents.add_up((ever | account.no_hospital_now).astype(np.float64))
    chosen = np.flatnonzero(touched > 0.0)
    found, people = residents.cells.iloc[chosen], residents.cells["people"].to_numpy()
    cut = residents.add_up(account.cut_now.astype(np.float64))
    time = residents.add_up(np.nan_to_num(account.measure(account.cut_off)))
    time /= np.maximum(residents.add_up(ever.astype(np.float64)), 1e-9)
    first, last, _ = account.find_spans(_spread_cells(scene, account.cut_off))
    steps = np.full(people.size, -1, np.int64)
    np.maximum.at(steps, residents.cell, plan.regained[residents.junction])
    step = steps[chosen]
    ward = np.full(people.size, -1, np.int64)
    np.maximum.at(ward, residents.cell, scene.junction_wards[residents.junction])
    without = residents.add_up(account.no_hospital_now.astype(np.float64))
    return gpd.GeoDataFrame(
        {
            "id": found["id"].to_numpy(),
            "area_id": found["id"].to_numpy(),
            "people": people[chosen].round().astype(np.int64),
            "people_cut_off": cut[chosen].round().astype(np.int64),
            "share": (cut / np.maximum(people, 1e-9))[chosen].clip(0.0, 1.0).round(4),
            "people_no_hospital": without[chosen].round().astype(np.int64),
            "cut_from": _tell(account.times, first[chosen]),
            "cut_until": _tell(account.times, last[chosen]),
            "cut_time": time[chosen].round() if account.times else np.nan,
            "reopen_step": pd.array(np.where(step >= 0, step + 1.0, np.nan), dtype="Int64"),
            "reopen_road": _pick(names, step),
            "ward_code": _pick(scene.wards["ward_code"].tolist(), ward[chosen]),
        },
        geometry=found.geometry.to_numpy(),
        crs=found.crs,
    )


def list_places(scene: Scene, account: Account, loads: NDArray[np.int64]) -> gpd.GeoDataFrame:
    """Return the places that matter in a flood, and others that are not reachable, as features of access_places."""
    places = scene.places
    states = judge_places(scene, account)
    frame = places.frame
    kept = np.flatnonzero(frame["category"].isin(ALWAYS).to_numpy(dtype=bool) | (states != "reachable"))
    junction = places.junction[kept]
    cut = account.cut_off[:, junction] & (junction >= 0)
    first, _, seconds = account.find_spans(cut)
    own = frame.iloc[kept]
    return gpd.GeoDataFrame(
        {
            "id": (own["place_layer"] + "." + own["place_id"]).to_numpy(),
            "place_layer": own["place_layer"].to_numpy(),
            "place_id": own["place_id"].to_numpy(),
            "name": own["name"].to_numpy(),
            "category": own["category"].to_numpy(),
            "state": states[kept],
            "depth": places.depth[kept].round(3),
            "cut_from": _tell(account.times, first),
            "cut_time": np.where(first >= 0, seconds, np.nan) if account.times else np.nan,
            "capacity": pd.array(pd.to_numeric(own["capacity"]).round().to_numpy(), dtype="Int64"),
            "load": pd.array(np.where(own["category"] == "shelter", loads[kept], np.nan), dtype="Int64"),
            "ward_code": own["ward_code"].to_numpy(),
        },
        geometry=own.geometry.to_numpy(),
        crs=frame.crs,
    )


def judge_places(scene: Scene, account: Account) -> NDArray[np.object_]:
    """Return the state of each place (n,): under water, cut off, or reachable, also where no road is near.

    A stop is cut off too where the road it lies at is closed to buses.
    """
    places = scene.places
    met = places.junction >= 0
    cut = met & account.cut_now[places.junction]
    closed = scene.find_closed(account.now, "bus")
    at_closed = met & closed[places.edge] & (places.frame["category"] == "stop").to_numpy(dtype=bool)
    return np.where(places.flooded, "flooded", np.where(cut | at_closed, "cut_off", "reachable")).astype(object)


def list_reopenings(scene: Scene, plan: ReopeningPlan) -> gpd.GeoDataFrame:
    """Return the stretches to reopen as features of road_reopenings."""
    roads = scene.roads
    edges = np.concatenate([step.edges for step in plan.steps]) if plan.steps else np.zeros(0, np.int64)
    number = np.repeat(np.arange(len(plan.steps)), [step.edges.size for step in plan.steps])
    names = roads.names[edges]

    def of_steps(values: list[float]) -> Values:
        return np.array(values, np.float64)[number]

    return gpd.GeoDataFrame(
        {
            "id": [f"{step + 1}-{edge}" for step, edge in zip(number, edges, strict=True)],
            "step": number + 1,
            "road_id": roads.items[edges].astype(str),
            "name": [name or None for name in names],
            "depth": scene.water.peak.deepest[edges].astype(np.float64).round(3),
            "length": measure_edges(scene.graph)[edges].round(1),
            "step_length": of_steps([step.length for step in plan.steps]).round(1),
            "people": of_steps([step.people for step in plan.steps]).round().astype(np.int64),
            "people_total": of_steps([step.people_total for step in plan.steps]).round().astype(np.int64),
        },
        geometry=roads.lines(edges),
        crs=scene.residents.cells.crs,
    )


def name_steps(scene: Scene, plan: ReopeningPlan) -> list[str]:
    """Return the name of the longest road that each step opens, its id where it has no name."""
    length = measure_edges(scene.graph)
    found = []
    for step in plan.steps:
        longest = int(step.edges[length[step.edges].argmax()])
        found.append(str(scene.roads.names[longest] or scene.roads.items[longest]))
    return found


def _spread_cells(scene: Scene, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which cells hold a junction that is flagged (steps, cells), of (steps, junctions)."""
    found = np.zeros((flags.shape[0], len(scene.residents.cells)), np.bool_)
    for step in range(flags.shape[0]):
        found[step, scene.residents.cell[flags[step, scene.residents.junction]]] = True
    return found


def _pick(words: list[str], places: Index) -> list[str | None]:
    """Return the word at each place (n,), None for -1."""
    return [words[place] if place >= 0 else None for place in places.tolist()]


def _join_modes(closed: list[Mask], count: int) -> list[str | None]:
    found = [", ".join(mode for mode, mask in zip(MODES, closed, strict=True) if mask[i]) for i in range(count)]
    return [words or None for words in found]


def _tell(times: tuple[datetime, ...], steps: Index) -> pd.Series:
    """Return the time of each step (n,), none for a step before the first or after the last."""
    known = [times[step] if 0 <= step < len(times) else None for step in steps.tolist()]
    return pd.Series(pd.to_datetime(pd.Series(known, dtype=object), utc=True).to_numpy(), dtype="datetime64[ns, UTC]")
