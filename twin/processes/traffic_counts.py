"""Counts of vehicles by station: daily traffic, peak hour, quality, and how a model fits them (GEH)."""

from datetime import datetime, timedelta

import geopandas as gpd
import numpy as np

from layers.errors import NotFoundError
from layers.schema import Text
from network.counts import (
    GEH_GOAL,
    GEH_LIMIT,
    Values,
    compute_geh,
    compute_profile,
    estimate_daily_traffic,
    find_peak,
    gather_hours,
    judge_counts,
    share_fitting,
)
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe
from twin.traffic.count_model import ModelFlows
from twin.traffic.counting import Station, gather_stations

WORKING_DAYS = slice(0, 5)
DOUBTFUL = 10.0
CLASSES = ("motorbike", "car", "truck", "bus")


class TrafficCountsInputs(Inputs):
    """Which days are counted, and what they are compared with."""

    until: datetime | None = describe(
        Text("Đến thời điểm", "Until"),
        Text("Số đếm đến lúc này; bỏ trống là bây giờ.", "Counts up to this time; now if not given."),
        default=None,
    )
    days: int = describe(
        Text("Số ngày", "Days"),
        Text("Đếm bao nhiêu ngày gần nhất.", "How many days before are counted."),
        unit="d",
        default=14,
        ge=1,
        le=366,
    )
    hour: int = describe(
        Text("Giờ so sánh", "Hour compared"),
        Text(
            "Giờ địa phương của ngày làm việc để so với mô hình.",
            "Hour of the local clock on working days that a model is compared with.",
        ),
        unit="h",
        default=17,
        ge=0,
        le=23,
    )
    model_run: str | None = describe(
        Text("Lần chạy mô hình", "Run of the model"),
        Text(
            "Mã lần chạy phân bổ giao thông (lớp traffic_flows); bỏ trống thì không so.",
            "Id of a run of the traffic assignment (layer traffic_flows); nothing is compared if not given.",
        ),
        default=None,
        max_length=80,
    )


def compute(city: CityView, inputs: TrafficCountsInputs, progress: Progress) -> Outputs:
    """Return one feature a station, and in the summary how many fit the model."""
    until = inputs.until or city.now
    start = until - timedelta(days=inputs.days)
    roads = city.roads()
    stations = [one for one in gather_stations(city.road_series(until), roads) if "vehicle_count" in one.series]
    if not stations:
        raise NotFoundError(
            "no station counts vehicles on a road",
            hint="sensors of kind 'traffic' with a series of vehicle_count that watch a feature of road_links",
        )
    flows = None if inputs.model_run is None else ModelFlows(city, roads, inputs.model_run)
    offset = round((until.astimezone(city.zone).utcoffset() or timedelta()).total_seconds())
    rows, profiles = [], ["station_id,road_link_id,weekday,hour,flow"]
    for number, station in enumerate(stations):
        progress.report(number / len(stations), station.id)
        model = np.nan if flows is None else flows.sum(station.links)
        times, rates = city.series(station.series["vehicle_count"].id, start, until)
        profile = compute_profile(gather_hours(times, rates, station.interval_s), offset)
        told = _describe(station, (times, rates), (start, until), offset, profile[WORKING_DAYS, inputs.hour], model)
        rows.append(told | _share_classes(city, station, start, until))
        profiles += _list_profile(station, profile)
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=city.crs)
    geh = frame["geh"].to_numpy(np.float64)
    share = share_fitting(geh)
    summary = {
        "from": start.isoformat(),
        "until": until.isoformat(),
        "stations": len(frame),
        "good_stations": int(frame["good"].sum()),
        "compared": int(np.isfinite(geh).sum()),
        "geh_limit": GEH_LIMIT,
        "goal": GEH_GOAL,
        "share_below_limit": None if np.isnan(share) else round(share, 4),
        "goal_met": None if np.isnan(share) else bool(share >= GEH_GOAL),
    }
    title = Text(f"Đếm xe {inputs.days} ngày", f"Traffic counts of {inputs.days} days")
    return Outputs(
        title, start, 24.0 * inputs.days, features={"traffic_counts": frame}, summary=summary,
        parameters={"hour": inputs.hour, "model_run": inputs.model_run},
        files={"profiles.csv": ("\n".join(profiles) + "\n").encode()},
    )  # fmt: skip


def _describe(
    station: Station,
    counts: tuple[Values, Values],
    span: tuple[datetime, datetime],
    offset: int,
    own: Values,
    model: float,
) -> dict[str, object]:
    times, rates = counts
    step = station.interval_s
    daily = estimate_daily_traffic(gather_hours(times, rates, step), offset)
    peak = find_peak(times, rates, step, offset)
    quality = judge_counts(times, rates, step, span[0].timestamp(), span[1].timestamp())
    count = float(own[np.isfinite(own)].mean()) if np.isfinite(own).any() else np.nan
    geh = float(compute_geh(model, count)) if np.isfinite(model) and np.isfinite(count) else np.nan
    return {
        "id": f"{station.id}-{station.road}",
        "station_id": station.id,
        "name": station.name,
        "road_link_id": station.road,
        "direction": station.direction,
        "daily_traffic": round(daily.flow, 0),
        "days": daily.days,
        "peak_hour": None if peak is None else peak.hour,
        "peak_flow": np.nan if peak is None else round(peak.flow, 0),
        "peak_factor": np.nan if peak is None else round(peak.factor, 3),
        "cover": round(quality.cover, 4),
        "good": quality.is_good,
        "count": round(count, 1),
        "model": round(model, 1),
        "geh": round(geh, 3),
        "fit": _grade(geh),
        "geometry": station.point,
    }


def _share_classes(city: CityView, station: Station, start: datetime, until: datetime) -> dict[str, float]:
    """Return the share of each class in what was counted by class; NaN where none is."""
    flows = {}
    for name in CLASSES:
        series = station.series.get(f"{name}_count")
        _, rates = (np.empty(0), np.empty(0)) if series is None else city.series(series.id, start, until)
        flows[name] = float(rates.mean()) if rates.size else np.nan
    total = float(np.nansum(list(flows.values())))
    return {f"{name}_share": round(flow / total, 4) if total > 0.0 else np.nan for name, flow in flows.items()}


def _list_profile(station: Station, profile: Values) -> list[str]:
    """Return the mean flow of each hour of the week as rows of a table; Monday is 1."""
    return [
        f"{station.id},{station.road},{day + 1},{hour},{profile[day, hour]:.1f}"
        for day in range(7)
        for hour in range(24)
        if np.isfinite(profile[day, hour])
    ]


def _grade(geh: float) -> str:
    if np.isnan(geh):
        return "alone"
    return "fits" if geh < GEH_LIMIT else "doubtful" if geh <= DOUBTFUL else "unfit"


PROCESS = Process(
    "traffic-counts",
    Text("Đếm xe", "Traffic counts"),
    Text(
        "Lưu lượng ngày, giờ cao điểm, chất lượng của từng trạm đếm xe; so với kết quả phân bổ bằng GEH.",
        "Daily traffic, peak hour and quality of each counter; beside the flows of an assignment by GEH.",
    ),
    TrafficCountsInputs,
    ("traffic_counts",),
    compute,
)
