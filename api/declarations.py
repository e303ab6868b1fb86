"""What a declaration says of itself over HTTP: properties, JSON Schema, queryables, collection."""

from collections.abc import Mapping
from typing import Any

from api.links import WEB_MERCATOR_QUAD, Links
from api.parameters import CRS84, EPSG
from api.styles.style import build_legend
from layers.quantities import QUANTITIES
from layers.schema import Property, RasterLayer, VectorLayer
from layers.store.items import LayerExtent

_TYPES: dict[str, dict[str, str]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}
_GEOMETRIES = {"Point": "geometry-point", "LineString": "geometry-linestring", "MultiPolygon": "geometry-multipolygon"}


def describe_property(prop: Property) -> dict[str, Any]:
    """Return a property as the viewer reads it."""
    described: dict[str, Any] = {"name": prop.name, "title": prop.title._asdict(), "type": prop.type}
    if prop.measure:
        described |= {"unit": prop.measure.unit, "symbol": prop.measure.symbol}
    if prop.codes:
        described["codes"] = [{"value": code.value, "title": code.title._asdict()} for code in prop.codes]
    return described


def build_property_schema(prop: Property) -> dict[str, Any]:
    """Return the JSON Schema of a property."""
    schema: dict[str, Any] = {"title": prop.title.en, "x-title-i18n": prop.title._asdict(), **_TYPES[prop.type]}
    if prop.codes:
        schema["enum"] = [code.value for code in prop.codes]
        schema["x-codes"] = {code.value: code.title._asdict() for code in prop.codes}
        if any(code.words for code in prop.codes):
            schema["x-code-words"] = {code.value: split_words(code.words) for code in prop.codes if code.words}
    if prop.words:
        schema["x-words"] = split_words(prop.words)
    if prop.measure:
        schema |= {"x-ogc-unit": prop.measure.unit, "x-ogc-unitLang": "UCUM"}
        schema |= {"minimum": prop.measure.minimum, "maximum": prop.measure.maximum}
    return schema


def split_words(words: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names that other standards have for a thing, by standard."""
    return {standard: names.split("|") for standard, names in words.items()}


def build_queryables(layer: VectorLayer, links: Links) -> dict[str, Any]:
    """Return what items can be filtered by, as JSON Schema (OGC API Features Part 3)."""
    geometry = {"format": _GEOMETRIES[layer.geometry], "x-ogc-role": "primary-geometry"}
    return _build_schema(layer, links, "queryables") | {
        "properties": {**_build_sorted(layer), "geometry": geometry},
        "additionalProperties": False,
    }


def build_sortables(layer: VectorLayer, links: Links) -> dict[str, Any]:
    """Return what items can be sorted by, as JSON Schema (OGC API Features Part 8)."""
    return _build_schema(layer, links, "sortables") | {
        "properties": _build_sorted(layer),
        "additionalProperties": False,
    }


def _build_sorted(layer: VectorLayer) -> dict[str, Any]:
    own = {prop.name: build_property_schema(prop) for prop in layer.properties}
    return {"id": {"type": "string", "x-ogc-role": "id"}, **own}


def build_schema(layer: VectorLayer, links: Links) -> dict[str, Any]:
    """Return the schema of the items (OGC API Features Part 5)."""
    properties: dict[str, Any] = {"id": {"type": "string", "x-ogc-role": "id"}}
    properties |= {prop.name: build_property_schema(prop) for prop in layer.properties}
    properties["geometry"] = {"format": _GEOMETRIES[layer.geometry], "x-ogc-role": "primary-geometry"}
    required = [prop.name for prop in layer.properties if prop.required]
    described = _build_schema(layer, links, "schema")
    if layer.words:
        described["x-words"] = split_words(layer.words)
    return described | {"properties": properties, "required": ["id", "geometry", *required]}


def _build_schema(layer: VectorLayer, links: Links, what: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": links.url(f"/api/collections/{layer.id}/{what}"),
        "type": "object",
        "title": layer.title.en,
        "description": layer.description.en,
    }


def describe_collection(layer: VectorLayer, extent: LayerExtent, links: Links, *, srid: int) -> dict[str, Any]:
    """Return a layer as OGC collection; ``srid`` is the EPSG code of the city's CRS."""
    described: dict[str, Any] = {
        "id": layer.id,
        "title": layer.title.en,
        "description": layer.description.en,
        "title_i18n": layer.title._asdict(),
        "description_i18n": layer.description._asdict(),
        "itemType": "feature",
        "crs": [CRS84, f"{EPSG}4326", f"{EPSG}3857", f"{EPSG}{srid}"],
        "storageCrs": f"{EPSG}{srid}",
        "links": links.of_collection(layer.id),
        "itemCount": extent.count,
        "tileMatrixSets": [WEB_MERCATOR_QUAD],
    }
    if extent.bounds:
        described["extent"] = {"spatial": {"bbox": [list(extent.bounds)], "crs": CRS84}}
    return described


def describe_vector(layer: VectorLayer) -> dict[str, Any]:
    """Return what a vector layer's declaration tells the viewer."""
    return {
        "id": layer.id,
        "kind": "vector",
        "title": layer.title._asdict(),
        "description": layer.description._asdict(),
        "geometry": layer.geometry,
        "min_zoom": layer.min_zoom,
        "visible": layer.visible,
        "rank": layer.rank,
        "access": layer.access,
        "legend": build_legend(layer),
        "by": layer.classed_by or layer.style.by,
        "properties": [describe_property(prop) for prop in layer.properties],
    }


def describe_raster(
    layer: RasterLayer, raster_id: str | None, sources: list[dict[str, Any]], *, per_run: bool
) -> dict[str, Any]:
    """Return a raster layer as the viewer's catalogue has it; ``per_run``: runs make it, the city has none itself."""
    return {
        "id": layer.id,
        "kind": "raster",
        "title": layer.title._asdict(),
        "description": layer.description._asdict(),
        "visible": layer.visible,
        "rank": layer.rank,
        "series": layer.series,
        "symbol": QUANTITIES[layer.quantity].symbol,
        "legend": build_legend(layer),
        "raster_id": raster_id,
        "per_run": per_run,
        "synthetic": any(source["synthetic"] for source in sources),
        "sources": sources,
        "access": layer.access,
    }
