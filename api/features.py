"""How items are written as features: which properties, in which CRS, as GeoJSON or as JSON-FG."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from api.json_fg import Profile, link_profile, write_root, write_time
from api.links import Link, Links
from layers.schema import VectorLayer
from layers.store.items import DEGREES, Item, OutputCrs, View
from layers.store.origins import PRESENT, Past


@dataclass(frozen=True, slots=True)
class Writing:
    """What is written of the items of ``layer``: the properties ``names``, geometry in ``crs`` unless left out."""

    layer: VectorLayer
    names: Sequence[str]
    crs: OutputCrs = DEGREES
    profile: Profile = "rfc7946"
    with_geometry: bool = True
    past: Past = PRESENT

    @property
    def view(self) -> View:
        """What has to be read of each item."""
        if not self.with_geometry:
            return View(self.names, ())
        both = self.profile == "jsonfg-plus" and self.crs != DEGREES
        return View(self.names, (self.crs, DEGREES) if both else (self.crs,))

    def write_feature(self, item: Item) -> dict[str, Any]:
        """Return ``item`` as a feature below the root of a document."""
        shapes = [orjson.Fragment(words) for words in item.geometries]
        feature: dict[str, Any] = {"type": "Feature", "id": item.id}
        if self.profile == "rfc7946":
            feature["geometry"] = shapes[0] if shapes else None
        else:
            # A place is never in longitude and latitude: that is what geometry is for.
            feature["time"] = write_time(item, is_present=self.past == PRESENT)
            feature["place"] = shapes[0] if shapes and self.crs != DEGREES else None
            feature["geometry"] = shapes[-1] if shapes and (self.crs == DEGREES or len(shapes) == 2) else None
        feature["properties"] = dict(zip(self.names, item.values, strict=True))
        return feature

    def write_root(self, links: Links, *, is_collection: bool) -> dict[str, Any]:
        """Return the members of the root of a document beside those of GeoJSON."""
        if self.profile == "rfc7946":
            return {}
        return write_root(self.layer, self.crs, links, is_collection=is_collection)

    def link_profile(self) -> Link:
        """Return the link to the profile that a document has."""
        return link_profile(self.profile)
