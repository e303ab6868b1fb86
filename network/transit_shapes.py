"""Where stops lie along the line a vehicle is drawn on: in order, also where it passes a place twice."""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]


def locate_along(line: Places, stops: Places) -> Places:
    """Return how far along ``line`` (m, 2) each of ``stops`` (n, 2) is [m] (n,), never before the one before it.

    Of all ways to put the stops on the segments in their order, the one with the least sum of squared distances, by
    dynamic programming. At least two points are needed.
    """
    steps = np.diff(line, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    begins = np.concatenate([np.zeros(1), np.cumsum(lengths)])[:-1]
    square = np.where(lengths > 0.0, lengths**2, 1.0)
    relative = stops[:, None, :] - line[None, :-1, :]
    shares = np.clip((relative * steps[None, :, :]).sum(axis=2) / square, 0.0, 1.0)
    away = ((relative - shares[:, :, None] * steps[None, :, :]) ** 2).sum(axis=2)
    total = away.copy()
    came = np.zeros(away.shape, np.int64)
    for stop in range(1, len(stops)):
        before = np.minimum.accumulate(total[stop - 1])
        # Where the running minimum was set last: the segment of the stop before.
        is_new = np.concatenate([np.ones(1, np.bool_), total[stop - 1][1:] < before[:-1]])
        came[stop] = np.maximum.accumulate(np.where(is_new, np.arange(before.size), 0))
        total[stop] += before
    segment = np.zeros(len(stops), np.int64)
    segment[-1] = int(np.argmin(total[-1]))
    for stop in range(len(stops) - 1, 0, -1):
        segment[stop - 1] = came[stop, segment[stop]]
    rows = np.arange(len(stops))
    along: Places = np.maximum.accumulate(begins[segment] + shares[rows, segment] * lengths[segment])
    return along
