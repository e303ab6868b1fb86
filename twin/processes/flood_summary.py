"""The counts of a flood run: by layer and depth class, by ward, by hazard class, of roads, places and damage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.features import rasterize

from hydrology.damage import DamageTable
from hydrology.hazard import HAZARD_LIMITS, WET_DEPTH
from layers.grid import Grid
from twin.processes.flood_damage import count_damage, summarize_damage
from twin.processes.flood_people import Residents, count_people_by_hazard, touch_people
from twin.processes.flood_touch import CLASS_BOUNDS, ROAD_CLOSED, Water, classify_depth, find_hazard

NO_WARD = "—"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """All that a summary counts: touched assets with depth_class, ward_code and damage; who lives where; the wards.

    ``residents`` is None in a city whose buildings name theirs; ``fields`` is the row of crops under water, if any.
    """

    assets: gpd.GeoDataFrame
    residents: Residents | None
    fields: Mapping[str, Any] | None
    wards: gpd.GeoDataFrame


def find_wards(wards: gpd.GeoDataFrame, points: gpd.GeoSeries) -> NDArray[np.object_]:
    """Return the code of the ward each point lies in, a dash where there is none."""
    codes = np.full(len(points), NO_WARD, dtype=object)
    if len(wards) and len(points):
        at, ward = wards.sindex.query(points.to_numpy(), predicate="intersects")
        codes[at] = wards["ward_code"].to_numpy()[ward]
    return codes


def number_wards(wards: gpd.GeoDataFrame, grid: Grid) -> NDArray[np.int32]:
    """Return the number of the ward each cell (rows, cols) lies in, from 1 in the order of ``wards``, 0 outside."""
    pairs = zip(wards.geometry, range(1, len(wards) + 1), strict=True)
    number = rasterize(pairs, out_shape=grid.shape, transform=grid.transform, dtype="int32")
    return np.asarray(number, dtype=np.int32)


def summarize(found: Found, water: Water, table: DamageTable) -> dict[str, Any]:
    """Return the counts of a run."""
    touched = found.assets.assign(people=found.assets["people"].fillna(0.0))
    people = None if found.residents is None else _place_people(found.residents, water, found.wards)
    roads = touched[touched["asset_layer"] == "road_links"]
    wet = np.isfinite(water.depth_max) & (water.depth_max >= np.float32(WET_DEPTH))
    by_depth = (touched if people is None else people).groupby("depth_class")["people"].sum()
    return {
        "affected": _by_layer(touched, people),
        "by_ward": _by_ward(touched, people, found.wards, wet, water),
        "flooded_area": float(wet.sum()) * water.grid.cell_area,
        "people": round(float(by_depth.sum())),
        "buildings": int((touched["asset_layer"] == "buildings").sum()),
        "road_length": round(float(roads["length"].sum()), 1),
        "closed_road_length": round(float(roads["closed_length"].sum()), 1),
        "depth_max": round(float(water.depth_max[wet].max()), 3) if wet.any() else 0.0,
        "people_by_depth": [
            {"depth_class": code, "people": round(float(by_depth[code]))}
            for _, code in CLASS_BOUNDS
            if code in by_depth
        ],
        "by_hazard": _by_hazard(touched, found.residents, water),
        "closed_roads": _count_closed(roads, water),
        "places": _by_place(touched),
        "damage": summarize_damage(touched, found.fields, table),
        "damage_by_ward": [
            {"ward_code": code, **row} for code, own in touched.groupby("ward_code") for row in count_damage(own)
        ],
    }


def _place_people(residents: Residents, water: Water, wards: gpd.GeoDataFrame) -> pd.DataFrame:
    people = touch_people(residents, water)
    return people.assign(
        depth_class=classify_depth(people["depth_max"].to_numpy(dtype=np.float64)),
        ward_code=find_wards(wards, gpd.GeoSeries(people["geometry"], crs=wards.crs)),
    )


def _by_layer(touched: gpd.GeoDataFrame, people: pd.DataFrame | None) -> list[dict[str, Any]]:
    grouped = touched.groupby(["asset_layer", "depth_class"], sort=False)
    rows = [
        {"asset_layer": layer, "depth_class": depth_class, **_count(group)} for (layer, depth_class), group in grouped
    ]
    if people is not None:
        rows += [
            {"asset_layer": "population", "depth_class": depth_class, "count": len(group), "length": 0.0}
            | {"people": round(float(group["people"].sum()))}
            for depth_class, group in people.groupby("depth_class", sort=False)
        ]
    rank = {code: place for place, (_, code) in enumerate(CLASS_BOUNDS)}
    return sorted(rows, key=lambda row: (row["asset_layer"], rank[row["depth_class"]]))


def _by_ward(
    touched: gpd.GeoDataFrame,
    people: pd.DataFrame | None,
    wards: gpd.GeoDataFrame,
    wet: NDArray[np.bool_],
    water: Water,
) -> list[dict[str, Any]]:
    names = dict(zip(wards["ward_code"], wards["name"], strict=True))
    by_people = dict((touched if people is None else people).groupby("ward_code")["people"].sum())
    areas = _measure_wards(wards, wet, water)
    rows = []
    for code in sorted({*touched["ward_code"], *by_people, *areas}):
        own = touched[touched["ward_code"] == code]
        counts = own["asset_layer"].value_counts()
        roads = own[own["asset_layer"] == "road_links"]
        rows.append(
            {
                "ward_code": code,
                "ward_name": names.get(code, NO_WARD),
                "buildings": int(counts.get("buildings", 0)),
                "people": round(float(by_people.get(code, 0.0))),
                "road_length": round(float(roads["length"].sum()), 1),
                "lights": int(counts.get("luminaires", 0)),
                "cabinets": int(counts.get("lighting_cabinets", 0)),
                "pumps": int(counts.get("drainage_links", 0)),
                "depth_max": round(float(own["depth_max"].max()), 3) if len(own) else 0.0,
                "flooded_area": areas.get(code, 0.0),
                "closed_road_length": round(float(roads["closed_length"].sum()), 1),
                "places": int(counts.get("places", 0)),
                "first_hours": _to_hours(own["arrival_s"].min()),
                "damage": _add_up(own["damage"]),
            }
        )
    return rows


def _measure_wards(wards: gpd.GeoDataFrame, wet: NDArray[np.bool_], water: Water) -> dict[str, float]:
    """Return the flooded area [m2] of each ward that has any."""
    if wards.empty:
        return {}
    cells = np.bincount(number_wards(wards, water.grid)[wet], minlength=len(wards) + 1)[1:]
    codes = wards["ward_code"].to_numpy()
    return {codes[place]: float(cells[place]) * water.grid.cell_area for place in np.flatnonzero(cells)}


def _by_hazard(touched: gpd.GeoDataFrame, residents: Residents | None, water: Water) -> list[dict[str, Any]]:
    """Return area [m2], people, buildings and wet road [m] by hazard class; nothing for a run without velocity."""
    hazard = find_hazard(water)
    if hazard is None:
        return []
    area = np.bincount(hazard.ravel(), minlength=HAZARD_LIMITS[-1].code + 1) * water.grid.cell_area
    if residents is not None:
        people = count_people_by_hazard(residents, hazard)
    else:
        classes = touched["hazard"].to_numpy(dtype=np.int64)
        people = np.bincount(classes, touched["people"], minlength=len(area)).astype(np.float64)
    rows = []
    for limit in HAZARD_LIMITS:
        own = touched[touched["hazard"] == limit.code]
        rows.append(
            {
                "hazard_class": limit.id,
                "area": float(area[limit.code]),
                "people": round(float(people[limit.code])),
                "buildings": int((own["asset_layer"] == "buildings").sum()),
                "road_length": round(float(own.loc[own["asset_layer"] == "road_links", "length"].sum()), 1),
            }
        )
    return [row for row in rows if row["area"]]


def _count_closed(roads: gpd.GeoDataFrame, water: Water) -> dict[str, Any]:
    """Return how many roads are closed to cars, their length [m] and for how long [h], None where that is not known."""
    closed = roads[roads["closed_length"] > 0.0]
    hours = closed["duration_s"].to_numpy(dtype=float) / 3600.0
    known = ROAD_CLOSED in water.durations and len(closed) > 0
    length = closed["closed_length"].to_numpy(dtype=float)
    return {
        "count": len(closed),
        "length": round(float(length.sum()), 1),
        "mean_hours": round(float(np.average(hours, weights=length)), 2) if known else None,
        "longest_hours": round(float(hours.max()), 2) if known else None,
    }


def _by_place(touched: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return the touched places by category, schools and hospitals among them."""
    places = touched[touched["asset_layer"] == "places"].assign(category=lambda own: own["category"].fillna("other"))
    return [
        {
            "category": category,
            "count": len(group),
            "depth_max": round(float(group["depth_max"].max()), 3),
            "first_hours": _to_hours(group["arrival_s"].min()),
        }
        for category, group in places.groupby("category", sort=True)
    ]


def _count(group: pd.DataFrame) -> dict[str, Any]:
    return {
        "count": len(group),
        "length": round(float(group["length"].sum()), 1),
        "people": round(float(group["people"].sum())),
    }


def _to_hours(seconds: float) -> float | None:
    return round(float(seconds) / 3600.0, 2) if np.isfinite(seconds) else None


def _add_up(money: pd.Series) -> int | None:
    known = money.dropna()
    return round(float(known.sum())) if len(known) else None
