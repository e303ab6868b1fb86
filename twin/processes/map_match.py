"""Map matching: from a recorded track to the roads that were driven, and how fast."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np

from layers.errors import NotFoundError
from layers.schema import Text
from network.map_matching import ERROR_M, Match
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe
from twin.processes.route_inputs import find_lonlat
from twin.roads.city_roads import CityRoads
from twin.roads.isochrones import ReachedRoads, draw_reached
from twin.roads.matching import RADIUS_M, DrivenLinks, match_positions
from twin.roads.matching_tracks import Track, read_track
from twin.roads.profiles import MODE_TITLES, Mode, read_mode
from twin.roads.snapping import project_places

MOST_TOLD = 200
SPEEDS_NAME = "speeds.csv"
LEAST_DRIVEN_M = 20.0
"""Speeds on shorter pieces of a road say little: the error of positions is of that size."""


class MapMatchInputs(Inputs):
    """The track."""

    track: dict[str, Any] | str = describe(
        Text("Hành trình", "Track"),
        Text(
            "GeoJSON (đường, hoặc các điểm có time) hoặc CSV lon,lat,time; tối đa 20 000 điểm.",
            "GeoJSON (a line, or points with time) or CSV lon,lat,time; up to 20,000 positions.",
        ),
    )
    mode: Mode = describe(
        Text("Phương tiện", "Mode"),
        Text("Đi bằng gì.", "What one travelled by."),
        choices=MODE_TITLES,
        default="motorbike",
    )
    accuracy: float = describe(
        Text("Sai số vị trí", "Accuracy"),
        Text("Độ lệch chuẩn của vị trí.", "Standard deviation of positions."),
        unit="m",
        default=ERROR_M,
        ge=1.0,
        le=100.0,
    )
    radius: float = describe(
        Text("Bán kính tìm đường", "Radius"),
        Text("Chỉ xét đường cách vị trí tối đa bấy nhiêu.", "Only roads this near to a position are considered."),
        unit="m",
        default=RADIUS_M,
        ge=5.0,
        le=200.0,
    )


def compute(view: CityView, inputs: MapMatchInputs, progress: Progress) -> Outputs:
    """Match the track; see ``network.map_matching``."""
    track = read_track(inputs.track, view.zone)
    roads = view.roads()
    xy = project_places(track.lonlat.tolist(), view.crs, "track")
    progress.report(0.3, "tìm đường đã chạy — matching")
    match, driven = match_positions(
        roads, read_mode(inputs.mode), xy, times=track.times, error=inputs.accuracy, radius=inputs.radius
    )
    if not driven.links.size:
        raise NotFoundError(
            f"no road for mode '{inputs.mode}' within {inputs.radius:g} m of any position of the track",
            hint="a larger radius, or another mode",
        )
    progress.report(0.8, "ghi kết quả — writing")
    length = float(driven.lengths.sum())
    began = None if track.times is None else datetime.fromtimestamp(float(track.times[0]), UTC)
    return Outputs(
        title=Text(f"Hành trình {length / 1000:.1f} km", f"Track of {length / 1000:.1f} km"),
        base_time=began or view.now,
        horizon_hours=0.0,
        features={"matched_links": _build_frame(view, roads, driven)},
        summary=_summarize(view, track, match, driven, xy),
        files={} if track.times is None else {SPEEDS_NAME: write_speeds(roads, driven).encode()},
        parameters={"stamp": roads.stamp, "accuracy": inputs.accuracy, "radius": inputs.radius},
    )


def write_speeds(roads: CityRoads, driven: DrivenLinks) -> str:
    """Return the speed on each road as CSV: road_link_id, direction as drawn, time in the middle, speed [km/h]."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(("road_link_id", "direction", "time", "speed"))
    speeds, middle = driven.speeds, driven.entered + 0.5 * driven.seconds
    ahead = roads.graph.forward[driven.links]
    items = roads.items[roads.graph.edges[driven.links]]
    for place in np.flatnonzero(np.isfinite(speeds) & (driven.lengths >= LEAST_DRIVEN_M)).tolist():
        moment = datetime.fromtimestamp(float(middle[place]), UTC).isoformat(timespec="seconds")
        way = "forward" if ahead[place] else "backward"
        writer.writerow((items[place], way, moment, round(min(float(speeds[place]), 300.0), 1)))
    return made.getvalue()


def _build_frame(view: CityView, roads: CityRoads, driven: DrivenLinks) -> gpd.GeoDataFrame:
    graph = roads.graph
    ahead = graph.forward[driven.links]
    begins = np.where(ahead, driven.begins, 1.0 - driven.ends)
    ends = np.where(ahead, driven.ends, 1.0 - driven.begins)
    edges = graph.edges[driven.links].astype(np.int64)
    kept = np.flatnonzero(ends - begins > 1e-9)
    lines = draw_reached(roads, ReachedRoads(edges[kept], begins[kept], ends[kept], np.zeros(kept.size)))
    entered = [None if np.isnan(each) else datetime.fromtimestamp(each, UTC) for each in driven.entered[kept].tolist()]
    return gpd.GeoDataFrame(
        {
            "id": [f"M{place}" for place in kept.tolist()],
            "position": np.arange(1, kept.size + 1),
            "stretch": driven.stretches[kept] + 1,
            "road_link_id": roads.items[edges[kept]].astype(str),
            "name": [name or None for name in roads.names[edges[kept]].tolist()],
            "forward": ahead[kept],
            "length": np.round(driven.lengths[kept], 1),
            "entered": entered,
            "duration": np.round(driven.seconds[kept], 1),
            "speed": np.round(np.minimum(driven.speeds[kept], 300.0), 1),
        },
        geometry=[line if along else line.reverse() for line, along in zip(lines, ahead[kept], strict=True)],
        crs=view.crs,
    )


def _summarize(
    view: CityView, track: Track, match: Match, driven: DrivenLinks, xy: np.ndarray[Any, np.dtype[np.float64]]
) -> dict[str, Any]:
    gaps = []
    for before, after in zip(match.stretches[:-1], match.stretches[1:], strict=True):
        first, last = int(before.points[-1]), int(after.points[0])
        gaps.append({
            "from_position": first + 1,
            "to_position": last + 1,
            "distance": round(float(np.hypot(*(xy[last] - xy[first]))), 1),
        })  # fmt: skip
    ends = find_lonlat(xy[[0, -1]], view.crs).round(6).tolist()
    return {
        "positions": len(xy),
        "used": int(sum(part.points.size for part in match.stretches)),
        "passed_over": int(match.passed.size),
        "off_road": (match.lost + 1).tolist()[:MOST_TOLD],
        "off_road_count": int(match.lost.size),
        "stretches": len(match.stretches),
        "gaps": gaps[:MOST_TOLD],
        "length": round(float(driven.lengths.sum()), 1),
        "links": int(driven.links.size),
        "duration": None if track.times is None else round(float(track.times[-1] - track.times[0]), 1),
        "begin": ends[0],
        "end": ends[1],
    }


PROCESS = Process(
    id="map-match",
    title=Text("Khớp hành trình với đường", "Map matching"),
    description=Text(
        "Từ các vị trí ghi được tìm đường đã chạy (mô hình Markov ẩn), chỗ đứt đoạn, tốc độ trên từng đoạn đường.",
        "From recorded positions to the roads that were driven (hidden Markov model), gaps, and the speed on each.",
    ),
    inputs=MapMatchInputs,
    outputs=("matched_links",),
    compute=compute,
    immediate=True,
    access="public",
)
