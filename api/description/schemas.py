"""Schemas of answers and bodies, by name; written as JSON Schema 2020-12 and lowered for OpenAPI 3.0."""

from typing import Any

Schema = dict[str, Any]


def _refer(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(required: str = "", **properties: Schema) -> Schema:
    made: Schema = {"type": "object", "properties": properties}
    return {**made, "required": required.split()} if required else made


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
_LINKS = _list(_refer("Link"))
_BOX = {"type": "array", "items": NUMBER, "minItems": 4, "maxItems": 6}
_TILE_BOX = _object("lowerLeft upperRight", lowerLeft=_list(NUMBER), upperRight=_list(NUMBER), crs=TEXT)
_WORDS = _object("vi en", vi=TEXT, en=TEXT)
STATUSES = ["accepted", "running", "successful", "failed", "dismissed"]
_CALLBACK_KINDS = ["successUri", "inProgressUri", "failedUri"]
_ADDRESS: Schema = {"type": "string", "format": "uri", "maxLength": 2000}

_TILESET_SUMMARY = {"title": TEXT, "dataType": TEXT, "crs": TEXT, "tileMatrixSetURI": TEXT, "links": _LINKS}
_PROCESS_SUMMARY = {
    "id": TEXT,
    "version": TEXT,
    "title": TEXT,
    "title_i18n": _WORDS,
    "description": TEXT,
    "jobControlOptions": _list({"type": "string", "enum": ["sync-execute", "async-execute", "dismiss"]}),
    "outputTransmission": _list({"type": "string", "enum": ["value", "reference"]}),
    "links": _LINKS,
}

SCHEMAS: dict[str, Schema] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": TEXT,
            "status": INTEGER,
            "detail": TEXT,
            "hint": TEXT,
        },
    },
    "Json": {"description": "JSON of any kind"},
    "JsonObject": {"type": "object"},
    "JsonSchema": {
        "type": "object",
        "description": "JSON Schema 2020-12",
        "required": ["$schema", "$id", "type", "properties"],
        "properties": {"$schema": TEXT, "$id": TEXT, "type": TEXT, "properties": {"type": "object"}},
    },
    "Text": TEXT,
    "Binary": {"type": "string", "format": "binary"},
    "Link": _object(
        "href rel",
        href=TEXT, rel=TEXT, type=TEXT, title=TEXT, hreflang=TEXT, length=INTEGER, templated={"type": "boolean"},
    ),
    "LandingPage": _object("links", title=TEXT, title_i18n=_WORDS, description=TEXT, attribution=TEXT, links=_LINKS),
    "Conformance": _object("conformsTo", conformsTo=_list(TEXT)),
    "Catalog": _object(
        "city themes files", city={"type": "object"}, themes=_list({"type": "object"}), files=_list(TEXT)
    ),
    "Collection": _object(
        "id links",
        id=TEXT, title=TEXT, description=TEXT, title_i18n=_WORDS, itemType=TEXT, crs=_list(TEXT), storageCrs=TEXT,
        itemCount=INTEGER, tileMatrixSets=_list(TEXT), links=_LINKS,
        extent=_object(spatial=_object(bbox=_list(_BOX), crs=TEXT), temporal={"type": "object"}),
    ),
    "Collections": _object("links collections", links=_LINKS, collections=_list(_refer("Collection"))),
    "Geometry": _object("type", type=TEXT, coordinates={"type": "array"}, geometries={"type": "array"}),
    "Feature": _object(
        "type geometry properties",
        type={"type": "string", "enum": ["Feature"]},
        id={"anyOf": [TEXT, INTEGER]},
        geometry={"anyOf": [_refer("Geometry"), {"type": "null"}]},
        properties={"anyOf": [{"type": "object"}, {"type": "null"}]},
        links=_LINKS,
    ),
    "FeatureCollection": _object(
        "type features",
        type={"type": "string", "enum": ["FeatureCollection"]},
        features=_list(_refer("Feature")),
        links=_LINKS, timeStamp=MOMENT,
        numberMatched={"type": "integer", "minimum": 0}, numberReturned={"type": "integer", "minimum": 0},
    ),
    "TileMatrixSets": _object("tileMatrixSets", tileMatrixSets=_list({"type": "object"}), links=_LINKS),
    "TileMatrixSet": _object(
        "crs tileMatrices",
        id=TEXT, title=TEXT, uri=TEXT, crs=TEXT, orderedAxes=_list(TEXT), wellKnownScaleSet=TEXT,
        tileMatrices=_list(
            _object(
                "id scaleDenominator cellSize pointOfOrigin tileWidth tileHeight matrixWidth matrixHeight",
                id=TEXT, scaleDenominator=NUMBER, cellSize=NUMBER, cornerOfOrigin=TEXT, pointOfOrigin=_list(NUMBER),
                tileWidth=INTEGER, tileHeight=INTEGER, matrixWidth=INTEGER, matrixHeight=INTEGER,
            )
        ),
    ),
    "TileSets": _object("tilesets", tilesets=_list(_object("dataType crs links", **_TILESET_SUMMARY)), links=_LINKS),
    "TileSet": _object(
        "dataType crs links",
        **_TILESET_SUMMARY,
        boundingBox=_TILE_BOX,
        centerPoint={"type": "object"},
        layers=_list(_object("id dataType", id=TEXT, dataType=TEXT, geometryDimension=INTEGER, boundingBox=_TILE_BOX)),
        tileMatrixSetLimits=_list(
            _object(
                "tileMatrix minTileRow maxTileRow minTileCol maxTileCol",
                tileMatrix=TEXT, minTileRow=INTEGER, maxTileRow=INTEGER, minTileCol=INTEGER, maxTileCol=INTEGER,
            )
        ),
    ),
    "TileJson": _object(
        "tilejson tiles",
        tilejson=TEXT, tiles=_list(TEXT), name=TEXT, minzoom=INTEGER, maxzoom=INTEGER, bounds=_list(NUMBER),
        vector_layers=_list(_object("id fields", id=TEXT, fields={"type": "object"})),
    ),
    "Style": _object(
        "version sources layers",
        version={"type": "integer", "enum": [8]}, sources={"type": "object"}, layers=_list({"type": "object"}),
    ),
    "Processes": _object("processes links", processes=_list(_refer("ProcessSummary")), links=_LINKS),
    "ProcessSummary": _object("id version", **_PROCESS_SUMMARY),
    "Process": _object(
        "id version inputs outputs", **_PROCESS_SUMMARY, inputs={"type": "object"}, outputs={"type": "object"}
    ),
    "Subscriber": {
        **_object("successUri", **dict.fromkeys(_CALLBACK_KINDS, _ADDRESS)),
        "description": "Addresses that are told of results, of progress, of failure",
        "additionalProperties": False,
    },
    "Execute": {
        **_object(
            inputs={"type": "object", "description": "By name, as the process describes them"},
            outputs={
                "type": "object",
                "additionalProperties": _object(
                    transmissionMode={"type": "string", "enum": ["value", "reference"]}, format=_object(mediaType=TEXT)
                ),
            },
            response={"type": "string", "enum": ["document", "raw"], "default": "document"},
            mode={"type": "string", "enum": ["async", "auto"], "default": "async"},
            subscriber=_refer("Subscriber"),
        ),
        "additionalProperties": False,
    },
    "StatusInfo": _object(
        "jobID status type",
        jobID=TEXT, processID=TEXT, type={"type": "string", "enum": ["process"]},
        status={"type": "string", "enum": STATUSES}, message=TEXT,
        progress={"type": "integer", "minimum": 0, "maximum": 100},
        created=MOMENT, started=MOMENT, finished=MOMENT, updated=MOMENT, links=_LINKS,
        callbacks=_list(
            _object(
                "kind state attempts",
                kind={"type": "string", "enum": _CALLBACK_KINDS},
                state={"type": "string", "enum": ["waiting", "delivered", "given up", "not needed"]},
                attempts=INTEGER, lastAttempt=MOMENT, outcome=TEXT,
            )
        ),
    ),
    "Jobs": _object("jobs links", jobs=_list(_refer("StatusInfo")), links=_LINKS),
    "Results": {
        "type": "object",
        "description": "By output: a link, or a value with its media type",
        "additionalProperties": {"anyOf": [_object("href", href=TEXT, type=TEXT), _object("value", mediaType=TEXT)]},
    },
    "Runs": _object("runs links", runs=_list(_refer("Run")), links=_LINKS),
    "Run": _object(
        "id process status",
        id=TEXT, process=TEXT, status={"type": "string", "enum": STATUSES}, inputs={"type": "object"}, title=_WORDS,
        rasters=_list({"type": "object"}),
    ),
}  # fmt: skip
