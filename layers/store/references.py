"""Features that other records point at: that they exist, and where they are."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from layers.errors import NotFoundError
from layers.registry import read_vector_layer
from layers.schema import VectorLayer
from layers.store.names import quote
from layers.store.tables import CITY


class Reference(NamedTuple):
    """A feature by its layer and id."""

    layer: str
    feature: str


def require_feature(connection: Connection, layer: VectorLayer, feature: str) -> None:
    """Raise NotFoundError unless ``layer`` has a feature called ``feature`` now."""
    found = connection.execute(text(f"select 1 from {CITY}.{quote(layer.id)} where id = :id"), {"id": feature})
    if found.first() is None:
        raise _name_missing(layer, feature)


def locate_middle(connection: Connection, references: Sequence[Reference]) -> tuple[float, float] | None:
    """Return longitude and latitude [°] of the middle of the features, None for none.

    NotFoundError names one that does not exist.
    """
    wanted: dict[str, list[str]] = {}
    for reference in dict.fromkeys(references):
        wanted.setdefault(reference.layer, []).append(reference.feature)
    points: list[tuple[float, float]] = []
    for layer_id, ids in wanted.items():
        layer = read_vector_layer(layer_id)
        rows = connection.execute(
            text(
                "select id, ST_X(point), ST_Y(point) from (select id, ST_Transform(ST_PointOnSurface(geom), 4326) as "
                f"point from {CITY}.{quote(layer.id)} where id = any(:ids)) as placed"
            ),
            {"ids": ids},
        )
        found = {row[0]: (row[1], row[2]) for row in rows}
        missing = next((each for each in ids if each not in found), None)
        if missing is not None:
            raise _name_missing(layer, missing)
        points += found.values()
    if not points:
        return None
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _name_missing(layer: VectorLayer, feature: str) -> NotFoundError:
    return NotFoundError(f"collection '{layer.id}' has no item '{feature[:80]}'")
