"""What a flood costs: damage factors of touched buildings, roads and fields, and money where values are known."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.features import rasterize

from hydrology.damage import DamageTable, compute_damage_factor
from hydrology.hazard import WET_DEPTH
from twin.process import CityView
from twin.processes.flood_touch import Water

BUILDING_CLASSES = {
    "house": "residential",
    "apartment": "residential",
    "shop": "commercial",
    "office": "commercial",
    "school": "commercial",
    "hospital": "commercial",
    "public": "commercial",
    "religious": "commercial",
    "industrial": "industrial",
}
"""Damage class by the use of a building. Schools and hospitals go with commerce, as in Huizinga et al. 2017."""

ASSUMED_CLASS = "residential"
"""Of buildings of another or no use; the summary says how many they are."""

FIELDS = ("agriculture", "orchard")


def add_damage(touched: pd.DataFrame, table: DamageTable) -> pd.DataFrame:
    """Return touched assets with damage_class, damage_factor [1] and damage [money], empty for what has no curve.

    A building loses its ground floor's value by its largest depth: above the floor where that is known, else above the
    ground, which is too much where floors are raised. A road loses its wet length × width by its mean depth there.
    """
    buildings = (touched["asset_layer"] == "buildings").to_numpy()
    roads = (touched["asset_layer"] == "road_links").to_numpy()
    classes = np.full(len(touched), None, dtype=object)
    classes[buildings] = touched.loc[buildings, "category"].map(BUILDING_CLASSES).fillna(ASSUMED_CLASS)
    classes[roads] = "roads"
    area = np.where(
        roads, touched["length"].astype(float) * touched["width"].astype(float), touched["area"].astype(float)
    )
    depth = np.where(roads, touched["depth_mean"].astype(float), touched["depth_max"].astype(float))
    factor, damage = np.full(len(touched), np.nan), np.full(len(touched), np.nan)
    for name in sorted({name for name in classes if name is not None}):
        own = classes == name
        factor[own] = compute_damage_factor(depth[own], table.curves[name])
        if name in table.values:
            damage[own] = factor[own] * table.values[name] * area[own]
    return touched.assign(damage_class=classes, damage_factor=factor, damage=damage, area=area)


def measure_fields(view: CityView, water: Water, table: DamageTable) -> dict[str, Any] | None:
    """Return the row of crops, whose damage is that of the cells of farmland under water; None where none is."""
    frame = view.layer("land_use", columns=["land_use"])
    shapes = frame.geometry[frame["land_use"].isin(FIELDS).to_numpy(dtype=bool)]
    if shapes.empty:
        return None
    mask = rasterize(shapes, out_shape=water.grid.shape, transform=water.grid.transform, dtype="uint8")
    depth = water.depth_max[(mask == 1) & (water.depth_max >= np.float32(WET_DEPTH))]
    if not depth.size:
        return None
    factor = compute_damage_factor(depth, table.curves["agriculture"])
    area = depth.size * water.grid.cell_area
    value = table.values.get("agriculture")
    damaged = float(factor.sum()) * water.grid.cell_area
    return _row(
        "agriculture", len(shapes), area, damaged, float(factor.mean()), None if value is None else damaged * value
    )


def summarize_damage(assets: gpd.GeoDataFrame, fields: Mapping[str, Any] | None, table: DamageTable) -> dict[str, Any]:
    """Return the damage by class and in all: money is None for a class without a value, and then not in the total.

    ``area`` is the ground of what is touched, ``damaged_area`` the same times the damage factor; both leave out roads
    of unknown width.
    """
    rows = count_damage(assets)
    if fields is not None:
        rows.append(dict(fields))
    buildings = assets[assets["asset_layer"] == "buildings"]
    known = [row["damage"] for row in rows if row["damage"] is not None]
    return {
        "classes": rows,
        "total": sum(known) if known else None,
        "without_value": sorted({row["damage_class"] for row in rows if row["damage"] is None}),
        "assumed_use": int((~buildings["category"].isin(BUILDING_CLASSES)).sum()),
        "roads_without_width": int(((assets["damage_class"] == "roads") & assets["area"].isna()).sum()),
        "sources": sorted({table.curves[row["damage_class"]].source for row in rows}),
    }


def count_damage(assets: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row a damage class: count, area and damaged_area [m2], factor [1], damage [money] or None."""
    rows = []
    for name, group in assets.groupby("damage_class", sort=True):
        area, factor = group["area"].to_numpy(dtype=float), group["damage_factor"].to_numpy(dtype=float)
        known = np.isfinite(area)
        whole, damaged = float(area[known].sum()), float((area[known] * factor[known]).sum())
        money = group["damage"].dropna()
        mean = damaged / whole if whole > 0.0 else _weigh(factor, group["length"].to_numpy(dtype=float))
        rows.append(_row(str(name), len(group), whole, damaged, mean, float(money.sum()) if len(money) else None))
    return rows


def _weigh(factor: NDArray[np.float64], length: NDArray[np.float64]) -> float:
    """Return the mean factor over the wet length, or over the assets where there is none."""
    weights = np.nan_to_num(length)
    return float(np.average(factor, weights=weights)) if weights.sum() > 0.0 else float(factor.mean())


def _row(name: str, count: int, area: float, damaged: float, factor: float, damage: float | None) -> dict[str, Any]:
    return {
        "damage_class": name,
        "count": count,
        "area": round(area, 1),
        "damaged_area": round(damaged, 1),
        "factor": round(factor, 3),
        "damage": None if damage is None else round(damage),
    }
