"""The objects of a hydraulic model, SWMM's or EPANET's, as items of layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd

from layers.registry import read_vector_layer


@dataclass(frozen=True, slots=True)
class Item:
    """One object: its section and name in the file, the values of its properties, its geometry in the city's CRS."""

    section: str
    name: str
    values: Mapping[str, Any]
    geometry: Any


Items = dict[str, dict[str, Item]]
"""By layer and id."""


def frame_items(items: Mapping[str, Item], layer_id: str, model: str, city_crs: str) -> gpd.GeoDataFrame:
    """Return items as a frame of their layer."""
    columns: dict[str, list[Any]] = {"id": list(items)}
    for prop in read_vector_layer(layer_id).properties:
        columns[prop.name] = [item.values.get(prop.name) for item in items.values()]
    columns["model_id"] = [model] * len(items)
    return gpd.GeoDataFrame(columns, geometry=[item.geometry for item in items.values()], crs=city_crs)
