"""Links from a trace to what it found: items and tiles."""

from collections.abc import Iterable
from urllib.parse import quote, urlencode

from api.answers import GEOJSON, MVT
from api.links import OGC, Link
from layers.access import visible_layers


def link_trace(trace_id: str, layers: Iterable[str], base: str) -> list[Link]:
    """Return the links of a trace below ``base``; ``layers`` are those in which it found something."""
    path = f"{base}/api/traces/{quote(trace_id)}"
    made: list[Link] = [{"href": path, "rel": "self", "type": "application/json"}]
    asked = urlencode({"filter": f"in_trace('{trace_id}')"})
    for layer_id in layers:
        if layer_id not in visible_layers():
            continue
        items = f"{base}/api/collections/{quote(layer_id)}/items?{asked}"
        tiles = f"{base}/tiles/{quote(layer_id)}/{{z}}/{{x}}/{{y}}.mvt?{asked}"
        made.append({"href": items, "rel": "items", "type": GEOJSON, "title": layer_id})
        made.append({"href": tiles, "rel": f"{OGC}/tilesets-vector", "type": MVT, "title": layer_id, "templated": True})
    return made
