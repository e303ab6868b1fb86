"""A GTFS feed in memory: its files as columns of text, as they came, with the row each line has in its file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from layers.errors import SourceError
from twin.transit.notices import Notices

Texts = NDArray[np.object_]
Ints = NDArray[np.int64]
_TIME = re.compile(r"^(\d{1,3}):([0-5]\d):([0-5]\d)$")


@dataclass(frozen=True, eq=False)
class FeedTable:
    """One file. ``data`` (rows) of strings, "" where a cell is empty; ``rows`` (rows,) its lines, the header is 1."""

    data: pa.Table
    rows: Ints

    @property
    def size(self) -> int:
        """How many rows it has."""
        return int(self.data.num_rows)

    @property
    def names(self) -> list[str]:
        """The columns in their order."""
        return list(self.data.column_names)

    def column(self, name: str) -> pa.Array:
        """Return a column of strings; empty strings where the file lacks it."""
        if name not in self.data.column_names:
            return pa.array([""] * self.size, pa.string())
        return _join(self.data.column(name))

    def texts(self, name: str) -> Texts:
        """Return a column as Python strings (rows,)."""
        return np.asarray(self.column(name).to_numpy(zero_copy_only=False), dtype=object)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column of numbers (rows,), NaN where it is empty or not a number."""
        return self._read(name, _to_float)

    def times(self, name: str) -> NDArray[np.float64]:
        """Return a column of times [s since noon − 12 h of the service day] (rows,), NaN where empty or wrong."""
        return self._read(name, read_time)

    def codes(self, name: str, default: int = 0) -> Ints:
        """Return a column of codes (rows,), ``default`` where it is empty or not a whole number."""
        values = self.numbers(name)
        return np.where(np.isfinite(values), values, default).astype(np.int64)

    def find(self, name: str, values: pa.Array) -> Ints:
        """Return the position of each cell of a column among ``values`` (rows,), -1 where it is not there."""
        return np.asarray(pc.fill_null(pc.index_in(self.column(name), value_set=values), -1), dtype=np.int64)

    def select(self, keep: NDArray[Any]) -> "FeedTable":
        """Return the rows of a mask or of positions."""
        chosen = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep
        return FeedTable(self.data.take(pa.array(chosen)), self.rows[chosen])

    def _read(self, name: str, read: Any) -> NDArray[np.float64]:
        if name not in self.data.column_names:
            return np.full(self.size, np.nan)
        encoded = self.column(name).dictionary_encode()
        values = np.array([read(one) for one in encoded.dictionary.to_pylist()], dtype=np.float64)
        found: NDArray[np.float64] = values[np.asarray(encoded.indices)] if values.size else np.full(self.size, np.nan)
        return found


def make_table(columns: Mapping[str, Sequence[object]]) -> FeedTable:
    """Return a table of values as they are written: numbers plain, None empty."""
    data = pa.table({
        name: pa.array(["" if value is None else str(value) for value in values], pa.string())
        for name, values in columns.items()
    })  # fmt: skip
    return FeedTable(data, np.arange(2, data.num_rows + 2, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Feed:
    """A feed: tables by name without ending, other files as they came, and what reading them brought up."""

    tables: Mapping[str, FeedTable]
    others: Mapping[str, bytes] = field(default_factory=dict)
    notices: Notices = field(default_factory=Notices)

    def table(self, name: str) -> FeedTable:
        """Return a table; an empty one where the feed lacks it."""
        return self.tables.get(name) or FeedTable(pa.table({}), np.zeros(0, np.int64))

    @cached_property
    def stop_ids(self) -> pa.Array:
        """The ids of stops in their order."""
        return self.table("stops").column("stop_id")

    @cached_property
    def trip_ids(self) -> pa.Array:
        """The ids of trips in their order."""
        return self.table("trips").column("trip_id")

    @cached_property
    def route_ids(self) -> pa.Array:
        """The ids of routes in their order."""
        return self.table("routes").column("route_id")

    @cached_property
    def trip_routes(self) -> Ints:
        """The position of each trip's route in routes.txt (trips,), -1 where unknown."""
        return self.table("trips").find("route_id", self.route_ids)

    @property
    def timezone(self) -> str:
        """The time zone of the agencies; SourceError where none is named."""
        named = [one for one in self.table("agency").texts("agency_timezone") if one]
        if not named:
            raise SourceError("the feed names no time zone", hint="fill agency_timezone in agency.txt")
        return str(named[0])

    @property
    def counts(self) -> dict[str, int]:
        """Rows by table."""
        return {name: table.size for name, table in sorted(self.tables.items())}


@dataclass(frozen=True, slots=True, eq=False)
class CityFeed:
    """A feed of the city: its id, what tells its version from all others, title, tables, version and days."""

    id: str
    stamp: str
    title: str
    feed: Feed


def read_time(text: str) -> float:
    """Return ``H:MM:SS`` [s]; hours may pass 24. NaN for anything else."""
    found = _TIME.match(text)
    if found is None:
        return float("nan")
    hours, minutes, seconds = map(int, found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


def write_time(seconds: float) -> str:
    """Return seconds as ``HH:MM:SS``."""
    whole = round(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _to_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _join(column: Any) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return column
