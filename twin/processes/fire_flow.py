"""Fire flow: the pressure left at every hydrant at the flow asked of it, and what it can give."""

import os
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from layers.errors import InputError, NotFoundError, TooLargeError
from layers.schema import Text
from network.epanet.fire_flow import LARGEST_FLOW, FireFlow, measure_fire_flow
from twin.process import CityView, Outputs, Process, Progress, StoppedError, describe
from twin.processes.water_inputs import WaterInputs, prepare_study
from twin.water.network import WaterNetwork
from twin.water.study import Study

MOST_HYDRANTS = 50_000
_CLASSES = (0.032, 0.063, 0.095)
_WORDS = np.array(["C", "B", "A", "AA"], object)
_NEAR = 100.0
"""A hydrant that names no node hangs on the nearest junction within this [m]."""


class FireFlowInputs(WaterInputs):
    """What a fire-flow test is asked."""

    flow: float = describe(
        Text("Lưu lượng chữa cháy", "Fire flow"),
        Text(
            "Lưu lượng mỗi trụ phải cấp (QCVN 06:2022/BXD: 10–35 l/s tùy quy mô).",
            "What each hydrant must give (QCVN 06:2022/BXD: 10–35 l/s by size of the place).",
        ),
        unit="L/s",
        default=15.0,
        gt=0.0,
        le=1000.0 * LARGEST_FLOW,
    )
    pressure: float = describe(
        Text("Áp lực tối thiểu ở trụ", "Least pressure at the hydrant"),
        Text("Áp lực mà xe chữa cháy cần ở trụ.", "Pressure that a fire engine needs at the hydrant."),
        unit="m",
        default=10.0,
        ge=0.0,
        le=100.0,
    )
    hour: float = describe(
        Text("Giờ trong ngày", "Hour of the day"),
        Text("Nhu cầu khác lấy theo giờ này.", "Other demands are those of this hour."),
        unit="h",
        default=18.0,
        ge=0.0,
        le=24.0,
    )
    hydrants: tuple[str, ...] = describe(
        Text("Trụ", "Hydrants"),
        Text("Chỉ thử các trụ này; bỏ trống là tất cả.", "Only these are tested; all if not given."),
        default=(),
        max_length=5000,
    )


def compute(view: CityView, inputs: FireFlowInputs, progress: Progress) -> Outputs:
    """Return the fire flow of the hydrants. Raises NotFoundError where there is none."""
    study = prepare_study(view, inputs, progress)
    network, model = study.network, study.model
    hydrants, nodes, left_out = _find_hydrants(view, network, inputs)
    run = study.solve(progress, span=(0.05, 0.15))
    tested = np.flatnonzero(~run.cut_off[nodes])

    def told(done: int) -> bool:
        progress.report(0.15 + 0.8 * done / len(tested), f"trụ {done} / {len(tested)} — hydrants")
        return progress.should_stop()

    found = measure_fire_flow(
        model.text,
        [model.nodes[k] for k in nodes[tested]],
        np.full(len(tested), inputs.flow / 1000.0),
        pressure=inputs.pressure,
        time=round(inputs.hour * 3600.0),
        workers=min(4, os.cpu_count() or 1) if len(tested) * len(network.nodes) > 5_000_000 else 1,
        prepare=study.prepare,
        told=told,
    )
    if progress.should_stop():
        raise StoppedError
    frame = _frame(hydrants, study, nodes, tested, found, inputs)
    return Outputs(
        title=Text(
            f"Chữa cháy: {inputs.flow:g} l/s, {inputs.pressure:g} m lúc {inputs.hour:g} giờ",
            f"Fire flow: {inputs.flow:g} l/s, {inputs.pressure:g} m at {inputs.hour:g} h",
        ),
        base_time=study.begins,
        horizon_hours=inputs.hour,
        features={"hydrant_flows": frame},
        summary=_summarise(frame, left_out, inputs),
        parameters={"flow": inputs.flow, "pressure": inputs.pressure, "hour": inputs.hour, "engine": "EPANET 2.3"},
    )


def _find_hydrants(
    view: CityView, network: WaterNetwork, inputs: FireFlowInputs
) -> tuple[gpd.GeoDataFrame, NDArray[np.int64], dict[str, list[str]]]:
    """Return the hydrants with the row of the junction of each, and the ids of those without one, by reason."""
    hydrants = view.layer("hydrants", columns=["node_id", "ward_code", "status"])
    if inputs.hydrants:
        for key in inputs.hydrants:
            if key not in set(hydrants["id"]):
                raise InputError(f"'{key[:80]}' in hydrants is no hydrant of the city")
        hydrants = hydrants[hydrants["id"].isin(inputs.hydrants)].reset_index(drop=True)
    if not len(hydrants):
        raise NotFoundError("the city has no hydrant", hint="type: twin load FILE --layer hydrants")
    if len(hydrants) > MOST_HYDRANTS:
        raise TooLargeError(f"{len(hydrants):,} hydrants, expected at most {MOST_HYDRANTS:,}", hint="name some of them")
    junctions = np.flatnonzero((network.nodes["node_type"] == "junction").to_numpy())
    row_of = {network.nodes["id"].iloc[k]: int(k) for k in junctions}
    at = hydrants["node_id"].map(row_of).to_numpy(np.float64, copy=True)
    missing = np.flatnonzero(np.isnan(at))
    if missing.size and junctions.size:
        tree = shapely.STRtree(network.nodes.geometry.to_numpy()[junctions])
        which, nearest = tree.query_nearest(
            hydrants.geometry.to_numpy()[missing], max_distance=_NEAR, all_matches=False
        )
        at[missing[which]] = junctions[nearest]
    lost = np.isnan(at)
    left = {"no junction near": hydrants.loc[lost, "id"].tolist()} if lost.any() else {}
    return hydrants[~lost].reset_index(drop=True), at[~lost].astype(np.int64), left


def _frame(
    hydrants: gpd.GeoDataFrame,
    study: Study,
    nodes: NDArray[np.int64],
    tested: NDArray[np.int64],
    found: FireFlow,
    inputs: FireFlowInputs,
) -> gpd.GeoDataFrame:
    def spread(values: NDArray[np.float64], missing: float) -> NDArray[np.float64]:
        column = np.full(len(hydrants), missing)
        column[tested] = values
        return column

    available = spread(found.available, 0.0)
    residual = spread(found.residual, np.nan)
    names = study.network.nodes["id"].to_numpy(object)
    id_of = dict(zip(study.model.nodes, names, strict=True))
    lowest = np.full(len(hydrants), None, object)
    lowest[tested] = [id_of.get(name) for name in found.lowest_node]
    return gpd.GeoDataFrame(
        {
            "id": hydrants["id"],
            "hydrant_id": hydrants["id"],
            "node_id": names[nodes],
            "fire_class": _WORDS[np.digitize(available, _CLASSES)],
            "is_sufficient": np.nan_to_num(residual, nan=-1.0) >= inputs.pressure,
            "static_pressure": spread(found.static, np.nan).clip(-100.0).round(2),
            "required_flow": np.full(len(hydrants), inputs.flow / 1000.0),
            "residual_pressure": residual.clip(-100.0).round(2),
            "available_flow": available.round(5),
            "lowest_pressure": spread(found.lowest, np.nan).clip(-100.0).round(2),
            "lowest_node": lowest,
            "ward_code": hydrants["ward_code"],
        },
        geometry=hydrants.geometry.to_numpy(),
        crs=hydrants.crs,
    )


def _summarise(frame: gpd.GeoDataFrame, left_out: Mapping[str, list[str]], inputs: FireFlowInputs) -> dict[str, Any]:
    counts = frame["fire_class"].value_counts()
    sufficient = int(frame["is_sufficient"].sum())
    weakest = frame.nsmallest(10, "available_flow")[["hydrant_id", "available_flow", "residual_pressure"]]
    return {
        "hydrants": len(frame),
        "sufficient": sufficient,
        "insufficient": len(frame) - sufficient,
        "by_class": {str(name): int(count) for name, count in counts.items()},
        "required_flow": inputs.flow / 1000.0,
        "pressure": inputs.pressure,
        "available_flow_median": round(float(frame["available_flow"].median()), 5) if len(frame) else None,
        "weakest": [
            {name: None if pd.isna(value) else value for name, value in row.items()}
            for row in weakest.to_dict("records")
        ],
        "left_out": {reason: {"count": len(ids), "ids": ids[:20]} for reason, ids in left_out.items()},
    }


PROCESS = Process(
    id="fire-flow",
    title=Text("Khả năng cấp nước chữa cháy", "Fire flow"),
    description=Text(
        "Áp lực còn lại và lưu lượng lấy được ở từng trụ chữa cháy, mỗi lần một trụ.",
        "Pressure left and flow available at every hydrant, one burning at a time.",
    ),
    inputs=FireFlowInputs,
    outputs=("hydrant_flows",),
    compute=compute,
)
