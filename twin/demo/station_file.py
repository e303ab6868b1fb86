"""The demo's stations in a file beside its layers, in order: what simulated devices are made from."""

import csv
from pathlib import Path

import shapely

from layers.errors import SetupError, SourceError
from layers.observed import OBSERVED
from twin.demo.stations import Station

STATIONS_FILE = "stations.csv"
_COLUMNS = (
    "id",
    "name",
    "name_en",
    "kind",
    "x",
    "y",
    "watched_layer",
    "watched_id",
    "inland",
    "gated",
    "scale",
    "still",
    "curve",
    "leak",
    "leak_from",
    "pair",
    "side",
    "incident_from",
    "seed",
)


def write_stations(path: Path, stations: list[Station], seed: int) -> None:
    """Write the stations, each with the seed its readings are drawn by; numbers are written so that they read back."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        for one in stations:
            what = [one.id, one.name, one.name_en, one.kind, repr(one.point.x), repr(one.point.y)]
            watched = [one.watched_layer, one.watched_id]
            how = [repr(one.inland), int(one.gated), repr(one.scale), repr(one.still), " ".join(map(repr, one.curve))]
            rows.writerow(
                [*what, *watched, *how, repr(one.leak), one.leak_from, one.pair, one.side, one.incident_from, seed]
            )


def read_stations(path: Path) -> tuple[list[Station], int]:
    """Return the stations of a demo city in order and its seed.

    Raises SetupError when there is no such file, SourceError for a row that describes no station.
    """
    if not path.exists():
        raise SetupError(f"'{path}' is not there: no demo city to simulate", hint="make one with: twin demo")
    stations, seeds = [], set()
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 1):
            try:
                seeds.add(int(row["seed"]))
                stations.append(_read_station(row))
            except (KeyError, TypeError, ValueError) as error:
                raise SourceError(f"{path}: row {number} is no station: {error}") from error
    if len(seeds) != 1:
        raise SourceError(f"{path}: stations of {len(seeds)} seeds, expected those of one city")
    return stations, seeds.pop()


def _read_station(row: dict[str, str]) -> Station:
    if row["kind"] not in OBSERVED:
        raise ValueError(f"kind '{row['kind']}' is not known")
    return Station(
        row["id"], row["name"], row["name_en"], row["kind"], shapely.Point(float(row["x"]), float(row["y"])),
        row["watched_layer"], row["watched_id"], float(row["inland"]), row["gated"] == "1", float(row["scale"]),
        float(row["still"]), tuple(map(float, row["curve"].split())), float(row["leak"]), int(row["leak_from"]),
        int(row["pair"]), row["side"], int(row["incident_from"]),
    )  # fmt: skip
