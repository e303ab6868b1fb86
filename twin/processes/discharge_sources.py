"""Suspected discharges: which connected sources can have caused an exceedance at an outfall, a node or a sensor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from layers.errors import InputError, NotFoundError, TwinError
from layers.schema import Text
from network.discharge import find_suspects
from twin.networks.city_graph import CityGraph
from twin.networks.discharge_scoring import Candidate, find_meters, judge
from twin.networks.discharge_sources import PERMITS, SUBSTANCES, DischargeSources, read_sources
from twin.networks.discharge_travel import OPEN_WATER, Target, compute_speeds, find_targets
from twin.networks.discharge_window import find_exceedance
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe

MOST_TOLD = 1_000
SUBSTANCE_TITLES = {
    "chemical_oxygen_demand": Text("COD", "COD"),
    "biochemical_oxygen_demand": Text("BOD₅", "BOD₅"),
    "suspended_solids": Text("Chất rắn lơ lửng", "Suspended solids"),
    "turbidity": Text("Độ đục", "Turbidity"),
    "dissolved_oxygen": Text("Oxy hòa tan (thấp)", "Dissolved oxygen (low)"),
    "ammonium": Text("Amoni", "Ammonium"),
    "coliform": Text("Coliform", "Coliform"),
    "ph": Text("pH", "pH"),
    "salinity": Text("Độ mặn", "Salinity"),
    "oil": Text("Dầu mỡ", "Oil and grease"),
    "metals": Text("Kim loại nặng", "Heavy metals"),
}


class DischargeSourcesInputs(Inputs):
    """Where, what and when a limit was exceeded."""

    place: str = describe(
        Text("Nơi vượt ngưỡng", "Where"),
        Text("Mã cửa xả, nút thoát nước hoặc trạm đo.", "Id of an outfall, a drainage node or a sensor."),
        min_length=1,
        max_length=80,
    )
    substance: str = describe(
        Text("Chất", "Substance"), Text("Thông số vượt ngưỡng.", "What exceeded its limit."),
        choices=SUBSTANCE_TITLES, pattern=f"^({'|'.join(SUBSTANCES)})$",
    )  # fmt: skip
    start: datetime | None = describe(
        Text("Vượt từ", "Exceeded from"),
        Text("Bỏ trống: đợt vượt ngưỡng gần nhất của trạm đo.", "Without it, the last exceedance of the sensor."),
        default=None,
    )
    end: datetime | None = describe(
        Text("Vượt đến", "Exceeded to"), Text("Lúc hết vượt ngưỡng.", "When it was over."), default=None
    )
    limit: float | None = describe(
        Text("Ngưỡng", "Limit"),
        Text(
            "Theo đơn vị của trạm đo; oxy hòa tan: thấp hơn là vượt.",
            "In the unit of the sensor; of dissolved oxygen, below it is an exceedance.",
        ),
        unit="{sensor}",
        default=None,
        ge=0.0,
        le=1e9,
    )
    days: float = describe(
        Text("Số ngày xem lại", "Days looked back"),
        Text("Tìm đợt vượt ngưỡng trong bấy nhiêu ngày.", "The exceedance is sought in so many days."),
        unit="d", default=14.0, gt=0.0, le=400.0,
    )  # fmt: skip
    reach: float = describe(
        Text("Tầm trên mặt nước", "Reach in open water"),
        Text("Cửa xả cách trạm đo bấy nhiêu mét trở lại.", "Outfalls up to so far from the sensor."),
        unit="m", default=800.0, gt=0.0, le=10_000.0,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Way:
    """How the water of a source (row) can have come: the node it is connected to, way [m], times of travel [s]."""

    sources: DischargeSources
    row: int
    node_id: str | None
    quickest: float
    slowest: float
    distance: float


def compute(city: CityView, inputs: DischargeSourcesInputs, progress: Progress) -> Outputs:
    """Return the suspects, the likeliest first. Raises InputError where no time is given and none is found, and for a
    place that is not there.
    """
    try:
        return _compute(city, inputs, progress)
    except NotFoundError as error:
        raise InputError(error.message, hint=error.hint) from error


def _compute(city: CityView, inputs: DischargeSourcesInputs, progress: Progress) -> Outputs:
    progress.report(0.1, "mạng thoát nước — drains")
    begin, end = _find_window(city, inputs)
    ways: dict[tuple[str, str], _Way] = {}
    body: str | None = None
    wrong: TwinError | None = None
    known = False
    for commodity in ("drainage", "sewer"):
        network = city.network(commodity)
        if not network.graph.link_count:
            continue
        try:
            targets, body, point = find_targets(city, network, inputs.place, reach=inputs.reach)
        except (NotFoundError, InputError) as error:
            wrong = error
            continue
        known = True
        sources = read_sources(city, network)
        reaching = _trace(network, targets, sources, inputs.substance, (begin.timestamp(), end.timestamp()))
        if body is not None:
            reaching += _list_direct(sources, body, point, inputs)
        for way in reaching:
            key = str(sources.table["source_layer"].iat[way.row]), str(sources.table["source"].iat[way.row])
            if key not in ways or way.quickest < ways[key].quickest:
                ways[key] = way
    if not known:
        raise wrong or NotFoundError("the city has no drains", hint="load drainage_nodes and drainage_links")
    progress.report(0.7, "số đo của các nguồn — readings of the sources")
    meters = find_meters(city)
    found = [_weigh(city, meters, way, inputs.substance, begin, end) for way in ways.values()]
    found.sort(key=lambda each: (-each.score, each.quickest, each.source))
    kept = found[:MOST_TOLD]
    frame = _to_features(city, kept)
    return Outputs(
        title=Text(f"Nguồn xả nghi vấn: {len(found)}", f"Suspected discharges: {len(found)}"),
        base_time=begin,
        horizon_hours=(end - begin).total_seconds() / 3600.0,
        features={"discharge_suspects": frame},
        summary={
            "place": inputs.place, "substance": inputs.substance, "exceeded_from": begin.isoformat(),
            "exceeded_to": end.isoformat(), "suspects": len(found), "water_body": body,
            "first": [
                {
                    "rank": number, "layer": each.layer, "id": each.source, "name": each.name, "score": each.score,
                    "distance": round(each.distance, 1), "travel_quickest": round(each.quickest),
                    "travel_slowest": round(each.slowest), "why": each.why,
                }
                for number, each in enumerate(kept[:20], 1)
            ],
        },
        parameters={"open_water_speed": OPEN_WATER, "reach": inputs.reach, "limit": inputs.limit},
    )  # fmt: skip


def _find_window(city: CityView, inputs: DischargeSourcesInputs) -> tuple[datetime, datetime]:
    given = inputs.start, inputs.end
    if any(each is not None and each.tzinfo is None for each in given):
        raise InputError("a time of the exceedance has no zone", hint="such as 2026-11-19T06:00:00+07:00")
    if inputs.start is not None and inputs.end is not None:
        if inputs.start > inputs.end:
            raise InputError(f"the exceedance ends at {inputs.end} before it begins at {inputs.start}")
        return inputs.start, inputs.end
    if inputs.limit is None:
        raise InputError("neither start and end nor a limit is given", hint="give start and end, or a sensor and limit")
    start = inputs.start or city.now - timedelta(days=inputs.days)
    return find_exceedance(
        city, inputs.place, inputs.substance, inputs.limit, start, inputs.end or city.now,
        below=inputs.substance == "dissolved_oxygen",
    )  # fmt: skip


def _trace(
    network: CityGraph,
    targets: Sequence[Target],
    sources: DischargeSources,
    substance: str,
    window: tuple[float, float],
) -> list[_Way]:
    """Return the ways of all sources whose water can have come by in time."""
    connected = np.flatnonzero(sources.nodes >= 0)
    if not connected.size:
        return []
    speeds, held = compute_speeds(network), sources.hold(substance)[connected]
    found = []
    for target in targets:
        slow, quick = (target.beyond / speed for speed in OPEN_WATER)
        # What was seen at the place passed the node between so much and so much earlier.
        passed = window[0] - slow, window[1] - quick
        for suspect in find_suspects(
            network.graph, target.node, sources.nodes[connected], passed, speeds=speeds, holds=held,
            open_links=network.open_links,
        ):  # fmt: skip
            found.append(
                _Way(
                    sources, int(connected[suspect.source]), str(network.node_items[suspect.node]) or None,
                    suspect.quickest + quick, suspect.slowest + slow, suspect.distance + target.beyond,
                )
            )  # fmt: skip
    return found


def _list_direct(
    sources: DischargeSources, body: str, point: shapely.Point, inputs: DischargeSourcesInputs
) -> list[_Way]:
    """Return the ways of permits that discharge straight into the water body, within reach."""
    table = sources.table
    away = shapely.distance(table.geometry.to_numpy(), point)
    near = (table["source_layer"] == PERMITS) & (table["water_body_id"] == body) & (away <= inputs.reach)
    slow, quick = (away / speed for speed in OPEN_WATER)
    return [
        _Way(sources, row, None, float(quick[row]), float(slow[row]), float(away[row]))
        for row in np.flatnonzero(near.to_numpy(bool) & sources.hold(inputs.substance)).tolist()
    ]


def _weigh(
    city: CityView, meters: Mapping[str, str], way: _Way, substance: str, begin: datetime, end: datetime
) -> Candidate:
    released = begin - timedelta(seconds=way.slowest), end - timedelta(seconds=way.quickest)
    travel = way.quickest, way.slowest
    return judge(
        city, meters, way.sources.table.iloc[way.row], substance,
        node_id=way.node_id, travel=travel, distance=way.distance, released=released,
    )  # fmt: skip


def _to_features(city: CityView, found: Sequence[Candidate]) -> gpd.GeoDataFrame:
    rows: list[dict[str, Any]] = [
        {
            "id": f"{each.layer}.{each.source}", "rank": number, "asset_layer": each.layer, "asset_id": each.source,
            "name": each.name, "activity": each.activity, "permit_number": each.permit_number,
            "permit_status": each.permit_status, "daily_volume": each.daily_volume, "limit": each.limit,
            "measured": each.measured, "node_id": each.node_id, "distance": round(each.distance, 1),
            "travel_quickest": round(each.quickest), "travel_slowest": round(each.slowest),
            "released_from": each.released[0].astimezone(UTC), "released_to": each.released[1].astimezone(UTC),
            "score": each.score, "why": each.why,
        }
        for number, each in enumerate(found, 1)
    ]  # fmt: skip
    columns = [
        "id", "rank", "asset_layer", "asset_id", "name", "activity", "permit_number", "permit_status", "daily_volume",
        "limit", "measured", "node_id", "distance", "travel_quickest", "travel_slowest", "released_from", "released_to",
        "score", "why",
    ]  # fmt: skip
    return gpd.GeoDataFrame(rows, columns=columns, geometry=[each.point for each in found], crs=city.crs)


PROCESS = Process(
    id="discharge-sources",
    title=Text("Truy nguồn xả thải", "Sources of a discharge"),
    description=Text(
        "Nguồn xả nào đấu nối ở thượng lưu có thể đã gây vượt ngưỡng tại cửa xả, nút hay trạm đo; xếp theo khả năng.",
        "Which sources connected upstream can have caused an exceedance at an outfall, a node or a sensor, the "
        "likeliest first.",
    ),
    inputs=DischargeSourcesInputs,
    outputs=("discharge_suspects",),
    compute=compute,
    immediate=True,
)
