"""When the water of an ensemble is where people live: by ward, hour by hour, over its members."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize

from hydrology.hazard import WET_DEPTH
from layers.grid import Grid
from layers.store.rasters import format_time
from twin.process import CityView
from twin.processes.flood_impact import Impact
from twin.processes.flood_summary import number_wards
from twin.processes.flood_touch import classify_depth

HOUR_S = 3600.0
COUNTS = ("people", "buildings", "road_length", "closed_road_length", "places", "cabinets", "pumps", "depth_max")
CARE = ("hospital", "clinic")


@dataclass(frozen=True, slots=True, eq=False)
class WardCells:
    """Cells of a grid with a house or a street: their place in the flat grid (n,), the number of their ward (n,)."""

    place: NDArray[np.int64]
    ward: NDArray[np.int64]
    codes: tuple[str, ...]
    names: tuple[str, ...]

    def count_wet(self, depth: NDArray[np.float32]) -> NDArray[np.int32]:
        """Return how many cells of each ward (wards,) are under water of a depth [m] (rows, cols)."""
        wet = depth.ravel()[self.place] >= np.float32(WET_DEPTH)
        return np.bincount(self.ward[wet], minlength=len(self.codes)).astype(np.int32)


def find_ward_cells(view: CityView, grid: Grid) -> WardCells | None:
    """Return the cells in which somebody lives or drives, None in a city without wards."""
    wards = view.layer("wards", columns=["name", "ward_code"])
    if wards.empty:
        return None
    number = number_wards(wards, grid)
    roads = view.layer("road_links", columns=["is_bridge", "level"])
    on_ground = roads["is_bridge"].ne(True) & ~roads["level"].astype(float).gt(0)
    built = _draw(view.layer("buildings", columns=[]), grid) | _draw(roads[on_ground.to_numpy(dtype=bool)], grid)
    place = np.flatnonzero(built & (number > 0))
    return WardCells(
        place,
        number.ravel()[place].astype(np.int64) - 1,
        tuple(wards["ward_code"].astype(str)),
        tuple(wards["name"].astype(str)),
    )


def _draw(frame: gpd.GeoDataFrame, grid: Grid) -> NDArray[np.bool_]:
    shapes = [shape for shape in frame.geometry if shape is not None and not shape.is_empty]
    if not shapes:
        return np.zeros(grid.shape, dtype=bool)
    drawn = rasterize(shapes, out_shape=grid.shape, transform=grid.transform, all_touched=True, dtype="uint8")
    return np.asarray(drawn, dtype=bool)


def summarize_wards(
    cells: WardCells,
    times: NDArray[np.float64],
    wet: Sequence[NDArray[np.int32]],
    start: datetime,
    impacts: tuple[Impact, Impact],
) -> list[dict[str, Any]]:
    """Return a row a ward: how likely and when water comes and goes, and whom the likely and the high flood touch.

    times: of the frames [s] after ``start``. wet: of each member its wet cells (times, wards). impacts: of the depths
    that half and that a tenth of the members exceed.
    """
    flooded = np.stack(wet) > 0
    hour = np.floor(times / HOUR_S).astype(np.int64)
    hours = int(np.ceil(times[-1] / HOUR_S)) if len(times) else 0
    likely, possible = (_count(impact) for impact in impacts)
    return [
        {
            "ward_code": code,
            "ward_name": cells.names[place],
            **_time_ward(flooded[:, :, place], times, start),
            "hours": [_share(flooded[:, hour == number, place]) for number in range(hours)],
            "likely": likely.get(code, _NOTHING),
            "possible": possible.get(code, _NOTHING),
        }
        for place, code in enumerate(cells.codes)
    ]


def _share(flooded: NDArray[np.bool_]) -> float:
    """Return the share of members (members, frames) that are wet in any frame."""
    return round(float(flooded.any(axis=1).mean()), 3) if flooded.size else 0.0


def _time_ward(flooded: NDArray[np.bool_], times: NDArray[np.float64], start: datetime) -> dict[str, Any]:
    """Return the share of members (members, frames) with water, and when it comes and goes in those that have some."""
    wet = flooded[flooded.any(axis=1)]
    if not len(wet):
        return {"probability": 0.0, "first": None, "first_early": None, "first_late": None, "last": None}
    first = times[wet.argmax(axis=1)]
    stays = float(wet[:, -1].mean()) >= 0.5
    last = times[wet.shape[1] - 1 - wet[:, ::-1].argmax(axis=1)]
    return {
        "probability": _share(flooded),
        "first": _tell(start, float(np.median(first))),
        "first_early": _tell(start, float(first.min())),
        "first_late": _tell(start, float(first.max())),
        # Water that stands at the end of the run goes at an hour that the run does not know.
        "last": None if stays else _tell(start, float(np.median(last))),
    }


def _tell(start: datetime, seconds: float) -> str:
    return format_time(start + timedelta(seconds=seconds))


def _count(impact: Impact) -> dict[str, dict[str, Any]]:
    """Return what a flood touches by ward, with hospitals and clinics, schools, and the class of its deepest water."""
    assets = impact.assets[impact.assets["asset_layer"] == "places"]
    care = assets[assets["category"].isin(CARE)]["ward_code"].value_counts()
    schools = assets[assets["category"] == "school"]["ward_code"].value_counts()
    return {
        row["ward_code"]: {
            **{name: row[name] for name in COUNTS},
            "hospitals": int(care.get(row["ward_code"], 0)),
            "schools": int(schools.get(row["ward_code"], 0)),
            "depth_class": _classify(row["depth_max"]),
        }
        for row in impact.summary["by_ward"]
    }


def _classify(depth: float) -> str | None:
    return str(classify_depth(np.array([depth]))[0]) if depth >= WET_DEPTH else None


_NOTHING: dict[str, Any] = {**dict.fromkeys(COUNTS, 0), "hospitals": 0, "schools": 0, "depth_class": None}
