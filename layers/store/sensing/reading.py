"""Readings out of the store: a range of one series for charts and models."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from layers.store.sensing.datastreams import read_fid


@dataclass(frozen=True, slots=True)
class Observations:
    """A range of one series: ``times`` [s since 1970 UTC], ``results`` (NaN missing), ``qualities`` (QARTOD flags)."""

    times: NDArray[np.float64]
    results: NDArray[np.float64]
    qualities: NDArray[np.int16]


def select_observations(
    connection: Connection, datastream_id: str, start: datetime, end: datetime, max_points: int | None = None
) -> Observations:
    """Return the readings of ``start`` ≤ time ≤ ``end`` in order.

    ``max_points`` thins a long range: of each of max_points/2 equal spans the lowest and highest reading remain, so
    that no peak is lost. Raises NotFoundError for an unknown datastream.
    """
    rows = connection.execute(
        text(
            "select extract(epoch from phenomenon_time)::double precision as at, result, quality "
            "from sensing.reading where datastream = :fid and phenomenon_time between :start and :end "
            "order by phenomenon_time"
        ),
        {"fid": read_fid(connection, datastream_id), "start": start, "end": end},
    ).all()
    times = np.array([row.at for row in rows], dtype=np.float64)
    results = np.array([row.result for row in rows], dtype=np.float64)
    qualities = np.array([row.quality for row in rows], dtype=np.int16)
    if max_points is not None and len(times) > max_points:
        kept = _thin(times, results, max_points)
        times, results, qualities = times[kept], results[kept], qualities[kept]
    return Observations(times, results, qualities)


def read_extent(connection: Connection, datastream_id: str) -> tuple[datetime, datetime] | None:
    """Return the times of the first and last reading of a series, or None when it has none."""
    row = connection.execute(
        text(
            "select l.first_time, greatest(l.phenomenon_time, "
            "(select max(o.phenomenon_time) from sensing.observation o where o.datastream = l.datastream "
            "and o.phenomenon_time >= l.phenomenon_time)) as last_time "
            "from sensing.latest l join sensing.datastream d on d.fid = l.datastream where d.id = :id"
        ),
        {"id": datastream_id},
    ).first()
    return None if row is None else (row.first_time, row.last_time)


def _thin(times: NDArray[np.float64], results: NDArray[np.float64], max_points: int) -> NDArray[np.int64]:
    """Return positions of the lowest and highest reading of each span, in order."""
    spans = max(max_points // 2, 1)
    span = np.minimum(((times - times[0]) / max(times[-1] - times[0], 1.0) * spans).astype(np.int64), spans - 1)
    order = np.lexsort((results, span))
    first = np.flatnonzero(np.r_[True, np.diff(span[order]) > 0])
    # NaN sorts last within its span, so the highest is the last finite one.
    finite = np.isfinite(results[order])
    last_finite = np.maximum.accumulate(np.where(finite, np.arange(len(order)), -1))
    ends = np.r_[first[1:], len(order)] - 1
    last = np.maximum(last_finite[ends], first)
    return np.unique(order[np.r_[first, last]])
