"""What a depth and a speed mean for people, vehicles and roads, as classes with codes and titles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError


@dataclass(frozen=True, slots=True)
class HazardClass:
    """One class: from ``lower`` (included) to the next class; ``code`` is stored, titles are shown."""

    code: int
    id: str
    lower: float
    title_vi: str
    title_en: str


DEPTH_CLASSES = (
    HazardClass(0, "dry", 0.0, "Không ngập", "Not flooded"),
    HazardClass(1, "wet", 0.05, "Ngập nhẹ, dưới 10 cm", "Wet ground, below 10 cm"),
    HazardClass(2, "ankle", 0.10, "Ngập đến mắt cá chân, 10–30 cm", "Ankle deep, 10–30 cm"),
    HazardClass(3, "knee", 0.30, "Ngập đến đầu gối, 30–50 cm", "Knee deep, 30–50 cm"),
    HazardClass(4, "waist", 0.50, "Ngập đến thắt lưng, 0,5–1 m", "Waist deep, 0.5–1 m"),
    HazardClass(5, "chest", 1.00, "Ngập đến ngực, 1–1,5 m", "Chest deep, 1–1.5 m"),
    HazardClass(6, "over_head", 1.50, "Ngập sâu, trên 1,5 m", "Deep, above 1.5 m"),
)
"""Depth classes for people and assets; lower bounds in [m]."""

RATING_CLASSES = (
    HazardClass(0, "none", 0.0, "Không ngập", "Not flooded"),
    HazardClass(1, "low", 1.0e-6, "Thấp: cần thận trọng", "Low: caution"),
    HazardClass(2, "moderate", 0.75, "Trung bình: nguy hiểm cho trẻ em, người già", "Moderate: dangerous for some"),
    HazardClass(3, "significant", 1.25, "Cao: nguy hiểm cho nhiều người", "Significant: dangerous for most"),
    HazardClass(4, "extreme", 2.00, "Rất cao: nguy hiểm cho mọi người", "Extreme: dangerous for all"),
)
"""Classes of the hazard rating d (v + 0.5) + debris factor [m2/s], after Defra/EA FD2320/TR2 (2006)."""

ROAD_CLASSES = (
    HazardClass(0, "open", 0.0, "Đi lại bình thường", "Open"),
    HazardClass(1, "slow", 0.10, "Đi chậm, ngập 10–30 cm", "Slow, 10–30 cm of water"),
    HazardClass(2, "closed", 0.30, "Không đi được, ngập từ 30 cm", "Closed, 30 cm of water or more"),
)
"""Road classes by depth [m]: cars stop at 0.3 m (Pregnolato et al. 2017, doi:10.1016/j.trd.2017.06.020)."""

WET_DEPTH = DEPTH_CLASSES[1].lower
"""Shallower water is not counted as flooded [m]."""


def classify(values: NDArray[np.floating], classes: tuple[HazardClass, ...]) -> NDArray[np.uint8]:
    """Return the class code of each value; NaN (outside the domain) gets code 0. Any shape."""
    bounds = np.array([entry.lower for entry in classes[1:]])
    codes = np.array([entry.code for entry in classes], dtype=np.uint8)
    known = np.where(np.isfinite(values), values, -np.inf)
    # float32 depths must not miss a float64 bound by their rounding: 0.3f is not below 0.3.
    return codes[np.searchsorted(bounds.astype(np.float32), known.astype(np.float32), side="right")]


def compute_rating(depth: NDArray[np.floating], velocity: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the hazard rating d (v + 0.5) + DF [m2/s] of depth [m] and velocity [m/s] of one shape.

    DF, urban, the cautious column of Defra/EA FD2321/TR1 (2006) table 3: 0 up to 0.25 m with slow water, else 1 for
    depths above 0.25 m or velocities above 2 m/s. Zero below 5 cm, NaN outside the domain. Raise InputError for
    differing shapes.
    """
    d, v = np.asarray(depth, dtype=np.float64), np.asarray(velocity, dtype=np.float64)
    if d.shape != v.shape:
        raise InputError(f"depth has shape {d.shape} and velocity {v.shape}, expected one shape")
    debris = np.where((d > 0.25) | (v > 2.0), 1.0, 0.0)
    rating = np.where(d >= WET_DEPTH, d * (v + 0.5) + debris, 0.0)
    return np.where(np.isfinite(d) & np.isfinite(v), rating, np.nan)


def limit_vehicle_speed(depth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the safe speed of a car in water [km/h], 0 from 0.3 m on; depth [m], any shape.

    v = 0.0009 w² − 0.5529 w + 86.9448 with w in mm (Pregnolato et al. 2017, doi:10.1016/j.trd.2017.06.020, eq. 5).
    """
    w = np.asarray(depth, dtype=np.float64) * 1000.0
    speed = 0.0009 * w**2 - 0.5529 * w + 86.9448
    return np.where(w >= 300.0, 0.0, np.maximum(speed, 0.0))
