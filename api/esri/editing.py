"""Edits of GeoServices clients, carried out as every other edit is: checked, kept in the history, all or none."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Engine

from api.editing import check_id, read_edit
from api.esri.asking import Parameters, read_ids, read_output, read_row_query
from api.esri.fields import read_value
from api.esri.shapes import MERCATOR, read_shape, read_wkid, write_geojson
from api.esri.where import OBJECT_ID
from api.writing import Writer
from layers.editing.apply import apply_edits
from layers.editing.words import MOST_EDITS, Edit, Result
from layers.errors import InputError, NotFoundError, TooLargeError, TwinError
from layers.schema import VectorLayer
from layers.store.rows import RowQuery, list_fids, select_rows

Planned = tuple[str, int | None, Edit]
KINDS = ("add", "update", "delete")
_REASON = "GeoServices"


def carry_out_edits(
    engine: Engine, layer: VectorLayer, parameters: Parameters, writer: Writer, *, only: str | None = None
) -> dict[str, Any]:
    """Carry out the edits of a request and return a result for each.

    ``only`` is the kind that ``addFeatures`` and its like name. With ``rollbackOnFailure`` (the default) all of them
    are written or none; without it each stands alone.
    """
    kinds = (only,) if only else KINDS
    with engine.connect() as connection:
        planned = [one for kind in kinds for one in _plan(connection, layer, parameters, kind, alone=only is not None)]
    if len(planned) > MOST_EDITS:
        raise TooLargeError(f"{len(planned)} edits at once, at most {MOST_EDITS}")
    groups = [planned] if parameters.flag("rollbackOnFailure", default=True) else [[one] for one in planned]
    results: dict[str, list[dict[str, Any]]] = {f"{kind}Results": [] for kind in kinds}
    for group in groups:
        for (kind, _, _), result in zip(group, _apply(engine, group, writer), strict=True):
            results[f"{kind}Results"].append(result)
    return results


def _apply(engine: Engine, planned: Sequence[Planned], writer: Writer) -> list[dict[str, Any]]:
    if not planned:
        return []
    try:
        with engine.begin() as connection:
            outcome = apply_edits(
                connection, [edit for _, _, edit in planned], author=writer.author, reason=writer.reason or _REASON
            )
    except TwinError as error:
        said = {"code": error.status, "description": str(error)}
        return [{"objectId": fid, "success": False, "error": said} for _, fid, _ in planned]
    return [_write_result(result, fid) for result, (_, fid, _) in zip(outcome.results, planned, strict=True)]


def _write_result(result: Result, fid: int | None) -> dict[str, Any]:
    return {"objectId": fid if fid is not None else result.version[0] if result.version else None, "success": True}


def _plan(
    connection: Connection, layer: VectorLayer, parameters: Parameters, kind: str, *, alone: bool
) -> list[Planned]:
    """Return the edits of one kind with the object ids of what they change."""
    if kind == "delete":
        fids = _find_deleted(connection, layer, parameters, alone=alone)
        names = _find_names(connection, layer, fids)
        return [(kind, fid, Edit("delete", layer, names[fid])) for fid in fids]
    words = parameters.text("features" if alone else f"{kind}s")
    features = _read_features(words, kind) if words is not None else []
    if kind == "add":
        return [(kind, None, _read_one("create", layer, None, feature, parameters)) for feature in features]
    fids = [_read_object_id(feature) for feature in features]
    names = _find_names(connection, layer, fids)
    return [
        (kind, fid, _read_one("update", layer, names[fid], feature, parameters))
        for fid, feature in zip(fids, features, strict=True)
    ]


def _find_deleted(connection: Connection, layer: VectorLayer, parameters: Parameters, *, alone: bool) -> Sequence[int]:
    if not alone:
        return read_ids((parameters.text("deletes") or "").strip("[]")) or ()
    if all(parameters.text(name) is None for name in ("objectIds", "where", "geometry")):
        raise InputError("what is deleted? objectIds, where and geometry are missing")
    return list_fids(connection, layer, read_row_query(parameters, layer))


def _find_names(connection: Connection, layer: VectorLayer, fids: Sequence[int]) -> dict[int, str]:
    """Return the item ids of object ids; NotFoundError names one that is not there."""
    if len(fids) > MOST_EDITS:
        raise TooLargeError(f"{len(fids)} edits at once, at most {MOST_EDITS}")
    rows = select_rows(connection, layer, RowQuery(fids=tuple(fids)), (), limit=MOST_EDITS, crs=None)
    names = {row.fid: row.id for row in rows}
    missing = next((fid for fid in fids if fid not in names), None)
    if missing is not None:
        raise NotFoundError(f"layer '{layer.id}' has no feature {missing}")
    return names


def _read_features(words: str, kind: str) -> list[Mapping[str, Any]]:
    try:
        found = orjson.loads(words)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{kind}s is not JSON: {error}") from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InputError(f"{kind}s is not a list of features")
    return found


def _read_object_id(feature: Mapping[str, Any]) -> int:
    attributes = feature.get("attributes")
    fid = attributes.get(OBJECT_ID) if isinstance(attributes, dict) else None
    if not isinstance(fid, int) or isinstance(fid, bool) or not 0 <= fid < 2**63:
        raise InputError(f"an update names no {OBJECT_ID}")
    return fid


def _read_one(
    op: str, layer: VectorLayer, name: str | None, feature: Mapping[str, Any], parameters: Parameters
) -> Edit:
    attributes = feature.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise InputError("attributes is not a JSON object")
    own = attributes.get("id")
    document: dict[str, Any] = {"properties": _read_attributes(layer, attributes)}
    crs = read_output(MERCATOR, "inSR")
    geometry = feature.get("geometry")
    if geometry is not None:
        if not isinstance(geometry, dict):
            raise InputError("geometry is not a JSON object")
        reference = geometry.get("spatialReference") or parameters.text("inSR")
        if reference is not None:
            crs = read_output(read_wkid(reference, "spatialReference"), "spatialReference")
        document["geometry"] = write_geojson(read_shape(geometry))
    if op == "create":
        return read_edit("create", layer, check_id(own) if own is not None else None, document, None, crs=crs)
    return read_edit("update", layer, name, document, None, crs=crs)


def _read_attributes(layer: VectorLayer, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as properties; an unknown one stays, and the edit refuses it by name."""
    found = {}
    for name, value in attributes.items():
        if name in (OBJECT_ID, "id"):
            continue
        prop = layer.find(name)
        found[name] = value if prop is None else read_value(prop, value)
    return found
