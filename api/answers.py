"""How an answer is written: JSON by orjson, with the media type the standard asks for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.responses import Response

GEOJSON = "application/geo+json"
PROBLEM = "application/problem+json"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
OPENAPI_31 = "application/vnd.oai.openapi+json;version=3.1"
MVT = "application/vnd.mapbox-vector-tile"
GLB = "model/gltf-binary"


def write_json(content: Any) -> bytes:
    """Return ``content`` as JSON; moments in UTC with ``Z``, NaN as null."""
    return orjson.dumps(content, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_SERIALIZE_NUMPY)


def answer_json(
    content: Any,
    *,
    status: int = 200,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a response with ``content`` as JSON."""
    return Response(write_json(content), status, headers=headers, media_type=media_type)


def write_moment(moment: datetime) -> str:
    """Return ``moment`` as RFC 3339 in UTC with whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
