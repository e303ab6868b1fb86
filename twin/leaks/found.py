"""What a search found as features: alarms where the leaks most likely are, and the pipes to walk for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np

from network.leaks.detection import Alarm
from network.leaks.search import Search
from network.leaks.walk import Walk, plan_walk
from twin.water.study import Study

MOST_PIPES = 200
"""To walk for one alarm; what is beyond is not told apart by so few sensors."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The alarms that a search told, with the walk of each, the time of its first step and the length of one [s]."""

    search: Search
    study: Study
    walks: tuple[Walk, ...]
    start: datetime
    step: int
    radius: float

    @property
    def alarms(self) -> list[Alarm]:
        """The alarms, in the order they were raised."""
        return self.search.alarms

    def date(self, step: int) -> datetime:
        """Return the time at which a step was read."""
        return self.start + timedelta(seconds=step * self.step)


def plan_walks(search: Search, study: Study, start: datetime, step: int, *, share: float, radius: float) -> Found:
    """Return the walks that hold ``share`` of the probability of each alarm, MOST_PIPES at most."""
    watched = search.watched
    walks = [
        plan_walk(alarm.location.probability, watched.distances, watched.lengths, share=share)
        for alarm in search.alarms
    ]
    cut = [
        walk
        if len(walk.pipes) <= MOST_PIPES
        else Walk(walk.pipes[:MOST_PIPES], float(watched.lengths[walk.pipes[:MOST_PIPES]].sum()))
        for walk in walks
    ]
    return Found(search, study, tuple(cut), start, step, radius)


def name_pipes(found: Found) -> list[str]:
    """Return the ids in the layer of the searched pipes, in the search's order."""
    network, model = found.study.network, found.study.model
    ids = [key for frame in network.links for key in frame["id"]]
    of_name = dict(zip(model.links, ids, strict=True))
    return [of_name[name] for name in found.search.sensitivity.pipe_ids]


def frame_alarms(found: Found) -> gpd.GeoDataFrame:
    """Return the layer ``leak_alarms``: each alarm in the middle of its most likely pipe."""
    pipes = name_pipes(found)
    shapes = found.study.network.pipes.set_index("id").geometry
    rows: list[dict[str, Any]] = []
    places = []
    for number, (alarm, walk) in enumerate(zip(found.alarms, found.walks, strict=True), 1):
        near = found.search.watched.distances[alarm.pipe] <= found.radius
        rows.append(
            {
                "id": str(number),
                "leak_kind": alarm.kind,
                "state": "running" if alarm.ended is None else "ended",
                "onset": found.date(alarm.onset),
                "raised": found.date(alarm.raised),
                "ended": None if alarm.ended is None else found.date(alarm.ended),
                "size": round(tell_size(alarm), 6),
                "pipe_id": pipes[alarm.pipe],
                "probability": round(float(alarm.location.probability[near].sum()), 4),
                "walk_count": len(walk.pipes),
                "walk_length": round(walk.length, 1),
            }
        )
        places.append(shapes[pipes[alarm.pipe]].interpolate(0.5, normalized=True))
    columns = list(rows[0]) if rows else ["id"]
    return gpd.GeoDataFrame(rows, columns=columns, geometry=places, crs=shapes.crs)


def frame_walks(found: Found) -> gpd.GeoDataFrame:
    """Return the layer ``leak_pipes``: the pipes to walk for each alarm that is not over."""
    pipes = name_pipes(found)
    shapes = found.study.network.pipes.set_index("id").geometry
    rows: list[dict[str, Any]] = []
    for number, (alarm, walk) in enumerate(zip(found.alarms, found.walks, strict=True), 1):
        if alarm.ended is not None:
            continue
        rank = np.argsort(np.argsort(-alarm.location.probability[walk.pipes], kind="stable"), kind="stable")
        rows += [
            {
                "id": f"{number}.{order}",
                "alarm_id": str(number),
                "pipe_id": pipes[pipe],
                "walk_order": order,
                "likelihood_rank": int(rank[order - 1]) + 1,
                "probability": round(float(alarm.location.probability[pipe]), 4),
                "distance": round(float(min(found.search.watched.distances[alarm.pipe, pipe], 1.0e6)), 1),
                "length": round(float(found.search.watched.lengths[pipe]), 1),
            }
            for order, pipe in enumerate(walk.pipes.tolist(), 1)
        ]
    columns = list(rows[0]) if rows else ["id"]
    return gpd.GeoDataFrame(rows, columns=columns, geometry=[shapes[row["pipe_id"]] for row in rows], crs=shapes.crs)


def tell_size(alarm: Alarm) -> float:
    """Return the size of a leak now, of one that is over the last before its end [m3/s]."""
    sizes = [size for _, size in alarm.sizes if size > 0.0]
    return sizes[-1] if sizes else 0.0


def describe_alarms(found: Found) -> Sequence[dict[str, Any]]:
    """Return the alarms as a summary tells them, with how the size went on [m3/s]."""
    pipes = name_pipes(found)
    return [
        {
            "id": str(number),
            "kind": alarm.kind,
            "raised": found.date(alarm.raised).isoformat(),
            "onset": found.date(alarm.onset).isoformat(),
            "ended": None if alarm.ended is None else found.date(alarm.ended).isoformat(),
            "size": round(tell_size(alarm), 6),
            "pipe": pipes[alarm.pipe],
            "walk": {"pipes": len(walk.pipes), "length": round(walk.length, 1)},
            "sizes": [[found.date(step).isoformat(), round(size, 6)] for step, size in alarm.sizes],
        }
        for number, (alarm, walk) in enumerate(zip(found.alarms, found.walks, strict=True), 1)
    ]
