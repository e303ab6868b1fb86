"""Speeds by road and time from a file, such as those of floating vehicles: each road a station of its own.

Columns: ``road_link_id``, ``time`` (ISO 8601 with a zone), ``speed`` [km/h], and if it likes ``direction`` (both,
forward, backward, as the road is drawn). They become series of readings like any other, so that the state of traffic,
the live map and the past know them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from layers.errors import InputError, NotFoundError, TooLargeError
from layers.quantities import QUANTITIES
from layers.registry import read_vector_layer
from layers.store.features import select_features
from layers.store.query.fids import select_fids
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import ObservationCounts, insert_observations
from twin.store_traffic import set_direction

MOST_ROWS = 5_000_000
DIRECTIONS = ("both", "forward", "backward")
SPEED = QUANTITIES["vehicle_speed"]


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """What a file of speeds did: rows read, rows left out by reason, series it feeds, and what was stored."""

    rows: int
    rejected: dict[str, int]
    series: int
    stored: ObservationCounts


def load_speeds(connection: Connection, path: Path, source: str, *, author: str) -> SpeedReport:
    """Store the speeds of a CSV in the caller's transaction; InputError where the file is no such table."""
    return store_speeds(connection, _read(path), source, author=author)


def load_matched(connection: Connection, run_id: str, source: str, *, author: str) -> SpeedReport:
    """Store the speeds of the tracks that a run of map-match laid on roads; NotFoundError where it laid none."""
    found = select_features(connection, read_vector_layer("matched_links"), equals={"run_id": run_id})
    if found.empty:
        raise NotFoundError(f"run '{run_id[:80]}' has no matched roads", hint="give the id of a run of map-match")
    frame = pd.DataFrame(
        {
            "road_link_id": found["road_link_id"],
            "time": [moment.isoformat() for moment in pd.to_datetime(found["entered"], utc=True)],
            "speed": found["speed"],
            "direction": np.where(found["forward"].astype(bool), "forward", "backward"),
        }
    )
    return store_speeds(connection, frame, source, author=author)


def store_speeds(connection: Connection, frame: pd.DataFrame, source: str, *, author: str) -> SpeedReport:
    """Store rows of text with road, time, speed and direction in the caller's transaction.

    Rows with an unknown road, a time without zone, or a speed outside 0 to 300 km/h are left out and counted.
    """
    times = pd.to_datetime(frame["time"], errors="coerce", utc=True, format="ISO8601")
    has_zone = frame["time"].str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True, na=False)
    speeds = pd.to_numeric(frame["speed"], errors="coerce")
    ways = frame["direction"].fillna("both").replace("", "both") if "direction" in frame.columns else None
    way = pd.Series("both", index=frame.index) if ways is None else ways
    known, _ = select_fids(connection, read_vector_layer("road_links"), named=sorted(set(frame["road_link_id"])))
    faults = {
        "unknown road": ~frame["road_link_id"].isin(set(known.tolist())),
        "no time with a zone": times.isna() | ~has_zone,
        f"speed outside {SPEED.minimum:g} to {SPEED.maximum:g} km/h": ~speeds.between(SPEED.minimum, SPEED.maximum),
        f"direction none of {', '.join(DIRECTIONS)}": ~way.isin(DIRECTIONS),
    }
    good = np.ones(len(frame), bool)
    rejected = {}
    for reason, wrong in faults.items():
        bad = good & wrong.to_numpy()
        if bad.any():
            rejected[reason] = int(bad.sum())
        good &= ~bad
    stations = ("probe-" + source + "-" + frame["road_link_id"] + "-" + way)[good]
    batch = pd.DataFrame(
        {"datastream_id": stations + "-speed", "phenomenon_time": times[good], "result": speeds[good], "quality": 1}
    )
    told = pd.DataFrame({"station": stations, "road": frame["road_link_id"][good], "way": way[good]}).drop_duplicates()
    series = [
        Datastream(
            f"{row.station}-speed", str(row.station), "vehicle_speed", SPEED.unit, f"Tốc độ xe – {row.road}",
            f"Speed of vehicles – {row.road}", "road_links", str(row.road),
        )
        for row in told.itertuples()
    ]  # fmt: skip
    upsert_datastreams(connection, series, f"probe-{source}")
    for direction in DIRECTIONS[1:]:
        set_direction(connection, told["station"][told["way"] == direction].tolist(), direction)
    return SpeedReport(len(frame), rejected, len(series), insert_observations(connection, batch, author=author))


def _read(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, dtype=str, nrows=MOST_ROWS + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"file '{path}' cannot be read as CSV: {error}") from error
    missing = {"road_link_id", "time", "speed"} - set(frame.columns)
    if missing:
        raise InputError(
            f"file '{path}' has no column {', '.join(sorted(missing))}",
            hint="road_link_id,time,speed and if it likes direction",
        )
    if len(frame) > MOST_ROWS:
        raise TooLargeError(f"file '{path}' has more than {MOST_ROWS:,} rows", hint="load it in parts")
    return frame.dropna(subset=["road_link_id"]).reset_index(drop=True)
