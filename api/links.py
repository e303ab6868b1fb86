"""Links between resources, absolute and with the relation types the standards name."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from starlette.requests import Request

from api.answers import GEOJSON, GLB, OPENAPI, SCHEMA
from layers.store.solids import SOLID_LAYERS

OGC = "http://www.opengis.net/def/rel/ogc/1.0"
WEB_MERCATOR_QUAD = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
Link = dict[str, str | bool]


class Links:
    """Makes links below the address the server is reached at."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")

    @classmethod
    def of(cls, request: Request) -> "Links":
        """Return the links of the server that ``request`` reached: its public address if one is set."""
        public = request.app.state.resources.settings.public_url
        return cls(public or str(request.base_url))

    def url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return the absolute address of ``path``."""
        return f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")

    def link(self, path: str, rel: str, media_type: str = "application/json", title: str | None = None) -> Link:
        """Return a link to ``path``."""
        made: Link = {"href": self.url(path), "rel": rel, "type": media_type}
        if title:
            made["title"] = title
        return made

    def link_page(self, path: str) -> Link:
        """Return the link to ``path`` as a page for people."""
        return {"href": self.url(path, {"f": "html"}), "rel": "alternate", "type": "text/html", "title": "HTML"}

    def of_collection(self, layer_id: str) -> list[Link]:
        """Return the links of a collection."""
        path = f"/api/collections/{quote(layer_id)}"
        return [
            self.link(path, "self"),
            self.link_page(path),
            self.link(f"{path}/items", "items", GEOJSON),
            self.link(f"{path}/queryables", f"{OGC}/queryables", SCHEMA),
            # The name of the relation in drafts, by which GDAL 3.6 finds them.
            self.link(f"{path}/queryables", "queryables", SCHEMA),
            self.link(f"{path}/sortables", f"{OGC}/sortables", SCHEMA),
            self.link(f"{path}/schema", f"{OGC}/schema", SCHEMA),
            self.link(f"{path}/tiles", f"{OGC}/tilesets-vector"),
            *self.map_links(layer_id),
            *self.scene_links(f"/3d/{quote(layer_id)}/tileset.json", layer_id, "application/json", "3D Tiles 1.1"),
        ]

    def map_links(self, layer_id: str) -> list[Link]:
        """Return the links to the map of a collection."""
        return [self.link(f"/api/collections/{quote(layer_id)}/map", f"{OGC}/map", "image/png")]

    def of_item(self, layer_id: str, item_id: str) -> list[Link]:
        """Return the links of an item."""
        path = f"/api/collections/{quote(layer_id)}"
        return [
            self.link(f"{path}/items/{quote(item_id)}", "self", GEOJSON),
            self.link_page(f"{path}/items/{quote(item_id)}"),
            self.link(path, "collection"),
            *self.scene_links(f"/3d/{quote(layer_id)}/items/{quote(item_id)}.glb", layer_id, GLB, "3D"),
        ]

    def scene_links(self, path: str, layer_id: str, media_type: str, title: str) -> list[Link]:
        """Return the link to ``path`` of the scene, where the layer has solids."""
        return [self.link(path, "alternate", media_type, title)] if layer_id in SOLID_LAYERS else []

    def of_landing(self) -> list[Link]:
        """Return the links of the landing page."""
        return [
            self.link("/api", "self"),
            self.link_page("/api"),
            self.link("/api/openapi", "service-desc", OPENAPI),
            self.link("/api/docs", "service-doc", "text/html"),
            self.link("/api/conformance", "conformance"),
            self.link("/api/conformance", f"{OGC}/conformance"),
            self.link("/api/collections", "data"),
            self.link("/api/collections", f"{OGC}/data"),
            self.link("/api/catalog", "describedby", title="Everything the viewer needs"),
            self.link("/api/functions", f"{OGC}/functions"),
            self.link("/api/tiles", f"{OGC}/tilesets-vector", title="Vector tiles of the city"),
            self.link("/api/tileMatrixSets", f"{OGC}/tiling-schemes"),
            self.link("/api/map", f"{OGC}/map", "image/png", "Map of the city"),
            self.link("/api/styles", f"{OGC}/styles"),
            self.link("/api/processes", f"{OGC}/processes"),
            self.link("/api/jobs", f"{OGC}/job-list"),
            self.link("/api/runs", "related", title="Runs"),
            self.link("/stac", "related", title="Runs as STAC catalogue"),
            self.link("/sensors/latest", "related", GEOJSON, "Latest readings"),
            self.link("/api/qgis.qgz", "related", "application/x-qgis-project", "QGIS project"),
            self.link("/api/terria.json", "related", title="TerriaJS catalogue"),
        ]


def write_link_header(made: Sequence[Link]) -> str:
    """Return links as the value of a ``Link`` header (RFC 8288)."""
    return ", ".join(
        f'<{link["href"]}>; rel="{link["rel"]}"' + (f'; type="{link["type"]}"' if "type" in link else "")
        for link in made
    )
