"""Transit access: what people reach on foot and by public transport, on a dry day and under water."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from layers.datum import CRS84, make_transformer
from layers.errors import InputError
from layers.schema import Text
from layers.types.transit_runs import MINUTES
from network.transit import Calls, Question, Walks
from twin.process import CityView, Outputs, Process, Progress
from twin.processes.transit_access_inputs import TransitAccessInputs
from twin.processes.transit_access_summary import summarize_losses, summarize_reached
from twin.roads.access_tub import fill_tub
from twin.roads.flooding import RoadWater, hold_water, read_run_water
from twin.transit.accessibility import NAMES, Cells, Feet, Reached, change_walks, count_reached, read_cells, walk_all
from twin.transit.day import DayCalls, DayStops, list_calls, list_stops
from twin.transit.feed import CityFeed, read_time
from twin.transit.services import choose_day
from twin.transit.walking import Ground
from twin.transit.water import Losses, apply_losses, find_losses

FAR = MINUTES[-1] * 60


def compute(view: CityView, inputs: TransitAccessInputs, progress: Progress) -> Outputs:
    """Return what is within reach. Raises InputError where there is no feed, no cell, or no trip in the window."""
    progress.report(0.0, "lịch chạy — timetables")
    feeds = view.feeds(inputs.feeds)
    if not feeds:
        raise InputError("the city has no public transport feed", hint="type: twin transit import FILE.zip")
    wanted = inputs.day or view.now.astimezone(view.zone).date()
    days = [choose_day(one.feed, wanted) for one in feeds]
    starts = _list_starts(inputs)
    stops = list_stops(feeds, view.crs)
    day_calls = list_calls(feeds, days, starts[0], starts[-1] + FAR)
    if not day_calls.feeds.size:
        raise InputError(
            f"no trip runs from {inputs.start} on {', '.join(map(str, days))}", hint="give another day or start"
        )
    cells, origins = read_cells(view), _find_origin(view, inputs)
    progress.report(0.05, "đi bộ — walks")
    roads = view.roads()
    ground = Ground(roads if roads.graph.edge_count else None, inputs.walk_speed)
    feet = walk_all(
        ground, cells.xy if origins is None else origins, cells.xy, stops, access=inputs.walk * 60.0, cutoff=FAR
    )
    feet = Feet(feet.access, feet.direct, feet.egress, _with_transfers(feeds, stops, feet.changes))
    question = Question(starts, FAR, inputs.change, inputs.rides, float(inputs.percentile))
    losses, told = _find_losses(view, inputs, feeds, stops, day_calls)
    share = 0.9 if losses is None else 0.45
    dry = _count(day_calls.calls, stops, feet, cells, question, progress, 0.1, share)
    wet, left = None, None
    if losses is not None:
        left = apply_losses(day_calls.calls, losses)
        wet = _count(left, stops, feet, cells, question, progress, 0.1 + share, share)
    frame = _to_features(view, cells, feet, dry, wet, from_point=origins is not None)
    summary = {
        "feeds": [
            {"feed": one.stamp, "title": one.title, "day": day.isoformat()}
            for one, day in zip(feeds, days, strict=True)
        ],
        "departures": {"first": inputs.start, "window_min": inputs.window, "count": len(starts)},
        "trips": int(day_calls.feeds.size),
        "trips_left_out": day_calls.left_out,
        "calls_estimated": round(day_calls.estimated, 4),
        "walking": ground.kind,
        "cells": len(cells.frame),
        "people": round(float(cells.values[:, 0].sum())),
        "totals": {name: round(float(cells.values[:, k].sum())) for k, name in enumerate(NAMES)},
        **summarize_reached(cells, dry, wet, from_point=origins is not None),
        **({} if losses is None or left is None else summarize_losses(stops, day_calls, losses, left, told)),
    }
    return Outputs(
        title=_entitle(inputs),
        base_time=datetime.combine(wanted, datetime.min.time(), view.zone).astimezone(UTC),
        horizon_hours=0.0,
        features={"transit_access": frame},
        summary=summary,
        parameters={"minutes": list(MINUTES), "walk_speed": inputs.walk_speed, "closing_depth": inputs.closing_depth},
    )


def _list_starts(inputs: TransitAccessInputs) -> tuple[int, ...]:
    first = int(read_time(f"{inputs.start}:00"))
    return tuple(range(first, first + max(inputs.window, 1) * 60, inputs.step * 60))


def _find_origin(view: CityView, inputs: TransitAccessInputs) -> NDArray[np.float64] | None:
    if inputs.longitude is None or inputs.latitude is None:
        return None
    return np.array([make_transformer(CRS84, view.crs).transform(inputs.longitude, inputs.latitude)])


def _with_transfers(feeds: Sequence[CityFeed], stops: DayStops, walks: Walks) -> Walks:
    tables = [one.feed.table("transfers") for one in feeds]
    offsets = np.searchsorted(stops.feeds, np.arange(len(feeds)))
    rows = []
    for one, table, offset in zip(feeds, tables, offsets.tolist(), strict=True):
        own = [table.find(name, one.feed.stop_ids) for name in ("from_stop_id", "to_stop_id")]
        rows.append((np.where(own[0] >= 0, own[0] + offset, -1), np.where(own[1] >= 0, own[1] + offset, -1)))
    return change_walks(walks, tables, rows, stops.ids.size)


def _find_losses(
    view: CityView, inputs: TransitAccessInputs, feeds: Sequence[CityFeed], stops: DayStops, calls: DayCalls
) -> tuple[Losses | None, dict[str, Any]]:
    named = np.isin(stops.ids, np.array(inputs.lost_stops, object)) if inputs.lost_stops else None
    if named is not None and int(named.sum()) < len(set(inputs.lost_stops)):
        unknown = sorted(set(inputs.lost_stops) - set(stops.ids[named]))
        raise InputError(f"stop '{unknown[0][:80]}' is of none of the feeds", hint="ids as in layer stops: feed.stop")
    water, told = _read_water(view, inputs)
    if water is None:
        return (None if named is None else Losses(named, np.zeros((0, 2), np.int64))), told
    losses = find_losses(feeds, stops, calls, water, view.roads(), view.crs, inputs.closing_depth)
    return (losses if named is None else Losses(losses.stops | named, losses.cuts)), told


def _read_water(view: CityView, inputs: TransitAccessInputs) -> tuple[RoadWater | None, dict[str, Any]]:
    if inputs.flood_run is not None:
        return read_run_water(view, view.roads(), inputs.flood_run), {"run": inputs.flood_run}
    if inputs.stage is not None:
        tub = fill_tub(view, inputs.stage)
        return hold_water(view, view.roads(), tub.depth, tub.bed, tub.grid), {"stage": inputs.stage, **tub.notes}
    return None, {}


def _count(
    calls: Calls,
    stops: DayStops,
    feet: Feet,
    cells: Cells,
    question: Question,
    progress: Progress,
    begin: float,
    share: float,
) -> Reached:
    return count_reached(
        calls, stops, feet, cells, question,
        follow=lambda done: progress.report(begin + share * done, "chuyến đi — journeys"),
    )  # fmt: skip


def _to_features(
    view: CityView, cells: Cells, feet: Feet, dry: Reached, wet: Reached | None, *, from_point: bool
) -> gpd.GeoDataFrame:
    columns: dict[str, Any] = {
        "id": cells.frame["id"].astype(str).to_numpy(),
        "cell_id": cells.frame["id"].astype(str).to_numpy(),
        "population": np.round(cells.values[:, 0]).astype(np.int64),
    }
    now = dry if wet is None else wet
    if from_point:
        columns["travel_time"] = now.times
    else:
        jobs = max(float(cells.values[:, NAMES.index("jobs")].sum()), 1.0)
        columns["jobs_share_45"] = np.round(now.counts[:, NAMES.index("jobs"), MINUTES.index(45)] / jobs, 4)
        for k, name in enumerate(NAMES):
            for m, minutes in enumerate(MINUTES):
                columns[f"{name}_{minutes}"] = np.round(now.counts[:, k, m]).astype(np.int64)
            if wet is not None:
                lost = dry.counts[:, k, MINUTES.index(45)] - wet.counts[:, k, MINUTES.index(45)]
                columns[f"{name}_lost_45"] = np.round(lost).astype(np.int64)
        nearest = np.full(len(cells.frame), np.nan)
        owners = np.repeat(np.arange(len(cells.frame)), np.diff(feet.access.first))
        np.fmin.at(nearest, owners, feet.access.seconds.astype(np.float64))
        columns["walk_time"] = nearest
    return gpd.GeoDataFrame(columns, geometry=cells.frame.geometry.to_numpy(), crs=view.crs)


def _entitle(inputs: TransitAccessInputs) -> Text:
    vi = f"Tiếp cận bằng giao thông công cộng từ {inputs.start}"
    en = f"Access by public transport from {inputs.start}"
    if inputs.flood_run is not None:
        return Text(f"{vi} khi ngập, lần chạy {inputs.flood_run}", f"{en} under water, run {inputs.flood_run}")
    if inputs.stage is not None:
        level = f"{inputs.stage:g}"
        return Text(f"{vi} khi nước ở mức {level.replace('.', ',')} m", f"{en} with water at {level} m")
    return Text(vi, en)


PROCESS = Process(
    id="transit-access",
    title=Text("Tiếp cận bằng giao thông công cộng", "Access by public transport"),
    description=Text(
        "Đi bộ và đi xe buýt, tàu, phà thì trong 30, 45, 60 phút tới được bao nhiêu người, việc làm, trường học, "
        "cơ sở y tế từ mỗi ô dân cư hay từ một điểm; so lúc khô với lúc ngập, khi trạm và đường bị mất.",
        "How many people, jobs, schools and health facilities are reached in 30, 45 and 60 minutes on foot and by "
        "public transport from each cell or from a point; a dry day compared with one under water.",
    ),
    inputs=TransitAccessInputs,
    outputs=("transit_access",),
    compute=compute,
)
