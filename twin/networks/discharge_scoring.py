"""How suspect a source is: what its permit says, what it measured when it must have let go, how near it is.

The score is no probability. It begins at 0.3 and is added to; each part is told in words, for a person to weigh.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely

from layers.errors import NotFoundError
from twin.networks.discharge_sources import PERMITS, SUBSTANCES
from twin.process import CityView

BASE = 0.3
OVER, UNDER = 0.4, -0.25
NO_PERMIT, ELSEWHERE, BAD_PERMIT, EXPIRING = 0.15, 0.1, 0.2, 0.05
NEAR, NEAR_S = 0.15, 3 * 3600.0
LARGE, LARGE_VOLUME = 0.1, 200.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A source that can have caused it, and how suspect it is (0–1), with the reasons in words."""

    layer: str
    source: str
    name: str | None
    activity: str | None
    permit_number: str | None
    permit_status: str | None
    daily_volume: float | None
    limit: float | None
    measured: float | None
    node_id: str | None
    distance: float
    quickest: float
    slowest: float
    released: tuple[datetime, datetime]
    score: float
    why: str
    point: shapely.Point


def find_meters(city: CityView) -> dict[str, str]:
    """Return the sensor of each permit that has one."""
    sensors = city.layer("sensors", columns=["watched_layer", "watched_id"])
    own = sensors[sensors["watched_layer"] == PERMITS]
    return dict(zip(own["watched_id"].astype(str), own["id"].astype(str), strict=True))


def judge(
    city: CityView, meters: Mapping[str, str], source: Any, substance: str, *, node_id: str | None,
    travel: tuple[float, float], distance: float, released: tuple[datetime, datetime],
) -> Candidate:  # fmt: skip
    """Return a source (a row of ``DischargeSources.table``) with its score."""
    column = SUBSTANCES[substance][1]
    limit = _number(source[column]) if column else None
    sensor = meters.get(str(source.get("permit_id")))
    measured = None if sensor is None else _find_largest(city, sensor, substance, released)
    volume, status = _number(source.get("daily_volume")), _word(source.get("permit_status"))
    reasons: list[tuple[float, str]] = []
    number = _word(source.get("permit_number"))
    if number is None:
        reasons.append((NO_PERMIT, "không thấy giấy phép (no permit)"))
    elif source["source_layer"] != PERMITS:
        reasons.append((ELSEWHERE, f"giấy phép {number} là xả ra nguồn khác (its permit is for other water)"))
    if status in ("expired", "revoked"):
        reasons.append((BAD_PERMIT, "giấy phép hết hiệu lực (permit not valid)"))
    elif status == "expiring":
        reasons.append((EXPIRING, "giấy phép sắp hết hạn (permit expires soon)"))
    if measured is not None and limit is not None:
        over = measured > limit
        says = f"đo {measured:g}, giới hạn {limit:g} mg/L (measured {'above' if over else 'below'} its limit)"
        reasons.append((OVER if over else UNDER, says))
    nearness = float(NEAR * np.exp(-travel[0] / NEAR_S))
    reasons.append((nearness, f"nước đi nhanh nhất {travel[0] / 60.0:.0f} phút (quickest travel, minutes)"))
    if volume is not None:
        reasons.append((LARGE * min(volume / LARGE_VOLUME, 1.0), f"{volume:g} m³/ngày (volume a day)"))
    score = round(min(max(BASE + sum(part for part, _ in reasons), 0.0), 1.0), 3)
    return Candidate(
        str(source["source_layer"]), str(source["source"]), _word(source["name"]), _word(source["activity"]),
        number, status, volume, limit, measured, node_id, distance, *travel, released,
        score, "; ".join(says for _, says in reasons), source.geometry,
    )  # fmt: skip


def _find_largest(city: CityView, sensor: str, substance: str, released: tuple[datetime, datetime]) -> float | None:
    try:
        _, values = city.series(city.find_datastream(sensor, substance), *released)
    except NotFoundError:
        return None
    return round(float(values.max()), 2) if values.size else None


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
