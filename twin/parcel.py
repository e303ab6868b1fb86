"""A value in a file whose arrays another process maps instead of copying: what members of an ensemble share."""

import mmap
import pickle
import struct
from pathlib import Path
from typing import Any

_ALIGNED = 64
_LENGTH = struct.Struct("<Q")


def write_parcel(path: Path, value: object) -> None:
    """Write ``value`` with its arrays aside, each at a place where it can be mapped."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(body), *(buffer.raw() for buffer in buffers)]
    with path.open("wb") as file:
        file.write(_LENGTH.pack(len(parts)))
        for part in parts:
            file.write(_LENGTH.pack(part.nbytes))
        for part in parts:
            file.write(b"\0" * (-file.tell() % _ALIGNED))
            file.write(part)


def read_parcel(path: Path) -> Any:
    """Return what ``write_parcel`` wrote; what changes in its arrays stays in this process.

    The file may go once this has returned. Only for files of our own: reading one can run code.
    """
    with path.open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    (count,) = _LENGTH.unpack_from(mapped)
    place = (1 + count) * _LENGTH.size
    parts = []
    for part in range(count):
        (length,) = _LENGTH.unpack_from(mapped, (1 + part) * _LENGTH.size)
        place += -place % _ALIGNED
        parts.append(mapped[place : place + length])
        place += length
    return pickle.loads(parts[0], buffers=parts[1:])
