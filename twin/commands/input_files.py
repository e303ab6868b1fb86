"""Inputs of a process that are files: on the command line their path is given, and what they hold is sent."""

from base64 import b64encode
from collections.abc import Mapping
from gzip import compress
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from layers.errors import InputError, SourceError, TooLargeError
from twin.process import Process, describe_inputs

_ARCHIVE, _PACKED = "data:application/zip;base64,", "data:application/gzip;base64,"
_LONG, _MOST_READ = 100_000, 64_000_000


def read_input_files(process: Process, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with paths of files read: text (packed where it is long), a ZIP archive or
    a folder of tables as a data URL.

    InputError for what is not there, TooLargeError for more than the input takes.
    """
    described = describe_inputs(process)
    found = dict(values)
    for name, value in values.items():
        schema = described.get(name, {}).get("schema", {})
        if schema.get("contentMediaType") and isinstance(value, str):
            found[name] = _read(Path(value), name, int(schema["maxLength"]))
    return found


def _read(path: Path, name: str, most: int) -> str:
    try:
        if path.is_dir():
            return _encode(_ARCHIVE, _pack(path, name), name, most)
        if path.stat().st_size > _MOST_READ:
            raise TooLargeError(f"'{path}' of input '{name}' is larger than {_MOST_READ:,} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"input '{name}': '{path}' cannot be read: {error.strerror}") from error
    if content[:2] == b"PK":
        return _encode(_ARCHIVE, content, name, most)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"'{path}' of input '{name}' is no UTF-8 text nor a ZIP archive") from error
    return text if len(text) < _LONG else _encode(_PACKED, compress(content, mtime=0), name, most)


def _pack(folder: Path, name: str) -> bytes:
    tables = sorted(folder.glob("*.csv"))
    if not tables:
        raise InputError(f"input '{name}': folder '{folder}' holds no CSV tables")
    if sum(table.stat().st_size for table in tables) > _MOST_READ:
        raise TooLargeError(f"the tables of folder '{folder}' are larger than {_MOST_READ:,} bytes together")
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for table in tables:
            archive.write(table, table.name)
    return out.getvalue()


def _encode(kind: str, content: bytes, name: str, most: int) -> str:
    text = kind + b64encode(content).decode()
    if len(text) > most:
        raise TooLargeError(f"input '{name}' has {len(content):,} bytes packed, which is too large")
    return text
