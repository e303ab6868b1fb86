"""TNTP, the text format of the Transportation Networks collection (github.com/bstabler/TransportationNetworks).

A network has rows of: init node, term node, capacity, length, free flow time, b, power, speed, toll, link type. Zones
are the first nodes; nodes before FIRST THRU NODE are not passed. Trips follow their origin: ``destination : volume;``.
"""

import re

import numpy as np

from layers.errors import InputError
from twin.traffic.files import MAX_LINKS, MAX_TRIPS, PublishedNetwork, PublishedTrips, check_count, read_number

_END = "<END OF METADATA>"
_FIELDS = ("init node", "term node", "capacity", "length", "free flow time", "b", "power", "speed", "toll")
_MOST_NODES = 1_000_000


def is_tntp(text: str) -> bool:
    """Return whether a text begins as TNTP files do."""
    return _END in text[:20_000].upper()


def read_network(text: str) -> PublishedNetwork:
    """Return the network of a TNTP text; InputError names the row that cannot be read.

    A toll and the length cost time where the metadata give a TOLL FACTOR and a DISTANCE FACTOR.
    """
    told, body = _read_metadata(text)
    zones = _read_count(told, "NUMBER OF ZONES")
    nodes = _read_count(told, "NUMBER OF NODES")
    passed = _read_count(told, "FIRST THRU NODE", 1)
    if zones > nodes:
        raise InputError(f"a TNTP network of {nodes} nodes has {zones} zones, expected no more than nodes")
    rows = []
    for number, line in body:
        words = line.replace(";", " ").split()
        if not words:
            continue
        if len(words) < len(_FIELDS) - 2:
            raise InputError(f"row {number} of the network has {len(words)} values, expected {len(_FIELDS)} or more")
        words += ["0"] * (len(_FIELDS) - len(words))
        rows.append([read_number(word, field, number) for word, field in zip(words, _FIELDS, strict=False)])
        check_count(len(rows), MAX_LINKS, "links")
    if not rows:
        raise InputError("the TNTP network has no links")
    table = np.array(rows)
    ends = table[:, :2]
    if np.any(ends != np.floor(ends)) or ends.min() < 1 or ends.max() > nodes:
        raise InputError(f"a link of the TNTP network has an end that is no node from 1 to {nodes}")
    starts, finishes = ends.T.astype(np.int32) - 1
    through = np.arange(1, nodes + 1) >= passed
    fixed = _read_factor(told, "TOLL FACTOR") * table[:, 8] + _read_factor(told, "DISTANCE FACTOR") * table[:, 3]
    return PublishedNetwork(
        [str(node) for node in range(1, nodes + 1)],
        {str(zone): zone - 1 for zone in range(1, zones + 1)},
        [str(link) for link in range(1, table.shape[0] + 1)],
        starts,
        finishes,
        table[:, 4].copy(),
        table[:, 2].copy(),
        table[:, 5].copy(),
        table[:, 6].copy(),
        table[:, 3].copy(),
        fixed,
        through,
        "",
    )


def read_trips(text: str) -> PublishedTrips:
    """Return the trips of a TNTP text; InputError names the row that cannot be read."""
    _, body = _read_metadata(text)
    origins, ends, volumes = [], [], []
    origin: str | None = None
    for number, line in body:
        if found := re.match(r"\s*origin\s+(\S+)\s*$", line, re.IGNORECASE):
            origin = found[1]
            continue
        for part in line.split(";"):
            if not part.strip():
                continue
            end, colon, volume = part.partition(":")
            if origin is None or not colon:
                raise InputError(
                    f"row {number} of the trips is '{line.strip()[:60]}', expected 'destination : volume;'"
                )
            origins.append(origin)
            ends.append(end.strip())
            volumes.append(read_number(volume.strip(), "volume", number))
            check_count(len(volumes), MAX_TRIPS, "trips")
    return PublishedTrips(
        np.array(origins, object),
        np.array(ends, object),
        np.array(volumes, np.float64),
        np.full(len(volumes), "", object),
    )


def _read_metadata(text: str) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Return what the head says by upper-case name, and the numbered lines after it without comments."""
    told: dict[str, str] = {}
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if line.strip().upper().startswith(_END):
            body = [(number, row.split("~", 1)[0]) for number, row in enumerate(lines[index + 1 :], index + 2)]
            return told, [(number, row) for number, row in body if row.strip()]
        if found := re.match(r"\s*<([^>]+)>\s*([^~]*)", line):
            told[found[1].strip().upper()] = found[2].strip()
    raise InputError(f"the text has no {_END}", hint="a TNTP file is expected")


def _read_count(told: dict[str, str], name: str, default: int | None = None) -> int:
    if name not in told and default is not None:
        return default
    word = told.get(name, "")
    if not re.fullmatch(r"\d{1,9}", word) or int(word) > _MOST_NODES:
        raise InputError(f"<{name}> is '{word[:40]}', expected a whole number of at most {_MOST_NODES:,}")
    return int(word)


def _read_factor(told: dict[str, str], name: str) -> float:
    word = told.get(name, "0")
    try:
        return float(word)
    except ValueError:
        raise InputError(f"<{name}> is '{word[:40]}', expected a number") from None
