"""What lies around new readings: the few before and after them, the limits of their series, what neighbours read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class TestedSeries:
    """A series as its quality tests see it; ``quality_tests`` is the JSON text of its limits."""

    id: str
    fid: int
    observed_property: str
    definition: str
    unit: str
    interval_s: float | None
    quality_tests: str | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Series asked for and the readings around: ``number`` (n,) is the position of a reading's series in ``series``,
    ``times`` [s since 1970], ``values`` (NaN missing), ``flags`` as they are stored.
    """

    series: list[TestedSeries]
    number: NDArray[np.int64]
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    flags: NDArray[np.uint8]


_SERIES = (
    "select d.id, d.fid, d.observed_property, p.definition, d.unit, d.interval_s, d.quality_tests::text, g.place, "
    "g.first, g.last from unnest(%(ids)s::text[], %(firsts)s::float8[], %(lasts)s::float8[]) with ordinality "
    "g (id, first, last, place) join sensing.datastream d on d.id = g.id "
    "join sensing.observed_property p on p.id = d.observed_property"
)
_READING = "select phenomenon_time, result, quality from sensing.reading where datastream = s.fid and"
_AROUND = f"""
with s as materialized ({_SERIES}), b as materialized (
    select fid, place, to_timestamp(first) as first, to_timestamp(last) as last from s
)
select s.place, s.id, s.fid, s.observed_property, s.definition, s.unit, s.interval_s, s.quality_tests,
    null::float8 as at, null::float8 as result, null::smallint as quality from s
union all
select s.place, null, null, null, null, null, null, null,
    extract(epoch from r.phenomenon_time)::float8, r.result, r.quality
from b s cross join lateral (
    (({_READING} phenomenon_time < s.first and phenomenon_time >= s.first - make_interval(secs => %(back)s::float8)
     order by phenomenon_time desc limit %(before)s)
    union all ({_READING} phenomenon_time between s.first and s.last)
    union all ({_READING} phenomenon_time > s.last
     and phenomenon_time <= s.last + make_interval(secs => %(ahead)s::float8)
     order by phenomenon_time limit %(after)s))
) r
"""


def select_surroundings(
    connection: Connection,
    ids: Sequence[str],
    firsts: Sequence[float],
    lasts: Sequence[float],
    *,
    before: int,
    after: int,
    back_s: float,
    ahead_s: float = 86_400.0,
) -> Surroundings:
    """Return for each series its readings from ``firsts`` to ``lasts`` [s since 1970] and a few around, in one query.

    At most ``before`` readings of the ``back_s`` [s] before and ``after`` of the ``ahead_s`` [s] after. Series that are
    not known are left out.
    """
    parameters = {
        "ids": list(ids), "firsts": list(firsts), "lasts": list(lasts), "before": before, "after": after,
        "back": back_s, "ahead": ahead_s,
        "earliest": min(firsts, default=0.0) - back_s, "latest": max(lasts, default=0.0) + ahead_s,
    }  # fmt: skip
    rows = connection.exec_driver_sql(_AROUND, parameters).all()
    places: dict[int, int] = {}
    series: list[TestedSeries] = []
    for row in rows:
        if row[1] is not None:
            places[row[0]] = len(series)
            series.append(TestedSeries(*row[1:8]))
    readings = [row for row in rows if row[1] is None]
    return Surroundings(
        series,
        np.array([places[row[0]] for row in readings], dtype=np.int64),
        np.array([row[8] for row in readings], dtype=np.float64),
        np.array([row[9] for row in readings], dtype=np.float64),
        np.array([row[10] for row in readings], dtype=np.uint8),
    )


_EXPECTED = """
select a.place, percentile_cont(0.5) within group (order by n.result) as expected
from unnest(cast(:fids as bigint[]), cast(:times as float8[])) with ordinality a (fid, at, place)
join sensing.datastream d on d.fid = a.fid
join lateral (
    select distinct on (other.fid) r.result
    from sensing.datastream other
    join sensing.reading r on r.datastream = other.fid
    where (other.id = any(:named) or :radius > 0 and other.observed_property = d.observed_property
        and other.fid <> d.fid and other.unit = d.unit and other.thing_id in (
            select t.id from sensing.thing own
            join sensing.thing t on st_dwithin(own.geom::geography, t.geom::geography, :radius)
            where own.id = d.thing_id))
      and r.phenomenon_time between to_timestamp(a.at - :window) and to_timestamp(a.at + :window)
      and r.result is not null and r.quality in (1, 2, 3)
    order by other.fid, abs(extract(epoch from r.phenomenon_time) - a.at)
) n on true
group by a.place
"""


def select_expected(
    connection: Connection,
    fid: int,
    times: NDArray[np.float64],
    *,
    named: Sequence[str],
    radius: float,
    window_s: float,
) -> NDArray[np.float64]:
    """Return what the neighbours of series ``fid`` say at ``times`` (n,) [s since 1970]: the median of their nearest
    readings within ``window_s`` [s], NaN where there is none.

    Neighbours are the series ``named``, and those of the same property and unit within ``radius`` [m].
    """
    expected = np.full(len(times), np.nan)
    rows = connection.execute(
        text(_EXPECTED),
        {
            "fids": [fid] * len(times), "times": times.tolist(), "named": list(named), "radius": radius,
            "window": window_s,
        },
    )  # fmt: skip
    for row in rows:
        expected[row.place - 1] = np.nan if row.expected is None else row.expected
    return expected
