"""What a failure of the grid, or water at its equipment, leaves without power."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from layers.errors import InputError
from network.graph import Index
from twin.lighting.supply import SUBSTATIONS, TRANSFORMERS, PowerSupply, read_supply
from twin.process import CityView


@dataclass(frozen=True, slots=True)
class Dependent:
    """Assets that need power: layer, what each is called, whether life depends on it, and which are meant."""

    layer: str
    name: str | None
    importance: str
    column: str | None = None
    values: tuple[str, ...] = ()
    elevation: str | None = None


DEPENDENTS = (
    Dependent("places", "name", "vital", "category", ("hospital", "clinic")),
    Dependent("drainage_links", None, "vital", "link_type", ("pump",)),
    Dependent("water_pumps", "name", "vital"),
    Dependent("lighting_cabinets", "name", "public", elevation="base_elevation"),
    Dependent("signals", None, "public"),
    Dependent("antennas", None, "public"),
    Dependent("telecom_cabinets", None, "public"),
)


@dataclass(frozen=True, slots=True)
class Loss:
    """One asset without power. cause: failed, upstream, flooded. water: above its equipment [m], NaN unknown."""

    layer: str
    item: str
    name: str | None
    importance: str
    cause: str
    cause_id: str
    transformer: str
    customers: int
    water: float
    point: shapely.Point


@dataclass(frozen=True, eq=False)
class Outage:
    """All that is lost, and the customers of transformers without power."""

    losses: list[Loss]
    customers: int
    failed: tuple[str, ...]


def find_outage(city: CityView, failed: Mapping[str, Sequence[str]], water: Mapping[tuple[str, str], float]) -> Outage:
    """Return what has no power when equipment has failed.

    failed: ids by layer (substations, transformers, power_lines). water: depth above the equipment [m] by layer and
    item, of what is under water. Raises InputError for what is not part of the network.
    """
    before = read_supply(city)
    network = before.network
    flooded = {key: depth for key, depth in water.items() if depth > 0.0}
    nodes, links = np.zeros(network.graph.node_count, np.bool_), np.zeros(network.graph.link_count, np.bool_)
    causes: dict[int, tuple[str, str]] = {}
    for layer in (SUBSTATIONS, TRANSFORMERS, "power_lines"):
        wet = [item for (of, item) in flooded if of == layer and item in network.places.get(layer, {})]
        for items, cause in ((failed.get(layer, ()), "failed"), (wet, "flooded")):
            if not items:
                continue
            found_nodes, found_links = network.find_items(layer, list(items))
            nodes[found_nodes] = True
            links[found_links] = True
            if layer != "power_lines":
                for item in items:
                    causes.setdefault(network.places[layer][item], (cause, item))
    after = read_supply(city, open_nodes=~nodes, open_links=~links)
    dead = _mark_fed(before) & ~(_mark_fed(after) & ~nodes)
    why = _trace_causes(before, nodes, links, causes)
    losses = _list_transformers(city, network.places, dead, why, flooded)
    customers = sum(each.customers for each in losses if each.layer == TRANSFORMERS)
    for dependent in DEPENDENTS:
        losses += _list_dependents(city, before, dependent, dead, why, flooded)
    return Outage(losses, customers, tuple(item for items in failed.values() for item in items))


def read_flooded(city: CityView, run_id: str) -> dict[tuple[str, str], float]:
    """Return the depth above the equipment [m] of what a flood run touched; InputError where the run touched nothing
    that is known.
    """
    assets = city.layer("flood_assets", columns=["run_id", "asset_layer", "asset_id", "depth_max"])
    own = assets[assets["run_id"] == run_id]
    if own.empty:
        raise InputError(f"run '{run_id[:80]}' touched no asset, or is none", hint="name a flood run that is over")
    equipment = own[own["asset_layer"].isin([SUBSTATIONS, TRANSFORMERS, "lighting_cabinets"])]
    keys = zip(equipment["asset_layer"].tolist(), equipment["asset_id"].tolist(), strict=True)
    return dict(zip(keys, equipment["depth_max"].astype(float).tolist(), strict=True))


def read_submerged(city: CityView, stage: float) -> dict[tuple[str, str], float]:
    """Return the water above the equipment [m] whose base lies below a stage, as if it stood level over the city."""
    found = {}
    for layer in (SUBSTATIONS, TRANSFORMERS, "lighting_cabinets"):
        frame = city.layer(layer, columns=["base_elevation"])
        base = frame["base_elevation"].to_numpy(np.float64)
        below = np.isfinite(base) & (base < stage)
        found.update(
            {(layer, str(item)): stage - height for item, height in zip(frame["id"][below], base[below], strict=True)}
        )
    return found


def _mark_fed(supply: PowerSupply) -> NDArray[np.bool_]:
    fed = np.zeros(supply.network.graph.node_count, np.bool_)
    fed[supply.tree.order] = True
    return fed


def _trace_causes(
    supply: PowerSupply, nodes: NDArray[np.bool_], links: NDArray[np.bool_], causes: Mapping[int, tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return the cause and what failed for each node, as it was fed before: the nearest failure above it."""
    tree, items = supply.tree, supply.network.link_items
    found = [("", "")] * supply.network.graph.node_count
    for node in tree.order.tolist():
        parent = int(tree.parents[node])
        if nodes[node]:
            found[node] = causes.get(node, ("failed", ""))
        elif parent >= 0 and links[tree.feeders[node]]:
            found[node] = "upstream", str(items[tree.feeders[node]])
        elif parent >= 0 and found[parent][0]:
            found[node] = "upstream", found[parent][1]
    return found


def _list_transformers(
    city: CityView, places: Mapping[str, Mapping[str, int]], dead: NDArray[np.bool_], why: Sequence[tuple[str, str]],
    water: Mapping[tuple[str, str], float],
) -> list[Loss]:  # fmt: skip
    losses = []
    for layer, columns in ((SUBSTATIONS, ["name"]), (TRANSFORMERS, ["name", "customers"])):
        frame = city.layer(layer, columns=columns).sort_values("id", ignore_index=True)
        points = shapely.get_coordinates(frame.geometry.to_numpy())
        counts = (
            np.nan_to_num(frame["customers"].to_numpy(np.float64)) if "customers" in frame else np.zeros(len(frame))
        )
        for number, item in enumerate(frame["id"].tolist()):
            node = places.get(layer, {}).get(item, -1)
            if node < 0 or not dead[node]:
                continue
            word = frame["name"].iat[number]
            losses.append(
                Loss(
                    layer, str(item), word if isinstance(word, str) else None, "supply", *why[node],
                    str(item) if layer == TRANSFORMERS else "", int(counts[number]),
                    water.get((layer, item), np.nan),
                    shapely.Point(points[number]),
                )
            )  # fmt: skip
    return losses


def _list_dependents(
    city: CityView, supply: PowerSupply, dependent: Dependent, dead: NDArray[np.bool_], why: Sequence[tuple[str, str]],
    water: Mapping[tuple[str, str], float],
) -> list[Loss]:  # fmt: skip
    wanted = [name for name in (dependent.name, dependent.column) if name]
    frame: gpd.GeoDataFrame = city.layer(dependent.layer, columns=wanted)
    if dependent.column:
        frame = frame[frame[dependent.column].isin(dependent.values)]
    frame = frame.sort_values("id", ignore_index=True)
    points = shapely.point_on_surface(frame.geometry.to_numpy())
    nodes: Index = supply.find_nodes(shapely.get_coordinates(points)) if len(frame) else np.zeros(0, np.int32)
    losses = []
    for number, (item, node) in enumerate(zip(frame["id"].tolist(), nodes.tolist(), strict=True)):
        depth = water.get((dependent.layer, item), np.nan)
        without = node >= 0 and bool(dead[node])
        if not without and not depth > 0.0:
            continue
        cause, cause_id = ("upstream", why[node][1]) if without else ("flooded", item)
        word = frame[dependent.name].iat[number] if dependent.name else None
        name = word if isinstance(word, str) else None
        transformer = str(supply.transformers[node]) if node >= 0 else ""
        losses.append(
            Loss(
                dependent.layer, str(item), name, dependent.importance, cause, cause_id, transformer, 0, depth,
                points[number],
            )
        )  # fmt: skip
    return losses
