"""The steps every flood process takes once it has a stage: domain, water, impact, outputs."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import numpy as np

from hydrology.design_storm import RainCurve, build_storm, fit_curve
from hydrology.parameters import FloodParameters
from hydrology.rainfall import RainSeries
from layers.errors import InputError
from layers.schema import Text
from layers.store.rasters import format_time
from twin.process import CityView, Inputs, Outputs, Progress, describe
from twin.processes.flood_impact import Water, assess_impact
from twin.processes.flood_inputs import FloodDomain, Levels, build_domain, find_river_below, read_terrain
from twin.processes.flood_run import run_flood, to_rasters
from twin.processes.flood_stage import StageSeries
from twin.scenario import DesignStorm, EditedCity, ReturnStorm, Scenario, check_edits

PARAMETERS = FloodParameters()
"""Of every flood run."""

OUTPUT_LAYERS = (
    "flood_depth",
    "flood_depth_max",
    "flood_velocity_max",
    "flood_hazard_max",
    "flood_arrival",
    "flood_assets",
)


class FloodInputs(Inputs):
    """What every flood run is asked."""

    gauge: str | None = describe(
        Text("Trạm mực nước", "Stage gauge"),
        Text(
            "Mã trạm có mực nước điều khiển dòng chảy; bỏ trống thì dùng trạm chính.",
            "Id of the sensor whose stage drives the water; the main gauge if not given.",
        ),
        default=None,
        min_length=1,
    )
    cell_size: float = describe(
        Text("Kích thước ô", "Cell size"),
        Text("Cạnh của một ô lưới tính.", "Side of a grid cell."),
        unit="m",
        default=10.0,
        ge=5.0,
        le=90.0,
    )
    output_minutes: float = describe(
        Text("Bước thời gian", "Output step"),
        Text("Khoảng cách giữa hai bản đồ độ sâu.", "Time between two maps of depth."),
        unit="min",
        default=15.0,
        ge=5.0,
        le=120.0,
    )


def compute_flood(
    view: CityView,
    scenario: Scenario,
    stage: StageSeries,
    *,
    title: Text,
    hours: float,
    cell_size: float,
    output_minutes: float,
    progress: Progress,
    river_below: float | None = None,
) -> Outputs:
    """Return the flood of ``hours`` [h] under the scenario, driven by ``stage``.

    Raises NotFoundError for an edit that names nothing of the city, InputError for a city the water cannot run on.
    """
    check_edits(view, scenario)
    city = EditedCity(view, scenario)
    progress.report(0.0, "địa hình, sông rạch — terrain and water")
    bed, grid = read_terrain(city, cell_size)
    river = None if river_below is None else find_river_below(bed, river_below)
    levels = Levels(float(stage.stages[0]), float(stage.stages.max()), min(stage.usual, float(stage.stages[0])))
    domain = build_domain(city, scenario, bed, grid, levels, river=river)
    water = run_flood(
        domain,
        stage,
        _make_rain(scenario, domain),
        hours=hours,
        interval_s=output_minutes * 60.0,
        progress=_Part(progress, 0.05, 0.90),
        parameters=PARAMETERS,
    )
    progress.report(0.92, "đối tượng bị ngập — affected assets")
    impact = assess_impact(city, Water(domain.grid, water.depth_max, water.arrival, domain.bed), scenario.base_time)
    within = stage.times <= hours * 3600.0 + 1.0
    peak = int(np.argmax(stage.stages[within]))
    return Outputs(
        title=title,
        base_time=scenario.base_time,
        horizon_hours=hours,
        rasters=to_rasters(water, domain, scenario.base_time),
        features={"flood_assets": impact.assets},
        summary={
            **impact.summary,
            "peak_stage": round(float(stage.stages[peak]), 3),
            "peak_time": format_time(scenario.base_time + timedelta(seconds=float(stage.times[peak]))),
        },
        stage_forecast=stage.report,
        balance=water.balance,
        parameters=_describe_run(domain, water.steps, water.pumped, scenario),
    )


def _make_rain(scenario: Scenario, domain: FloodDomain) -> RainSeries | None:
    storms: tuple[DesignStorm | ReturnStorm, ...] = (*scenario.find(DesignStorm), *scenario.find(ReturnStorm))
    if not storms:
        return None
    if len(storms) > 1:
        raise InputError(f"the scenario has {len(storms)} storms, expected one")
    fallen, duration = storms[0], storms[0].duration_hours * 3600.0
    if isinstance(fallen, ReturnStorm):
        curve = RainCurve(*fallen.curve).at(fallen.return_period)
    else:
        curve = fit_curve(fallen.depth_mm, duration)
    storm = build_storm(curve, duration, shape=fallen.shape)
    return RainSeries(storm.times, storm.intensity, domain.runoff)


def _describe_run(domain: FloodDomain, steps: int, pumped: Any, scenario: Scenario) -> dict[str, Any]:
    return {
        "flood": asdict(PARAMETERS),
        "grid": asdict(domain.grid),
        "stage_cells": int(domain.stage_cells.sum()),
        "steps": steps,
        "pumped": dict(pumped),
        "edits": [{"edit": type(edit).__name__, **asdict(edit)} for edit in scenario.edits],
    }


class _Part:
    """Progress of one part of the work, from ``start`` to ``end`` of the whole."""

    def __init__(self, whole: Progress, start: float, end: float) -> None:
        self._whole, self._start, self._span = whole, start, end - start
        self.should_stop = whole.should_stop
        self.read_checkpoint = whole.read_checkpoint
        self.write_checkpoint = whole.write_checkpoint

    def report(self, fraction: float, message: str) -> None:
        """Say how far this part is, 0–1."""
        self._whole.report(self._start + self._span * fraction, message)
