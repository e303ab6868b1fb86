"""What if: the stage higher or held, a storm, gates closed, pumps off, dykes breached."""

from datetime import datetime
from typing import Self

import numpy as np
from pydantic import model_validator

from hydrology.design_storm import RainCurve, Shape
from layers.schema import Text
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe
from twin.processes.flood_conditions import name_condition, write_vi
from twin.processes.flood_forecast import choose_gauge
from twin.processes.flood_inputs import read_terrain
from twin.processes.flood_stage import StageSeries, choose_base_time, forecast_gauge, hold_stage
from twin.processes.flood_steps import OUTPUT_LAYERS, FloodCase, compute_flood, prepare_flood
from twin.processes.flood_water import find_river_below
from twin.processes.flood_work_inputs import WorkInputs, name_works
from twin.processes.rain_fields import STORM_CURVE, STORM_DEPTH, STORM_HOURS, STORM_RETURN_PERIOD, STORM_SHAPE
from twin.scenario import (
    BreachDyke,
    CloseGate,
    DesignStorm,
    HoldStage,
    OpenGate,
    ReturnStorm,
    Scenario,
    StageOffset,
    StopPump,
)

LEAST_STORM = 1.0
"""Less rain than this [mm] is no storm but a depth given in metres."""


class Breach(Inputs):
    """A gap in a dyke."""

    dyke_id: str | None = describe(
        Text("Đê", "Dyke"),
        Text("Mã tuyến đê, vỡ tại điểm giữa.", "Id of the dyke, breached in its middle."),
        default=None,
    )
    lon: float | None = describe(
        Text("Kinh độ", "Longitude"), Text("Của chỗ vỡ.", "Of the breach."), unit="deg", default=None, ge=-180, le=180
    )
    lat: float | None = describe(
        Text("Vĩ độ", "Latitude"), Text("Của chỗ vỡ.", "Of the breach."), unit="deg", default=None, ge=-90, le=90
    )
    width: float = describe(
        Text("Bề rộng", "Width"),
        Text("Bề rộng của chỗ vỡ.", "Width of the gap."),
        unit="m",
        default=20.0,
        gt=0.0,
        le=2000.0,
    )
    crest: float | None = describe(
        Text("Cao độ đáy vỡ", "Crest"),
        Text(
            "Cao độ còn lại trong chỗ vỡ; bỏ trống thì bằng mặt đất bên cạnh.",
            "Elevation left in the gap; the ground beside it if not given.",
        ),
        unit="m",
        default=None,
        ge=-50.0,
        le=1000.0,
    )
    start_hours: float = describe(
        Text("Lúc vỡ", "Start"),
        Text("Số giờ sau lúc bắt đầu.", "Hours after the start."),
        unit="h",
        default=0.0,
        ge=0.0,
        le=72.0,
    )
    formation_hours: float | None = describe(
        Text("Thời gian vỡ", "Formation"),
        Text(
            "Từ lúc vỡ đến khi đủ bề rộng; bỏ trống thì theo kích thước chỗ vỡ.",
            "From the start to the whole width; by the size of the gap if not given.",
        ),
        unit="h",
        default=None,
        ge=0.0,
        le=72.0,
    )

    @model_validator(mode="after")
    def _has_place(self) -> Self:
        if (self.lon is None) != (self.lat is None) or (self.dyke_id is None) == (self.lon is None):
            raise ValueError("a breach needs dyke_id, or lon and lat")
        return self


class FloodScenarioInputs(WorkInputs):
    """What a flood scenario is asked."""

    base_time: datetime | None = describe(
        Text("Thời điểm bắt đầu", "Base time"),
        Text("Lúc kịch bản bắt đầu; bỏ trống là bây giờ.", "When the scenario starts; now if not given."),
        default=None,
    )
    horizon_hours: float = describe(
        Text("Thời đoạn", "Duration"),
        Text("Kịch bản kéo dài bao lâu.", "How long."),
        unit="h",
        default=24.0,
        ge=1.0,
        le=72.0,
    )
    stage_offset: float = describe(
        Text("Nước dâng thêm", "Stage offset"),
        Text("Cộng vào mực nước dự báo.", "Added to the forecast stage."),
        unit="m",
        default=0.0,
        ge=-5.0,
        le=5.0,
    )
    stage_level: float | None = describe(
        Text("Mực nước cố định", "Stage level"),
        Text(
            "Mực nước dâng đến mức này rồi giữ nguyên; không cần trạm đo.",
            "The stage rises to this level and stays; no gauge is needed.",
        ),
        unit="m",
        default=None,
        ge=-10.0,
        le=1000.0,
    )
    ramp_hours: float = describe(
        Text("Thời gian dâng", "Ramp"),
        Text("Thời gian để mực nước dâng đến mức cố định.", "Time in which the stage rises to the level."),
        unit="h",
        default=6.0,
        ge=0.0,
        le=48.0,
    )
    usual_level: float | None = describe(
        Text("Mực nước thường", "Usual level"),
        Text(
            "Mực nước trước khi dâng; bỏ trống thì lấy mặt nước trên địa hình.",
            "Stage before the rise; that of the water on the terrain if not given.",
        ),
        unit="m",
        default=None,
        ge=-10.0,
        le=1000.0,
    )
    river_below: float | None = describe(
        Text("Cao độ sông", "River below"),
        Text(
            "Khi thành phố không có vùng mặt nước: đất không cao hơn mức này và nối với rìa địa hình là sông.",
            "In a city without polygons of water: ground not above this, connected to the edge of the terrain, is the "
            "river.",
        ),
        unit="m",
        default=None,
        ge=-50.0,
        le=1000.0,
    )
    storm_depth: float = STORM_DEPTH
    storm_hours: float = STORM_HOURS
    storm_shape: Shape = STORM_SHAPE
    storm_return_period: float | None = STORM_RETURN_PERIOD
    storm_curve: tuple[float, ...] | None = STORM_CURVE
    gates_closed: tuple[str, ...] = describe(
        Text("Cống ngăn triều đóng", "Closed gates"),
        Text(
            "Mã các cống ngăn triều luôn đóng; những cống khác đóng khi nước lớn.",
            "Ids of the tide gates kept closed all the time; the others shut at high water.",
        ),
        default=(),
        max_length=500,
    )
    gates_open: tuple[str, ...] = describe(
        Text("Cống ngăn triều kẹt mở", "Gates stuck open"),
        Text(
            "Mã các cống ngăn triều không đóng được khi nước lớn.",
            "Ids of the tide gates that do not shut at high water.",
        ),
        default=(),
        max_length=500,
    )
    pumps_off: tuple[str, ...] = describe(
        Text("Bơm dừng", "Stopped pumps"),
        Text("Mã các máy bơm không chạy.", "Ids of the pumps that do not run."),
        default=(),
        max_length=500,
    )
    breaches: tuple[Breach, ...] = describe(
        Text("Vỡ đê", "Breaches"),
        Text("Những đoạn đê vỡ, lớn dần từ lúc bắt đầu vỡ.", "Gaps in dykes that grow once they open."),
        default=(),
        max_length=100,
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.stage_level is not None and self.stage_offset != 0.0:
            raise ValueError("stage_level and stage_offset exclude each other")
        if (self.storm_return_period is None) != (self.storm_curve is None):
            raise ValueError("storm_return_period and storm_curve go together")
        if self.storm_return_period is not None and self.storm_curve is not None:
            if self.storm_depth > 0.0:
                raise ValueError("storm_depth and storm_return_period exclude each other")
            RainCurve(*self.storm_curve).at(self.storm_return_period).check_duration(self.storm_hours * 3600.0)
        worked = [plan.id for plan in self.gate_operations]
        for gate in sorted(
            {*self.gates_closed} & {*self.gates_open} | {*self.gates_closed, *self.gates_open} & {*worked}
        ):
            raise ValueError(f"gate '{gate}' cannot be two of closed, stuck open and worked by hand")
        for pump in sorted({*self.pumps_off} & {plan.id for plan in self.pump_operations}):
            raise ValueError(f"pump '{pump}' cannot be both stopped and worked by hand")
        if 0.0 < self.storm_depth < LEAST_STORM:
            raise ValueError(f"storm_depth {self.storm_depth:g} mm is less than any storm: give mm, not m")
        if self.recorded_rain and (self.storm_depth > 0.0 or self.storm_return_period is not None):
            raise ValueError("recorded_rain and a storm exclude each other")
        if self.rain_depths and (self.recorded_rain or self.storm_depth > 0.0 or self.storm_return_period is not None):
            raise ValueError("rain_depths, recorded_rain and a storm exclude each other")
        if any(depth < 0.0 for depth in self.rain_depths):
            raise ValueError(f"rain_depths holds {min(self.rain_depths):g} mm, expected 0 or more")
        return self


def build_scenario(inputs: FloodScenarioInputs, base_time: datetime) -> Scenario:
    """Return the scenario that the inputs describe."""
    scenario = Scenario(base_time)
    if inputs.stage_level is not None:
        scenario = scenario.with_edit(HoldStage(inputs.stage_level, inputs.ramp_hours))
    if inputs.stage_offset != 0.0:
        scenario = scenario.with_edit(StageOffset(inputs.stage_offset))
    if inputs.storm_depth > 0.0:
        scenario = scenario.with_edit(DesignStorm(inputs.storm_depth, inputs.storm_hours, inputs.storm_shape))
    if inputs.storm_return_period is not None and inputs.storm_curve is not None:
        a, c, b, n = inputs.storm_curve
        storm = ReturnStorm(inputs.storm_return_period, inputs.storm_hours, (a, c, b, n), inputs.storm_shape)
        scenario = scenario.with_edit(storm)
    for gate in inputs.gates_closed:
        scenario = scenario.with_edit(CloseGate(gate))
    for gate in inputs.gates_open:
        scenario = scenario.with_edit(OpenGate(gate))
    for pump in inputs.pumps_off:
        scenario = scenario.with_edit(StopPump(pump))
    for breach in inputs.breaches:
        scenario = scenario.with_edit(BreachDyke(**breach.model_dump()))
    for edit in (*inputs.list_conditions(), *inputs.list_works()):
        scenario = scenario.with_edit(edit)
    return scenario


def compute(view: CityView, inputs: FloodScenarioInputs, progress: Progress) -> Outputs:
    """Return the flood of the scenario. Raises InputError when neither a level nor readings give a stage."""
    progress.report(0.0, "địa hình, sông rạch — terrain and water")
    case = prepare_scenario(view, inputs)
    return compute_flood(case, title=entitle(case.scenario), progress=progress)


def prepare_scenario(view: CityView, inputs: FloodScenarioInputs, *, stage: StageSeries | None = None) -> FloodCase:
    """Return the scenario of the inputs ready to run, driven by their stage or by the one given."""
    scenario = build_scenario(inputs, choose_base_time(view, inputs.base_time, "base_time"))
    return prepare_flood(
        view,
        scenario,
        find_stage(view, inputs, scenario) if stage is None else stage,
        hours=inputs.horizon_hours,
        cell_size=inputs.cell_size,
        output_minutes=inputs.output_minutes,
        river_below=inputs.river_below,
        ground=inputs.ground,
        sewer=inputs.sewer,
        factor=inputs.factor,
    )


def find_stage(view: CityView, inputs: FloodScenarioInputs, scenario: Scenario) -> StageSeries:
    """Return the stage of the scenario: held at a level, or the gauge's forecast with its offset."""
    held = scenario.find(HoldStage)
    if not held:
        _, stage = forecast_gauge(view, choose_gauge(view, inputs.gauge), scenario.base_time, inputs.horizon_hours)
        return stage.shift(sum(edit.metres for edit in scenario.find(StageOffset)))
    if inputs.usual_level is not None:
        usual = inputs.usual_level
    elif inputs.river_below is not None:
        # A terrain without the river's bed shows its surface on the day of the survey.
        bed, _ = read_terrain(view, inputs.cell_size)
        usual = float(np.median(bed[find_river_below(bed, inputs.river_below)]))
    else:
        usual = min(0.0, held[0].level)
    return hold_stage(usual, held[0].level, held[0].ramp_hours, inputs.horizon_hours)


def entitle(scenario: Scenario) -> Text:
    """Return a title that names the edits."""
    vi, en = [], []
    for edit in scenario.edits:
        match edit:
            case HoldStage():
                vi.append(f"mực nước {write_vi(edit.level)} m")
                en.append(f"stage {edit.level:g} m")
            case StageOffset():
                vi.append(f"nước dâng {write_vi(edit.metres, '+g')} m")
                en.append(f"stage {edit.metres:+g} m")
            case DesignStorm():
                vi.append(f"mưa {write_vi(edit.depth_mm)} mm trong {write_vi(edit.duration_hours)} giờ")
                en.append(f"{edit.depth_mm:g} mm of rain in {edit.duration_hours:g} h")
            case ReturnStorm():
                years, hours = edit.return_period, edit.duration_hours
                vi.append(f"mưa {write_vi(hours)} giờ {write_vi(years)} năm một lần")
                en.append(f"the {hours:g} h rain of 1 in {years:g} years")
            case CloseGate():
                vi.append(f"đóng cống {edit.gate_id}")
                en.append(f"gate {edit.gate_id} closed")
            case OpenGate():
                vi.append(f"cống {edit.gate_id} kẹt mở")
                en.append(f"gate {edit.gate_id} stuck open")
            case StopPump():
                vi.append(f"dừng bơm {edit.pump_id}")
                en.append(f"pump {edit.pump_id} off")
            case BreachDyke():
                place = edit.dyke_id or f"{edit.lat:.4f}, {edit.lon:.4f}"
                vi.append(f"vỡ đê {place}")
                en.append(f"dyke breached at {place}")
            case _:
                words = name_condition(edit)
                vi += [words[0]] if words else []
                en += [words[1]] if words else []
    works = name_works(scenario)
    vi += works[0]
    en += works[1]
    return Text("Kịch bản: " + (", ".join(vi) or "không thay đổi"), "Scenario: " + (", ".join(en) or "no change"))


PROCESS = Process(
    id="flood-scenario",
    title=Text("Kịch bản ngập", "Flood scenario"),
    description=Text(
        "Nếu triều cao hơn, mưa lớn, đóng cống, dừng bơm, vỡ đê hay đào hồ, tôn đường, mở kênh thì ngập ở đâu?",
        "Where does water go if the stage is higher, a storm falls, gates close, pumps stop, dykes breach or works "
        "change the ground?",
    ),
    inputs=FloodScenarioInputs,
    outputs=OUTPUT_LAYERS,
    compute=compute,
)
