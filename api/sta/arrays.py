"""Observations as data arrays: one array a Datastream, its columns named once (OGC 18-088, 12)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.sta.answers import make_self_link
from api.sta.paths import ID_NAMES
from layers.store.sensing.entities import ENTITIES
from layers.store.sensing.sta_request import Query

_OBSERVATIONS, _DATASTREAMS = ENTITIES["Observations"], ENTITIES["Datastreams"]


def name_components(query: Query) -> list[str]:
    """Return the columns of a data array: what $select names, else the id and every attribute."""
    attributes = [attribute.name for attribute in _OBSERVATIONS.attributes]
    if query.select is None:
        return ["id", *attributes]
    return ["id" if name in ID_NAMES else name for name in query.select if name in (*ID_NAMES, *attributes)]


def write_arrays(rows: Sequence[Mapping[str, Any]], components: Sequence[str], root: str) -> list[dict[str, Any]]:
    """Return data arrays, one a Datastream, in the order the Datastreams come first.

    Each row has ``@iot.id``, its attributes, and under ``Datastream`` the row of its Datastream.
    """
    return group_arrays(
        components,
        (
            (
                str(row["Datastream"]["@iot.id"]),
                [row["@iot.id"] if name == "id" else row.get(name) for name in components],
            )
            for row in rows
        ),
        root,
    )


def group_arrays(components: Sequence[str], rows: Iterable[tuple[str, list[Any]]], root: str) -> list[dict[str, Any]]:
    """Return data arrays of ``rows``, each the id of its Datastream and the values of ``components``."""
    arrays: dict[str, list[list[Any]]] = {}
    for key, values in rows:
        arrays.setdefault(key, []).append(values)
    return [
        {
            "Datastream@iot.navigationLink": make_self_link(root, _DATASTREAMS, key),
            "components": list(components),
            "dataArray@iot.count": len(values),
            "dataArray": values,
        }
        for key, values in arrays.items()
    ]
