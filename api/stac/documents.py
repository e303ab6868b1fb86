"""The catalogue of runs in STAC 1.1: a collection a process, an item a run, an asset a raster."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pystac
import shapely

from api.answers import GEOJSON, OPENAPI, write_moment
from api.links import Links
from api.rasters.facts import read_facts
from api.rasters.pictures import MEDIA_TYPES
from api.rasters.rows import GEOTIFF, find_file
from api.resources import Resources
from layers.access import visible_layers
from layers.errors import NotFoundError
from layers.quantities import QUANTITIES
from layers.registry import RASTER_LAYERS
from layers.store.rasters import RasterRow
from twin.registry import PROCESSES
from twin.store import RunRow
from twin.store_stac import STATIC, CatalogueExtent, CatalogueItem

STAC_CONFORMANCE = (
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
JSON = "application/json"
_EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v1.2.0/schema.json",
    "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "https://stac-extensions.github.io/web-map-links/v1.2.0/schema.json",
]
_ROOT = "/stac"
# What is the best to look at first, for the small picture of a run.
_FACES = ("flood_depth_max", "flood_depth_change", "flood_depth", "terrain")


def describe_root(city: dict[str, Any], extents: Sequence[CatalogueExtent], links: Links) -> dict[str, Any]:
    """Return the landing page of the catalogue."""
    title = city["title"]
    catalog = pystac.Catalog(
        id=city["id"],
        title=f"{title['vi']} – {title['en']}",
        description="Các lần chạy mô hình và bản đồ nền dạng lưới. Runs of the models, and the rasters of the ground.",
        extra_fields={"conformsTo": list(STAC_CONFORMANCE), "twin:synthetic": city["synthetic"]},
    )
    search = links.url(f"{_ROOT}/search")
    for rel, path, media_type in (
        ("self", _ROOT, JSON),
        ("root", _ROOT, JSON),
        ("data", f"{_ROOT}/collections", JSON),
        ("conformance", f"{_ROOT}/conformance", JSON),
        ("service-desc", "/api/openapi", OPENAPI),
        ("service-doc", "/api/docs", "text/html"),
    ):
        catalog.add_link(pystac.Link(rel, links.url(path), media_type))
    for method in ("GET", "POST"):
        catalog.add_link(pystac.Link("search", search, GEOJSON, extra_fields={"method": method}))
    for extent in extents:
        href = links.url(f"{_ROOT}/collections/{quote(extent.collection)}")
        catalog.add_link(pystac.Link("child", href, JSON, _name_collection(extent.collection)[0]))
    return _write(catalog)


def describe_stac_collection(extent: CatalogueExtent, city: dict[str, Any], links: Links) -> dict[str, Any]:
    """Return a collection: the runs of one process, or the rasters no run made."""
    title, description, keywords = _name_collection(extent.collection)
    bounds = extent.bounds or city["bounds"]
    provider = pystac.Provider(city["attribution"] or city["title"]["en"], roles=[pystac.ProviderRole.HOST])
    collection = pystac.Collection(
        id=extent.collection,
        title=title,
        description=description,
        license="other",
        keywords=keywords,
        providers=[provider],
        extent=pystac.Extent(
            pystac.SpatialExtent([list(bounds)]), pystac.TemporalExtent([[extent.starts, extent.ends]])
        ),
        extra_fields={"twin:items": extent.count, "twin:synthetic": city["synthetic"]},
    )
    path = f"{_ROOT}/collections/{quote(extent.collection)}"
    for rel, to, media_type in (
        ("self", path, JSON),
        ("root", _ROOT, JSON),
        ("parent", _ROOT, JSON),
        ("items", f"{path}/items", GEOJSON),
    ):
        collection.add_link(pystac.Link(rel, links.url(to), media_type))
    if extent.collection in PROCESSES:
        process = f"/api/processes/{quote(extent.collection)}"
        collection.add_link(pystac.Link("about", links.url(process), JSON, "The process and its inputs"))
    return _write(collection)


def describe_stac_item(item: CatalogueItem, resources: Resources, links: Links, *, synthetic: bool) -> dict[str, Any]:
    """Return a run or a raster as STAC item with an asset for each file that is there."""
    bounds = None if item.bounds is None else list(item.bounds)
    properties: dict[str, Any] = {"created": write_moment(item.created), "twin:synthetic": synthetic}
    if item.run is None:
        layer = RASTER_LAYERS[item.rasters[0].layer]
        properties |= {
            "title": layer.title.en,
            "description": layer.description.en,
            "twin:title": layer.title._asdict(),
        }
    else:
        properties |= _describe_run(item.run)
    made = pystac.Item(
        id=item.id,
        geometry=None if item.bounds is None else shapely.geometry.mapping(shapely.box(*item.bounds)),
        bbox=bounds,
        datetime=item.starts if item.starts == item.ends else None,
        start_datetime=None if item.starts == item.ends else item.starts,
        end_datetime=None if item.starts == item.ends else item.ends,
        properties=properties,
        stac_extensions=list(_EXTENSIONS),
        collection=item.collection,
    )
    _add_assets(made, item, resources, links)
    parent = f"{_ROOT}/collections/{quote(item.collection)}"
    for rel, path, media_type in (
        ("self", f"{parent}/items/{quote(item.id)}", GEOJSON),
        ("root", _ROOT, JSON),
        ("parent", parent, JSON),
        ("collection", parent, JSON),
    ):
        made.add_link(pystac.Link(rel, links.url(path), media_type))
    if item.run is not None:
        made.add_link(pystac.Link("via", links.url(f"/api/runs/{quote(item.id)}"), JSON, "The record of the run"))
    return _write(made)


def _add_assets(made: pystac.Item, item: CatalogueItem, resources: Resources, links: Links) -> None:
    """Add the files and pictures of an item, and the links to its map tiles."""
    shown = []
    for row in item.rasters:
        try:
            asset = _describe_asset(row, resources, links)
        except NotFoundError:
            # A file that is gone is no asset; that the run was, stays true.
            continue
        shown.append(row)
        made.add_asset(row.layer, asset)
        title = RASTER_LAYERS[row.layer].title.en
        tiles = links.url(f"/tiles/raster/{quote(row.id)}") + "/{z}/{x}/{y}.png"
        made.add_link(pystac.Link("xyz", tiles, MEDIA_TYPES["png"], title, extra_fields={"templated": True}))
        described = links.url(f"/tiles/raster/{quote(row.id)}.json")
        made.add_link(pystac.Link("tilejson", described, JSON, title))
    face = next((row for name in _FACES for row in shown if row.layer == name), shown[0] if shown else None)
    if face is not None:
        query = {"time": write_moment(face.times[-1])} if face.times else None
        href = links.url(f"/tiles/raster/{quote(face.id)}/preview.png", query)
        made.add_asset("thumbnail", pystac.Asset(href, "Preview", None, MEDIA_TYPES["png"], ["thumbnail"]))
    if item.run is not None:
        for layer_id in PROCESSES[item.collection].outputs if item.collection in PROCESSES else ():
            layer = visible_layers().get(layer_id)
            if layer is not None and layer.of_runs:
                href = links.url(f"/api/collections/{layer_id}/items", {"run_id": item.id})
                made.add_asset(layer_id, pystac.Asset(href, layer.title.en, None, GEOJSON, ["data"]))
        record = links.url(f"/api/runs/{quote(item.id)}")
        made.add_asset("record", pystac.Asset(record, "Inputs, balance, provenance", None, JSON, ["metadata"]))


def _describe_asset(row: RasterRow, resources: Resources, links: Links) -> pystac.Asset:
    """Return a raster's file with what the projection and raster extensions say of it."""
    layer = RASTER_LAYERS[row.layer]
    facts = read_facts(find_file(resources, row), row.fingerprint)
    fields: dict[str, Any] = {
        "twin:title": layer.title._asdict(),
        "unit": QUANTITIES[layer.quantity].unit,
        "data_type": facts.dtype,
        "nodata": "nan",
        "proj:code": f"EPSG:{facts.epsg}" if facts.epsg else None,
        # GDAL before 3.11 and others know no other.
        "proj:epsg": facts.epsg,
        "proj:shape": list(facts.shape),
        "proj:transform": list(facts.transform),
        "proj:bbox": list(facts.bounds),
        "raster:spatial_resolution": facts.cell_size,
        "raster:sampling": "area",
    }
    if row.minimum is not None and row.maximum is not None:
        fields["statistics"] = {"minimum": row.minimum, "maximum": row.maximum}
    fields["bands"] = [{"name": write_moment(moment)} for moment in row.times] if row.times else [{"name": row.layer}]
    href = links.url(f"/tiles/raster/{quote(row.id)}.tif")
    return pystac.Asset(href, layer.title.en, layer.description.en, GEOTIFF, ["data"], fields)


def _describe_run(run: RunRow) -> dict[str, Any]:
    """Return the record of a run as properties: what was asked, what came out, whether water was lost."""
    described: dict[str, Any] = {
        "title": run.title_en,
        "twin:title": {"vi": run.title_vi, "en": run.title_en},
        "updated": write_moment(run.updated),
        "twin:process": run.process,
        "twin:inputs": run.inputs,
        "twin:summary": run.summary,
        "twin:balance": run.balance,
        "twin:provenance": run.provenance,
    }
    if run.base_time is not None:
        described["twin:base_time"] = write_moment(run.base_time)
    if run.horizon_hours is not None:
        described["twin:horizon_hours"] = run.horizon_hours
    return {key: value for key, value in described.items() if value is not None}


def _name_collection(collection: str) -> tuple[str, str, list[str]]:
    """Return title, description and keywords of a collection."""
    if collection == STATIC:
        words = "Địa hình, lớp phủ mặt đất. Rasters of the ground that no run made: terrain, land cover."
        return "Bản đồ nền dạng lưới – Rasters of the ground", words, ["terrain", "land cover"]
    process = PROCESSES.get(collection)
    if process is None:
        return collection, f"Runs of {collection}", ["run"]
    title = f"{process.title.vi} – {process.title.en}"
    return title, f"{process.description.vi} {process.description.en}", ["run", process.id]


def _write(made: pystac.STACObject) -> dict[str, Any]:
    return made.to_dict(include_self_link=True, transform_hrefs=False)
