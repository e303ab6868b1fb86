"""The steps every flood process takes once it has a stage: domain, water, impact, outputs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Literal

import numpy as np

from hydrology.engine import EngineState
from hydrology.parameters import FloodParameters
from hydrology.rainfall import RainGrid, RainSeries
from layers.errors import InputError
from layers.schema import Text
from layers.store.rasters import format_time
from twin.process import CityView, Inputs, Outputs, Progress, describe
from twin.processes.flood_engine import ENGINE_TITLES, EngineName, Subgrid, make_subgrid
from twin.processes.flood_ground import Ground
from twin.processes.flood_impact import Impact, Water, assess_impact
from twin.processes.flood_inputs import FloodDomain, build_domain, read_terrain
from twin.processes.flood_rain import make_rain
from twin.processes.flood_run import FloodWater, Watch, run_flood, to_rasters
from twin.processes.flood_stage import StageSeries
from twin.processes.flood_water import Levels, check_stage, find_river_below
from twin.processes.sewer_model import SewerModel, build_sewer
from twin.scenario import EditedCity, RaiseSea, Scenario, check_edits

PARAMETERS = FloodParameters()
"""Of every flood run."""

OUTPUT_LAYERS = (
    "flood_depth",
    "flood_depth_max",
    "flood_velocity_max",
    "flood_hazard_max",
    "flood_arrival",
    "flood_stage_max",
    "flood_hazard_class",
    "flood_duration_01",
    "flood_duration_03",
    "flood_duration_05",
    "flood_assets",
)


Sewer = Literal["none", "layers"]

SEWER_TITLES: dict[Sewer, Text] = {
    "none": Text("Không", "None"),
    "layers": Text("Theo các lớp thoát nước", "From the drainage layers"),
}


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
    sewer: Sewer = describe(
        Text("Cống ngầm", "Sewer"),
        Text(
            "Tính cùng dòng chảy trong cống: nước mưa vào hố ga, trào ngược, triều vào cửa xả.",
            "Compute the flow in the sewers too: rain enters manholes, may come back, the tide stands at outfalls.",
        ),
        choices=SEWER_TITLES,
        default="none",
    )
    engine: EngineName = describe(
        Text("Cách tính", "Engine"),
        Text(
            "Từng ô một, hay gộp thành ô thô có bảng địa hình bên trong: sai khác khoảng một xăng-ti-mét.",
            "Every cell by itself, or coarse cells with tables of the cells inside: about a centimetre apart.",
        ),
        choices=ENGINE_TITLES,
        default="grid",
    )
    subgrid_factor: int = describe(
        Text("Ô trong một ô thô", "Cells along a coarse cell"),
        Text(
            "Cạnh của ô thô dài bao nhiêu ô, khi tính bằng ô thô.",
            "How many cells the side of a coarse cell is long, for the engine of coarse cells.",
        ),
        unit="1",
        default=8,
        ge=2,
        le=16,
    )

    @property
    def factor(self) -> int | None:
        """Cells along a coarse cell, None where every cell is computed."""
        return self.subgrid_factor if self.engine == "subgrid" else None


@dataclass(frozen=True, slots=True, eq=False)
class FloodCase:
    """A flood ready to run: the city as the scenario makes it, and all that drives the water there.

    interval_s: time between two frames [s]. sewer: the sewers below, None where they are not computed. subgrid: the
    coarse cells of the engine ``subgrid``. ``city`` is None once the case has travelled to another process.
    """

    city: CityView | None
    scenario: Scenario
    domain: FloodDomain
    stage: StageSeries
    rain: RainSeries | RainGrid | None
    hours: float
    interval_s: float
    sewer: SewerModel | None = None
    subgrid: Subgrid | None = None

    def home(self) -> CityView:
        """Return the city; InputError once the case has left it."""
        if self.city is None:
            raise InputError("the flood's case has left its city")
        return self.city


def prepare_flood(
    view: CityView,
    scenario: Scenario,
    stage: StageSeries,
    *,
    hours: float,
    cell_size: float,
    output_minutes: float,
    river_below: float | None = None,
    ground: Ground | None = None,
    sewer: Sewer = "none",
    factor: int | None = None,
) -> FloodCase:
    """Return the flood of ``hours`` [h] under the scenario, driven by ``stage``, ready to run.

    factor: cells of the terrain along a coarse cell of the engine ``subgrid``, None for the engine ``grid``. Raises
    NotFoundError for an edit that names nothing of the city, InputError for a city the water cannot run on.
    """
    check_edits(view, scenario)
    city = EditedCity(view, scenario)
    rise = sum(edit.metres for edit in scenario.find(RaiseSea))
    stage = replace(stage, stages=stage.stages + rise, usual=stage.usual + rise)
    bed, grid = read_terrain(city, cell_size)
    river = None if river_below is None else find_river_below(bed, river_below)
    levels = Levels(float(stage.stages[0]), float(stage.stages.max()), min(stage.usual, float(stage.stages[0])))
    domain = build_domain(city, scenario, bed, grid, levels, river=river, ground=ground, sewer=sewer == "layers")
    drains = build_sewer(city, domain, scenario) if sewer == "layers" else None
    if drains is not None:
        kept = tuple(structure for structure in domain.structures if structure.id not in drains.takes)
        domain = replace(domain, structures=kept)
    if stage.report is not None:
        check_stage(str(stage.report["datastream_id"]), stage.usual, domain.bed, domain.stage_cells, domain.water)
    rain = make_rain(city, scenario, grid, domain.runoff, hours)
    subgrid = None if factor is None else make_subgrid(city, domain, factor)
    return FloodCase(city, scenario, domain, stage, rain, hours, output_minutes * 60.0, drains, subgrid)


def run_case(
    case: FloodCase,
    progress: Progress,
    *,
    parameters: FloodParameters = PARAMETERS,
    initial: EngineState | None = None,
    keeps_frames: bool = True,
    watch: Watch | None = None,
) -> FloodWater:
    """Return the water of a case, from ``initial`` on where that is given; with its last frame only if asked.

    ``watch`` is shown every frame.
    """
    return run_flood(
        case.domain,
        case.stage,
        case.rain,
        hours=case.hours,
        interval_s=case.interval_s,
        progress=progress,
        parameters=parameters,
        initial=initial,
        keeps_frames=keeps_frames,
        watch=watch,
        sewer=case.sewer,
        subgrid=case.subgrid,
    )


def assess_water(case: FloodCase, water: FloodWater) -> Impact:
    """Return what the water of a case does to its city."""
    touching = Water(
        case.domain.grid,
        water.depth_max,
        water.arrival,
        case.domain.bed,
        velocity_max=water.velocity_max,
        hazard_max=water.hazard_max,
        durations=water.durations,
    )
    return assess_impact(case.home(), touching, case.scenario.base_time)


def compute_flood(case: FloodCase, *, title: Text, progress: Progress) -> Outputs:
    """Return the flood of a case with all it does."""
    progress.report(0.05, "địa hình, sông rạch — terrain and water")
    water = run_case(case, PartProgress(progress, 0.05, 0.90))
    progress.report(0.92, "đối tượng bị ngập — affected assets")
    impact = assess_water(case, water)
    return Outputs(
        title=title,
        base_time=case.scenario.base_time,
        horizon_hours=case.hours,
        rasters=to_rasters(water, case.domain, case.scenario.base_time),
        features={"flood_assets": impact.assets},
        summary={
            **impact.summary,
            **find_peak(case),
            **({} if water.sewer is None else {"sewer": water.sewer.summary}),
        },
        stage_forecast=case.stage.report,
        balance=water.balance,
        parameters={
            **describe_run(case, water.steps, water.moved),
            **({} if water.sewer is None else {"sewer": water.sewer.parameters}),
        },
    )


def find_peak(case: FloodCase) -> dict[str, Any]:
    """Return the highest stage [m] within the run, and when."""
    stage = case.stage
    within = stage.times <= case.hours * 3600.0 + 1.0
    peak = int(np.argmax(stage.stages[within]))
    return {
        "peak_stage": round(float(stage.stages[peak]), 3),
        "peak_time": format_time(case.scenario.base_time + timedelta(seconds=float(stage.times[peak]))),
    }


def describe_run(case: FloodCase, steps: int, moved: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Return the numbers and edits a run was made with, for its record."""
    return {
        "flood": asdict(PARAMETERS),
        "engine": "grid" if case.subgrid is None else "subgrid",
        "subgrid_factor": None if case.subgrid is None else case.subgrid.factor,
        "grid": asdict(case.domain.grid),
        "stage_cells": int(case.domain.stage_cells.sum()),
        "city": dict(case.domain.notes),
        "steps": steps,
        "structures": {name: {"forward": there, "backward": back} for name, (there, back) in moved.items()},
        "edits": [{"edit": type(edit).__name__, **asdict(edit)} for edit in case.scenario.edits],
    }


class PartProgress:
    """Progress of one part of the work, from ``start`` to ``end`` of the whole."""

    def __init__(self, whole: Progress, start: float, end: float) -> None:
        self._whole, self._start, self._span = whole, start, end - start
        self.should_stop = whole.should_stop
        self.read_checkpoint = whole.read_checkpoint
        self.write_checkpoint = whole.write_checkpoint
        self.open_shelf = whole.open_shelf
        self.open_board = whole.open_board

    def report(self, fraction: float, message: str) -> None:
        """Say how far this part is, 0–1."""
        self._whole.report(self._start + self._span * fraction, message)
