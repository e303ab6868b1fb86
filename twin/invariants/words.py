"""The words of an invariant."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from layers.schema import Text


@dataclass(frozen=True, slots=True)
class Breach:
    """A place where an invariant does not hold, and what is wrong there."""

    place: str
    what: str


@dataclass(frozen=True, slots=True)
class Found:
    """How often an invariant does not hold, and the first places."""

    count: int
    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What an invariant looks at: the database, the city's folder of processed files; ``most`` places are named."""

    connection: Connection
    processed_dir: Path
    most: int


@dataclass(frozen=True, slots=True)
class Invariant:
    """What must hold, how breaches of it are found, and what to type about them."""

    id: str
    title: Text
    remedy: str
    find: Callable[[Scene], Found]
