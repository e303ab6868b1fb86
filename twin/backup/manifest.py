"""The manifest of a backup: what it holds, as of when, and the checksums by which it is believed."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from layers.errors import SourceError

NAME = "backup.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class TableSum:
    """Rows of a table, and a checksum of them that does not depend on their order."""

    rows: int
    sum: str


@dataclass(frozen=True, slots=True)
class FileSum:
    """One file: its size, the SHA-256 of its content, and when it was changed [ns]."""

    bytes: int
    sha256: str
    changed: int


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup as its manifest says it.

    ``kind`` is ``base`` (the data directory with its log) or ``dump`` (what pg_dump writes). It holds the city as it
    was at ``moment``, in a base backup the restore point called ``point``. ``database`` holds SHA-256 by path of what
    only we vouch for, ``files`` those of the city, below its folder of data; ``missing`` are those that the database
    names and nobody has.
    """

    name: str
    kind: Literal["base", "dump"]
    city: str
    srid: int
    revision: str
    postgres: str
    started: datetime
    moment: datetime
    seconds: float
    point: str | None
    system_identifier: str | None
    wal_archive: str | None
    first_segment: str | None
    roles: tuple[str, ...]
    tables: dict[str, TableSum]
    database: dict[str, str]
    files: dict[str, FileSum]
    missing: tuple[str, ...]
    database_bytes: int
    fresh_bytes: int

    @property
    def files_bytes(self) -> int:
        """Size of the city's files, those shared with earlier backups too."""
        return sum(one.bytes for one in self.files.values())


_READ = TypeAdapter(Backup)


def write_manifest(folder: Path, backup: Backup) -> None:
    """Write the manifest of ``backup`` with its own checksum."""
    body = orjson.dumps(asdict(backup), option=orjson.OPT_SORT_KEYS)
    (folder / NAME).write_bytes(
        b'{"format":%d,"digest":"%s","backup":%s}\n' % (FORMAT, hashlib.sha256(body).hexdigest().encode(), body)
    )


def read_manifest(folder: Path) -> Backup:
    """Return the backup in ``folder``; SourceError when its manifest is missing, damaged or of another format."""
    path = folder / NAME
    try:
        found: Mapping[str, Any] = orjson.loads(path.read_bytes())
        if found["format"] != FORMAT:
            raise SourceError(f"{path} is of format {found['format']}, expected {FORMAT}")
        body = orjson.dumps(found["backup"], option=orjson.OPT_SORT_KEYS)
        if hashlib.sha256(body).hexdigest() != found["digest"]:
            raise SourceError(f"{path} is damaged: it does not have the checksum it says", hint=_OTHER)
        return _READ.validate_python(found["backup"])
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValidationError) as error:
        raise SourceError(f"{path} cannot be read as the manifest of a backup", hint=_OTHER) from error


_OTHER = "choose another backup: twin backup list"
