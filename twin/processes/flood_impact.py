"""What a flood does to the city: its assets, people, wards, money; as features of flood_assets and as a summary."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydrology.damage import read_damage_table
from hydrology.hazard import HAZARD_LIMITS
from twin.process import CityView
from twin.processes.flood_damage import add_damage, measure_fields
from twin.processes.flood_people import spread_residents
from twin.processes.flood_summary import NO_WARD, Found, find_wards, summarize
from twin.processes.flood_touch import (
    CLASS_BOUNDS,
    Water,
    classify_depth,
    touch_buildings,
    touch_points,
    touch_pumps,
    touch_roads,
)

__all__ = ["CLASS_BOUNDS", "Impact", "Water", "assess_impact", "classify_depth"]


@dataclass(frozen=True, slots=True, eq=False)
class Impact:
    """Affected assets as features of layer flood_assets (without run_id), and the summary of the run."""

    assets: gpd.GeoDataFrame
    summary: dict[str, Any]


def assess_impact(view: CityView, water: Water, start: datetime) -> Impact:
    """Return what the water touched; ``start`` is the time arrival counts from.

    People are the residents of touched buildings; in a city whose buildings name none, the share of each population
    cell's land that is wet.
    """
    table = read_damage_table(view.damage)
    wards = view.layer("wards", columns=["name", "ward_code"])
    buildings = touch_buildings(view, water)
    found = pd.concat(
        [
            buildings,
            touch_roads(view, water),
            touch_points(view, water, "luminaires"),
            *(
                touch_points(view, water, layer, elevation="base_elevation", name="name")
                for layer in ("lighting_cabinets", "transformers", "substations")
            ),
            touch_pumps(view, water),
            touch_points(view, water, "places", name="name", category="category"),
        ],
        ignore_index=True,
    )
    residents = None if buildings["people"].gt(0).any() else spread_residents(view, water)
    assets = gpd.GeoDataFrame(add_damage(found, table), geometry="geometry", crs=view.crs)
    assets["ward_code"] = find_wards(wards, assets.geometry)
    assets["depth_class"] = classify_depth(assets["depth_max"].to_numpy(dtype=np.float64))
    counted = Found(assets, residents, measure_fields(view, water, table), wards)
    return Impact(_to_features(assets, start), summarize(counted, water, table))


def _to_features(assets: gpd.GeoDataFrame, start: datetime) -> gpd.GeoDataFrame:
    """Return the assets with the columns of layer flood_assets, one point each."""
    seconds = pd.to_timedelta(assets["arrival_s"].astype(float), unit="s").dt.round("s")
    return gpd.GeoDataFrame(
        {
            "id": assets["asset_layer"] + "." + assets["asset_id"],
            "asset_layer": assets["asset_layer"],
            "asset_id": assets["asset_id"],
            "asset_name": assets["asset_name"],
            "category": assets["category"],
            "depth_class": assets["depth_class"],
            "depth_max": assets["depth_max"].astype(float).round(3),
            "hazard_class": _name_hazard(assets["hazard"].to_numpy(dtype=np.float64)),
            "arrival": pd.Timestamp(start) + seconds,
            "duration": assets["duration_s"].astype(float).round(),
            "length": assets["length"].astype(float).round(1),
            "people": assets["people"].astype(float).round().astype("Int64"),
            "damage_factor": assets["damage_factor"].astype(float).round(3),
            "damage": assets["damage"].astype(float).round(),
            "ward_code": assets["ward_code"].where(assets["ward_code"] != NO_WARD),
        },
        geometry=assets.geometry.to_numpy(),
        crs=assets.crs,
    )


def _name_hazard(codes: NDArray[np.float64]) -> NDArray[np.object_]:
    names = np.array([None, *(limit.id for limit in HAZARD_LIMITS)], dtype=object)
    return np.asarray(names[np.nan_to_num(codes).astype(np.int64)])
