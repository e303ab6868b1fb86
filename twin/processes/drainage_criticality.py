"""Criticality of pipes: what floods more when each of the busiest is blocked by itself, ranked."""

from contextlib import closing
from typing import Any, Self

import numpy as np
from pydantic import model_validator

from hydrology.swmm_run import SwmmResults
from layers.errors import InputError
from layers.ingest.swmm.document import write_document
from layers.schema import Text
from twin.process import CityView, Outputs, Process, Progress, describe
from twin.processes.drainage_inputs import RainInputs
from twin.processes.drainage_study import Study, entitle, open_run
from twin.swmm.blockage import block_links, can_block
from twin.swmm.results_layers import FLOODED, is_conduit, summarize
from twin.swmm.running import SwmmTask, check_account, describe_account, run_model, run_models
from twin.swmm.running_models import read_city_model

MOST_LINKS = 200


class DrainageCriticalityInputs(RainInputs):
    """What the ranking of pipes is asked."""

    links: tuple[str, ...] = describe(
        Text("Cống", "Links"),
        Text("Những cống được thử; bỏ trống là những cống nhiều nước nhất.", "Those tried; the busiest if not given."),
        default=(),
        max_length=MOST_LINKS,
    )
    count: int = describe(
        Text("Số cống", "Count"),
        Text("Bao nhiêu cống nhiều nước nhất được thử.", "How many of the busiest are tried."),
        unit="1",
        default=20,
        ge=1,
        le=MOST_LINKS,
    )
    share: float = describe(
        Text("Phần bị tắc", "Share lost"),
        Text("Phần tiết diện mất đi.", "Of the section."),
        unit="1",
        default=0.8,
        gt=0.0,
        le=0.99,
    )

    @model_validator(mode="after")
    def _tries_each_once(self) -> Self:
        if len(set(self.links)) < len(self.links):
            raise ValueError("links name one twice")
        return self


def compute(view: CityView, inputs: DrainageCriticalityInputs, progress: Progress) -> Outputs:
    """Return the ranking in the summary. Raises MassBalanceError where a run does not keep its water."""
    progress.report(0.0, "mô hình thoát nước — the model of the drains")
    model = None if inputs.model is None else read_city_model(view, inputs.model)
    study = open_run(view, model, inputs)
    base, ranking = rank_links(study, inputs, progress)
    return Outputs(
        title=entitle(inputs, "Cống quan trọng", "Critical pipes"),
        base_time=study.start,
        horizon_hours=study.hours,
        summary={"criticality": {"share": inputs.share, "base": summarize(study.model, base), "links": ranking}},
        balance=describe_account(base.account),
        parameters={"engine": "EPA SWMM 5.2", "model": {"name": study.model.name, "notes": list(study.model.notes)}},
    )


def rank_links(
    study: Study, inputs: DrainageCriticalityInputs, progress: Progress
) -> tuple[SwmmResults, list[dict[str, Any]]]:
    """Return the base's results and a row a blocked link, the worst first: what floods more, at how many nodes."""
    model = study.model
    base = run_model(model.name, model.inp, model.files, progress)
    check_account(model.name, base.account, allow=inputs.allow_imbalance)
    names = model.find_links(inputs.links) if inputs.links else choose_busiest(study, base, inputs.count)
    tasks = []
    for name in names:
        inp = model.inp.copy()
        block_links(inp, [name], inputs.share)
        tasks.append((name, SwmmTask(write_document(inp), dict(model.files))))
    rows = []
    with closing(run_models(tasks, count=len(tasks), progress=progress)) as results:
        for name, one in zip(names, results, strict=True):
            check_account(name, one.account, allow=inputs.allow_imbalance)
            rows.append({"id": model.links.get(name, name), **compare_flooding(base, one, model.nodes)})
    return base, sorted(rows, key=lambda row: (-row["flooding_change"], row["id"]))


def choose_busiest(study: Study, base: SwmmResults, count: int) -> list[str]:
    """Return the conduits with the greatest peak flow that can be blocked; InputError where there is none."""
    flow = np.where(is_conduit(base.links), base.links.max_flow, -1.0)
    order = [base.links.ids[k] for k in np.argsort(-flow, kind="stable") if flow[k] > 0.0]
    chosen = [name for name in order if can_block(study.model.inp, name)][:count]
    if not chosen:
        raise InputError("no conduit of the model carries water and can be blocked", hint="give a storm")
    return chosen


def compare_flooding(before: SwmmResults, after: SwmmResults, ids: Any) -> dict[str, Any]:
    """Return how much more floods [m3], at how many nodes, at which most, and how much the highest level rises [m]."""
    change = after.nodes.flooding_volume - before.nodes.flooding_volume
    rise = after.nodes.max_head - before.nodes.max_head
    worst = int(np.argmax(change))
    name = after.nodes.ids[worst]
    return {
        "flooding_change": round(float(change.sum()), 2),
        "nodes_more": int((change >= FLOODED).sum()),
        "worst_node": ids.get(name, name) if change[worst] >= FLOODED else None,
        "worst_change": round(float(change[worst]), 2),
        "head_rise": round(float(rise.max()), 3),
    }


PROCESS = Process(
    id="drainage-criticality",
    title=Text("Cống quan trọng khi bị tắc", "Critical pipes"),
    description=Text(
        "Lần lượt làm tắc từng cống nhiều nước nhất: tắc cống nào thì tràn thêm nhiều nhất.",
        "Blocks the busiest pipes one at a time: which of them floods most when it is blocked.",
    ),
    inputs=DrainageCriticalityInputs,
    outputs=(),
    compute=compute,
)
