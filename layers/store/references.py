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
        raise NotFoundError(f"collection '{layer.id}' has no item '{feature[:80]}'")


def locate_middle(connection: Connection, references: Sequence[Reference]) -> tuple[float, float] | None:
    """Return longitude and latitude [°] of the middle of the features, None for none.

    NotFoundError names one that does not exist.
    """
    points: list[tuple[float, float]] = []
    for reference in references:
        layer = read_vector_layer(reference.layer)
        require_feature(connection, layer, reference.feature)
        row = connection.execute(
            text(
                "select ST_X(point), ST_Y(point) from (select ST_Transform(ST_PointOnSurface(geom), 4326) as point "
                f"from {CITY}.{quote(layer.id)} where id = :id) as middle"
            ),
            {"id": reference.feature},
        ).one()
        points.append((row[0], row[1]))
    if not points:
        return None
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
