"""Token buckets of many askers in one small file that all server processes of a machine share.

A bucket is one number, the moment at which it will be full again (generic cell rate algorithm, ITU-T I.371): no bucket
is ever filled up by a clock, and one that nobody touched for long is as good as none. The file has a fixed size; when
its place is taken, who is nearest to a full bucket is forgotten, which costs nothing but that rest.
"""

import fcntl
import hashlib
import logging
import math
import mmap
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_log = logging.getLogger("api")
_MAGIC = b"twinlim1"
_HEAD = 64
_SECRET = 16
_SETS, _WAYS = 4096, 8
_SLOT = struct.Struct("<Qd")
_SET = struct.Struct("<" + "Qd" * _WAYS)
_SIZE = _HEAD + _SETS * _SET.size


class Verdict(NamedTuple):
    """Whether it is allowed, how many units are left, and the time until all are there again or enough for it [s]."""

    allowed: bool
    remaining: int
    full_in: float
    wait: float


class Buckets:
    """Buckets of ``burst`` units that fill at ``rate`` units a second, one for each name, of 32,768 names at most.

    Without a folder to keep them in, or where it cannot be written, they are this process's own.
    """

    def __init__(
        self, path: Path | None, *, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._path = path
        self._lock_file: int | None = None
        self._memory: mmap.mmap | None = None
        self._secret = b""

    def take(self, name: str, cost: float) -> Verdict:
        """Take ``cost`` units from the bucket of ``name``; a cost above ``burst`` wants a full bucket."""
        return self._move(name, min(cost, self.burst), now=self._clock(), store=True)

    def look(self, name: str, cost: float) -> Verdict:
        """Return what ``take`` would say; nothing is taken."""
        return self._move(name, min(cost, self.burst), now=self._clock(), store=False)

    def close(self) -> None:
        """Let go of the file."""
        if self._memory is not None:
            self._memory.close()
        if self._lock_file is not None:
            os.close(self._lock_file)

    def _move(self, name: str, cost: float, *, now: float, store: bool) -> Verdict:
        memory = self._memory if self._memory is not None else self._open()
        digest = hashlib.blake2b(name.encode(), key=self._secret, digest_size=8).digest()
        key = int.from_bytes(digest, "little") | 1
        offset = _HEAD + (key >> 1) % _SETS * _SET.size
        self._lock(offset)
        try:
            slots = _SET.unpack_from(memory, offset)
            at = slots.index(key) // 2 if key in slots[::2] else None
            window = self.burst / self.rate
            full_at = slots[2 * at + 1] if at is not None else 0.0
            # Further ahead than a whole bucket is left over from before the machine was started.
            if full_at < now or full_at > now + window + 1.0:
                full_at = now
            wanted = full_at + cost / self.rate
            allowed = wanted <= now + window + 1e-9
            if allowed and store:
                place = at if at is not None else min(range(_WAYS), key=lambda way: slots[2 * way + 1])
                _SLOT.pack_into(memory, offset + place * _SLOT.size, key, wanted)
        finally:
            self._unlock(offset)
        stands = wanted if allowed else full_at
        remaining = max(0, math.floor((now + window - stands) * self.rate + 1e-6))
        return Verdict(allowed, remaining, stands - now, 0.0 if allowed else wanted - now - window)

    def _open(self) -> mmap.mmap:
        """Open the file at the first question: not everything that makes buckets asks them."""
        memory = None
        if self._path is not None:
            try:
                memory = self._open_file(self._path)
            except OSError as error:
                _log.warning("limits are counted in each process: %s", error)
        if memory is None:
            memory = mmap.mmap(-1, _SIZE)
            memory[: len(_MAGIC) + _SECRET] = _MAGIC + os.urandom(_SECRET)
        self._memory, self._secret = memory, bytes(memory[len(_MAGIC) : len(_MAGIC) + _SECRET])
        return memory

    def _open_file(self, path: Path) -> mmap.mmap:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX, _HEAD)
            if os.fstat(handle).st_size != _SIZE or os.pread(handle, len(_MAGIC), 0) != _MAGIC:
                os.ftruncate(handle, 0)
                os.ftruncate(handle, _SIZE)
                os.pwrite(handle, _MAGIC + os.urandom(_SECRET), 0)
            fcntl.lockf(handle, fcntl.LOCK_UN, _HEAD)
            memory = mmap.mmap(handle, _SIZE)
        except OSError:
            os.close(handle)
            raise
        self._lock_file = handle
        return memory

    def _lock(self, offset: int) -> None:
        """Keep other processes from this part of the file; a process that dies lets go of it."""
        if self._lock_file is not None:
            fcntl.lockf(self._lock_file, fcntl.LOCK_EX, _SET.size, offset)

    def _unlock(self, offset: int) -> None:
        if self._lock_file is not None:
            fcntl.lockf(self._lock_file, fcntl.LOCK_UN, _SET.size, offset)
