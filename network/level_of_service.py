"""Level of service of streets, A to F: by speed against free speed, or by volume against capacity.

By speed: Highway Capacity Manual, 7th edition (2022), exhibit 18-1: on an urban street the grade is that of the travel
speed as a share of the base free-flow speed, and F where the volume exceeds the capacity. By volume alone, as plans use
where no speed is known: steps of a tenth below capacity (TRB Circular 212, 1980).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

GRADES = ("A", "B", "C", "D", "E", "F")
UNGRADED = -1
SPEED_SHARES = (0.80, 0.67, 0.50, 0.40, 0.30)
"""Above the first a street is A, above the next B, and so on; at the last or below it is F."""
VOLUME_SHARES = (0.60, 0.70, 0.80, 0.90, 1.00)
"""Up to the first a street is A, up to the next B, and so on; above the last it is F."""
LEAST_SPEED = 1.0
"""Traffic that stands is taken to crawl at this [km/h], so that times stay finite."""
VEHICLE_SPACING = 7.5
"""Metres of lane that a standing car takes: 133 cars a kilometre and lane."""

Grades = NDArray[np.int8]
Values = NDArray[np.float64]


def grade_speed(speeds: ArrayLike, free_speeds: ArrayLike, volume_shares: ArrayLike = np.nan) -> Grades:
    """Return the grade of each street, 0 for A to 5 for F, UNGRADED where its speed or free speed is not known.

    speeds, free_speeds [km/h]; volume_shares: volume over capacity, NaN where it is not known.
    """
    share = _divide(speeds, free_speeds)
    grades = np.sum([share <= limit for limit in SPEED_SHARES], axis=0)
    grades = np.where(np.asarray(volume_shares, np.float64) > 1.0, len(SPEED_SHARES), grades)
    return np.where(np.isnan(share), UNGRADED, grades).astype(np.int8)


def grade_volume(volume_shares: ArrayLike) -> Grades:
    """Return the grade of each street by volume over capacity, UNGRADED where it is not known."""
    share = np.asarray(volume_shares, np.float64)
    grades = np.sum([share > limit for limit in VOLUME_SHARES], axis=0)
    return np.where(np.isnan(share), UNGRADED, grades).astype(np.int8)


def compute_time_index(speeds: ArrayLike, free_speeds: ArrayLike) -> Values:
    """Return the travel-time index: how many times as long a street takes as when it is free, at least 1."""
    slow = np.maximum(np.asarray(speeds, np.float64), LEAST_SPEED)
    return np.maximum(_divide(free_speeds, slow), 1.0)


def estimate_queue_growth(arriving: ArrayLike, leaving: ArrayLike, speeds: ArrayLike, lanes: ArrayLike) -> Values:
    """Return how fast a queue grows upstream [m/h], negative where it shrinks.

    The speed of the shock wave between the traffic that arrives (arriving [veh/h] at speeds [km/h]) and the queue that
    leaves it (leaving [veh/h]): difference of flows over difference of densities. Lighthill and Whitham 1955,
    doi:10.1098/rspa.1955.0089. Where the traffic is as dense as a queue there is no wave to follow: NaN.
    """
    flow = np.asarray(arriving, np.float64)
    density = flow / np.maximum(np.asarray(speeds, np.float64), LEAST_SPEED) / 1000.0
    jam = np.asarray(lanes, np.float64) / VEHICLE_SPACING
    return _divide(flow - np.asarray(leaving, np.float64), np.where(jam > density, jam - density, np.nan))


def _divide(above: ArrayLike, below: ArrayLike) -> Values:
    top, bottom = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    result = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=result, where=bottom > 0.0)
    return result
