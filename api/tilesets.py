"""Tile matrix sets and tilesets as the OGC standards write them (17-083r4, 20-057)."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from api.answers import MVT, SCHEMA
from api.links import OGC, WEB_MERCATOR_QUAD, Link, Links
from api.parameters import CRS84, EPSG
from api.styles.style import MAX_SOURCE_ZOOM
from layers.errors import NotFoundError
from layers.schema import VectorLayer
from layers.store.mercator import Bounds, to_mercator
from layers.store.tiles import HALF_WORLD, MAX_ZOOM

QUAD = "WebMercatorQuad"
TILE_TEMPLATE = "/{tileMatrix}/{tileRow}/{tileCol}"
_PIXEL_M = 0.28e-3
"""The standardised size of a pixel [m], by which a cell size becomes a scale."""
_TILE = 256
_DIMENSIONS = {"Point": (0, "points"), "LineString": (1, "lines"), "MultiPolygon": (2, "polygons")}


def require_quad(tile_matrix_set: str) -> None:
    """Raise NotFoundError for a tile matrix set other than WebMercatorQuad."""
    if tile_matrix_set != QUAD:
        raise NotFoundError(f"tile matrix set '{tile_matrix_set[:80]}' is not served", hint=f"use {QUAD}")


@lru_cache(maxsize=1)
def describe_quad() -> dict[str, Any]:
    """Return the full definition of WebMercatorQuad, zoom 0 to the last one that is served."""
    matrices = []
    for zoom in range(MAX_ZOOM + 1):
        cell = 2.0 * HALF_WORLD / (_TILE << zoom)
        matrices.append(
            {
                "id": str(zoom),
                "scaleDenominator": cell / _PIXEL_M,
                "cellSize": cell,
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [-HALF_WORLD, HALF_WORLD],
                "matrixWidth": 1 << zoom,
                "matrixHeight": 1 << zoom,
                "tileWidth": _TILE,
                "tileHeight": _TILE,
            }
        )
    return {
        "id": QUAD,
        "title": "Google Maps Compatible for the World",
        "uri": WEB_MERCATOR_QUAD,
        "crs": f"{EPSG}3857",
        "orderedAxes": ["E", "N"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": matrices,
    }


def list_quad(links: Links) -> dict[str, Any]:
    """Return the list of tile matrix sets: there is one."""
    path = "/api/tileMatrixSets"
    entry = {
        "id": QUAD,
        "title": describe_quad()["title"],
        "uri": WEB_MERCATOR_QUAD,
        "crs": f"{EPSG}3857",
        "links": [links.link(f"{path}/{QUAD}", "self", title="Definition")],
    }
    return {"tileMatrixSets": [entry], "links": [links.link(path, "self")]}


def describe_item(title: str, path: str, links: Links, *, query: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what a list of tilesets says of one, whose own address is ``path``."""
    return {
        "title": title,
        "dataType": "vector",
        "crs": f"{EPSG}3857",
        "tileMatrixSetURI": WEB_MERCATOR_QUAD,
        "mediaTypes": [MVT],
        "links": _link_tileset(path, links, query),
    }


def describe_tileset(
    title: str,
    path: str,
    layers: Sequence[tuple[VectorLayer, Bounds | None]],
    links: Links,
    *,
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the metadata of a tileset of ``layers``, each with its bounds [°] where it has features."""
    described = describe_item(title, path, links, query=query)
    described["layers"] = [_describe_layer(layer, bounds, links) for layer, bounds in layers]
    tilejson = f"/tiles/{','.join(layer.id for layer, _ in layers)}.json"
    described["links"].append(links.link(tilejson, "describedby", title="TileJSON"))
    known = [bounds for _, bounds in layers if bounds is not None]
    if known:
        west, south, east, north = zip(*known, strict=True)
        whole = (min(west), min(south), max(east), max(north))
        least = min(layer.min_zoom for layer, _ in layers)
        described["boundingBox"] = _write_box(whole)
        described["centerPoint"] = {
            "coordinates": [(whole[0] + whole[2]) / 2.0, (whole[1] + whole[3]) / 2.0],
            "crs": CRS84,
            "tileMatrix": str(max(least, min(12, MAX_SOURCE_ZOOM))),
        }
        described["tileMatrixSetLimits"] = [limit_tiles(whole, zoom) for zoom in range(least, MAX_SOURCE_ZOOM + 1)]
    return described


def limit_tiles(bounds: Bounds, zoom: int) -> dict[str, Any]:
    """Return the rows and columns of ``zoom`` that touch ``bounds`` [°]."""
    left, bottom = to_mercator(bounds[0], bounds[1])
    right, top = to_mercator(bounds[2], bounds[3])
    width = 2.0 * HALF_WORLD / (1 << zoom)

    def place(metres: float) -> int:
        return max(0, min((1 << zoom) - 1, math.floor(metres / width)))

    return {
        "tileMatrix": str(zoom),
        "minTileRow": place(HALF_WORLD - top),
        "maxTileRow": place(HALF_WORLD - bottom),
        "minTileCol": place(left + HALF_WORLD),
        "maxTileCol": place(right + HALF_WORLD),
    }


def _describe_layer(layer: VectorLayer, bounds: Bounds | None, links: Links) -> dict[str, Any]:
    path = f"/api/collections/{quote(layer.id)}"
    dimension, kind = _DIMENSIONS[layer.geometry]
    described: dict[str, Any] = {
        "id": layer.id,
        "title": layer.title.en,
        "description": layer.description.en,
        "dataType": "vector",
        "geometryDimension": dimension,
        "geometryType": kind,
        "minTileMatrix": str(layer.min_zoom),
        "maxTileMatrix": str(MAX_SOURCE_ZOOM),
        "links": [links.link(path, f"{OGC}/geodata"), links.link(f"{path}/schema", f"{OGC}/schema", SCHEMA)],
    }
    if bounds is not None:
        described["boundingBox"] = _write_box(bounds)
    return described


def _write_box(bounds: Bounds) -> dict[str, Any]:
    return {"lowerLeft": list(bounds[:2]), "upperRight": list(bounds[2:]), "crs": CRS84}


def _link_tileset(path: str, links: Links, query: Mapping[str, str] | None) -> list[Link]:
    # The names of the template are those of the standard; a comma of a query stays readable, as clients expect.
    asked = "?" + "&".join(f"{name}={quote(value, safe=',')}" for name, value in query.items()) if query else ""
    return [
        {"href": links.url(path) + asked, "rel": "self", "type": "application/json"},
        {"href": links.url(path) + TILE_TEMPLATE + asked, "rel": "item", "type": MVT, "templated": True},
        links.link(f"/api/tileMatrixSets/{QUAD}", f"{OGC}/tiling-scheme"),
    ]
