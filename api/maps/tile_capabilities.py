"""GetCapabilities of WMTS 1.0.0 (OGC 07-057r7): raster layers as tiles of WebMercatorQuad, by time and run."""

from collections.abc import Mapping

from api.answers import write_moment
from api.links import Links
from api.maps.capabilities import Offer, write_title
from api.maps.errors import OWS
from api.maps.information import INFO_FORMATS
from api.maps.layers import find_step, list_runs_of
from api.maps.xml import Element
from api.rasters.rows import MAX_ZOOM, MIN_ZOOM
from api.styles.legends import lay_out_legend
from api.tilesets import QUAD, describe_quad, limit_tiles
from layers.schema import RasterLayer, Text
from layers.store.mercator import Bounds
from layers.store.rasters import RasterRow

WMTS, XLINK, XSI = (
    "http://www.opengis.net/wmts/1.0", "http://www.w3.org/1999/xlink", "http://www.w3.org/2001/XMLSchema-instance",
)  # fmt: skip
VERSION = "1.0.0"
# Formats of tiles and the endings of their addresses.
TILE_FORMATS = {"image/png": "png", "image/webp": "webp"}
# What a step of time and a run are called where none is chosen.
DEFAULT = "default"
_PATH = "{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}"


def write_tile_capabilities(offer: Offer, links: Links) -> bytes:
    """Return the capabilities document of the tile service."""
    root = Element("Capabilities", version=VERSION).set(
        {
            "xmlns": WMTS,
            "xmlns:ows": OWS,
            "xmlns:xlink": XLINK,
            "xmlns:xsi": XSI,
            "xsi:schemaLocation": f"{WMTS} http://schemas.opengis.net/wmts/1.0/wmtsGetCapabilities_response.xsd",
        }
    )
    title = write_title(Text(**offer.city["title"]))
    identification = root("ows:ServiceIdentification")
    identification("ows:Title", title)
    identification(
        "ows:Abstract",
        "Địa hình và kết quả tính ngập theo thời gian và lần chạy. Terrain and results of flood runs by time and run.",
    )
    identification("ows:ServiceType", "OGC WMTS")
    identification("ows:ServiceTypeVersion", VERSION)
    identification("ows:Fees", "none")
    identification("ows:AccessConstraints", "none")
    provider = root("ows:ServiceProvider")
    provider("ows:ProviderName", offer.city["title"]["vi"])
    provider("ows:ProviderSite").set({"xlink:href": links.url("/api")})
    provider("ows:ServiceContact")
    _write_operations(root, links)
    contents = root("Contents")
    for layer in offer.layers.values():
        if isinstance(layer, RasterLayer):
            _write_layer(contents, layer, offer.rasters[layer.id], links)
    _write_quad(contents)
    root("ServiceMetadataURL").set({"xlink:href": links.url(f"/wmts/{VERSION}/WMTSCapabilities.xml")})
    return root.write()


def _write_operations(root: Element, links: Links) -> None:
    metadata = root("ows:OperationsMetadata")
    for name in ("GetCapabilities", "GetTile", "GetFeatureInfo"):
        http = metadata("ows:Operation", name=name)("ows:DCP")("ows:HTTP")
        get = http("ows:Get").set({"xlink:href": links.url("/wmts") + "?"})
        get("ows:Constraint", name="GetEncoding")("ows:AllowedValues")("ows:Value", "KVP")


def _write_layer(contents: Element, layer: RasterLayer, rows: list[RasterRow], links: Links) -> None:
    row, runs = rows[-1], list_runs_of(rows)
    written = contents("Layer")
    written("ows:Title", write_title(layer.title))
    written("ows:Abstract", f"{layer.description.vi} {layer.description.en}")
    _write_corners(written("ows:WGS84BoundingBox"), row.bounds)
    written("ows:Identifier", layer.id)
    style = written("Style", isDefault="true")
    style("ows:Title", "Mặc định – default")
    style("ows:Identifier", DEFAULT)
    legend, size = style("LegendURL", format="image/png"), lay_out_legend(layer)
    address = links.url("/wms", {"SERVICE": "WMS", "REQUEST": "GetLegendGraphic", "LAYER": layer.id})
    legend.set({"xlink:href": address, "width": str(size.width), "height": str(size.height)})
    for media_type in TILE_FORMATS:
        written("Format", media_type)
    for media_type in INFO_FORMATS:
        written("InfoFormat", media_type)
    if row.times:
        default = write_moment(row.times[find_step(row.times, None)])
        _write_dimension(written, "Time", default, [write_moment(moment) for moment in row.times], uom="ISO8601")
    if runs:
        _write_dimension(written, "Run", runs[0], runs)
    link = written("TileMatrixSetLink")
    link("TileMatrixSet", QUAD)
    limits = link("TileMatrixSetLimits")
    for zoom in range(MIN_ZOOM, MAX_ZOOM + 1):
        _write_limit(limits, limit_tiles(row.bounds, zoom))
    time = "{Time}" if row.times else DEFAULT
    query = "?Run={Run}" if runs else ""
    tiles = links.url(f"/wmts/{layer.id}") + "/{Style}/" + f"{time}/{_PATH}"
    for media_type, ending in TILE_FORMATS.items():
        written("ResourceURL", format=media_type, resourceType="tile", template=f"{tiles}.{ending}{query}")
    template = tiles + "/{J}/{I}.json" + query
    written("ResourceURL", format="application/json", resourceType="FeatureInfo", template=template)


def _write_dimension(written: Element, name: str, default: str, values: list[str], *, uom: str | None = None) -> None:
    dimension = written("Dimension")
    dimension("ows:Identifier", name)
    if uom:
        dimension("ows:UOM", uom)
    dimension("Default", default)
    for value in values:
        dimension("Value", value)


def _write_limit(limits: Element, tiles: Mapping[str, str | int]) -> None:
    limit = limits("TileMatrixLimits")
    for name, key in (
        ("TileMatrix", "tileMatrix"), ("MinTileRow", "minTileRow"), ("MaxTileRow", "maxTileRow"),
        ("MinTileCol", "minTileCol"), ("MaxTileCol", "maxTileCol"),
    ):  # fmt: skip
        limit(name, str(tiles[key]))


def _write_quad(contents: Element) -> None:
    """Write WebMercatorQuad as far down as rasters are drawn."""
    quad = contents("TileMatrixSet")
    quad("ows:Title", describe_quad()["title"])
    quad("ows:Identifier", QUAD)
    quad("ows:SupportedCRS", "urn:ogc:def:crs:EPSG::3857")
    quad("WellKnownScaleSet", "urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible")
    for matrix in describe_quad()["tileMatrices"][: MAX_ZOOM + 1]:
        written = quad("TileMatrix")
        written("ows:Identifier", matrix["id"])
        written("ScaleDenominator", f"{matrix['scaleDenominator']:.15g}")
        written("TopLeftCorner", " ".join(f"{value:.15g}" for value in matrix["pointOfOrigin"]))
        for name, key in (
            ("TileWidth", "tileWidth"), ("TileHeight", "tileHeight"), ("MatrixWidth", "matrixWidth"),
            ("MatrixHeight", "matrixHeight"),
        ):  # fmt: skip
            written(name, matrix[key])


def _write_corners(box: Element, bounds: Bounds) -> None:
    west, south, east, north = bounds
    box("ows:LowerCorner", f"{west:.9f} {south:.9f}")
    box("ows:UpperCorner", f"{east:.9f} {north:.9f}")
