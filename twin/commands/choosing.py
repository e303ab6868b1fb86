"""What commands that read features have in common: which of a layer's features are meant."""

from datetime import UTC, datetime

from layers.errors import InputError
from layers.store.mercator import Bounds
from layers.store.origins import PRESENT, Interval, Past
from layers.store.query.cql2 import parse_filter
from layers.store.query.selection import Filter, ItemQuery


def read_query(*filters: str | None, bbox: str | None = None, at: str | None = None) -> ItemQuery:
    """Return the features that pass every filter (CQL2 text), lie in ``bbox`` and existed at a time.

    Whoever sits at this machine may see all properties.
    """
    return ItemQuery(
        bounds=read_bbox(bbox) if bbox is not None else None,
        filters=tuple(Filter(parse_filter(words)) for words in filters if words is not None),
        past=Past(Interval(*2 * (read_time(at),))) if at is not None else PRESENT,
    )


def read_bbox(words: str) -> Bounds:
    """Return west, south, east, north [degrees]; InputError says what is wrong with ``words``."""
    try:
        west, south, east, north = (float(part) for part in words.split(","))
    except ValueError as error:
        raise InputError(f"bbox '{words}' is not four numbers", hint="west,south,east,north in degrees") from error
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError(f"bbox '{words}' is not west < east and south < north in degrees")
    return west, south, east, north


def read_time(words: str) -> datetime:
    """Return the moment ``words``; without an offset it is UTC. InputError says how one is written."""
    try:
        parsed = datetime.fromisoformat(words)
    except ValueError:
        raise InputError(f"time '{words}' cannot be read", hint="2026-11-22, or 2026-11-22T10:00:00+07:00") from None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed
