"""Results of a run as features of the map: classes of flooding at nodes, of use in links, changes against a base."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from hydrology.swmm_run import LinkResults, NodeResults, SwmmResults
from layers.ingest.swmm.document import fold_name
from twin.process import CityView
from twin.swmm.running_models import RunModel, draw_links, read_places

Array = NDArray[np.float64]
Shapes = NDArray[np.object_]

FULL = 0.999
"""Fill from which a conduit counts as full [1]: SWMM's own depths end a hair below the crown."""

FLOODED = 0.1
"""Flooding below this is none [m3]."""

FLOODED_MUCH = 50.0
"""Bound between the two classes of flooding [m3]."""

MOST_HEAD = 8_900.0
_NODE_TYPES = {"junction": "junction", "outfall": "outfall", "storage": "storage", "divider": "junction"}


def place_nodes(view: CityView, model: RunModel, names: Sequence[str]) -> Shapes:
    """Return the point of each node (n,), None where nobody tells its place."""
    return _place(view, "drainage_nodes", model.nodes, names, _own_points(model))


def place_links(view: CityView, model: RunModel, names: Sequence[str]) -> Shapes:
    """Return the line of each link (n,), None where nobody tells its place."""
    return _place(view, "drainage_links", model.links, names, draw_links(model.inp) if model.is_placed else {})


def _own_points(model: RunModel) -> dict[str, Any]:
    if not model.is_placed:
        return {}
    return {name: shapely.Point(place) for name, place in read_places(model.inp).items()}


def _place(view: CityView, layer: str, ids: Mapping[str, str], names: Sequence[str], own: Mapping[str, Any]) -> Shapes:
    frame = view.layer(layer, columns=[])
    known = dict(zip(frame["id"].astype(str), frame.geometry, strict=True))
    shapes = np.empty(len(names), dtype=object)
    for position, name in enumerate(names):
        shapes[position] = known.get(ids.get(name, name), own.get(fold_name(name)))
    return shapes


def classify_nodes(nodes: NodeResults) -> NDArray[np.object_]:
    """Return the class of flooding of each node (nodes,): free, surcharged, flooded, flooded_much."""
    classes = np.full(len(nodes.ids), "free", dtype=object)
    classes[nodes.surcharge_time > 0.0] = "surcharged"
    classes[nodes.flooding_volume >= FLOODED] = "flooded"
    classes[nodes.flooding_volume >= FLOODED_MUCH] = "flooded_much"
    return classes


def classify_links(links: LinkResults) -> NDArray[np.object_]:
    """Return the class of use of each link (links,); what is no conduit is a device."""
    fill, use = links.fill, np.nan_to_num(links.capacity_use)
    classes = np.full(len(links.ids), "little", dtype=object)
    classes[fill >= 0.5] = "half"
    classes[fill >= 0.8] = "nearly"
    classes[fill >= FULL] = "full"
    classes[(fill >= FULL) & (use > 1.0)] = "overloaded"
    classes[~is_conduit(links)] = "device"
    return classes


def is_conduit(links: LinkResults) -> NDArray[np.bool_]:
    """Return which links have a length that can fill (links,)."""
    return np.array([kind == "conduit" for kind in links.kinds], dtype=bool)


def frame_nodes(
    view: CityView, model: RunModel, results: SwmmResults, start: datetime, base: SwmmResults | None = None
) -> gpd.GeoDataFrame:
    """Return the items of layer drainage_node_results of the nodes that have a place."""
    nodes = results.nodes
    rim = nodes.invert + nodes.full_depth
    outfall = np.array([kind == "outfall" for kind in nodes.kinds], dtype=bool)
    head = np.minimum(nodes.max_head, MOST_HEAD)
    rows: dict[str, Any] = {
        "node_id": [model.nodes.get(name, name) for name in nodes.ids],
        "node_type": [_NODE_TYPES.get(kind, kind) for kind in nodes.kinds],
        "flooding_class": classify_nodes(nodes),
        "max_depth": nodes.max_depth,
        "max_head": head,
        "rim": np.where(outfall, np.nan, rim),
        "invert": nodes.invert,
        "freeboard": np.where(outfall, np.nan, rim - head),
        "surcharge_time": nodes.surcharge_time,
        "flooding_time": nodes.flooding_time,
        "flooding_volume": nodes.flooding_volume,
        "max_flooding": nodes.max_flooding,
        "max_inflow": nodes.max_inflow,
        "peak_time": _write_moments(nodes.peak_time, start),
        "flooding_change": np.full(len(nodes.ids), np.nan),
        "head_change": np.full(len(nodes.ids), np.nan),
    }
    if base is not None:
        rows["flooding_change"] = nodes.flooding_volume - base.nodes.flooding_volume
        rows["head_change"] = nodes.max_head - base.nodes.max_head
    return make_frame(view, rows, "node_id", place_nodes(view, model, nodes.ids))


def frame_links(
    view: CityView, model: RunModel, results: SwmmResults, start: datetime, base: SwmmResults | None = None
) -> gpd.GeoDataFrame:
    """Return the items of layer drainage_link_results of the links that have a place."""
    links = results.links
    rows: dict[str, Any] = {
        "link_id": [model.links.get(name, name) for name in links.ids],
        "link_type": links.kinds,
        "use_class": classify_links(links),
        "max_flow": links.max_flow,
        "full_flow": np.where(links.full_flow > 0.0, links.full_flow, np.nan),
        "capacity_use": links.capacity_use,
        "max_velocity": links.max_velocity,
        "fill": np.where(is_conduit(links), np.clip(links.fill, 0.0, 1.0), np.nan),
        "full_time": links.full_time,
        "above_full_time": links.above_full_time,
        "peak_time": _write_moments(links.peak_time, start),
        "flow_change": np.full(len(links.ids), np.nan) if base is None else links.max_flow - base.links.max_flow,
    }
    return make_frame(view, rows, "link_id", place_links(view, model, links.ids))


def make_frame(view: CityView, rows: Mapping[str, Any], key: str, shapes: Shapes) -> gpd.GeoDataFrame:
    """Return a frame in the city's CRS with ``id`` as its key; rows without a shape are left out."""
    frame = gpd.GeoDataFrame({"id": rows[key], **rows}, geometry=list(shapes), crs=view.crs)
    there = np.array([shape is not None and not shape.is_empty for shape in shapes], dtype=bool)
    return frame[there].reset_index(drop=True)


def _write_moments(seconds: Array, start: datetime) -> list[datetime | None]:
    return [start + timedelta(seconds=float(at)) if at > 0.0 else None for at in seconds]


def summarize(model: RunModel, results: SwmmResults, *, most: int = 10) -> dict[str, Any]:
    """Return the figures of a run: how much floods where, what is full, how much left through outfalls."""
    nodes, links, account = results.nodes, results.links, results.account
    conduits = is_conduit(links)
    full = conduits & (links.fill >= FULL)
    flooded = nodes.flooding_volume >= FLOODED
    return {
        "nodes": len(nodes.ids),
        "links": len(links.ids),
        "catchments": len(results.catchments.ids),
        "rain": round(account.rain, 1),
        "runoff": round(float(results.catchments.runoff.sum()), 1),
        "peak_runoff": round(float(results.series.runoff.max(initial=0.0)), 4),
        "outfall_volume": round(account.outfall_volume, 1),
        "peak_outflow": round(float(results.series.outflow.max(initial=0.0)), 4),
        "flooding_volume": round(float(nodes.flooding_volume[flooded].sum()), 1),
        "flooded_nodes": int(flooded.sum()),
        "surcharged_nodes": int((nodes.surcharge_time > 0.0).sum()),
        "full_links": int(full.sum()),
        "full_length": round(float(links.length[full].sum()), 1),
        "length": round(float(links.length[conduits].sum()), 1),
        "worst_nodes": [
            {
                "id": model.nodes.get(nodes.ids[k], nodes.ids[k]),
                "flooding_volume": round(float(nodes.flooding_volume[k]), 2),
                "flooding_time": round(float(nodes.flooding_time[k]), 1),
            }
            for k in np.argsort(-nodes.flooding_volume, kind="stable")[:most]
            if flooded[k]
        ],
        "worst_links": [
            {
                "id": model.links.get(links.ids[k], links.ids[k]),
                "full_time": round(float(links.full_time[k]), 1),
                "max_flow": round(float(links.max_flow[k]), 4),
                "capacity_use": None
                if not np.isfinite(links.capacity_use[k])
                else round(float(links.capacity_use[k]), 3),
            }
            for k in np.argsort(-links.full_time, kind="stable")[:most]
            if full[k]
        ],
    }


def compare_figures(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return before, after and change of each figure, with the share that it changed by [1] where that is known."""
    found = {}
    for name in ("runoff", "peak_runoff", "outfall_volume", "peak_outflow", "flooding_volume", "flooded_nodes",
                 "surcharged_nodes", "full_links", "full_length"):  # fmt: skip
        first, last = float(before[name]), float(after[name])
        share = None if first == 0.0 else round((last - first) / first, 4)
        found[name] = {"before": before[name], "after": after[name], "change": round(last - first, 4), "share": share}
    return found
