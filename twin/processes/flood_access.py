"""Flood access: what water on roads takes away. One process from a flood run, or a level over the terrain, to who is
cut off, when help arrives, who goes to which shelter and which roads to open first.
"""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from layers.errors import InputError, TwinError
from layers.schema import Text
from network.access import plan_reopening
from network.flooded_roads import WATER_LIMITS
from network.roads import MODES
from twin.process import CityView, Outputs, Process, Progress
from twin.processes.flood_access_inputs import FloodAccessInputs
from twin.processes.flood_access_summary import (
    summarize_cells,
    summarize_people,
    summarize_places,
    summarize_reopening,
    summarize_roads,
    summarize_stops,
    summarize_wards,
)
from twin.roads.access import Account, Scene, follow_water, set_scene
from twin.roads.access_evacuation import evacuate
from twin.roads.access_features import list_cells, list_places, list_reopenings, list_roads, name_steps
from twin.roads.access_responders import find_detours, time_responders
from twin.roads.access_tub import fill_tub
from twin.roads.flooding import RoadWater, hold_water, read_run_water

CENTRES = 50
"""Cells with the most people that stand for the centres of a city without wards."""


def compute(view: CityView, inputs: FloodAccessInputs, progress: Progress) -> Outputs:
    """Return what the water takes away. Raises NotFoundError for a run, InputError for roads or a time not there."""
    progress.report(0.0, "đường và nước — roads and water")
    if view.roads().graph.edge_count == 0:
        raise InputError("the city has no roads", hint="load a source of layer road_links")
    water, told = _read_water(view, inputs)
    scene = set_scene(view, water, inputs.mode, inputs.closing_depth, water.times[0] if water.times else view.now)
    account = follow_water(scene, _aware(inputs.at), progress, 0.2, 0.45)
    _check(scene, account)
    progress.report(0.45, "cứu hộ, bệnh viện — first responders, hospitals")
    arrivals = time_responders(scene, account)
    centres, names = _find_centres(scene)
    detours = find_detours(scene, account, centres, names)
    progress.report(0.65, "sơ tán — evacuation")
    shelters = evacuate(scene, account, inputs.evacuation_depth, view.crs)
    progress.report(0.8, "thứ tự mở đường — which roads to reopen")
    inside = np.where(scene.main, scene.people, 0.0)
    hours = account.measure(account.cut_off) / 3600.0 if len(account.times) > 1 else None
    open_now = scene.usable & ~account.closed_now[scene.graph.edges]
    plan = plan_reopening(
        scene.graph,
        scene.usable,
        open_now,
        inside,
        person_hours=None if hours is None else inside * hours,
        steps=inputs.reopen_steps,
    )
    roads = name_steps(scene, plan)
    progress.report(0.9, "lập bảng — tables")
    start = water.times[0] if water.times else view.now
    return Outputs(
        title=_entitle(view, inputs, account),
        base_time=start,
        horizon_hours=(water.times[-1] - start).total_seconds() / 3600.0 if water.times else 0.0,
        features={
            "flooded_roads": list_roads(scene, account),
            "cut_off_areas": list_cells(scene, account, plan, roads),
            "access_places": list_places(scene, account, shelters.loads),
            "evacuation_routes": shelters.routes,
            "road_reopenings": list_reopenings(scene, plan),
        },
        summary={
            "water": {
                **told,
                "time_shown": None if account.moment is None else account.moment.isoformat(),
                "steps": len(account.times),
            },
            "mode": inputs.mode,
            "roads": summarize_roads(scene, account),
            "people": summarize_people(scene, account),
            "cells": summarize_cells(scene, account),
            "places": summarize_places(scene, account),
            "stops": summarize_stops(scene, account),
            "wards": summarize_wards(scene, account, arrivals),
            "responders": {name: arrival.summary for name, arrival in arrivals.items()},
            "detours": detours,
            "evacuation": shelters.summary,
            "reopening": summarize_reopening(plan, roads, "people" if hours is None else "person_hours"),
        },
        parameters={
            "closing_depth": {
                mode: inputs.closing_depth or WATER_LIMITS[mode].depth
                if mode == inputs.mode
                else WATER_LIMITS[mode].depth
                for mode in MODES
            },
            "closing_product": {mode: WATER_LIMITS[mode].product for mode in MODES},
            "roads": scene.roads.stamp,
        },
    )


def _read_water(view: CityView, inputs: FloodAccessInputs) -> tuple[RoadWater, dict[str, Any]]:
    if inputs.stage is None:
        run = inputs.run or view.find_newest_run("flood_depth_max")
        return read_run_water(view, view.roads(), run), {"run": run, "stage": None}
    tub = fill_tub(view, inputs.stage, river_below=inputs.river_below, cell_size=inputs.cell_size)
    water = hold_water(view, view.roads(), tub.depth, tub.bed, tub.grid)
    return water, {"run": None, "stage": inputs.stage, **tub.notes}


def _check(scene: Scene, account: Account) -> None:
    """Raise TwinError where more people are cut off than live there, which no flood can do."""
    cut = float(scene.people[account.cut_now].sum())
    if cut > scene.residents.total * (1.0 + 1e-9) + 1e-6:
        raise TwinError(f"{cut:,.0f} people are cut off of {scene.residents.total:,.0f}: the account does not close")


def _find_centres(scene: Scene) -> tuple[np.ndarray[Any, np.dtype[np.int64]], list[str]]:
    """Return a junction amid the people of each ward with its name; of the fullest cells in a city without wards."""
    people, own = scene.people, scene.junction_wards
    xy = scene.graph.junction_xy
    found, names = [], []
    for ward in range(len(scene.wards)):
        inside = np.flatnonzero((own == ward) & (people > 0.0))
        if inside.size:
            middle = np.average(xy[inside], axis=0, weights=people[inside])
            found.append(int(inside[np.hypot(*(xy[inside] - middle).T).argmin()]))
            names.append(str(scene.wards["name"].iloc[ward]))
    if found:
        return np.array(found, np.int64), names
    residents = scene.residents
    cell, first = np.unique(residents.cell, return_index=True)
    fullest = np.argsort(-residents.cells["people"].to_numpy()[cell], kind="stable")[:CENTRES]
    chosen = first[fullest]
    return residents.junction[chosen], residents.cells["id"].iloc[residents.cell[chosen]].tolist()


def _entitle(view: CityView, inputs: FloodAccessInputs, account: Account) -> Text:
    if inputs.stage is not None:
        level = f"{inputs.stage:g}"
        return Text(f"Đi lại khi nước ở mức {level.replace('.', ',')} m", f"Access with water at {level} m")
    if account.moment is None:
        return Text("Đi lại khi ngập cao nhất", "Access at the height of the flood")
    local = account.moment.astimezone(view.zone)
    return Text(f"Đi lại khi ngập lúc {local:%H:%M ngày %d/%m/%Y}", f"Access under water on {local:%d/%m/%Y at %H:%M}")


def _aware(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


PROCESS = Process(
    id="flood-access",
    title=Text("Đi lại khi ngập", "Flood access"),
    description=Text(
        "Nước trên đường lấy đi những gì: đường chậm, đường cấm theo từng loại xe và từng lúc; ai bị chia cắt, mất "
        "bệnh viện, trạm dừng nào mất; cứu hộ đến chậm bao nhiêu; sơ tán đến đâu; nên mở lại đường nào trước.",
        "What water on roads takes away: slow and closed roads by mode and time; who is cut off or reaches no "
        "hospital, which stops are lost; how late help arrives; who goes to which shelter; what to reopen first.",
    ),
    inputs=FloodAccessInputs,
    outputs=("flooded_roads", "cut_off_areas", "access_places", "evacuation_routes", "road_reopenings"),
    compute=compute,
)
