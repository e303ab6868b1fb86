"""Drainage run: SWMM 5.2 on the city's drains or an imported model, with blockages and retention against the base."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from hydrology.swmm_run import SwmmResults
from layers.ingest.swmm.document import write_document
from layers.schema import Text
from twin.process import CityView, Outputs, Process, Progress, describe
from twin.processes.drainage_edits import EditInputs, describe_edits, list_edits, name_edits
from twin.processes.drainage_study import Study, apply_edits, entitle, open_run
from twin.scenario import Edit
from twin.swmm.results_files import pack_results
from twin.swmm.results_layers import compare_figures, frame_links, frame_nodes, summarize
from twin.swmm.running import SwmmTask, check_account, describe_account, run_models
from twin.swmm.running_models import read_city_model


class DrainageRunInputs(EditInputs):
    """What a drainage run is asked."""

    compare: bool = describe(
        Text("So với hiện trạng", "Compare with the base"),
        Text(
            "Tính cả hiện trạng khi có cống tắc hay giữ nước, và ghi thay đổi.",
            "Run the base too where there are blockages or measures, and write what changes.",
        ),
        default=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class DrainageRun:
    """A study as it was run, its results, those of the base where there are edits, and the edits."""

    study: Study
    results: SwmmResults
    base: SwmmResults | None
    edits: list[Edit]


def compute(view: CityView, inputs: DrainageRunInputs, progress: Progress) -> Outputs:
    """Return water and flow of the run. Raises MassBalanceError where more than 0.5 % of the water is not kept."""
    progress.report(0.0, "mô hình thoát nước — the model of the drains")
    model = None if inputs.model is None else read_city_model(view, inputs.model)
    done = run_study(view, open_run(view, model, inputs), inputs, progress)
    study, results = done.study, done.results
    return Outputs(
        title=entitle(inputs, "Thoát nước", "Drains", name_edits(done.edits)),
        base_time=study.start,
        horizon_hours=study.hours,
        features={
            "drainage_node_results": frame_nodes(view, study.model, results, study.start, done.base),
            "drainage_link_results": frame_links(view, study.model, results, study.start, done.base),
        },
        summary=describe_results(done),
        balance=describe_account(results.account),
        parameters={
            "engine": "EPA SWMM 5.2",
            "routing_steps": results.steps,
            "options": {row.words[0]: row.words[1] for row in study.model.inp.rows("OPTIONS") if len(row.words) > 1},
            "model": {"name": study.model.name, "counts": dict(study.model.counts), "notes": list(study.model.notes)},
        },
        files=pack_results(study.model, results),
    )


def run_study(view: CityView | None, base: Study, inputs: DrainageRunInputs, progress: Progress) -> DrainageRun:
    """Run a study with the edits of the inputs, and without them where they are compared, side by side.

    Raises MassBalanceError, naming which run and which error, unless the inputs allow it.
    """
    edits = list_edits(view, base.model, inputs)
    study = apply_edits(base, edits)
    studies = [(study.model.name, study)]
    if edits and inputs.compare:
        studies.append((f"{base.model.name} (hiện trạng — base)", base))
    tasks = [(name, SwmmTask(write_document(one.model.inp), dict(one.model.files))) for name, one in studies]
    found = []
    with closing(run_models(tasks, count=len(tasks), progress=progress)) as results:
        for (name, _), one in zip(tasks, results, strict=True):
            check_account(name, one.account, allow=inputs.allow_imbalance)
            found.append(one)
    return DrainageRun(study, found[0], found[1] if len(found) > 1 else None, edits)


def describe_results(done: DrainageRun) -> dict[str, Any]:
    """Return the summary of a run: its figures, what the edits were and what they change."""
    summary = summarize(done.study.model, done.results)
    if done.edits:
        summary["edits"] = describe_edits(done.edits)
    if done.base is not None:
        summary["comparison"] = compare_figures(summarize(done.study.model, done.base), summary)
    return {"drainage": summary}


PROCESS = Process(
    id="drainage-run",
    title=Text("Mô phỏng thoát nước", "Drainage run"),
    description=Text(
        "SWMM 5.2 trên mạng cống: mực nước, lưu lượng, tràn; cống tắc, giữ nước mưa so với hiện trạng.",
        "SWMM 5.2 on the drains: levels, flows, flooding; blockages and retention against the base.",
    ),
    inputs=DrainageRunInputs,
    outputs=("drainage_node_results", "drainage_link_results"),
    compute=compute,
)
