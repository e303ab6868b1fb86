"""Capacity of the drains by return period: design storms of 2 to 100 years, what each fills and floods."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from hydrology.design_storm import RainCurve, Shape, build_storm
from hydrology.rainfall import RainSeries
from layers.ingest.swmm.document import write_document
from layers.schema import Text
from twin.process import CityView, Outputs, Process, Progress, describe
from twin.processes.drainage_inputs import ModelInputs
from twin.processes.drainage_study import DRAIN_HOURS, Study, open_document, open_layers
from twin.processes.flood_conditions import write_vi
from twin.processes.rain_fields import STORM_HOURS, STORM_SHAPE
from twin.swmm.capacity import NEVER, Capacity, classify, find_capacity, tabulate_classes, tabulate_storms
from twin.swmm.results_layers import is_conduit, make_frame, place_links, place_nodes
from twin.swmm.running import SwmmTask, check_account, run_models
from twin.swmm.running_models import RunModel, read_city_model
from twin.swmm.storms import put_rain

Period = Literal[1, 2, 5, 10, 20, 50, 100]
"""Those that layers.types.drainage_runs has classes of."""

MOST_HEAD = 8_900.0


class DrainageCapacityInputs(ModelInputs):
    """What the capacity of the drains is asked for."""

    storm_curve: tuple[float, ...] = describe(
        Text("Đường cường độ mưa", "Storm curve"),
        Text(
            "Bốn hệ số A, C, b, n của địa phương theo TCVN 7957: q = A(1 + C lg P)/(t + b)^n, l/s/ha, t là phút.",
            "The place's four coefficients A, C, b, n of TCVN 7957: q = A(1 + C lg P)/(t + b)^n, l/s/ha, t in minutes.",
        ),
        min_length=4,
        max_length=4,
    )
    storm_hours: float = STORM_HOURS
    storm_shape: Shape = STORM_SHAPE
    return_periods: tuple[Period, ...] = describe(
        Text("Chu kỳ lặp lại", "Return periods"),
        Text("Những trận mưa được tính.", "The storms that are run."),
        unit="a",
        default=(2, 5, 10, 20, 50, 100),
        min_length=1,
        max_length=7,
    )
    rain_factor: float = describe(
        Text("Hệ số mưa", "Rain factor"),
        Text("Nhân mọi lượng mưa, như do khí hậu.", "Multiplies all rain, as a change of climate would."),
        unit="1",
        default=1.0,
        gt=0.0,
        le=5.0,
    )

    @model_validator(mode="after")
    def _has_storms(self) -> Self:
        if len(set(self.return_periods)) < len(self.return_periods):
            raise ValueError(f"return_periods {list(self.return_periods)} name one twice")
        for period in self.return_periods:
            RainCurve(*self.storm_curve).at(period).check_duration(self.storm_hours * 3600.0)
        return self

    def build_storm(self, period: int) -> RainSeries:
        """Return the design storm of a return period [years]."""
        storm = build_storm(RainCurve(*self.storm_curve).at(period), self.storm_hours * 3600.0, shape=self.storm_shape)
        return RainSeries(storm.times, storm.intensity * self.rain_factor)


@dataclass(frozen=True, slots=True, eq=False)
class CapacityStudy:
    """A model with the results of all storms; depths [mm] of each."""

    study: Study
    capacity: Capacity
    depths: tuple[float, ...]

    def summarize(self) -> dict[str, Any]:
        """Return the tables: a row a storm, and a row a class of conduits."""
        links = self.capacity.results[0].links
        return {
            "storms": tabulate_storms(self.capacity, self.depths),
            "classes": tabulate_classes(self.capacity),
            "length": round(float(links.length[is_conduit(links)].sum()), 1),
            "links": len(links.ids),
            "nodes": len(self.capacity.results[0].nodes.ids),
        }


def compute(view: CityView, inputs: DrainageCapacityInputs, progress: Progress) -> Outputs:
    """Return the smallest storm that fills each conduit and floods each node.

    Raises MassBalanceError where a run does not keep its water.
    """
    progress.report(0.0, "mô hình thoát nước — the model of the drains")
    model = None if inputs.model is None else read_city_model(view, inputs.model)
    done = run_storms(open_dry(view, model, inputs), inputs, progress)
    capacity, study = done.capacity, done.study
    periods = ", ".join(write_vi(period) for period in capacity.periods)
    of = f" {inputs.model}" if inputs.model else ""
    return Outputs(
        title=Text(
            f"Năng lực thoát nước{of}: mưa {write_vi(inputs.storm_hours)} giờ, {periods} năm",
            f"Capacity of drains{of}: storms of {inputs.storm_hours:g} h, {periods} years",
        ),
        base_time=study.start,
        horizon_hours=study.hours,
        features={
            "drainage_capacity": _frame_links(view, study.model, capacity),
            "drainage_capacity_nodes": _frame_nodes(view, study.model, capacity),
        },
        summary={"capacity": done.summarize()},
        balance={"relative_error": max((one.account.worst for one in capacity.results), key=abs)},
        parameters={
            "engine": "EPA SWMM 5.2",
            "model": {"name": study.model.name, "counts": dict(study.model.counts), "notes": list(study.model.notes)},
        },
    )


def open_dry(view: CityView | None, model: RunModel | None, inputs: DrainageCapacityInputs) -> Study:
    """Return a model, that of the layers where None is given, without a storm yet."""
    hours = inputs.hours or inputs.storm_hours + DRAIN_HOURS
    if model is not None:
        return open_document(model, inputs, view, hours=hours)
    assert view is not None
    return open_layers(view, inputs, hours=hours)


def run_storms(study: Study, inputs: DrainageCapacityInputs, progress: Progress) -> CapacityStudy:
    """Run every design storm on a model, as many at a time as cores."""
    periods = sorted(inputs.return_periods)
    tasks, depths = [], []
    for period in periods:
        storm = inputs.build_storm(period)
        inp = study.model.inp.copy()
        put_rain(inp, storm)
        depths.append(float((storm.intensity[:-1] * np.diff(storm.times)).sum() / 3600.0))
        tasks.append(
            (f"trận {period} năm — 1 in {period} years", SwmmTask(write_document(inp), dict(study.model.files)))
        )
    found = []
    with closing(run_models(tasks, count=len(tasks), progress=progress)) as results:
        for (name, _), one in zip(tasks, results, strict=True):
            check_account(name, one.account, allow=inputs.allow_imbalance)
            found.append(one)
    return CapacityStudy(study, find_capacity(periods, found), tuple(depths))


def _frame_links(view: CityView, model: RunModel, capacity: Capacity) -> Any:
    last = capacity.results[-1].links
    classes = classify(capacity.fills)
    classes[~is_conduit(last)] = "device"
    rows: dict[str, Any] = {
        "link_id": _name(model.links, last.ids),
        "link_type": last.kinds,
        "fills_at": classes,
        "return_period": _leave_out_never(capacity.fills),
        "length": np.where(last.length > 0.0, last.length, np.nan),
        "full_flow": np.where(last.full_flow > 0.0, last.full_flow, np.nan),
        "max_flow": last.max_flow,
        "capacity_use": last.capacity_use,
        "full_time": last.full_time,
    }
    return make_frame(view, rows, "link_id", place_links(view, model, last.ids))


def _frame_nodes(view: CityView, model: RunModel, capacity: Capacity) -> Any:
    last = capacity.results[-1].nodes
    rows: dict[str, Any] = {
        "node_id": _name(model.nodes, last.ids),
        "node_type": last.kinds,
        "floods_at": classify(capacity.floods),
        "return_period": _leave_out_never(capacity.floods),
        "flooding_volume": last.flooding_volume,
        "max_head": np.minimum(last.max_head, MOST_HEAD),
    }
    return make_frame(view, rows, "node_id", place_nodes(view, model, last.ids))


def _name(ids: Any, names: Sequence[str]) -> list[str]:
    return [ids.get(name, name) for name in names]


def _leave_out_never(periods: Any) -> Any:
    return np.where(periods == NEVER, np.nan, periods.astype(np.float64))


PROCESS = Process(
    id="drainage-capacity",
    title=Text("Năng lực cống theo chu kỳ mưa", "Capacity of drains by return period"),
    description=Text(
        "Trận mưa thiết kế nhỏ nhất làm đầy từng cống, làm tràn từng hố ga.",
        "The smallest design storm that fills each conduit and that floods each node.",
    ),
    inputs=DrainageCapacityInputs,
    outputs=("drainage_capacity", "drainage_capacity_nodes"),
    compute=compute,
)
