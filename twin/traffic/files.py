"""A network and its trips as published: what the readers of TNTP and GMNS give, and which of them reads a text.

What comes over HTTP or from the command line is a text: that of a file, packed or not, or a ZIP archive as a data URL.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from gzip import GzipFile
from io import BytesIO
from typing import Annotated
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, WithJsonSchema

from layers.errors import InputError, SourceError, TooLargeError
from network.assignment_network import Index, Mask, Values

MAX_INPUT, MAX_TEXT, MAX_LINKS, MAX_TRIPS = 8_000_000, 64_000_000, 500_000, 5_000_000
_ZIP, _GZIP = "data:application/zip;base64,", "data:application/gzip;base64,"
_MEMBERS = ("node.csv", "link.csv", "config.csv", "demand.csv")

FileText = Annotated[
    str,
    Field(max_length=MAX_INPUT),
    WithJsonSchema({"type": "string", "maxLength": MAX_INPUT, "contentMediaType": "text/plain"}),
]
"""The text of a file. The command line takes its path; over HTTP the text itself is sent."""


@dataclass(frozen=True, eq=False)
class PublishedNetwork:
    """A network as its file has it, in its own units of time and length.

    zones: the ids of zones and the node of each, in order. starts, ends: nodes (links,). free_times, capacities, a,
    power: of BPR. lengths; fixed: tolls and the like in units of time (links,). through: nodes paths may pass (nodes,).
    time_unit: "" where the file does not say it.
    """

    node_ids: list[str]
    zones: dict[str, int]
    link_ids: list[str]
    starts: Index
    ends: Index
    free_times: Values
    capacities: Values
    a: Values
    power: Values
    lengths: Values
    fixed: Values
    through: Mask
    time_unit: str


@dataclass(frozen=True, eq=False)
class PublishedTrips:
    """Trips in long form: ids of zones (trips,), how many (trips,), and their class ("" for all of one)."""

    origins: NDArray[np.object_]
    destinations: NDArray[np.object_]
    volumes: Values
    classes: NDArray[np.object_]


def is_archive(text: str) -> bool:
    """Return whether a text is a ZIP archive as a data URL."""
    return text.startswith(_ZIP)


def read_text(text: str) -> str:
    """Return a text that may be packed as a data URL of GZIP; SourceError or TooLargeError where it cannot be."""
    if not text.startswith(_GZIP):
        return text
    try:
        with GzipFile(fileobj=BytesIO(b64decode(text[len(_GZIP) :], validate=True))) as file:
            content = file.read(MAX_TEXT + 1)
    except (Base64Error, OSError, EOFError, ZlibError) as error:
        raise SourceError("a packed text cannot be unpacked") from error
    if len(content) > MAX_TEXT:
        raise TooLargeError(f"a packed text has more than {MAX_TEXT:,} bytes")
    return content.decode("utf-8-sig", errors="replace")


def unpack(text: str) -> dict[str, str]:
    """Return the GMNS tables of an archive by name; SourceError or TooLargeError where it is none or too large."""
    found: dict[str, str] = {}
    try:
        with ZipFile(BytesIO(b64decode(text[len(_ZIP) :], validate=True))) as archive:
            for info in archive.infolist():
                name = info.filename.rsplit("/", 1)[-1]
                if name not in _MEMBERS:
                    continue
                if info.file_size > MAX_TEXT:
                    raise TooLargeError(f"'{name}' has {info.file_size:,} bytes, at most {MAX_TEXT:,} are read")
                with archive.open(info) as member:
                    content = member.read(MAX_TEXT + 1)
                if len(content) > MAX_TEXT:
                    raise TooLargeError(f"'{name}' has more than {MAX_TEXT:,} bytes")
                found[name] = content.decode("utf-8-sig", errors="replace")
    except (Base64Error, BadZipFile, ValueError, NotImplementedError, RuntimeError, ZlibError) as error:
        raise SourceError("the network is no ZIP archive that can be read") from error
    return found


def read_number(word: str, what: str, row: int, *, least: float = 0.0) -> float:
    """Return a number of a table; InputError names the row and what was found."""
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not (np.isfinite(value) and value >= least):
        raise InputError(f"{what} in row {row} is '{word[:40]}', expected a number of at least {least:g}")
    return value


def check_count(count: int, most: int, what: str) -> None:
    """Raise TooLargeError for more of something than is taken."""
    if count > most:
        raise TooLargeError(f"{count:,} {what}, at most {most:,} are taken")
