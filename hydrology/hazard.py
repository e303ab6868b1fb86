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


@dataclass(frozen=True, slots=True)
class HazardLimit:
    """One class of depth times velocity: it holds up to ``depth`` [m], ``velocity`` [m/s] and ``product`` [m2/s]."""

    code: int
    id: str
    depth: float
    velocity: float
    product: float
    title_vi: str
    title_en: str


HAZARD_LIMITS = (
    HazardLimit(1, "H1", 0.3, 2.0, 0.3, "H1: chưa gây nguy hiểm", "H1: generally safe for people and vehicles"),
    HazardLimit(2, "H2", 0.5, 2.0, 0.6, "H2: nguy hiểm cho xe nhỏ", "H2: unsafe for small vehicles"),
    HazardLimit(
        3,
        "H3",
        1.2,
        2.0,
        0.6,
        "H3: nguy hiểm cho mọi xe, trẻ em, người già",
        "H3: unsafe for vehicles, children and the elderly",
    ),
    HazardLimit(4, "H4", 2.0, 2.0, 1.0, "H4: nguy hiểm cho mọi người và xe", "H4: unsafe for all people and vehicles"),
    HazardLimit(5, "H5", 4.0, 4.0, 4.0, "H5: nhà có thể hư hại kết cấu", "H5: buildings may be damaged structurally"),
    HazardLimit(
        6, "H6", np.inf, np.inf, np.inf, "H6: mọi loại nhà có thể sập", "H6: buildings of any kind may collapse"
    ),
)
"""General flood hazard vulnerability curves: Smith, Davey and Cox 2014 (UNSW WRL technical report 2014/07), taken up in
AIDR Guideline 7-3 (2017) and Australian Rainfall and Runoff (2019), book 6 chapter 7."""


def classify(values: NDArray[np.floating], classes: tuple[HazardClass, ...]) -> NDArray[np.uint8]:
    """Return the class code of each value; NaN (outside the domain) gets code 0. Any shape."""
    bounds = np.array([entry.lower for entry in classes[1:]])
    codes = np.array([entry.code for entry in classes], dtype=np.uint8)
    known = np.where(np.isfinite(values), values, -np.inf)
    # float32 depths must not miss a float64 bound by their rounding: 0.3f is not below 0.3.
    return codes[np.searchsorted(bounds.astype(np.float32), known.astype(np.float32), side="right")]


def classify_hazard(
    depth: NDArray[np.floating], velocity: NDArray[np.floating], dv: NDArray[np.floating] | None = None
) -> NDArray[np.uint8]:
    """Return the code of HAZARD_LIMITS, 1–6, of depth [m] and velocity [m/s] of one shape; 0 where it is not flooded.

    ``dv`` [m2/s] is their product where it is known better: the largest of a run comes not with both peaks, and the
    product of the peaks is an upper bound. A class includes its limits; NaN and water below WET_DEPTH get 0. Raise
    InputError for differing shapes.
    """
    d, v = np.asarray(depth, dtype=np.float32), np.asarray(velocity, dtype=np.float32)
    product = d * v if dv is None else np.asarray(dv, dtype=np.float32)
    if d.shape != v.shape or d.shape != product.shape:
        raise InputError(
            f"depth has shape {d.shape}, velocity {v.shape} and their product {product.shape}, expected one shape"
        )
    codes = np.full(d.shape, HAZARD_LIMITS[-1].code, dtype=np.uint8)
    for limit in reversed(HAZARD_LIMITS[:-1]):
        # Compared as float32, so that a limit is not passed by the rounding of a value that stands on it.
        within = (d <= np.float32(limit.depth)) & (v <= np.float32(limit.velocity))
        codes[within & (product <= np.float32(limit.product))] = limit.code
    flooded = np.isfinite(v) & np.isfinite(product) & (d >= np.float32(WET_DEPTH))
    return np.where(flooded, codes, np.uint8(0))


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
