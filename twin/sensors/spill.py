"""What arrives while the database is away: kept on disk in order, bounded, and given back when it returns.

Messages are appended to numbered files and forced to the disk before anybody is told that they arrived. Each is written
with its length and a checksum; a last one that was cut short by a crash was never acknowledged and is passed over.
"""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from twin.sensors.message import Message

_HEAD = struct.Struct("<II")
_BODY = struct.Struct("<dHH")


class Spill:
    """A queue of messages below ``folder`` that never takes more than ``limit`` bytes of disk.

    One process at a time uses it. ``segment`` is the size at which a new file is begun; a file is removed when all of
    it was taken back. A file that does not read (a bad disk) is put aside as ``.damaged``.
    """

    def __init__(self, folder: Path, limit: int, *, segment: int = 4_000_000) -> None:
        self.folder, self.limit = folder, limit
        self.segment = max(min(segment, limit // 4), 1)
        folder.mkdir(parents=True, exist_ok=True)
        self._files = sorted(int(path.stem) for path in folder.glob("*.spill"))
        self._read_at = self._read_position()
        self._out: FileIO | None = None
        self._taken = 0
        if self._files:
            self._mend(self._files[-1])
        self.size = sum(self._path(number).stat().st_size for number in self._files)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._files or (len(self._files) == 1 and self._read_at >= self._path(self._files[0]).stat().st_size)

    def append(self, messages: Sequence[Message]) -> bool:
        """Write messages and return once they are on the disk; False, with nothing written, where they do not fit."""
        records = b"".join(map(_encode, messages))
        if self.size + len(records) > self.limit:
            return False
        try:
            out = self._open_last()
            start = out.tell()
        except OSError:
            return False
        try:
            _write_all(out, records)
            os.fsync(out.fileno())
        except OSError:
            # A full disk: nobody is told that these arrived.
            self.close()
            os.truncate(self._path(self._files[-1]), start)
            return False
        self.size += len(records)
        return True

    def peek(self, count: int, most_bytes: int) -> list[Message]:
        """Return the oldest messages, ``count`` or ``most_bytes`` of payload at most; they stay until dropped."""
        self._taken = 0
        found: list[Message] = []
        if not self._files:
            return found
        weight = 0
        for message, end in _read(self._path(self._files[0]), self._read_at):
            found.append(message)
            self._taken, weight = end, weight + len(message.payload)
            if len(found) >= count or weight >= most_bytes:
                break
        if not found and not self.is_empty:
            damaged = self._path(self._files.pop(0))
            self.size -= damaged.stat().st_size
            self._read_at = 0
            damaged.rename(damaged.with_suffix(".damaged"))
        return found

    def drop(self) -> None:
        """Let go of what was peeked last: it is safe elsewhere."""
        if not self._taken:
            return
        self._read_at, self._taken = self._taken, 0
        first = self._files[0]
        path = self._path(first)
        if self._read_at < path.stat().st_size:
            self._write_position()
            return
        if len(self._files) == 1 and self._out is not None:
            self._out.close()
            self._out = None
        self.size -= path.stat().st_size
        self._files.pop(0)
        self._read_at = 0
        # The position first: a crash between the two gives messages again, which changes nothing.
        self._write_position()
        path.unlink()

    def close(self) -> None:
        """Close the open file."""
        if self._out is not None:
            self._out.close()
            self._out = None

    def _open_last(self) -> FileIO:
        if self._out is not None and self._out.tell() >= self.segment:
            self._out.close()
            self._out = None
        if self._out is None:
            last = self._path(self._files[-1]) if self._files else None
            if last is None or last.stat().st_size >= self.segment:
                number = self._files[-1] + 1 if self._files else self._count_on()
                self._path(number).touch()
                _sync_folder(self.folder)
                self._files.append(number)
            # Without a buffer: what a full disk did not take must not be written later, behind what came after it.
            self._out = self._path(self._files[-1]).open("ab", buffering=0)
            self._out.seek(0, os.SEEK_END)
        return self._out

    def _count_on(self) -> int:
        """Return a number no position speaks of."""
        return self._position()[0] + 1

    def _mend(self, number: int) -> None:
        """Cut off what a crash left half written at the end of a file."""
        path = self._path(number)
        end = 0
        for _message, whole in _read(path, 0):
            end = whole
        if end < path.stat().st_size:
            os.truncate(path, end)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:010d}.spill"

    def _position(self) -> tuple[int, int]:
        path = self.folder / "position"
        try:
            number, at = map(int, path.read_text().split())
        except (OSError, ValueError):
            return 0, 0
        return number, at

    def _read_position(self) -> int:
        number, at = self._position()
        return at if self._files and self._files[0] == number else 0

    def _write_position(self) -> None:
        """Note up to where messages were taken back; on a full disk it is left out, and they are taken back twice."""
        number = self._files[0] if self._files else self._position()[0] + 1
        fresh = self.folder / "position.new"
        try:
            fresh.write_text(f"{number} {self._read_at}")
            fresh.replace(self.folder / "position")
        except OSError:
            fresh.unlink(missing_ok=True)


def _write_all(out: FileIO, records: bytes) -> None:
    left = memoryview(records)
    while left:
        left = left[out.write(left) or 0 :]


def _encode(message: Message) -> bytes:
    topic, channel = message.topic.encode("utf-8", "surrogatepass"), message.channel.encode()
    body = _BODY.pack(message.received.timestamp(), len(topic), len(channel)) + topic + channel + message.payload
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def _read(path: Path, start: int) -> Iterator[tuple[Message, int]]:
    """Yield messages with the position after each, up to the first that is not whole."""
    with path.open("rb") as file:
        file.seek(start)
        at = start
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, checksum = _HEAD.unpack(head)
            body = file.read(length)
            if len(body) < length or zlib.crc32(body) != checksum:
                return
            at += _HEAD.size + length
            seconds, topic, channel = _BODY.unpack_from(body)
            words, rest = body[_BODY.size : _BODY.size + topic], _BODY.size + topic + channel
            yield (
                Message(
                    words.decode("utf-8", "surrogatepass"),
                    body[rest:],
                    datetime.fromtimestamp(seconds, UTC),
                    body[_BODY.size + topic : rest].decode(),
                ),
                at,
            )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
