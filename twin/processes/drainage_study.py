"""From what was asked to a model ready to run: its source, rain, stage, blockages and measures of retention."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from hydrology.design_storm import RainCurve, build_storm, fit_curve
from hydrology.rainfall import RainSeries
from layers.datum import CRS84, make_transformer
from layers.errors import InputError
from layers.grid import Grid
from layers.schema import Text
from twin.process import Bounds, CityView
from twin.processes.drainage_inputs import ModelInputs, RainInputs
from twin.processes.flood_conditions import write_vi
from twin.processes.flood_forecast import choose_gauge
from twin.processes.flood_rain import SPACING, read_recorded
from twin.processes.flood_stage import choose_base_time, forecast_gauge
from twin.scenario import BlockLinks, CloseGate, Edit, RetainRain, Scenario, StopPump, check_edits
from twin.swmm.blockage import block_links
from twin.swmm.building import build_model
from twin.swmm.lid import retain_rain
from twin.swmm.running import prepare_model
from twin.swmm.running_models import RunModel
from twin.swmm.storms import put_rain, put_stage, read_end, read_start, scale_rain, set_duration

Array = NDArray[np.float64]
Stage = tuple[Array, Array]
Weather = Callable[[datetime, float], RainSeries | None]
"""What rain falls from a start on for so many hours, None for none."""

DRAIN_HOURS = 3.0
"""A run goes on for so long after its storm [h]."""

USUAL_HOURS = 24.0
MOST_HOURS = 24.0 * 366


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A model ready to run from ``start`` on for ``hours`` [h]."""

    model: RunModel
    start: datetime
    hours: float


def no_rain(_start: datetime, _hours: float) -> RainSeries | None:
    """Return None: a dry model, or the rain that a document has."""
    return None


def open_layers(view: CityView, inputs: ModelInputs, *, hours: float, weather: Weather = no_rain) -> Study:
    """Return the model of the city's layers under the inputs, for ``hours`` [h] of ``weather``.

    Raises InputError for a city without sewers, NotFoundError for gates, pumps and gauges that are not there.
    """
    start = choose_base_time(view, inputs.base_time, "base_time").astimezone(UTC)
    scenario = Scenario(start, (*map(CloseGate, inputs.gates_closed), *map(StopPump, inputs.pumps_off)))
    check_edits(view, scenario)
    bounds = None if inputs.bounds is None else _project(view, inputs.bounds)
    stage = make_stage(view, inputs, start, hours)
    rain = weather(start, hours)
    built = build_model(view, start=start, hours=hours, rain=rain, stage=stage, bounds=bounds, scenario=scenario)
    if rain is not None and not built.catchments:
        raise InputError(
            "no catchment drains to these drains: the rain has nothing to fall on", hint="load the layer catchments"
        )
    set_duration(built.inp, hours)
    model = RunModel(
        "layers", built.inp, {}, built.nodes, built.links, built.catchments, is_placed=True, counts=built.counts
    )
    return _finish(model, inputs, start, hours)


def open_document(
    model: RunModel, inputs: ModelInputs, view: CityView | None, *, hours: float | None, weather: Weather = no_rain
) -> Study:
    """Return a model that was imported, or read from a file, under the inputs, for ``hours`` [h] or as it says.

    ``weather`` replaces its rain where it has any. ``view`` is the city where there is one. Raises InputError for what
    only a city can give.
    """
    inp = model.inp.copy()
    start = read_start(inp).replace(tzinfo=UTC)
    if inputs.base_time is not None and view is not None:
        start = choose_base_time(view, inputs.base_time, "base_time").astimezone(UTC)
    if hours is not None:
        set_duration(inp, hours)
    span = hours or (read_end(inp) - read_start(inp)).total_seconds() / 3600.0
    if not 0.0 < span <= MOST_HOURS:
        raise InputError(f"the model runs for {span:g} h, expected above 0 and at most a year", hint="give hours")
    rain = weather(start, span)
    if rain is not None:
        put_rain(inp, rain)
    if inputs.stage_forecast and view is None:
        raise InputError("stage_forecast needs a city", hint="give stage_level")
    stage = None if view is None and inputs.stage_level is None else make_stage(view, inputs, start, span)
    if stage is not None:
        put_stage(inp, *stage, inputs.outfalls)
    return _finish(model.with_document(inp), inputs, start, span)


def open_run(view: CityView | None, model: RunModel | None, inputs: RainInputs) -> Study:
    """Return a model, that of the layers where None is given, under the rain of the inputs."""
    hours = inputs.hours or choose_hours(inputs)

    def weather(start: datetime, span: float) -> RainSeries | None:
        return make_rain(inputs) or recall_rain(view, inputs, start, span)

    if model is not None:
        study = open_document(model, inputs, view, hours=hours, weather=weather)
        if inputs.rain_factor != 1.0 and choose_hours(inputs) is None and not inputs.recorded_rain:
            scale_rain(study.model.inp, inputs.rain_factor)
        return study
    assert view is not None
    return open_layers(view, inputs, hours=hours or USUAL_HOURS, weather=weather)


def _finish(model: RunModel, inputs: ModelInputs, start: datetime, hours: float) -> Study:
    inp, notes = prepare_model(model.inp, own_steps=inputs.own_steps)
    if inputs.slot:
        inp.set_option("SURCHARGE_METHOD", "SLOT")
    return Study(model.with_document(inp, *notes), start, hours)


def choose_hours(inputs: RainInputs) -> float | None:
    """Return how long a run with the inputs' rain lasts [h], None where they have none."""
    if inputs.storm_depth > 0.0 or inputs.storm_return_period is not None:
        return inputs.storm_hours + DRAIN_HOURS
    if inputs.rain_depths:
        return len(inputs.rain_depths) * inputs.rain_step_minutes / 60.0 + DRAIN_HOURS
    return None


def make_rain(inputs: RainInputs) -> RainSeries | None:
    """Return the design storm or the rain given step by step, None where the inputs have neither."""
    duration = inputs.storm_hours * 3600.0
    if inputs.rain_depths:
        step = inputs.rain_step_minutes * 60.0
        times = step * np.arange(len(inputs.rain_depths) + 1, dtype=np.float64)
        rain = RainSeries(times, np.append(np.asarray(inputs.rain_depths) * 3600.0 / step, 0.0))
    elif inputs.storm_return_period is not None and inputs.storm_curve is not None:
        curve = RainCurve(*inputs.storm_curve).at(inputs.storm_return_period)
        rain = build_storm(curve, duration, shape=inputs.storm_shape)
    elif inputs.storm_depth > 0.0:
        rain = build_storm(fit_curve(inputs.storm_depth, duration), duration, shape=inputs.storm_shape)
    else:
        return None
    return RainSeries(rain.times, rain.intensity * inputs.rain_factor)


def recall_rain(view: CityView | None, inputs: RainInputs, start: datetime, hours: float) -> RainSeries | None:
    """Return the rain that the gauges recorded, as it fell in the middle of the drains; None where not asked for."""
    if not inputs.recorded_rain:
        return None
    if view is None:
        raise InputError("recorded_rain needs a city", hint="give storm_depth or rain_depths")
    frame = view.layer("drainage_nodes", columns=[])
    x0, y0, x1, y1 = frame.total_bounds
    middle = Grid(1, 1, (x0 + x1 - SPACING) / 2.0, (y0 + y1 + SPACING) / 2.0, SPACING, view.crs)
    field = read_recorded(view, Scenario(start), middle, hours, inputs.rain_factor)
    return RainSeries(field.times, field.intensity[:, int(field.cell[0, 0])])


def make_stage(view: CityView | None, inputs: ModelInputs, start: datetime, hours: float) -> Stage | None:
    """Return times [s after the start] and stages [m] outside outfalls, None where the inputs tell none."""
    if inputs.stage_level is not None:
        return np.array([0.0, hours * 3600.0]), np.full(2, inputs.stage_level)
    if not inputs.stage_forecast or view is None:
        return None
    _, series = forecast_gauge(view, choose_gauge(view, inputs.gauge), start, hours)
    return series.times, series.stages + inputs.stage_offset


def _project(view: CityView, bounds: Sequence[float]) -> Bounds:
    west, south, east, north = bounds
    x0, y0, x1, y1 = make_transformer(CRS84, view.crs).transform_bounds(west, south, east, north)
    return float(x0), float(y0), float(x1), float(y1)


def apply_edits(study: Study, edits: Sequence[Edit]) -> Study:
    """Return the study with links blocked and rain retained; the same study without such edits.

    Raises NotFoundError for links and catchments that are not in the model.
    """
    if not edits:
        return study
    inp = study.model.inp.copy()
    for edit in edits:
        match edit:
            case BlockLinks():
                block_links(inp, study.model.find_links(edit.link_ids), edit.share)
            case RetainRain():
                retain_rain(inp, edit.measure, study.model.find_catchments(edit.catchment_ids), edit.share)
    return Study(study.model.with_document(inp), study.start, study.hours)


def name_rain(inputs: RainInputs) -> tuple[str, str]:
    """Return the words for the rain in a title, Vietnamese and English."""
    if inputs.storm_return_period is not None:
        years, hours = inputs.storm_return_period, inputs.storm_hours
        return (
            f"mưa {write_vi(hours)} giờ {write_vi(years)} năm một lần",
            f"the {hours:g} h rain of 1 in {years:g} years",
        )
    if inputs.storm_depth > 0.0:
        depth, hours = inputs.storm_depth, inputs.storm_hours
        return f"mưa {write_vi(depth)} mm trong {write_vi(hours)} giờ", f"{depth:g} mm of rain in {hours:g} h"
    if inputs.recorded_rain:
        return "mưa thực đo", "recorded rain"
    if inputs.rain_depths:
        total = sum(inputs.rain_depths)
        return f"mưa dự báo {write_vi(total)} mm", f"{total:g} mm of forecast rain"
    return ("mưa của mô hình", "the model's rain") if inputs.model else ("không mưa", "no rain")


def entitle(inputs: RainInputs, vi: str, en: str, extra: Sequence[tuple[str, str]] = ()) -> Text:
    """Return a title of a run: what it is, of which model, with which rain."""
    words = [name_rain(inputs), *extra]
    of = f" {inputs.model}" if inputs.model else ""
    return Text(f"{vi}{of}: {', '.join(w[0] for w in words)}", f"{en}{of}: {', '.join(w[1] for w in words)}")
