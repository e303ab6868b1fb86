"""``aggregate=1h`` of Observations: what it means, and buckets as JSON."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from api.answers import write_moment
from api.sta.answers import make_self_link
from api.sta.arrays import group_arrays
from layers.errors import InputError
from layers.store.sensing.entities import ENTITIES
from layers.store.sensing.sta_aggregate import Bucket

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=3660)
COMPONENTS = ("phenomenonTime", "count", "min", "mean", "max", "sum", "last")
_DATASTREAMS = ENTITIES["Datastreams"]
_SHORT = re.compile(r"([0-9]{1,6})\s*(min|h|d|w)")
_ISO = re.compile(r"P(?:([0-9]{1,6})W|(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?)?)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_width(text: str) -> timedelta:
    """Return the width of the buckets that ``aggregate`` asks for: 10min, 1h, 1d, 1w, or ISO 8601 such as PT1H."""
    width = timedelta()
    if short := _SHORT.fullmatch(text.strip()):
        width = timedelta(**{_UNITS[short[2]]: int(short[1])})
    elif iso := _ISO.fullmatch(text.strip()):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        width = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not SHORTEST <= width <= LONGEST:
        raise InputError(f"aggregate '{text[:40]}' is not a length of 1 minute to 10 years", hint="10min, 1h, 1d, PT1H")
    return width


def write_buckets(buckets: Sequence[Bucket], root: str) -> list[dict[str, Any]]:
    """Return each bucket as an object with its Datastream's link."""
    return [
        {
            **dict(zip(COMPONENTS, _list_values(bucket), strict=True)),
            "Datastream@iot.navigationLink": make_self_link(root, _DATASTREAMS, bucket.datastream_id),
        }
        for bucket in buckets
    ]


def write_bucket_arrays(buckets: Sequence[Bucket], root: str) -> list[dict[str, Any]]:
    """Return the buckets as data arrays, one a Datastream."""
    return group_arrays(COMPONENTS, ((bucket.datastream_id, _list_values(bucket)) for bucket in buckets), root)


def _list_values(bucket: Bucket) -> list[Any]:
    period = f"{write_moment(bucket.start)}/{write_moment(bucket.end)}"
    return [period, bucket.count, bucket.minimum, bucket.mean, bucket.maximum, bucket.sum, bucket.last]
