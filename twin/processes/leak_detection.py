"""Leak detection: pressures and inflows of the last weeks beside the model, alarms and the pipes to walk."""

from datetime import datetime, timedelta

from layers.errors import InputError, TooLargeError
from layers.schema import Text
from network.leaks.detection import Settings
from network.leaks.expectation import DrivenModel
from network.leaks.search import search_leaks
from twin.leaks.found import Found, describe_alarms, frame_alarms, frame_walks, plan_walks
from twin.leaks.instruments import Gauges, find_gauges, find_step, read_gauges
from twin.process import CityView, Inputs, Outputs, Process, Progress, StoppedError, describe
from twin.processes.flood_stage import choose_base_time
from twin.water.study import Asked, open_study

MOST_PIPES = 6000
"""Searched at once: distances of all pairs are held in memory."""

MOST_STEPS = 120_000
DAY = 86_400
HOUR = 3600


class LeakDetectionInputs(Inputs):
    """What a search for leaks is asked."""

    model: str | None = describe(
        Text("Mô hình đã nhập", "Imported model"),
        Text(
            "Mã của mô hình EPANET đã nhập; bỏ trống thì dựng từ các lớp.",
            "Id of an EPANET model that was imported; built from the layers if not given.",
        ),
        default=None,
        max_length=40,
    )
    area: str | None = describe(
        Text("Vùng cấp nước (DMA)", "District metered area"),
        Text(
            "Chỉ tìm trong vùng này; bỏ trống là vùng có mọi máy đo áp lực, hoặc cả mạng.",
            "Search in this area only; if not given the one all pressure loggers stand in, or the whole network.",
        ),
        default=None,
        max_length=200,
    )
    base_time: datetime | None = describe(
        Text("Đến thời điểm", "Until"),
        Text("Dùng số đo đến thời điểm này; bỏ trống là bây giờ.", "Readings up to this time; now if not given."),
        default=None,
    )
    known_days: int = describe(
        Text("Số ngày học", "Days to learn from"),
        Text(
            "Những ngày đầu, không có rò rỉ mới, để học sai số của mô hình.",
            "First days, in which no leak began, from which the errors of the model are learned.",
        ),
        unit="d",
        default=21,
        ge=3,
        le=366,
    )
    watch_days: int = describe(
        Text("Số ngày theo dõi", "Days to watch"),
        Text("Những ngày sau đó, trong đó tìm rò rỉ.", "Days after those, in which leaks are looked for."),
        unit="d",
        default=7,
        ge=1,
        le=366,
    )
    step_minutes: int | None = describe(
        Text("Bước thời gian", "Time step"),
        Text(
            "Số đo được lấy trung bình trong mỗi bước; bỏ trống thì theo nhịp đo, ít nhất 15 phút.",
            "Readings are averaged over each step; as often as they come, 15 minutes at least, if not given.",
        ),
        unit="min",
        default=None,
        ge=5,
        le=60,
    )
    threshold: float = describe(
        Text("Ngưỡng báo động", "Threshold"),
        Text(
            "Ngưỡng của tổng CUSUM (tỷ số hợp lý, logarit): cao thì ít báo nhầm, chậm hơn.",
            "Of the CUSUM sums (log-likelihood ratio): higher means fewer false alarms, later.",
        ),
        unit="1",
        default=30.0,
        ge=5.0,
        le=200.0,
    )
    walk_share: float = describe(
        Text("Xác suất phải đi dò", "Probability to walk"),
        Text("Các ống đi dò chứa ít nhất phần xác suất này.", "The pipes to walk hold at least this probability."),
        unit="1",
        default=0.8,
        ge=0.1,
        le=0.99,
    )


def compute(view: CityView, inputs: LeakDetectionInputs, progress: Progress) -> Outputs:
    """Return alarms and pipes to walk.

    Raises InputError for too few readings, no logger, a model that cannot run; NotFoundError for an unknown area or
    model; TooLargeError for too many pipes or steps.
    """
    days = inputs.known_days + inputs.watch_days
    if inputs.step_minutes is not None:
        check_step(inputs.step_minutes, days)
    until = choose_base_time(view, inputs.base_time, "base_time")
    progress.report(0.0, "mạng cấp nước — water network")
    # The patterns of a model begin at midnight: that of a Monday makes the model's week the calendar's.
    monday = until.astimezone(view.zone) - timedelta(days=until.astimezone(view.zone).weekday())
    study = open_study(view, Asked(model=inputs.model, driving="demand"), monday, progress)
    if len(study.network.pipes) > MOST_PIPES:
        raise TooLargeError(
            f"the water network has {len(study.network.pipes):,} pipes, expected at most {MOST_PIPES:,}",
            hint="import a model of one area, and name it in model",
        )
    gauges = find_gauges(view, study, inputs.area)
    step = find_step(view, gauges, until) if inputs.step_minutes is None else 60 * inputs.step_minutes
    steps = days * DAY // step
    start = datetime.fromtimestamp(until.timestamp() // step * step - steps * step, tz=view.zone)
    readings = read_gauges(view, gauges, start, steps, step)

    def watch(share: float) -> None:
        if progress.should_stop():
            raise StoppedError
        progress.report(0.1 + 0.85 * share, "tìm rò rỉ — search for leaks")

    driven = DrivenModel(study.model.text, gauges.instruments, step, only=gauges.only)
    settings = set_pace(inputs.threshold, step)
    search = search_leaks(driven, readings, inputs.known_days * DAY // step, settings, watch=watch)
    found = plan_walks(search, study, start, step, share=inputs.walk_share, radius=settings.radius)
    return Outputs(
        title=Text(f"Dò rò rỉ {inputs.watch_days} ngày", f"Leak detection over {inputs.watch_days} days"),
        base_time=start + timedelta(days=inputs.known_days),
        horizon_hours=24.0 * inputs.watch_days,
        features={"leak_alarms": frame_alarms(found), "leak_pipes": frame_walks(found)},
        summary=summarise(found, gauges),
        parameters={"engine": "EPANET 2.3", "threshold": inputs.threshold, "step_s": step, "radius_m": settings.radius},
    )


def check_step(minutes: int, days: int) -> None:
    """Raise InputError for a step that does not divide the hour, TooLargeError for too many steps in ``days``."""
    steps = days * DAY // (60 * minutes)
    if steps > MOST_STEPS:
        raise TooLargeError(f"{steps:,} steps of readings, expected at most {MOST_STEPS:,}", hint="take fewer days")
    if HOUR % (60 * minutes):
        raise InputError(f"step_minutes {minutes} does not divide the hour", hint="5, 6, 10, 12, 15, 20, 30 or 60")


def set_pace(threshold: float, step: int) -> Settings:
    """Return the settings of a search by steps of ``step`` [s]: its waits are the same hours whatever the step."""
    usual = Settings()
    return Settings(
        threshold=threshold,
        settle=6 * HOUR // step,
        refine=DAY // step,
        patience=3 * DAY // step,
        sudden=3 * HOUR // step,
        still=14 * DAY // step,
        sizes=usual.sizes,
    )


def summarise(found: Found, gauges: Gauges) -> dict[str, object]:
    """Return what a run tells of a search."""
    running = [alarm for alarm in found.alarms if alarm.ended is None]
    walked = sum(walk.length for alarm, walk in zip(found.alarms, found.walks, strict=True) if alarm.ended is None)
    return {
        "alarms": describe_alarms(found),
        "running": len(running),
        "length_to_walk": round(walked, 1),
        "area": gauges.area,
        "loggers": len(gauges.loggers),
        "inlet_meters": len(gauges.inlets),
        "pipes": len(found.search.sensitivity.pipe_ids),
        "pipes_not_seen": int((~found.search.watched.visible).sum()),
    }


PROCESS = Process(
    id="leak-detection",
    title=Text("Dò rò rỉ", "Leak detection"),
    description=Text(
        "Tìm chỗ rò rỉ từ áp lực, lưu lượng đo và mô hình: thời điểm, lưu lượng, vị trí, các ống phải đi dò.",
        "Finds leaks from measured pressures and inflows beside the model: time, size, place, the pipes to walk.",
    ),
    inputs=LeakDetectionInputs,
    outputs=("leak_alarms", "leak_pipes"),
    compute=compute,
)
