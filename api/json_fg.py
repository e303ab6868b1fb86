"""JSON-FG 1.0 (OGC 21-045r1): GeoJSON that also says feature type, schema, time, and geometry in any CRS.

A profile says how much of it: ``rfc7946`` nothing, ``jsonfg`` all of it with geometry in another CRS as ``place`` only,
``jsonfg-plus`` with ``geometry`` in longitude and latitude beside it for those who read GeoJSON only.
"""

from typing import Any, Literal

from api.answers import write_moment
from api.links import Link, Links
from api.parameters import name_crs
from layers.errors import InputError
from layers.schema import VectorLayer
from layers.store.items import DEGREES, Item, OutputCrs

Profile = Literal["rfc7946", "jsonfg", "jsonfg-plus"]
PROFILES: dict[str, Profile] = {"rfc7946": "rfc7946", "jsonfg": "jsonfg", "jsonfg-plus": "jsonfg-plus"}
_PROFILE = "http://www.opengis.net/def/profile/OGC/0/"
_CONFORMS = tuple(f"http://www.opengis.net/spec/json-fg-1/1.0/conf/{name}" for name in ("core", "types-schemas"))
_DIMENSIONS = {"Point": 0, "LineString": 1, "MultiPolygon": 2}


def parse_profile(value: str) -> Profile:
    """Return the profile a name or address stands for; InputError lists those there are."""
    found = PROFILES.get(value.removeprefix(_PROFILE))
    if found is None:
        raise InputError(f"profile '{value[:80]}' is not served", hint=f"one of {', '.join(PROFILES)}")
    return found


def link_profile(profile: Profile) -> Link:
    """Return the link that says which profile a document has."""
    return {"href": f"{_PROFILE}{profile}", "rel": "profile", "type": "text/html"}


def write_root(layer: VectorLayer, crs: OutputCrs, links: Links, *, is_collection: bool) -> dict[str, Any]:
    """Return the members that a feature or a collection has as the root of a document."""
    root: dict[str, Any] = {
        "conformsTo": _CONFORMS,
        "featureType": layer.id,
        "featureSchema": links.url(f"/api/collections/{layer.id}/schema"),
    }
    if is_collection:
        root["geometryDimension"] = _DIMENSIONS[layer.geometry]
    if crs != DEGREES:
        root["coordRefSys"] = name_crs(crs)
    return root


def write_time(item: Item, *, is_present: bool) -> dict[str, Any] | None:
    """Return since when a feature is so in the city; None of the past, where a version may have ended."""
    return {"interval": [write_moment(item.valid_from), ".."]} if is_present else None
