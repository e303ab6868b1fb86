"""Raster layers as OGC collections: what each is, where and when it is, and in which ways it can be asked for."""

from typing import Any
from urllib.parse import quote

from api.links import OGC, WEB_MERCATOR_QUAD, Link, Links
from api.parameters import CRS84, EPSG
from api.rasters.pictures import MEDIA_TYPES
from api.rasters.rows import GEOTIFF, MAX_ZOOM, MIN_ZOOM, Raster, write_times
from api.rasters.series import COVERAGE_JSON, describe_parameter
from api.tilesets import QUAD, TILE_TEMPLATE, limit_tiles
from layers.quantities import QUANTITIES
from layers.schema import RasterLayer

_GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
_CRS84_WKT = (
    'GEOGCS["WGS 84 (CRS84)",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AXIS["Longitude",EAST],AXIS["Latitude",NORTH]]'
)


def describe_raster_collection(collection_id: str, raster: Raster, links: Links, *, srid: int) -> dict[str, Any]:
    """Return a raster as OGC collection called ``collection_id``; ``srid`` is the EPSG code of the city's CRS."""
    row, layer = raster
    path = f"/api/collections/{quote(collection_id)}"
    extent: dict[str, Any] = {"spatial": {"bbox": [list(row.bounds)], "crs": CRS84}}
    times = write_times(row)
    if times:
        grid = {"cellsCount": len(times), "coordinates": times}
        extent["temporal"] = {"interval": [[times[0], times[-1]]], "trs": _GREGORIAN, "grid": grid}
    described: dict[str, Any] = {
        "id": collection_id,
        "title": layer.title.en,
        "description": layer.description.en,
        "title_i18n": layer.title._asdict(),
        "description_i18n": layer.description._asdict(),
        "itemType": "coverage",
        "extent": extent,
        "crs": [CRS84, f"{EPSG}4326", f"{EPSG}3857", f"{EPSG}{srid}"],
        "storageCrs": f"{EPSG}{srid}",
        "tileMatrixSets": [WEB_MERCATOR_QUAD],
        "raster": row.id,
        "unit": QUANTITIES[layer.quantity].unit,
        "output_formats": ["CoverageJSON", "CSV"],
        "parameter_names": {layer.id: describe_parameter(layer)},
        "data_queries": {"position": {"link": _link_position(path, layer, links)}},
        "links": _link_collection(path, raster, links),
    }
    if row.run_id:
        described["run_id"] = row.run_id
    return described


def describe_map_tilesets(collection_id: str, raster: Raster, links: Links) -> dict[str, Any]:
    """Return the list of map tilesets of a raster: there is one."""
    path = f"/api/collections/{quote(collection_id)}/map/tiles"
    return {"links": [links.link(path, "self")], "tilesets": [_describe_item(path, raster, links)]}


def describe_map_tileset(collection_id: str, raster: Raster, links: Links) -> dict[str, Any]:
    """Return the metadata of the map tileset of a raster in WebMercatorQuad."""
    row, layer = raster
    path = f"/api/collections/{quote(collection_id)}"
    described = _describe_item(f"{path}/map/tiles", raster, links)
    west, south, east, north = row.bounds
    described["boundingBox"] = {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84}
    described["tileMatrixSetLimits"] = [limit_tiles(row.bounds, zoom) for zoom in range(MIN_ZOOM, MAX_ZOOM + 1)]
    described["layers"] = [
        {
            "id": layer.id,
            "title": layer.title.en,
            "description": layer.description.en,
            "dataType": "map",
            "minTileMatrix": str(MIN_ZOOM),
            "maxTileMatrix": str(MAX_ZOOM),
            "links": [links.link(path, f"{OGC}/geodata")],
        }
    ]
    described["links"].append(links.link(f"/tiles/raster/{row.id}.json", "describedby", title="TileJSON"))
    return described


def _describe_item(path: str, raster: Raster, links: Links) -> dict[str, Any]:
    own = f"{path}/{QUAD}"
    pictures: list[Link] = [
        {
            "href": f"{links.url(own)}{TILE_TEMPLATE}?f={fmt}",
            "rel": "item",
            "type": MEDIA_TYPES[fmt],
            "templated": True,
        }
        for fmt in MEDIA_TYPES
    ]
    return {
        "title": raster.layer.title.en,
        "dataType": "map",
        "crs": f"{EPSG}3857",
        "tileMatrixSetURI": WEB_MERCATOR_QUAD,
        "mediaTypes": list(MEDIA_TYPES.values()),
        "links": [
            links.link(own, "self"),
            *pictures,
            links.link(f"/api/tileMatrixSets/{QUAD}", f"{OGC}/tiling-scheme"),
        ],
    }


def _link_collection(path: str, raster: Raster, links: Links) -> list[Link]:
    row = raster.row
    own = f"/tiles/raster/{row.id}"
    return [
        links.link(path, "self"),
        links.link(f"{path}/map", f"{OGC}/map", MEDIA_TYPES["png"]),
        links.link(f"{path}/map/tiles", f"{OGC}/tilesets-map"),
        links.link(f"{path}/coverage", f"{OGC}/coverage", GEOTIFF),
        links.link(f"{own}/legend.png", f"{OGC}/legend", MEDIA_TYPES["png"]),
        links.link(f"{own}.json", "describedby", title="TileJSON"),
        links.link(f"{own}.tif", "enclosure", GEOTIFF, "The whole raster"),
    ]


def _link_position(path: str, layer: RasterLayer, links: Links) -> dict[str, Any]:
    return {
        "href": links.url(f"{path}/position") + "?coords={coords}",
        "rel": "data",
        "templated": True,
        "type": COVERAGE_JSON,
        "title": f"{layer.title.en} at a place",
        "variables": {
            "title": "Position",
            "query_type": "position",
            "coords": {"description": "WKT in CRS84: POINT(105.78 10.03)"},
            "output_formats": ["CoverageJSON", "CSV"],
            "default_output_format": "CoverageJSON",
            "crs_details": [{"crs": "CRS84", "wkt": _CRS84_WKT}],
        },
    }
