"""GetCapabilities of WMS 1.3.0 (OGC 06-042) and, for old clients, 1.1.1 (OGC 01-068r3).

One tree of elements serves both; where the versions part, ``newer`` says which is written.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.answers import write_moment
from api.catalog import describe_city
from api.links import Links
from api.maps.crs import CRS84_NAME, has_northing_first, list_codes
from api.maps.frame import MAX_SIDE, scale_of_zoom
from api.maps.information import INFO_FORMATS
from api.maps.layers import MAX_LAYERS, find_step, list_runs_of, list_shown, write_times
from api.maps.requests import NEWEST, PICTURES
from api.maps.xml import Element
from api.resources import Resources
from api.styles.legends import lay_out_legend
from layers.access import visible, visible_layers
from layers.datum import make_transformer
from layers.registry import THEMES
from layers.schema import RasterLayer, Text, VectorLayer
from layers.store.mercator import Bounds
from layers.store.rasters import RasterRow

WMS, XLINK, XSI, SLD = (
    "http://www.opengis.net/wms", "http://www.w3.org/1999/xlink", "http://www.w3.org/2001/XMLSchema-instance",
    "http://www.opengis.net/sld",
)  # fmt: skip
# WMS 1.1.1 says scales as the diagonal of a pixel on the ground [m], at the pixel size of scale denominators.
_DIAGONAL = 0.00028 * 2.0**0.5
_DOCTYPE = '<!DOCTYPE WMT_MS_Capabilities SYSTEM "http://schemas.opengis.net/wms/1.1.1/WMS_MS_Capabilities.dtd">\n'
_ABSTRACT = (
    "Bản sao số của thành phố: các lớp hạ tầng, địa hình, kết quả tính ngập theo thời gian và lần chạy. "
    "Digital twin of the city: infrastructure, terrain, results of flood runs by time and run."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a service offers: the city, its CRS, layers in the order they are drawn, with bounds (CRS84) and rasters."""

    city: dict[str, Any]
    srid: int
    layers: dict[str, VectorLayer | RasterLayer]
    bounds: dict[str, Bounds]
    rasters: dict[str, list[RasterRow]]


def read_offer(connection: Connection, resources: Resources) -> Offer:
    """Return the public layers that have something to show."""
    rasters = list_shown(connection)
    bounds: dict[str, Bounds] = {layer_id: rows[-1].bounds for layer_id, rows in rasters.items()}
    for layer_id, layer in visible_layers().items():
        if (extent := resources.read_extent(connection, layer).bounds) is not None:
            bounds[layer_id] = extent
    city = describe_city(connection, resources)
    layers = {layer.id: layer for layer in sorted(visible(), key=lambda layer: layer.rank) if layer.id in bounds}
    return Offer(city, int(city["crs"].removeprefix("EPSG:")), layers, bounds, rasters)


def write_capabilities(offer: Offer, links: Links, version: str) -> bytes:
    """Return the capabilities document of WMS ``version``."""
    newer = version == NEWEST
    root = Element("WMS_Capabilities" if newer else "WMT_MS_Capabilities", version=version)
    root.set({"xmlns:xlink": XLINK})
    if newer:
        schema = f"{WMS} http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd {SLD} "
        schema += "http://schemas.opengis.net/sld/1.1.0/sld_capabilities.xsd"
        root.set({"xmlns": WMS, "xmlns:xsi": XSI, "xmlns:sld": SLD, "xsi:schemaLocation": schema})
    _write_service(root, offer, links, newer)
    capability = root("Capability")
    _write_requests(capability, links, newer)
    failures = ("XML", "INIMAGE", "BLANK") if newer else tuple(
        f"application/vnd.ogc.se_{word}" for word in ("xml", "inimage", "blank")
    )  # fmt: skip
    exception = capability("Exception")
    for word in failures:
        exception("Format", word)
    _write_root_layer(capability, offer, links, newer)
    return root.write("" if newer else _DOCTYPE)


def write_title(title: Text) -> str:
    """Return a title in both languages."""
    return f"{title.vi} – {title.en}"


def _write_service(root: Element, offer: Offer, links: Links, newer: bool) -> None:
    service = root("Service")
    service("Name", "WMS" if newer else "OGC:WMS")
    service("Title", write_title(Text(**offer.city["title"])))
    service("Abstract", _ABSTRACT)
    keywords = service("KeywordList")
    for word in ("digital twin", "flood", "ngập lụt", "hạ tầng đô thị"):
        keywords("Keyword", word)
    _write_address(service, links.url("/api"))
    service("Fees", "none")
    service("AccessConstraints", "none")
    if newer:
        service("LayerLimit", MAX_LAYERS)
        service("MaxWidth", MAX_SIDE)
        service("MaxHeight", MAX_SIDE)


def _write_requests(capability: Element, links: Links, newer: bool) -> None:
    capabilities = "text/xml" if newer else "application/vnd.ogc.wms_xml"
    offered = {
        "GetCapabilities": (capabilities,),
        "GetMap": tuple(PICTURES),
        "GetFeatureInfo": tuple(INFO_FORMATS),
        "sld:GetLegendGraphic" if newer else "GetLegendGraphic": ("image/png",),
    }
    request = capability("Request")
    for name, formats in offered.items():
        operation = request(name)
        for media_type in formats:
            operation("Format", media_type)
        _write_address(operation("DCPType")("HTTP")("Get"), links.url("/wms") + "?")


def _write_root_layer(capability: Element, offer: Offer, links: Links, newer: bool) -> None:
    root = capability("Layer")
    root("Title", write_title(Text(**offer.city["title"])))
    for name in (*(f"EPSG:{code}" for code in list_codes(offer.srid)), CRS84_NAME):
        root("CRS" if newer else "SRS", name if newer or name != CRS84_NAME else "EPSG:4326")
    _write_bounds(root, offer.city["bounds"], offer.srid, newer)
    attribution = root("Attribution")
    attribution("Title", offer.city["attribution"] or offer.city["title"]["vi"])
    for theme in THEMES:
        members = [layer for layer in offer.layers.values() if layer.theme == theme.id]
        if not members:
            continue
        group = root("Layer")
        group("Title", write_title(theme.title))
        for layer in members:
            _write_layer(group, layer, offer, links, newer)


def _write_layer(group: Element, layer: VectorLayer | RasterLayer, offer: Offer, links: Links, newer: bool) -> None:
    written = group("Layer", queryable="1", opaque="0")
    written("Name", layer.id)
    written("Title", write_title(layer.title))
    written("Abstract", f"{layer.description.vi} {layer.description.en}")
    _write_bounds(written, offer.bounds[layer.id], offer.srid, newer)
    if isinstance(layer, RasterLayer):
        _write_dimensions(written, offer.rasters[layer.id], newer)
    style = written("Style")
    style("Name", "default")
    style("Title", "Mặc định – default")
    legend = style("LegendURL")
    legend("Format", "image/png")
    asked = {
        "SERVICE": "WMS",
        "VERSION": NEWEST,
        "REQUEST": "GetLegendGraphic",
        "LAYER": layer.id,
        "FORMAT": "image/png",
    }
    _write_address(legend, links.url("/wms", asked))
    size = lay_out_legend(layer)
    legend.set({"width": str(size.width), "height": str(size.height)})
    if isinstance(layer, VectorLayer):
        scale = scale_of_zoom(layer.min_zoom)
        if newer:
            written("MaxScaleDenominator", scale)
        else:
            written("ScaleHint", min="0", max=f"{scale * _DIAGONAL:.12g}")


def _write_dimensions(written: Element, rows: list[RasterRow], newer: bool) -> None:
    """Write the times of the newest raster, and the runs to choose from."""
    times, runs = rows[-1].times, list_runs_of(rows)
    dimensions: list[tuple[str, str, str, str, bool]] = []
    if times:
        default = write_moment(times[find_step(times, None)])
        dimensions.append(("time", "ISO8601", default, write_times(times), True))
    if runs:
        dimensions.append(("run", "", runs[0], ",".join(runs), False))
    for name, units, default, extent, nearest in dimensions:
        said = {"name": name, "default": default, "multipleValues": "0", "nearestValue": "1" if nearest else "0"}
        if newer:
            written("Dimension", extent, units=units, **said)
        else:
            written("Dimension", name=name, units=units)
    if not newer:
        for name, _, default, extent, nearest in dimensions:
            written("Extent", extent, name=name, default=default, nearestValue="1" if nearest else "0")


def _write_bounds(written: Element, bounds: Bounds, srid: int, newer: bool) -> None:
    west, south, east, north = bounds
    if newer:
        box = written("EX_GeographicBoundingBox")
        for name, value in (
            ("westBoundLongitude", west), ("eastBoundLongitude", east), ("southBoundLatitude", south),
            ("northBoundLatitude", north),
        ):  # fmt: skip
            box(name, value)
    else:
        written("LatLonBoundingBox", **_name_sides(bounds))
    if newer:
        written("BoundingBox", CRS=CRS84_NAME, **_name_sides(bounds))
    for code in dict.fromkeys((4326, 3857, srid)):
        moved = bounds if code == 4326 else make_transformer("OGC:CRS84", f"EPSG:{code}").transform_bounds(*bounds)
        if newer and has_northing_first(code):
            moved = (moved[1], moved[0], moved[3], moved[2])
        written("BoundingBox", **{"CRS" if newer else "SRS": f"EPSG:{code}"}, **_name_sides(moved))


def _name_sides(bounds: Bounds) -> dict[str, str]:
    return {name: f"{value:.12g}" for name, value in zip(("minx", "miny", "maxx", "maxy"), bounds, strict=True)}


def _write_address(written: Element, address: str) -> None:
    written("OnlineResource").set({"xlink:type": "simple", "xlink:href": address})
