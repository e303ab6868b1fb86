"""What each operation answers when all is well: status, media types, schema.

An operation that is not in the table answers with JSON, or as its route declares. What goes wrong is a Problem.
"""

from collections.abc import Mapping

from api.answers import GEOJSON, GLB, MVT, OPENAPI, OPENAPI_31, SCHEMA
from api.export import MEDIA_TYPES
from api.rasters.series import COVERAGE_JSON, CSV

JSON, HTML, PNG = "application/json", "text/html", "image/png"
XML, GML = "text/xml", "application/gml+xml"
TIFF = "image/tiff; application=geotiff; profile=cloud-optimized"
PMTILES = "application/vnd.pmtiles"
_PICTURES = {PNG: "Binary", "image/webp": "Binary", "image/jpeg": "Binary"}
Answers = Mapping[str, Mapping[str, str]]
"""By status, by media type: the name of a schema."""

SUFFIXES: Mapping[str, tuple[str, str]] = {
    "png": (PNG, "Binary"),
    "webp": ("image/webp", "Binary"),
    "pbf": ("application/x-protobuf", "Binary"),
    "glb": (GLB, "Binary"),
    "pmtiles": (PMTILES, "Binary"),
    "svg": ("image/svg+xml", "Text"),
    "qgz": ("application/x-qgis-project", "Binary"),
    "xml": ("application/xml", "Text"),
}
"""What an address that ends so answers, where neither the table nor its route says more."""

_INFORMATION = {JSON: "JsonObject", GEOJSON: "JsonObject", HTML: "Text", "text/plain": "Text", GML: "Text"}
_FILES = {media_type: "Text" if media_type.startswith("text/") else "Binary" for media_type in MEDIA_TYPES.values()}
_ITEMS = {**_FILES, GEOJSON: "FeatureCollection"}
_TILE: Answers = {"200": {MVT: "Binary"}, "204": {}, "304": {}}
_STA: Answers = {"200": {JSON: "Json"}, "201": {JSON: "Json"}, "204": {}}

_ITEMS_PATH = "/api/collections/{collection_id}/items"

ANSWERS: Mapping[str, Answers] = {
    "GET /api": {"200": {JSON: "LandingPage"}},
    "GET /api/conformance": {"200": {JSON: "Conformance"}},
    "GET /api/openapi": {"200": {OPENAPI: "JsonObject", OPENAPI_31: "JsonObject", HTML: "Text"}},
    "GET /api/docs": {"200": {HTML: "Text"}},
    "GET /api/catalog": {"200": {JSON: "Catalog"}},
    "GET /api/collections": {"200": {JSON: "Collections"}},
    "GET /api/collections/{collection_id}": {"200": {JSON: "Collection"}},
    "GET /api/collections/{collection_id}/queryables": {"200": {SCHEMA: "JsonSchema", JSON: "JsonSchema"}},
    "GET /api/collections/{collection_id}/sortables": {"200": {SCHEMA: "JsonSchema"}},
    "GET /api/collections/{collection_id}/schema": {"200": {SCHEMA: "JsonSchema"}},
    f"GET {_ITEMS_PATH}": {"200": _ITEMS},
    f"OPTIONS {_ITEMS_PATH}": {"204": {}},
    f"OPTIONS {_ITEMS_PATH}/{{feature_id}}": {"204": {}},
    f"GET {_ITEMS_PATH}/{{feature_id}}": {"200": {GEOJSON: "Feature"}},
    "GET /api/queries/{query_id}/items": {"200": _ITEMS},
    "GET /api/tileMatrixSets": {"200": {JSON: "TileMatrixSets"}},
    "GET /api/tileMatrixSets/{tile_matrix_set}": {"200": {JSON: "TileMatrixSet"}},
    "GET /api/tiles": {"200": {JSON: "TileSets"}},
    "GET /api/tiles/{tile_matrix_set}": {"200": {JSON: "TileSet"}},
    "GET /api/collections/{collection_id}/tiles": {"200": {JSON: "TileSets"}},
    "GET /api/collections/{collection_id}/tiles/{tile_matrix_set}": {"200": {JSON: "TileSet"}},
    "GET /tiles/{ids}/{z}/{x}/{y}.mvt": _TILE,
    "GET /api/tiles/{tile_matrix_set}/{z}/{y}/{x}": _TILE,
    "GET /api/collections/{collection_id}/tiles/{tile_matrix_set}/{z}/{y}/{x}": _TILE,
    "GET /esri/rest/services/twin/VectorTileServer/tile/{z}/{y}/{x}.pbf": _TILE,
    "GET /tiles/{ids}.json": {"200": {JSON: "TileJson"}},
    "GET /api/styles/{style_id}": {"200": {"application/vnd.mapbox.style+json": "Style"}},
    "GET /tiles/raster/{raster_id}.json": {"200": {JSON: "TileJson"}},
    "GET /tiles/raster/{raster_id}/{z}/{x}/{y}.png": {"200": {PNG: "Binary"}, "204": {}, "304": {}},
    "GET /tiles/raster/{raster_id}/{z}/{x}/{y}.webp": {"200": {"image/webp": "Binary"}, "204": {}, "304": {}},
    "GET /tiles/raster/{raster_id}.tif": {"200": {TIFF: "Binary"}, "206": {TIFF: "Binary"}},
    "GET /tiles/raster/{raster_id}/point": {"200": {JSON: "JsonObject", CSV: "Text", COVERAGE_JSON: "JsonObject"}},
    "GET /tiles/raster/{raster_id}/profile": {"200": {JSON: "JsonObject", CSV: "Text"}},
    "GET /api/collections/{collection_id}/map/tiles": {"200": {JSON: "TileSets"}},
    "GET /api/collections/{collection_id}/map/tiles/{tile_matrix_set}": {"200": {JSON: "TileSet"}},
    "GET /api/collections/{collection_id}/map/tiles/{tile_matrix_set}/{z}/{y}/{x}": {"200": _PICTURES, "304": {}},
    "GET /api/collections/{collection_id}/coverage": {"200": {TIFF: "Binary"}},
    "GET /api/collections/{collection_id}/position": {"200": {COVERAGE_JSON: "JsonObject", CSV: "Text"}},
    "GET /tiles/archives/{name}.pmtiles": {"200": {PMTILES: "Binary"}, "206": {PMTILES: "Binary"}, "304": {}},
    "GET /tiles/archives/{name}.json": {"200": {JSON: "TileJson"}},
    "GET /tiles/archives/{name}/{z}/{x}/{y}.mvt": _TILE,
    "GET /api/processes": {"200": {JSON: "Processes"}},
    "GET /api/processes/{process_id}": {"200": {JSON: "Process"}},
    "POST /api/processes/{process_id}/execution": {
        "200": {JSON: "Results", GEOJSON: "FeatureCollection"},
        "201": {JSON: "StatusInfo"},
        "204": {},
    },
    "GET /api/traces/{trace_id}/{output}": {"200": {GEOJSON: "FeatureCollection"}},
    "GET /api/jobs": {"200": {JSON: "Jobs"}},
    "GET /api/jobs/{job_id}": {"200": {JSON: "StatusInfo"}},
    "DELETE /api/jobs/{job_id}": {"200": {JSON: "StatusInfo"}},
    "GET /api/jobs/{job_id}/results": {"200": {JSON: "Results"}, "204": {}},
    "GET /api/runs": {"200": {JSON: "Runs"}},
    "GET /api/runs/{run_id}": {"200": {JSON: "Run"}},
    "GET /wzdx/v4.2/workzones.geojson": {"200": {GEOJSON: "JsonObject"}},
    "GET /gtfs/{feed}.zip": {"200": {"application/zip": "Binary"}, "304": {}},
    "GET /gtfs/{feed}/vehicles": {"200": {GEOJSON: "FeatureCollection"}},
    "GET /gtfs/{feed}/alerts.pb": {"200": {"application/x-protobuf": "Binary"}},
    "GET /api/work-orders": {"200": {GEOJSON: "FeatureCollection"}},
    "GET /stac/search": {"200": {GEOJSON: "FeatureCollection"}},
    "POST /stac/search": {"200": {GEOJSON: "FeatureCollection"}},
    "GET /stac/collections/{collection_id}/items": {"200": {GEOJSON: "FeatureCollection"}},
    "GET /stac/collections/{collection_id}/items/{item_id}": {"200": {GEOJSON: "Feature"}},
    "GET /wms": {
        "200": {XML: "Text", "application/vnd.ogc.wms_xml": "Text", **_PICTURES, **_INFORMATION},
        "400": {XML: "Text", "application/vnd.ogc.se_xml": "Text", **_PICTURES},
    },
    "GET /wmts": {"200": {"application/xml": "Text", **_PICTURES, **_INFORMATION}, "400": {"application/xml": "Text"}},
    "GET /alarms": {"200": {JSON: "JsonObject", GEOJSON: "FeatureCollection"}},
    "GET /api/collections/{collection_id}/changes": {"200": {JSON: "JsonObject", GEOJSON: "FeatureCollection"}},
    "GET /state": {"200": {GEOJSON: "FeatureCollection"}},
    "GET /api/collections/{collection_id}/legend": {
        "200": {JSON: "JsonObject", PNG: "Binary", "image/svg+xml": "Text"}
    },
    "GET /api/attachments/{attachment_id}": {
        "200": {"image/jpeg": "Binary", PNG: "Binary", "image/webp": "Binary", "application/pdf": "Binary"}
    },
    "GET /cap/alerts.atom": {"200": {"application/atom+xml": "Text"}},
    "GET /cap/alerts/{identifier}.xml": {"200": {"application/cap+xml": "Text"}},
    "GET /metrics": {"200": {"text/plain": "Text"}},
    "GET /verification": {"200": {HTML: "Text"}},
    "GET /sensors/latest": {"200": {GEOJSON: "FeatureCollection"}, "304": {}},
    "GET /sensors/events": {"200": {"text/event-stream": "Text"}},
    "GET /indicators": {"200": {JSON: "JsonObject", "text/csv": "Text"}, "304": {}},
    "GET /indicators/{indicator}/history": {"200": {JSON: "JsonObject", "text/csv": "Text"}},
    "GET /indicators/events": {"200": {"text/event-stream": "Text"}},
    "GET /sta/v1.1/{path}": {"200": {JSON: "Json", "text/plain": "Text"}},
    "POST /sta/v1.1/{path}": _STA,
    "PATCH /sta/v1.1/{path}": _STA,
    "PUT /sta/v1.1/{path}": _STA,
    "DELETE /sta/v1.1/{path}": _STA,
    "POST /sta/v1.1/$batch": {"200": {JSON: "JsonObject", "multipart/mixed": "Text"}},
}

SHOWN = frozenset(
    f"GET {path}"
    for path in (
        "/api",
        "/api/conformance",
        "/slo",
        "/api/collections",
        "/api/collections/{collection_id}",
        _ITEMS_PATH,
        f"{_ITEMS_PATH}/{{feature_id}}",
        "/api/queries/{query_id}/items",
        "/api/processes",
        "/api/processes/{process_id}",
        "/api/jobs",
        "/api/jobs/{job_id}",
    )
)
"""What is also shown to people as a page."""
