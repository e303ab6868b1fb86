"""Members of an ensemble that are done, kept in files: an attempt that is interrupted leaves them to the next one.

A member is taken over only where it is of the very same task, which its signature says. Only for folders of our own: to
read a result can run code.
"""

import hashlib
import logging
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from twin.parcel import read_parcel, write_parcel

Sign = Callable[[Any], bytes]

log = logging.getLogger("twin.shelf")


class Shelf:
    """Results by number of the member and signature of its task, below ``folder``."""

    def __init__(self, folder: Path, sign: Sign) -> None:
        self._folder, self._sign = folder, sign
        self._paths: dict[int, Path] = {}
        self._found: list[tuple[int, Any]] = []

    def sift(self, tasks: Iterable[tuple[str, Any]]) -> Iterator[tuple[int, str, Any]]:
        """Yield the tasks that are still to do, with their numbers; results of the others wait to be taken."""
        for number, (name, task) in enumerate(tasks):
            digest = hashlib.blake2b(self._sign(task), digest_size=12).hexdigest()
            path = self._paths[number] = self._folder / f"{number}-{digest}"
            if path.exists():
                self._found.append((number, read_parcel(path)))
            else:
                yield number, name, task

    def take(self) -> list[tuple[int, Any]]:
        """Return the results found since the last call."""
        found, self._found = self._found, []
        return found

    def keep(self, number: int, result: object) -> None:
        """Keep the result of a member; where there is no room for it, it is computed again."""
        path = self._paths[number]
        fresh = path.with_suffix(".fresh")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_parcel(fresh, result)
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            log.warning("member %d is not kept: %s", number, error)


def sign_plainly(task: object) -> bytes:
    """Return the signature of a task that says all of what it is."""
    return pickle.dumps(task)
