"""Rain forecasts that somebody else makes: a table (CSV) or a field (NetCDF), kept as an issue of a rainfall series.

Each value is the depth that falls in the step which ends at its time, as readings of rain are.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from sqlalchemy import Connection

from hydrology.forecast import LEVELS
from layers.errors import InputError, SourceError
from layers.store.sensing.datastreams import read_datastream
from twin.store_forecasts import Values, keep_issue, read_place

Floats = NDArray[np.float64]

MODEL = "supplied"
_MOST_MM = 1000.0
_AMOUNTS = {"mm": 1.0, "kg m-2": 1.0, "kg/m2": 1.0, "m": 1000.0}
_RATES = {"mm/h": 1.0 / 3600.0, "mm h-1": 1.0 / 3600.0, "kg m-2 s-1": 1.0, "mm/s": 1.0, "mm s-1": 1.0}
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_SINCE = re.compile(r"(second|minute|hour|day)s? since (.+)")


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a supplied forecast."""

    datastream_id: str
    issue: int
    issue_time: datetime
    new: bool


@dataclass(frozen=True, slots=True, eq=False)
class RainForecast:
    """times [s, UTC epoch] (n,) at which steps of ``step`` [s] end; members [mm] (n, m); levels (m,) of quantiles.

    levels is None where the members are equally probable.
    """

    times: Floats
    step: float
    members: Floats
    levels: Floats | None


def keep_supplied(
    connection: Connection, datastream_id: str, path: Path, *, issue_time: datetime | None = None
) -> Kept:
    """Keep the rain of a file as an issue of a rainfall series; the same issue twice changes nothing.

    ``issue_time``: when it was made, by default when its first step begins. Raises SourceError for a file that cannot
    be read and InputError, naming row and value, for one that says what cannot be.
    """
    stream = read_datastream(connection, datastream_id)
    if stream.observed_property != "rainfall":
        raise InputError(
            f"datastream '{datastream_id}' measures {stream.observed_property}, expected rainfall",
            hint="choose the series of a rain gauge",
        )
    given = read_rain(path, read_place(connection, stream.sensor_id))
    begin = datetime.fromtimestamp(float(given.times[0]) - given.step, UTC)
    at = begin if issue_time is None else issue_time.astimezone(UTC)
    if at.timestamp() >= given.times[-1]:
        raise InputError(f"rain forecast ends before it was issued, {at.isoformat()}", hint="give --issued")
    ahead = given.times > at.timestamp()
    quantiles = find_quantiles(given)
    totals = np.interp(LEVELS, *_distribute(given.members[ahead].sum(axis=0), given.levels))
    values = Values(
        given.times[ahead], quantiles[ahead], quantiles[ahead, LEVELS.index(0.75)], np.full(int(ahead.sum()), np.nan)
    )
    number, new = keep_issue(
        connection,
        datastream_id,
        issue_time=at,
        origin=at,
        model=MODEL,
        parameters={
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "step_s": given.step,
            "members": given.members.shape[1],
            "totals_mm": [round(float(total), 3) for total in totals],
        },
        skill={},
        values=values,
    )
    return Kept(datastream_id, number, at, new)


def find_quantiles(given: RainForecast) -> Floats:
    """Return the rain of each step at LEVELS [mm] (n, levels)."""
    found = np.stack([np.interp(LEVELS, *_distribute(row, given.levels)) for row in given.members])
    return np.asarray(np.maximum.accumulate(found, axis=1), dtype=np.float64)


def read_rain(path: Path, place: tuple[float, float] | None) -> RainForecast:
    """Read a table or a field; ``place`` (longitude, latitude [°]) is where a field is read."""
    if not path.exists():
        raise SourceError(f"file '{path}' does not exist")
    given = _read_table(path) if path.suffix.lower() in (".csv", ".txt") else _read_field(path, place)
    bad = ~np.isfinite(given.members) | (given.members < 0.0) | (given.members > _MOST_MM)
    if bad.any():
        row, member = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            f"'{path.name}', step {row + 1}: rain is {given.members[row, member]:g} mm, expected 0 to {_MOST_MM:g} mm"
        )
    return given


def _read_table(path: Path) -> RainForecast:
    """Read columns time, mm and, if there, quantile or member."""
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise SourceError(f"'{path.name}' is no CSV table: {error}") from error
    for name in ("time", "mm"):
        if name not in table.columns:
            raise InputError(
                f"'{path.name}' has columns {', '.join(map(str, table.columns))}, expected time and mm",
                hint="and, if it likes, quantile (0 to 1) or member",
            )
    moments = pd.to_datetime(table["time"], utc=True, errors="coerce", format="ISO8601")
    if moments.isna().any():
        row = int(np.flatnonzero(moments.isna().to_numpy())[0])
        raise InputError(f"'{path.name}', row {row + 2}: time is '{table['time'].iloc[row]}', expected ISO 8601")
    seconds = moments.to_numpy(dtype="datetime64[ms]").astype("int64") / 1.0e3
    by = next((name for name in ("quantile", "member") if name in table.columns), None)
    key = table[by] if by is not None else pd.Series(0, index=table.index)
    amounts = pd.to_numeric(table["mm"], errors="coerce")
    wide = pd.DataFrame({"at": seconds, "key": key, "mm": amounts})
    if wide.duplicated(["at", "key"]).any():
        row = int(np.flatnonzero(wide.duplicated(["at", "key"]).to_numpy())[0])
        raise InputError(f"'{path.name}', row {row + 2}: time {table['time'].iloc[row]} comes twice")
    square = wide.pivot(index="at", columns="key", values="mm").sort_index()
    levels = np.asarray(square.columns, dtype=np.float64) if by == "quantile" else None
    if levels is not None and not ((levels > 0.0) & (levels < 1.0)).all():
        raise InputError(f"'{path.name}': quantiles are {levels.tolist()}, expected probabilities between 0 and 1")
    times = square.index.to_numpy(dtype=np.float64)
    return RainForecast(times, _find_even_step(path, times), square.to_numpy(dtype=np.float64), levels)


def _read_field(path: Path, place: tuple[float, float] | None) -> RainForecast:
    """Read the amounts (or rates) of each time, and of each member where there are some, at the place."""
    if place is None:
        raise InputError(f"'{path.name}' is a field, but the series' sensor has no place", hint="give it one")
    try:
        with rasterio.open(path) as opened:
            dataset_name = _choose_variable(path, opened.subdatasets) if opened.count == 0 else None
        with rasterio.open(dataset_name or path) as dataset:
            tags = dataset.tags()
            bands = [dataset.tags(band) for band in range(1, dataset.count + 1)]
            row, col = dataset.index(*place)
            if not (0 <= row < dataset.height and 0 <= col < dataset.width):
                raise InputError(f"'{path.name}' covers {tuple(dataset.bounds)}, expected the sensor at {place}")
            values = dataset.read(window=((row, row + 1), (col, col + 1)), masked=True)[:, 0, 0]
    except RasterioError as error:
        raise SourceError(f"'{path.name}' cannot be read as NetCDF: {error}") from error
    since = _SINCE.match(tags.get("time#units", ""))
    if since is None or not bands or "NETCDF_DIM_time" not in bands[0]:
        raise InputError(f"'{path.name}' has no dimension time with units such as 'hours since 2026-11-20'")
    start = datetime.fromisoformat(since.group(2).strip().replace(" UTC", ""))
    start = start.replace(tzinfo=UTC) if start.tzinfo is None else start
    times = np.array([start.timestamp() + float(b["NETCDF_DIM_time"]) * _SECONDS[since.group(1)] for b in bands])
    extra = [_name_member(band) for band in bands]
    members = sorted(set(extra))
    even = np.unique(times)
    square = np.full((even.size, len(members)), np.nan)
    square[np.searchsorted(even, times), [members.index(one) for one in extra]] = values.filled(np.nan)
    step = _find_even_step(path, even)
    return RainForecast(even, step, square * _find_factor(path, bands[0].get("units", ""), step), None)


def _name_member(band: dict[str, str]) -> tuple[str, ...]:
    """Return the band's place in all dimensions but time."""
    return tuple(v for k, v in sorted(band.items()) if k.startswith("NETCDF_DIM_") and k != "NETCDF_DIM_time")


def _choose_variable(path: Path, names: list[str]) -> str:
    """Return the variable that is rain; InputError where none or several might be."""
    words = ("precip", "rain", ":tp", ":pr")
    found = [name for name in names if any(word in name.rsplit("/", 1)[-1].lower() for word in words)]
    if len(found) != 1:
        raise InputError(f"'{path.name}' has {len(found)} variables of rain among {names}, expected one")
    return found[0]


def _find_factor(path: Path, unit: str, step: float) -> float:
    """Return what turns a value into millimetres in the step."""
    plain = unit.strip()
    if plain in _AMOUNTS:
        return _AMOUNTS[plain]
    if plain in _RATES:
        return _RATES[plain] * step
    raise InputError(f"'{path.name}' gives rain in '{unit}', expected one of {', '.join([*_AMOUNTS, *_RATES])}")


def _find_even_step(path: Path, times: Floats) -> float:
    """Return the step [s] between times; InputError where they are fewer than two or uneven."""
    if times.size < 2:
        raise InputError(f"'{path.name}' has {times.size} times, expected two or more")
    steps = np.diff(times)
    if np.ptp(steps) > 1.0 or steps[0] < 60.0:
        uneven = datetime.fromtimestamp(float(times[int(np.argmax(np.abs(steps - np.median(steps)))) + 1]), UTC)
        raise InputError(f"'{path.name}' has uneven steps, near {uneven.isoformat()}, expected even ones")
    return float(np.round(steps[0]))


def _distribute(values: Floats, levels: Floats | None) -> tuple[Floats, Floats]:
    """Return probabilities and values, both rising, of quantiles or of equally probable members."""
    rising = np.sort(values)
    shares = (np.arange(rising.size) + 0.5) / rising.size if levels is None else np.sort(levels)
    return np.asarray(shares, dtype=np.float64), rising
