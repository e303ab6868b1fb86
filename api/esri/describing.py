"""What a GeoServices client reads first: the catalogue, the services, and a layer with its fields and drawing."""

from typing import Any

from sqlalchemy import Connection

from api.esri.drawing import describe_drawing, find_display
from api.esri.fields import list_fields
from api.esri.numbers import ORDER, list_numbers
from api.esri.shapes import ESRI_TYPES, MERCATOR, describe_reference
from api.esri.where import OBJECT_ID
from api.resources import Resources
from layers.access import visible_layers
from layers.schema import VectorLayer
from layers.store.mercator import Bounds, to_mercator

VERSION = 10.91
SERVICE = "twin"
MAX_RECORDS = 2_000
# The scale of zoom 0 of Web Mercator with tiles of 256 px at 96 dpi.
SCALE_0 = 591_657_527.591555
_ADVANCED = {
    "supportsPagination": True,
    "supportsOrderBy": True,
    "supportsDistinct": True,
    "supportsStatistics": True,
    "supportsReturningQueryExtent": True,
    "supportsQueryWithDistance": True,
    "supportsQueryWithHistoricMoment": True,
    "supportsSqlExpression": False,
    "supportsQueryWithResultType": False,
    "supportsReturningGeometryCentroid": False,
    "supportsPercentileStatistics": False,
    "useStandardizedQueries": True,
}


def describe_services() -> dict[str, Any]:
    """Return the catalogue: one service of features, one of vector tiles."""
    kinds = ("FeatureServer", "VectorTileServer")
    return {
        "currentVersion": VERSION,
        "folders": [],
        "services": [{"name": SERVICE, "type": kind} for kind in kinds],
    }


def describe_feature_service(title: str, attribution: str, bounds: Bounds, *, writable: bool) -> dict[str, Any]:
    """Return the service of features with its layers."""
    return {
        "currentVersion": VERSION,
        "serviceDescription": title,
        "hasVersionedData": False,
        "supportsDisconnectedEditing": False,
        "hasStaticData": False,
        "maxRecordCount": MAX_RECORDS,
        "supportedQueryFormats": "JSON, geoJSON",
        "capabilities": _list_capabilities(writable=writable),
        "description": title,
        "copyrightText": attribution,
        "spatialReference": describe_reference(MERCATOR),
        "initialExtent": write_extent(bounds),
        "fullExtent": write_extent(bounds),
        "allowGeometryUpdates": writable,
        "units": "esriMeters",
        "syncEnabled": False,
        "layers": [_summarise(visible_layers()[name], number) for name, number in list_numbers().items()],
        "tables": [],
    }


def describe_layer(
    connection: Connection, resources: Resources, layer: VectorLayer, attribution: str, *, writable: bool
) -> dict[str, Any]:
    """Return a layer; ``writable`` where who asks may edit it."""
    extent = resources.read_extent(connection, layer)
    editable = writable and not layer.of_runs
    return {
        **_summarise(layer, ORDER.index(layer.id)),
        "currentVersion": VERSION,
        "description": f"{layer.description.vi}\n{layer.description.en}",
        "copyrightText": attribution,
        "parentLayer": None,
        "subLayers": [],
        "effectiveMinScale": find_scale(layer),
        "extent": write_extent(extent.bounds) if extent.bounds else None,
        "sourceSpatialReference": describe_reference(MERCATOR),
        "drawingInfo": describe_drawing(layer),
        "hasM": False,
        "hasZ": False,
        "hasAttachments": False,
        "allowGeometryUpdates": editable,
        "htmlPopupType": "esriServerHTMLPopupTypeAsHTMLText",
        "objectIdField": OBJECT_ID,
        "uniqueIdField": {"name": OBJECT_ID, "isSystemMaintained": True},
        "globalIdField": "",
        "displayField": find_display(layer),
        "typeIdField": "",
        "fields": list_fields(layer),
        "indexes": [{"name": f"{layer.id}_pkey", "fields": OBJECT_ID, "isUnique": True}],
        "relationships": [],
        "types": [],
        "templates": [],
        "capabilities": _list_capabilities(writable=editable),
        "maxRecordCount": MAX_RECORDS,
        "standardMaxRecordCount": MAX_RECORDS,
        "supportedQueryFormats": "JSON, geoJSON",
        "supportsStatistics": True,
        "supportsAdvancedQueries": True,
        "useStandardizedQueries": True,
        "supportsCoordinatesQuantization": False,
        "supportsRollbackOnFailureParameter": True,
        "advancedQueryCapabilities": _ADVANCED,
        "isDataVersioned": False,
        "isDataArchived": True,
    }


def write_extent(bounds: Bounds) -> dict[str, Any]:
    """Return bounds [°] as an envelope in Web Mercator."""
    west, south, east, north = bounds
    (x0, y0), (x1, y1) = to_mercator(west, south), to_mercator(east, north)
    return {"xmin": x0, "ymin": y0, "xmax": x1, "ymax": y1, "spatialReference": describe_reference(MERCATOR)}


def find_scale(layer: VectorLayer) -> float:
    """Return the scale below which a layer is drawn."""
    return SCALE_0 / float(1 << layer.min_zoom)


def _summarise(layer: VectorLayer, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": layer.title.vi,
        "type": "Feature Layer",
        "geometryType": ESRI_TYPES[layer.geometry],
        "parentLayerId": -1,
        "subLayerIds": None,
        "defaultVisibility": layer.visible,
        "minScale": find_scale(layer),
        "maxScale": 0,
    }


def _list_capabilities(*, writable: bool) -> str:
    return "Query,Create,Update,Delete,Editing" if writable else "Query"
