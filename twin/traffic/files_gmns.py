"""GMNS, the General Modeling Network Specification (github.com/zephyr-data-specs/GMNS): node.csv, link.csv, config.csv.

``zone_id`` of a node makes it the place where trips of that zone begin and end. ``capacity`` is that of a lane. Trips
are ``demand.csv``, or any table with origin, destination and volume.
"""

import csv
from collections.abc import Iterator, Mapping
from io import StringIO

import numpy as np

from layers.errors import InputError
from twin.traffic.files import MAX_LINKS, MAX_TRIPS, PublishedNetwork, PublishedTrips, check_count, read_number

_KM = {"km": 1.0, "kilometer": 1.0, "kilometre": 1.0, "m": 1e-3, "meter": 1e-3, "metre": 1e-3, "mile": 1.609344,
       "mi": 1.609344, "foot": 3.048e-4, "feet": 3.048e-4, "ft": 3.048e-4}  # fmt: skip
_KMH = {"kph": 1.0, "km/h": 1.0, "kmh": 1.0, "mph": 1.609344}
_TIMES = ("free_flow_time", "fftt", "vdf_fftt1", "vdf_fftt")
_ORIGINS, _ENDS = ("origin", "o_zone_id", "from_zone", "from"), ("destination", "d_zone_id", "to_zone", "to")
_VOLUMES = ("trips", "volume", "demand", "total")
_LONGEST_CELL = 100_000
_NO_ZONES = {"0", "-1", "nan"}
_NO_WORDS = {"0", "false", "f", "no", ""}
_NOT_DRIVEN = {"foot", "walk", "ped", "pedestrian", "bicycle", "bike", "emergency"}


def read_network(tables: Mapping[str, str]) -> PublishedNetwork:
    """Return the network of GMNS tables by file name; times in minutes. InputError names the row and column at fault.

    Times are a column (free_flow_time, VDF_fftt1) [min], else length over free_speed in the units of config.csv. Links
    whose allowed_uses are ways on foot, by bicycle or of emergencies only carry no traffic.
    """
    for name in ("node.csv", "link.csv"):
        if name not in tables:
            raise InputError(f"the GMNS network has no {name}", hint="give a folder or ZIP with node.csv and link.csv")
    node_ids: list[str] = []
    zones: dict[str, int] = {}
    for number, row in read_rows(tables["node.csv"]):
        node_ids.append(_pick(row, ("node_id",), number))
        if (zone := row.get("zone_id", "").removesuffix(".0")) and zone not in _NO_ZONES:
            zones.setdefault(zone, len(node_ids) - 1)
    numbers = {node: index for index, node in enumerate(node_ids)}
    if len(numbers) < len(node_ids):
        raise InputError("node.csv names a node_id twice")
    units = next((row for _, row in read_rows(tables.get("config.csv", ""))), {})
    links: list[tuple[str, int, int, float, float, float, float, float]] = []
    for number, row in read_rows(tables["link.csv"]):
        uses = set(row.get("allowed_uses", "").lower().replace(",", " ").replace("|", " ").split())
        if uses and uses <= _NOT_DRIVEN:
            continue
        joined = [_find_node(numbers, _pick(row, (name,), number), number) for name in ("from_node_id", "to_node_id")]
        lanes = _read_optional(row, ("lanes",), number, 1.0)
        capacity = _read_optional(row, ("capacity", "vdf_cap1"), number, 0.0) * max(lanes, 1.0)
        if capacity <= 0.0:
            raise InputError(f"capacity in row {number} of link.csv is missing or 0", hint="vehicles an hour and lane")
        length = _read_optional(row, ("length",), number, 0.0)
        values = (
            _read_time(row, units, length, number), capacity,
            _read_optional(row, ("vdf_alpha", "vdf_alpha1"), number, 0.15),
            _read_optional(row, ("vdf_beta", "vdf_beta1"), number, 4.0), length,
        )  # fmt: skip
        name = row.get("link_id") or str(number)
        links.append((name, joined[0], joined[1], *values))
        if str(row.get("directed", "1")).strip().lower() in _NO_WORDS and "directed" in row:
            links.append((f"{name}-", joined[1], joined[0], *values))
        check_count(len(links), MAX_LINKS, "links")
    if not links:
        raise InputError("link.csv has no links")
    table = np.array([link[3:] for link in links])
    free, capacities, a, power, lengths = (column.copy() for column in table.T)
    starts, ends = (np.array([link[side] for link in links], np.int32) for side in (1, 2))
    return PublishedNetwork(
        node_ids, zones or dict(numbers), [link[0] for link in links], starts, ends, free, capacities, a, power,
        lengths, np.zeros(len(links)), np.ones(len(node_ids), np.bool_), "min",
    )  # fmt: skip


def read_trips(text: str) -> PublishedTrips:
    """Return the trips of a CSV table with origin, destination, trips and perhaps class; InputError names the row."""
    origins, ends, volumes, classes = [], [], [], []
    for number, row in read_rows(text):
        origins.append(_pick(row, _ORIGINS, number).removesuffix(".0"))
        ends.append(_pick(row, _ENDS, number).removesuffix(".0"))
        volumes.append(read_number(_pick(row, _VOLUMES, number), "the number of trips", number))
        classes.append(row.get("class") or "")
        check_count(len(volumes), MAX_TRIPS, "trips")
    return PublishedTrips(
        np.array(origins, object), np.array(ends, object), np.array(volumes, np.float64), np.array(classes, object)
    )


def read_rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV text that hold anything, with their number, by lower-case name; InputError for none."""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        for number, row in enumerate(reader, 2):
            # The limit of the csv module is one of the whole process, which readers of city files raise.
            if max(map(len, row), default=0) > _LONGEST_CELL:
                raise InputError(
                    f"the table is no CSV: row {number} has a cell of more than {_LONGEST_CELL:,} characters"
                )
            if any(row):
                yield number, {name: value.strip() for name, value in zip(names, row, strict=False)}
    except csv.Error as error:
        raise InputError(f"the table is no CSV: {error}") from error


def _pick(row: Mapping[str, str], names: tuple[str, ...], number: int) -> str:
    for name in names:
        if row.get(name):
            return row[name]
    raise InputError(f"row {number} has no {' or '.join(names)}")


def _read_optional(row: Mapping[str, str], names: tuple[str, ...], number: int, default: float) -> float:
    word = next((row[name] for name in names if row.get(name)), "")
    return read_number(word, names[0], number) if word else default


def _find_node(numbers: Mapping[str, int], word: str, number: int) -> int:
    if word not in numbers:
        raise InputError(f"row {number} of link.csv names node '{word[:40]}', which node.csv does not have")
    return numbers[word]


def _read_time(row: Mapping[str, str], units: Mapping[str, str], length: float, number: int) -> float:
    """Return the free time of a link [min]."""
    if word := next((row[name] for name in _TIMES if row.get(name)), ""):
        return read_number(word, "free_flow_time", number)
    speed = read_number(_pick(row, ("free_speed",), number), "free_speed", number, least=1e-6)
    long, fast = units.get("long_length", "").lower().rstrip("s"), units.get("speed", "").lower()
    if long not in _KM or fast not in _KMH:
        raise InputError(
            f"config.csv says long_length '{long[:20]}' and speed '{fast[:20]}', expected units of link.csv",
            hint=f"one of {', '.join(_KM)}; one of {', '.join(_KMH)}",
        )
    return 60.0 * length * _KM[long] / (speed * _KMH[fast])
