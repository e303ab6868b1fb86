"""Water age: how old the water is at every node, which source it is from, how much chlorine is left."""

from typing import Any

import geopandas as gpd
import numpy as np

from layers.errors import InputError
from layers.schema import Text
from network.epanet.project import Project
from network.epanet.quality import Kind, QualityRun, run_quality
from twin.process import CityView, Outputs, Process, Progress, StoppedError, describe
from twin.processes.water_inputs import WaterInputs, prepare_study
from twin.water.network import find_cut_off
from twin.water.run import describe_balance
from twin.water.study import Study

_AGES = (6.0 * 3600, 24.0 * 3600, 72.0 * 3600)
_WORDS = np.array(["fresh", "young", "old", "stale"], object)
STEADY = 0.05
"""Change from one day to the next below which a run was long enough [1]."""


class WaterAgeInputs(WaterInputs):
    """What a run of water age, source and chlorine is asked."""

    duration_hours: int = describe(
        Text("Thời gian mô phỏng", "Duration"),
        Text(
            "Phải dài hơn thời gian nước nằm trong mạng; kết quả là của ngày cuối.",
            "Longer than water stays in the network; results are those of the last day.",
        ),
        unit="h",
        default=168,
        ge=48,
        le=720,
    )
    source: str | None = describe(
        Text("Nguồn cần truy", "Source to trace"),
        Text(
            "Mã bể hay nguồn: tỷ lệ nước từ đó tới từng nút; bỏ trống thì không truy.",
            "Id of a reservoir or tank: the share of the water from it; none is traced if not given.",
        ),
        default=None,
    )
    chlorine_dose: float = describe(
        Text("Clo ở nguồn", "Chlorine at sources"),
        Text("Nồng độ clo mà mỗi nguồn cấp.", "Chlorine that every source gives."),
        unit="mg/L",
        default=0.5,
        ge=0.0,
        le=10.0,
    )
    chlorine_decay: float = describe(
        Text("Hệ số phân hủy clo", "Decay of chlorine"),
        Text("Tốc độ phân hủy bậc một trong nước.", "First-order decay in the water."),
        unit="1/d",
        default=0.5,
        ge=0.0,
        le=50.0,
    )


def compute(view: CityView, inputs: WaterAgeInputs, progress: Progress) -> Outputs:
    """Return age, share and chlorine of the last day. Raises InputError for a source that is not there."""
    study = prepare_study(view, inputs, progress)
    kinds: tuple[Kind, ...] = ("age", "trace", "chlorine") if inputs.source else ("age", "chlorine")
    runs: dict[str, QualityRun] = {}
    for number, kind in enumerate(kinds):
        if progress.should_stop():
            raise StoppedError
        progress.report(0.1 + 0.8 * number / len(kinds), "chất lượng nước — water quality")
        runs[kind] = _run(study, kind, inputs)
    frame, at_rest = _frame(study, runs)
    balance = describe_balance(runs["age"].balance)
    return Outputs(
        title=Text("Tuổi nước, clo dư", "Water age and chlorine"),
        base_time=study.begins,
        horizon_hours=float(inputs.duration_hours),
        features={"water_qualities": frame},
        summary={**_summarise(frame, runs, inputs), "without_flow": at_rest, "water": balance},
        balance=balance,
        parameters={"engine": "EPANET 2.3", "decay": inputs.chlorine_decay, "dose": inputs.chlorine_dose},
    )


def _run(study: Study, kind: Kind, inputs: WaterAgeInputs) -> QualityRun:
    network, model, source = study.network, study.model, None
    if kind == "trace":
        rows = np.flatnonzero(network.nodes["id"].to_numpy(object) == inputs.source)
        if not rows.size or network.nodes["node_type"].iloc[rows[0]] == "junction":
            known = network.nodes.loc[network.nodes["node_type"] != "junction", "id"]
            raise InputError(
                f"source '{str(inputs.source)[:80]}' is no reservoir or tank of the water network",
                hint=f"there are {', '.join(known[:20])}",
            )
        source = model.nodes[rows[0]]
    with Project(model.text) as project:
        study.prepare(project)
        run = run_quality(project, kind, source=source, dose=inputs.chlorine_dose, decay=inputs.chlorine_decay)
        return run.take(project.nodes.find(model.nodes), project.links.find(model.links))


def _frame(study: Study, runs: dict[str, QualityRun]) -> tuple[gpd.GeoDataFrame, int]:
    """Return the nodes that water reaches, and how many it does not."""
    network = study.network
    reached = ~find_cut_off(network, runs["age"].opened > 0.0)
    nodes = network.nodes
    age, chlorine = runs["age"].spread, runs["chlorine"].spread
    share = runs["trace"].spread.mean.clip(0.0, 1.0).round(4) if "trace" in runs else np.full(len(nodes), np.nan)
    frame = gpd.GeoDataFrame(
        {
            "id": nodes["id"],
            "node_id": nodes["id"],
            "age_class": _WORDS[np.digitize(age.mean, _AGES)],
            "age_mean": age.mean.clip(0.0).round(),
            "age_max": age.largest.clip(0.0).round(),
            "source_share": share,
            "chlorine_mean": chlorine.mean.clip(0.0).round(4),
            "chlorine_min": chlorine.least.clip(0.0).round(4),
            "dma_id": study.areas,
        },
        geometry=nodes.geometry.to_numpy(),
        crs=nodes.crs,
    )
    return frame[reached].reset_index(drop=True), int((~reached).sum())


def _summarise(frame: gpd.GeoDataFrame, runs: dict[str, QualityRun], inputs: WaterAgeInputs) -> dict[str, Any]:
    counts = frame["age_class"].value_counts()
    return {
        "nodes": len(frame),
        "by_class": {str(name): int(count) for name, count in counts.items()},
        "age_median_hours": round(float(frame["age_mean"].median()) / 3600.0, 2),
        "age_largest_hours": round(float(frame["age_max"].max()) / 3600.0, 2),
        "chlorine_least": round(float(frame["chlorine_min"].min()), 4),
        "nodes_below_02_mg": int((frame["chlorine_min"] < 0.2).sum()),
        "source": inputs.source,
        "nodes_mostly_from_source": int((frame["source_share"] > 0.5).sum()) if inputs.source else None,
        "drift": {kind: round(run.drift, 4) for kind, run in runs.items()},
        "is_steady": all(run.drift <= STEADY for run in runs.values()),
    }


PROCESS = Process(
    id="water-age",
    title=Text("Tuổi nước, nguồn nước, clo dư", "Water age, source and chlorine"),
    description=Text(
        "Nước ở từng nút đã bao lâu tuổi, từ nguồn nào tới, còn bao nhiêu clo.",
        "How old the water is at every node, how much of it is from a source, how much chlorine is left.",
    ),
    inputs=WaterAgeInputs,
    outputs=("water_qualities",),
    compute=compute,
)
