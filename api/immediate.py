"""Results of a process that was answered at once: by value, or by links to the trace that is kept."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import geopandas as gpd
import orjson
import pandas as pd
import shapely
from pyproj import CRS
from starlette.responses import Response

from api.answers import answer_json, write_json
from api.hiding import hide_items
from api.links import OGC
from api.resources import Resources
from api.trace_links import link_trace
from layers.datum import CRS84
from layers.errors import InputError, TooLargeError
from layers.ingest.crs import read_crs, transform
from layers.registry import read_vector_layer
from twin.immediate import Answer, answer_now
from twin.job_documents import GEOJSON, JSON, RECORD, SUMMARY
from twin.process import Outputs, Process
from twin.store_callbacks import JobRequest

ANONYMOUS = "anonymous"
MAX_FEATURES = 20_000
_DECIMALS = 1e-7


def answer_execution(
    resources: Resources, process: Process, inputs: Mapping[str, Any], asked: JobRequest, author: str
) -> Response:
    """Return the results of ``process`` as a document, or the one output raw; errors are those of the process."""
    answer = answer_now(
        resources.engine,
        resources.settings,
        process,
        inputs,
        author=author,
        choose=lambda outputs: _list_values(process, asked, outputs),
    )
    seen = hide_items(resources.engine, answer.outputs.features)
    answer = replace(answer, outputs=replace(answer.outputs, features=seen))
    results = write_outputs(process, answer, asked)
    if asked.response != "raw":
        return answer_json(results)
    ((name, result),) = results.items()
    if "value" in result:
        return Response(write_json(result["value"]), media_type=result["mediaType"])
    link = f'<{result["href"]}>; rel="{OGC}/results"; type="{result["type"]}"; title="{name}"'
    return Response(status_code=204, headers={"link": link})


def write_outputs(process: Process, answer: Answer, asked: JobRequest) -> dict[str, Any]:
    """Return each output that was asked for, without a list all: features as links where a trace is kept."""
    outputs = answer.outputs
    written: dict[str, Any] = {}
    if not asked.outputs or SUMMARY in asked.outputs:
        links = (
            {} if outputs.trace is None else {"links": link_trace(outputs.trace.id, outputs.trace.members, asked.base)}
        )
        written[SUMMARY] = {"value": {**outputs.summary, **links}, "mediaType": JSON}
    by_value = _list_values(process, asked, outputs)
    for name in process.outputs:
        if asked.outputs and name not in asked.outputs:
            continue
        if name in by_value:
            written[name] = {"value": write_frame(name, outputs.features.get(name)), "mediaType": GEOJSON}
        elif outputs.trace is None:
            raise InputError(f"output '{name}' is given by value only", hint='"transmissionMode": "value"')
        else:
            href = f"{asked.base}/api/traces/{outputs.trace.id}/{quote(name)}"
            written[name] = {"href": href, "type": GEOJSON}
    if RECORD in asked.outputs:
        written[RECORD] = {"value": dict(answer.record), "mediaType": JSON}
    return written


def _list_values(process: Process, asked: JobRequest, outputs: Outputs) -> list[str]:
    """Return the layers that are given by value: those asked for so; of all, where no trace is kept to link to."""
    if not asked.outputs:
        return [] if outputs.trace is not None else list(process.outputs)
    return [name for name in process.outputs if asked.outputs.get(name, {}).get("transmissionMode") == "value"]


def write_frame(layer_id: str, frame: gpd.GeoDataFrame | None) -> dict[str, Any]:
    """Return features of a layer, or none of it, as GeoJSON in CRS84; TooLargeError for more than ``MAX_FEATURES``."""
    if frame is None or frame.empty:
        return {"type": "FeatureCollection", "features": []}
    if len(frame) > MAX_FEATURES:
        raise TooLargeError(
            f"{len(frame):,} features are more than {MAX_FEATURES:,}", hint="ask for items with the filter in_trace"
        )
    layer = read_vector_layer(layer_id)
    names = [prop.name for prop in layer.properties if prop.name in frame.columns]
    placed = transform(frame.geometry.to_numpy().astype(object), CRS.from_user_input(frame.crs), read_crs(CRS84))
    shapes = shapely.to_geojson(shapely.set_precision(placed, _DECIMALS, mode="pointwise"))
    rows = zip(frame["id"].tolist(), shapes, *(frame[name].tolist() for name in names), strict=True)
    features = [
        {
            "type": "Feature",
            "id": item_id,
            "geometry": orjson.Fragment(shape),
            "properties": {name: _tell(value) for name, value in zip(names, values, strict=True)},
        }
        for item_id, shape, *values in rows
    ]
    return {"type": "FeatureCollection", "features": features}


def _tell(value: Any) -> Any:
    """Return a value of a column as JSON knows it."""
    if value is None or value != value:
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
