"""A board of members that several machines compute: tasks, results and what they share travel through the database.

A member belongs to who claimed it last. Who works on one says so again and again; one of which nothing was heard for a
while is left, and somebody else may take it. A result counts once, from whom the member belongs to. Paths in the
board's folder travel as names: each machine has a folder of its own, and brings what is named there when it needs it.
Only for boards of our own: to read a task or a result can run code, so who may write there may run code in a worker.
"""

import gzip
import io
import pickle
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from isal import igzip
from sqlalchemy import Engine

from layers.errors import TwinError
from twin.parcel import read_parcel, write_parcel
from twin.store_board import (
    claim_member,
    delete_board,
    delete_pieces,
    insert_board,
    insert_member,
    insert_pieces,
    keep_members,
    list_done,
    read_board,
    read_piece,
    settle_member,
)

LEFT_S = 30.0
"""A member of which nothing was heard for so long is left."""
KEEP_S = 5.0
"""How often its owner is heard of."""
_FAST = 1


class Board:
    """Tasks of one run by number: offered, claimed, settled. ``folder`` is this machine's own."""

    def __init__(self, engine: Engine, run_id: str) -> None:
        self.run_id = run_id
        self.folder = Path(tempfile.mkdtemp(prefix="members-"))
        self._engine, self._me = engine, secrets.token_hex(8)
        self._kept = time.monotonic()
        self._shared: set[str] = set()

    def open(self, home: str, compute: object) -> None:
        """Begin: ``home`` names the machine that offers, ``compute`` is the function of a module to call."""
        with self._engine.begin() as connection:
            insert_board(connection, self.run_id, home, pickle.dumps(compute))

    def close(self) -> None:
        """Tell who helps that nothing more is wanted, and leave."""
        with self._engine.begin() as connection:
            delete_board(connection, self.run_id)
        self.leave()

    def leave(self) -> None:
        """Remove this machine's own folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def read(self) -> tuple[str, Any] | None:
        """Return the machine that offers and the function that computes a member; None when the board is closed."""
        with self._engine.connect() as connection:
            found = read_board(connection, self.run_id)
        return None if found is None else (found[0], pickle.loads(found[1]))

    def offer(self, number: int, name: str, task: object) -> None:
        """Let anybody compute member ``number``, with the files of the folder that the task names."""
        body = io.BytesIO()
        _Outgoing(body, self).dump((name, task))
        with self._engine.begin() as connection:
            insert_pieces(connection, self.run_id, f"task {number}", _pack(body.getvalue()))
            insert_member(connection, self.run_id, number)

    def claim(self) -> tuple[int, str, Any] | None:
        """Return number, name and task of a member that is now the caller's, or None where nothing is open."""
        with self._engine.begin() as connection:
            number = claim_member(connection, self.run_id, self._me, left_after_s=LEFT_S)
        if number is None:
            return None
        packed = self._read(f"task {number}")
        if packed is None:
            return None
        name, task = _Incoming(packed, self).load()
        return number, str(name), task

    def keep(self, numbers: list[int]) -> bool:
        """Say, from time to time, that the caller is still at its members; return False when they are not its own."""
        if not numbers or time.monotonic() - self._kept < KEEP_S:
            return True
        self._kept = time.monotonic()
        with self._engine.begin() as connection:
            return len(keep_members(connection, self.run_id, self._me, numbers)) == len(numbers)

    def settle(self, number: int, result: object) -> bool:
        """Hand in what a member gave: its result, or the TwinError it ended with. False when it came too late."""
        path = self.folder / f"{secrets.token_hex(8)}.done"
        write_parcel(path, result)
        packed = _pack(path.read_bytes())
        path.unlink()
        with self._engine.begin() as connection:
            if not settle_member(connection, self.run_id, self._me, number):
                return False
            insert_pieces(connection, self.run_id, f"done {number}", packed)
        return True

    def finish(self, number: int) -> None:
        """Mark a member that the caller computed for itself; nothing travels."""
        with self._engine.begin() as connection:
            settle_member(connection, self.run_id, self._me, number)
            delete_pieces(connection, self.run_id, f"task {number}")

    def collect(self, numbers: list[int]) -> list[tuple[int, Any]]:
        """Return what others handed in of ``numbers``; raise the TwinError that one of theirs ended with."""
        if not numbers:
            return []
        with self._engine.connect() as connection:
            done = list_done(connection, self.run_id, numbers)
        return [(number, self._take(number)) for number in done]

    def share(self, path: Path) -> str:
        """Let others have a file of the folder, and return its name."""
        name = str(path.relative_to(self.folder))
        if name not in self._shared:
            with self._engine.begin() as connection:
                insert_pieces(connection, self.run_id, f"file {name}", _pack(path.read_bytes()))
            self._shared.add(name)
        return name

    def fetch(self, name: str) -> Path:
        """Return the path of a shared file, brought into the folder the first time it is asked for."""
        path = self.folder / name
        if not path.exists():
            content = self._read(f"file {name}")
            if content is None:
                raise TwinError(f"the board of run '{self.run_id}' has no file '{name}'")
            fresh = path.with_name(f"{secrets.token_hex(8)}.fresh")
            fresh.write_bytes(content)
            fresh.rename(path)
        return path

    def _take(self, number: int) -> Any:
        content = self._read(f"done {number}")
        if content is None:
            raise TwinError(f"the result of member {number} of run '{self.run_id}' is gone")
        path = self.folder / f"{number}.taken"
        path.write_bytes(content)
        result = read_parcel(path)
        path.unlink()
        with self._engine.begin() as connection:
            delete_pieces(connection, self.run_id, f"done {number}")
            delete_pieces(connection, self.run_id, f"task {number}")
        if isinstance(result, TwinError):
            raise result
        return result

    def _read(self, name: str) -> bytes | None:
        pieces: list[bytes] = []
        with self._engine.connect() as connection:
            while (piece := read_piece(connection, self.run_id, name, len(pieces))) is not None:
                pieces.append(piece)
        return gzip.decompress(b"".join(pieces)) if pieces else None


def _pack(content: bytes) -> memoryview:
    return memoryview(igzip.compress(content, _FAST))


class _Outgoing(pickle.Pickler):
    """Writes a task; paths in the folder become names."""

    def __init__(self, body: io.BytesIO, board: Board) -> None:
        super().__init__(body, protocol=5)
        self._board = board

    def persistent_id(self, obj: Any) -> str | None:
        """Return the name of a path in the folder, its file now shared."""
        inside = isinstance(obj, Path) and obj.is_relative_to(self._board.folder)
        return self._board.share(obj) if inside else None


class _Incoming(pickle.Unpickler):
    """Reads a task; names become paths in the folder of this machine, with the files there."""

    def __init__(self, body: bytes, board: Board) -> None:
        super().__init__(io.BytesIO(body))
        self._board = board

    def persistent_load(self, pid: Any) -> Path:
        """Return the path a name stands for here."""
        return self._board.fetch(str(pid))
