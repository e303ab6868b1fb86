"""One answer that tells a viewer everything: the city, its themes and layers, their sources and legends."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from pyproj import CRS
from sqlalchemy import Connection

from api.answers import write_moment
from api.declarations import describe_raster, describe_vector
from api.export import FORMATS
from api.resources import Resources
from layers.access import Reach, asking_as, visible, visible_layers, who_asks
from layers.registry import THEMES, VECTOR_LAYERS
from layers.schema import LEVELS, Access, RasterLayer
from layers.store.edits import read_last_edits
from layers.store.mercator import Bounds
from layers.store.migrate import CityRow, read_city
from layers.store.rasters import list_rasters
from layers.store.sources import SourceRow, list_sources
from twin.registry import PROCESSES

# What best says where the city is, the modelled ground first.
_WHERE = ("buildings", "road_links", "wards", "land_use", "water_bodies", "trees", "sensors", "places")


def build_catalog(connection: Connection, resources: Resources) -> dict[str, Any]:
    """Return the catalogue: the city, theme by theme every public layer, and the formats of files."""
    rows = list_sources(connection, None)
    sources = _group_sources(rows)
    made_up = {layer_id for row in rows if row.synthetic for layer_id in row.layers}
    made = {layer_id for process in PROCESSES.values() for layer_id in process.outputs}
    static = {row.layer: row.id for row in list_rasters(connection) if row.run_id is None}
    edited = read_last_edits(connection)
    themes = []
    seen = visible()
    for theme in THEMES:
        members: list[dict[str, Any]] = []
        for layer in seen:
            if layer.theme != theme.id:
                continue
            known = sources.get(layer.id, [])
            if isinstance(layer, RasterLayer):
                members.append(describe_raster(layer, static.get(layer.id), known, per_run=layer.id in made))
            else:
                extent = resources.read_extent(connection, layer)
                members.append(
                    {
                        **_describe(layer.id, who_asks().level),
                        "count": extent.count,
                        "bounds": extent.bounds,
                        "edited": _write_time(edited.get(layer.id)),
                        "synthetic": layer.id in made_up,
                        "sources": known,
                    }
                )
        themes.append({"id": theme.id, "title": theme.title._asdict(), "layers": members})
    return {"city": describe_city(connection, resources), "themes": themes, "files": list(FORMATS)}


@lru_cache(maxsize=len(LEVELS) * len(VECTOR_LAYERS))
def _describe(layer_id: str, level: Access) -> dict[str, Any]:
    with asking_as(Reach(level)):
        return describe_vector(visible_layers()[layer_id])


def describe_city(connection: Connection, resources: Resources) -> dict[str, Any]:
    """Return who the city is and where."""
    city = read_city(connection)
    said = city.declaration
    return {
        "id": city.id,
        "title": said.get("title") or {"vi": city.id, "en": city.id},
        "bounds": find_bounds(connection, resources, city),
        "crs": f"EPSG:{city.srid}",
        "timezone": said.get("timezone") or "UTC",
        "synthetic": city.synthetic,
        "attribution": said.get("attribution") or "",
        "main_gauge": said.get("main_gauge"),
    }


def find_bounds(connection: Connection, resources: Resources, city: CityRow) -> Bounds:
    """Return where the city is (CRS84): its terrain, else its features, else where its CRS is used."""
    for row in list_rasters(connection, layer="terrain"):
        if row.run_id is None:
            return row.bounds
    for layer_id in dict.fromkeys((*_WHERE, *visible_layers())):
        bounds = resources.read_extent(connection, visible_layers()[layer_id]).bounds
        if bounds is not None:
            return bounds
    area = CRS.from_epsg(city.srid).area_of_use
    return (area.west, area.south, area.east, area.north) if area else (-180.0, -85.0, 180.0, 85.0)


def find_filled(connection: Connection, resources: Resources) -> set[str]:
    """Return the ids of the public vector layers that have features."""
    return {key for key, layer in visible_layers().items() if resources.read_extent(connection, layer).count}


def _group_sources(rows: list[SourceRow]) -> dict[str, list[dict[str, Any]]]:
    """Return the sources by layer; runs are sources too, but a viewer meets them as runs."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row.id.startswith("run:"):
            continue
        said = {
            "id": row.id,
            "title": {"vi": row.title_vi, "en": row.title_en},
            "licence": row.licence,
            "attribution": row.attribution,
            "synthetic": row.synthetic,
            "loaded": _write_time(row.loaded_at),
        }
        for layer in row.layers:
            grouped.setdefault(layer, []).append(said)
    return grouped


def _write_time(moment: datetime | None) -> str | None:
    return None if moment is None else write_moment(moment)
