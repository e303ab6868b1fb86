"""The answers of ``query``: features, ids, counts, extents, distinct values and statistics."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from api.esri.asking import Parameters, read_fields, read_offset, read_order, read_output, read_row_query
from api.esri.describing import MAX_RECORDS
from api.esri.fields import list_fields, write_value
from api.esri.shapes import DEGREES, ESRI_TYPES, MERCATOR, describe_reference, read_wkid, write_geojson, write_shape
from api.esri.where import OBJECT_ID, resolve_name
from layers.errors import InputError
from layers.schema import VectorLayer
from layers.store.items import OutputCrs
from layers.store.rows import (
    Row,
    RowQuery,
    Statistic,
    count_rows,
    list_fids,
    read_box,
    select_distinct,
    select_rows,
    select_statistics,
)

_MAX_WORDS = 64


def answer_query(connection: Connection, layer: VectorLayer, parameters: Parameters) -> dict[str, Any]:
    """Return the answer of ``query`` on ``layer``, as Esri's JSON or as GeoJSON; InputError says what is wrong."""
    query = read_row_query(parameters, layer)
    if parameters.flag("returnCountOnly") and parameters.flag("returnExtentOnly"):
        return {"count": count_rows(connection, layer, query)} | _answer_extent(connection, layer, query, parameters)
    if parameters.flag("returnCountOnly"):
        return {"count": count_rows(connection, layer, query)}
    if parameters.flag("returnIdsOnly"):
        return {"objectIdFieldName": OBJECT_ID, "objectIds": list_fids(connection, layer, query)}
    if parameters.flag("returnExtentOnly"):
        return _answer_extent(connection, layer, query, parameters)
    if (words := parameters.text("outStatistics")) is not None:
        return _answer_statistics(connection, layer, query, parameters, words)
    if parameters.flag("returnDistinctValues"):
        return _answer_distinct(connection, layer, query, parameters)
    return _answer_features(connection, layer, query, parameters)


def _answer_features(
    connection: Connection, layer: VectorLayer, query: RowQuery, parameters: Parameters
) -> dict[str, Any]:
    as_geojson = parameters.text("f") == "geojson"
    crs = _read_crs(parameters, DEGREES if as_geojson else MERCATOR)
    names = read_fields(parameters, layer)
    properties = [name for name in names if name not in (OBJECT_ID, "id")]
    limit = _read_limit(parameters)
    # One row more than the page tells whether there is more.
    rows = select_rows(
        connection, layer, query, properties, order=read_order(parameters, layer), offset=read_offset(parameters),
        limit=limit + 1, crs=crs if parameters.flag("returnGeometry", default=True) else None,
        tolerance=parameters.number("maxAllowableOffset", 0.0),
    )  # fmt: skip
    page, more = rows[:limit], len(rows) > limit
    decimals = int(min(parameters.number("geometryPrecision", crs.decimals), 15))
    if as_geojson:
        return _write_geojson(page, names, properties, more=more)
    answer: dict[str, Any] = {
        "objectIdFieldName": OBJECT_ID,
        "uniqueIdField": {"name": OBJECT_ID, "isSystemMaintained": True},
        "globalIdFieldName": "",
        "geometryType": ESRI_TYPES[layer.geometry],
        "spatialReference": describe_reference(crs.srid),
        "fields": _describe_fields(layer, [OBJECT_ID, *names]),
        "features": [
            {"attributes": _write_attributes(row, names, properties)}
            | ({} if row.shape is None else {"geometry": write_shape(row.shape, decimals)})
            for row in page
        ],
    }
    if more:
        answer["exceededTransferLimit"] = True
    return answer


def _write_geojson(
    page: Sequence[Row], names: Sequence[str], properties: Sequence[str], *, more: bool
) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "properties": {"exceededTransferLimit": more},
        "exceededTransferLimit": more,
        "features": [
            {
                "type": "Feature",
                "id": row.fid,
                "geometry": None if row.shape is None else write_geojson(row.shape),
                "properties": _write_attributes(row, names, properties),
            }
            for row in page
        ],
    }


def _write_attributes(row: Row, names: Sequence[str], properties: Sequence[str]) -> dict[str, object]:
    """Return the object id, then what was asked for."""
    known: dict[str, object] = {OBJECT_ID: row.fid, "id": row.id}
    known |= dict(zip(properties, map(write_value, row.values), strict=True))
    return {name: known[name] for name in dict.fromkeys((OBJECT_ID, *names))}


def _answer_extent(
    connection: Connection, layer: VectorLayer, query: RowQuery, parameters: Parameters
) -> dict[str, Any]:
    crs = _read_crs(parameters, MERCATOR)
    box = read_box(connection, layer, query, crs)
    sides = ("xmin", "ymin", "xmax", "ymax")
    corners: Sequence[object] = box if box is not None else ("NaN",) * 4
    return {"extent": dict(zip(sides, corners, strict=True)) | {"spatialReference": describe_reference(crs.srid)}}


def _answer_distinct(
    connection: Connection, layer: VectorLayer, query: RowQuery, parameters: Parameters
) -> dict[str, Any]:
    names = read_fields(parameters, layer)
    if not names:
        raise InputError("returnDistinctValues needs outFields")
    limit = _read_limit(parameters)
    rows = select_distinct(connection, layer, query, names, offset=read_offset(parameters), limit=limit + 1)
    return _write_table(rows, names, _describe_fields(layer, names), limit)


def _answer_statistics(
    connection: Connection, layer: VectorLayer, query: RowQuery, parameters: Parameters, words: str
) -> dict[str, Any]:
    statistics = [_read_statistic(one, layer) for one in _read_list(words)]
    groups = read_fields(parameters, layer, "groupByFieldsForStatistics")
    limit = _read_limit(parameters)
    rows = select_statistics(connection, layer, query, statistics, groups, limit=limit + 1)
    computed = [{"name": one.alias, "type": "esriFieldTypeDouble", "alias": one.alias} for one in statistics]
    names = [*groups, *(one.alias for one in statistics)]
    return _write_table(rows, names, [*_describe_fields(layer, groups), *computed], limit)


def _write_table(
    rows: Sequence[Sequence[object]], names: Sequence[str], fields: list[dict[str, Any]], limit: int
) -> dict[str, Any]:
    """Return rows without geometry."""
    answer: dict[str, Any] = {
        "displayFieldName": "",
        "fields": fields,
        "features": [{"attributes": dict(zip(names, map(write_value, row), strict=True))} for row in rows[:limit]],
    }
    if len(rows) > limit:
        answer["exceededTransferLimit"] = True
    return answer


def _read_list(words: str) -> list[Any]:
    try:
        found = orjson.loads(words)
    except orjson.JSONDecodeError as error:
        raise InputError(f"outStatistics is not JSON: {error}") from None
    if not isinstance(found, list):
        raise InputError("outStatistics is not a list")
    return found


def _read_statistic(found: Any, layer: VectorLayer) -> Statistic:
    if not isinstance(found, dict):
        raise InputError("outStatistics holds something that is not an object")
    function, name = str(found.get("statisticType", "")).lower(), str(found.get("onStatisticField", ""))
    alias = str(found.get("outStatisticFieldName") or f"{function}_{name}")[:_MAX_WORDS]
    return Statistic(function, resolve_name(name, layer), alias)


def _describe_fields(layer: VectorLayer, names: Sequence[str]) -> list[dict[str, Any]]:
    known = {field["name"]: field for field in list_fields(layer)}
    return [known[name] for name in dict.fromkeys(names)]


def _read_crs(parameters: Parameters, default: int) -> OutputCrs:
    given = parameters.text("outSR")
    return read_output(read_wkid(given, "outSR") if given is not None else default, "outSR")


def _read_limit(parameters: Parameters) -> int:
    return min(int(parameters.number("resultRecordCount", MAX_RECORDS)), MAX_RECORDS) or MAX_RECORDS
