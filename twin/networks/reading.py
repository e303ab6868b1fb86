"""Features as columns: how a network asks the city for attributes and shapes, whatever the city is kept in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from layers.registry import read_vector_layer
from layers.store.networks.columns import read_columns
from twin.networks.commodities import EVERY, When

Objects = NDArray[np.object_]
Mask = NDArray[np.bool_]
Fids = NDArray[np.int64]

_MANY = 5000


@dataclass(frozen=True, slots=True)
class Rows:
    """Features of one layer: ids (n,), the asked properties (n,) each, None where not filled in, shapes (n,), and
    feature ids (n,), -1 where the city has none.
    """

    ids: Objects
    values: dict[str, Objects]
    shapes: Objects | None = None
    fids: Fids | None = None

    @property
    def keys(self) -> Fids:
        """The feature ids (n,)."""
        return np.full(self.ids.size, -1, np.int64) if self.fids is None else self.fids

    def test(self, *rules: When) -> Mask:
        """Return which features pass any of the rules (n,)."""
        passed = np.zeros(self.ids.size, np.bool_)
        for rule in rules:
            if rule is EVERY:
                return np.ones(self.ids.size, np.bool_)
            # An equality of objects per value: a column of words has no order to search by.
            for value in rule.values:
                passed |= self.values[rule.name] == value
        return passed

    def take(self, chosen: NDArray[Any]) -> "Rows":
        """Return the chosen features."""
        shapes = None if self.shapes is None else self.shapes[chosen]
        values = {name: column[chosen] for name, column in self.values.items()}
        return Rows(self.ids[chosen], values, shapes, None if self.fids is None else self.fids[chosen])


class Reader(Protocol):
    """Where features come from."""

    def list(self, layer_id: str, columns: Sequence[str], *, shapes: bool = False, filled: Sequence[str] = ()) -> Rows:
        """Return all features of a layer, or those that have texts in all of ``filled``."""

    def pick(self, layer_id: str, ids: Objects, columns: Sequence[str], *, shapes: bool = False) -> Rows:
        """Return the features with these ids in their order; None for what is not there."""


class LayerView(Protocol):
    """What gives the features of a layer as a frame; every view of the city does."""

    def layer(self, layer_id: str, *, columns: Sequence[str] | None = None) -> gpd.GeoDataFrame:
        """Return the features with ``id``, ``columns`` and geometry."""


class ViewReader:
    """Reads the layers of a view of the city, each as often as it is asked."""

    def __init__(self, view: LayerView) -> None:
        self._view = view

    def list(self, layer_id: str, columns: Sequence[str], *, shapes: bool = False, filled: Sequence[str] = ()) -> Rows:
        """Return all features of a layer, or those that have texts in all of ``filled``."""
        names = _choose(layer_id, [*columns, *filled])
        frame = self._view.layer(layer_id, columns=names)
        rows = Rows(
            frame["id"].to_numpy(object),
            {name: _clean(frame[name].to_numpy(object)) for name in names},
            frame.geometry.to_numpy().astype(object) if shapes else None,
        )
        return rows.take(~rows.test(*(When(name, (None, "")) for name in filled))) if filled else rows

    def pick(self, layer_id: str, ids: Objects, columns: Sequence[str], *, shapes: bool = False) -> Rows:
        """Return the features with these ids in their order; None for what is not there."""
        return align_rows(self.list(layer_id, columns, shapes=shapes), ids)


class StoreReader:
    """Reads the layers of a database as a connection sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, layer_id: str, columns: Sequence[str], *, shapes: bool = False, filled: Sequence[str] = ()) -> Rows:
        """Return all features of a layer, or those that have texts in all of ``filled``, by feature id."""
        return self._read(layer_id, columns, shapes, filled=filled)

    def pick(self, layer_id: str, ids: Objects, columns: Sequence[str], *, shapes: bool = False) -> Rows:
        """Return the features with these ids in their order; None for what is not there."""
        wanted = None if ids.size > _MANY else ids.tolist()
        return align_rows(self._read(layer_id, columns, shapes, ids=wanted), ids)

    def _read(
        self,
        layer_id: str,
        columns: Sequence[str],
        shapes: bool,
        *,
        ids: Sequence[str] | None = None,
        filled: Sequence[str] = (),
    ) -> Rows:
        names, layer = _choose(layer_id, columns), read_vector_layer(layer_id)
        found = read_columns(self._connection, layer, names, shapes=shapes, ids=ids, filled=filled)
        return Rows(found[0], found[2], found[3], found[1])


def align_rows(rows: Rows, ids: Objects) -> Rows:
    """Return the features called ``ids`` in their order; None for what is not there."""
    place = {name: k for k, name in enumerate(rows.ids.tolist())}
    at = np.array([place.get(name, -1) for name in ids.tolist()], np.int64)

    def take(column: Objects) -> Objects:
        found = column[np.maximum(at, 0)] if column.size else np.full(at.size, None, object)
        found[at < 0] = None
        return found

    values = {name: take(column) for name, column in rows.values.items()}
    return Rows(ids, values, None if rows.shapes is None else take(rows.shapes))


def list_names(*names: str | None, rules: Sequence[When | None] = ()) -> list[str]:
    """Return the properties that are named or tested, each once."""
    tested = [rule.name for rule in rules if rule is not None and rule is not EVERY]
    return list(dict.fromkeys(name for name in (*names, *tested) if name is not None))


def _choose(layer_id: str, columns: Sequence[str]) -> list[str]:
    layer = read_vector_layer(layer_id)
    return [name for name in dict.fromkeys(columns) if layer.find(name) is not None]


def _clean(column: Objects) -> Objects:
    """Return the column with None where pandas says not known."""
    missing = np.array([value is None or value != value for value in column.tolist()], np.bool_)
    if missing.any():
        column = column.copy()
        column[missing] = None
    return column
