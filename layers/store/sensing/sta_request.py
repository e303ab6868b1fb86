"""What a reader of SensorThings asks for, as values: a path, a filter, and how much of it is to come back.

Made by the parsers of the HTTP side, turned into SQL beside this file. Every name in a path is checked against the
entities; names inside filters are checked when the SQL is made.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

import shapely

from layers.store.sensing.entities import Attribute, Entity, Navigation

Scalar = str | float | int | bool | datetime | date | time | timedelta | shapely.Geometry | None
Ending = Literal["", "$value", "$ref", "$count"]
DEFAULT_PAGE, LONGEST_PAGE = 100, 10_000


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: the entity set it leads to, the id of the one meant, and the link it came by (not the first).

    A step without id that is the first, or came by a link to many, leads to a set.
    """

    entity: Entity
    key: str | None = None
    link: Navigation | None = None

    @property
    def many(self) -> bool:
        """Whether it leads to a set."""
        return self.key is None and (self.link is None or self.link.many)


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """An address below the service: steps from set to set, then an attribute or what is inside its JSON."""

    steps: tuple[Step, ...]
    attribute: Attribute | None = None
    inner: tuple[str, ...] = ()
    ending: Ending = ""
    asks_id: bool = False

    @property
    def last(self) -> Step:
        """The step that leads to what is asked for."""
        return self.steps[-1]

    @property
    def entity(self) -> Entity:
        """The entity set of what is asked for."""
        return self.last.entity

    @property
    def many(self) -> bool:
        """Whether a set is asked for."""
        return self.last.many


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time written as ``start/end``."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Value:
    """A literal; ``zone`` [min] is the offset a date-time was written with."""

    value: Scalar | Period
    zone: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """A path inside an expression, such as Datastream/Thing/properties/kind."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function over its arguments; operators go by their names in the standard (``eq``, ``add``)."""

    name: str
    arguments: tuple["Expression", ...]


Expression = Value | Member | Call


@dataclass(frozen=True, slots=True)
class Order:
    """One term of an order."""

    expression: Expression
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """How much of a set, or of one entity, is to come back.

    ``options`` keeps what was written, for the links to next pages. ``after`` is the id after which a page begins.
    """

    filter: Expression | None = None
    orders: tuple[Order, ...] = ()
    select: tuple[str, ...] | None = None
    expand: tuple["Expansion", ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    after: str | None = None
    options: tuple[tuple[str, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Expansion:
    """A link whose entities are to come along."""

    link: Navigation
    query: Query
