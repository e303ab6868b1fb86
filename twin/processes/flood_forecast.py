"""Flood forecast: the gauge's readings, the stage to come, the water over the land, what it touches."""

from datetime import datetime

from layers.errors import InputError
from layers.schema import Text
from twin.process import CityView, Outputs, Process, Progress, describe
from twin.processes.flood_stage import choose_base_time, forecast_gauge
from twin.processes.flood_steps import OUTPUT_LAYERS, FloodInputs, compute_flood, prepare_flood
from twin.scenario import Scenario


class FloodForecastInputs(FloodInputs):
    """What a flood forecast is asked."""

    issue_time: datetime | None = describe(
        Text("Thời điểm phát báo", "Issue time"),
        Text(
            "Chỉ dùng số đo đến thời điểm này; bỏ trống là bây giờ.",
            "Only readings up to this time are used; now if not given.",
        ),
        default=None,
    )
    horizon_hours: float = describe(
        Text("Thời hạn dự báo", "Horizon"),
        Text("Dự báo trước bao lâu.", "How far ahead."),
        unit="h",
        default=24.0,
        ge=6.0,
        le=72.0,
    )


def compute(view: CityView, inputs: FloodForecastInputs, progress: Progress) -> Outputs:
    """Return the flood of the next hours. Raises InputError without a gauge or its readings."""
    gauge = choose_gauge(view, inputs.gauge)
    issue_time = choose_base_time(view, inputs.issue_time, "issue_time")
    progress.report(0.0, "dự báo mực nước — stage forecast")
    _, stage = forecast_gauge(view, gauge, issue_time, inputs.horizon_hours)
    case = prepare_flood(
        view,
        Scenario(issue_time),
        stage,
        hours=inputs.horizon_hours,
        cell_size=inputs.cell_size,
        output_minutes=inputs.output_minutes,
        sewer=inputs.sewer,
        factor=inputs.factor,
    )
    title = Text(
        f"Dự báo ngập {inputs.horizon_hours:g} giờ theo trạm {gauge}",
        f"Flood forecast, {inputs.horizon_hours:g} h from gauge {gauge}",
    )
    return compute_flood(case, title=title, progress=progress)


def choose_gauge(view: CityView, gauge: str | None) -> str:
    """Return the given gauge or the city's main one; InputError when there is neither."""
    chosen = gauge or view.main_gauge
    if chosen is None:
        raise InputError(
            "no gauge given, and the city names no main_gauge",
            hint="give gauge (a sensor id) or, in a scenario, stage_level",
        )
    return chosen


PROCESS = Process(
    id="flood-forecast",
    title=Text("Dự báo ngập", "Flood forecast"),
    description=Text(
        "Từ số đo mực nước: dự báo triều và nước dâng, mô phỏng nước tràn, thống kê đối tượng bị ngập.",
        "From gauge readings: tide and surge ahead, water over the land, and the assets it touches.",
    ),
    inputs=FloodForecastInputs,
    outputs=OUTPUT_LAYERS,
    compute=compute,
)
