"""Inputs and outputs of a process in the words of OGC API Processes: units, ranges, occurrences, media types."""

from typing import Any

from api.execution import describe_formats
from layers.registry import LAYERS
from layers.schema import Text
from twin.job_documents import GEOJSON, JSON, RECORD, SUMMARY
from twin.process import Process, describe_inputs

_NUMBERS = {
    SUMMARY: (
        Text("Tóm tắt", "Summary"),
        Text("Các con số của lần chạy; cho ngay trong kết quả.", "The numbers of the run; given by value."),
    ),
    RECORD: (
        Text("Hồ sơ lần chạy", "Record of the run"),
        Text("Đầu vào, cân bằng nước, nguồn gốc.", "Inputs, mass balance, provenance."),
    ),
}


def describe_process_inputs(process: Process) -> dict[str, dict[str, Any]]:
    """Return the inputs with their JSON Schema; units [UCUM] stand as ``x-ogc-unit``, of lists' members too."""
    return {name: {**each, "schema": _name_units(each["schema"])} for name, each in describe_inputs(process).items()}


def describe_process_outputs(process: Process) -> dict[str, dict[str, Any]]:
    """Return the outputs with the media types each can have."""
    described: dict[str, dict[str, Any]] = {}
    for layer_id in process.outputs:
        layer = LAYERS[layer_id]
        described[layer_id] = _describe(layer_id, layer.title, layer.description)
    return described | {name: _describe(name, *texts) for name, texts in _NUMBERS.items()}


def _describe(name: str, title: Text, description: Text) -> dict[str, Any]:
    schemas = [_describe_format(media_type) for media_type in describe_formats(name)]
    return {
        "title": title.en,
        "title_i18n": title._asdict(),
        "description": description.en,
        "description_i18n": description._asdict(),
        "schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas},
    }


def _describe_format(media_type: str) -> dict[str, Any]:
    if media_type == GEOJSON:
        return {"type": "object", "format": "geojson-feature-collection", "contentMediaType": media_type}
    if media_type == JSON:
        return {"type": "object", "contentMediaType": media_type}
    return {"type": "string", "contentEncoding": "binary", "contentMediaType": media_type}


def _name_units(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_name_units(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    named = {key: _name_units(value) for key, value in schema.items()}
    if isinstance(named.get("x-unit"), str):
        named |= {"x-ogc-unit": named["x-unit"], "x-ogc-unitLang": "UCUM"}
    return named
