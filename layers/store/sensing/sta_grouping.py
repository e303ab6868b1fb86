"""Which conditions of a filter speak of one and the same entity at the end of a link to many.

``Thing/Locations/name eq 'a' and Thing/Locations/id eq 'b'`` of Datastreams asks for one Location that has both, so the
two belong together; and since they speak of the Thing alone, they are asked once a Thing, not once a Datastream.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layers.store.sensing.entities import ENTITIES, Entity
from layers.store.sensing.sta_request import Call, Expression, Member

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions that hold together for one combination of entities, behind the links to one of ``root``."""

    root: Path
    parts: tuple[Expression, ...]


def group_conditions(entity: Entity, parts: Sequence[Expression]) -> tuple[list[Expression], list[Group]]:
    """Return the conditions on the row itself and what it leads to as one, and the groups of the others."""
    plain: list[Expression] = []
    found: list[tuple[set[Path], list[Expression]]] = []
    for part in parts:
        paths = {path for member in list_members(part) if (path := _find_many(entity, member)) is not None}
        if not paths:
            plain.append(part)
            continue
        together = [group for group in found if group[0] & paths]
        found = [group for group in found if not group[0] & paths]
        merged = [each for group in together for each in group[1]]
        found.append((paths.union(*(group[0] for group in together)), [*merged, part]))
    groups = []
    for _, members in found:
        root = _find_root(entity, members)
        groups.append(Group(root, tuple(_rebase(part, len(root)) for part in members)))
    return plain, groups


def list_members(expression: Expression) -> Iterator[Member]:
    """Yield every path in ``expression``."""
    if isinstance(expression, Member):
        yield expression
    elif isinstance(expression, Call):
        for argument in expression.arguments:
            yield from list_members(argument)


def _find_many(entity: Entity, member: Member) -> Path | None:
    """Return the path of ``member`` up to its first link to many, or None."""
    for place, name in enumerate(member.names):
        link = entity.find_navigation(name)
        if link is None:
            return None
        if link.many:
            return member.names[: place + 1]
        entity = ENTITIES[link.target]
    return None


def _find_root(entity: Entity, parts: Sequence[Expression]) -> Path:
    """Return the links to one that every path in ``parts`` begins with."""
    members = [member.names for part in parts for member in list_members(part)]
    root: list[str] = []
    for names in zip(*members, strict=False):
        link = entity.find_navigation(names[0])
        if link is None or link.many or len(set(names)) > 1:
            break
        root.append(names[0])
        entity = ENTITIES[link.target]
    return tuple(root)


def _rebase(expression: Expression, length: int) -> Expression:
    """Return ``expression`` with the first ``length`` names of every path taken off."""
    if isinstance(expression, Member):
        return Member(expression.names[length:])
    if isinstance(expression, Call):
        return Call(expression.name, tuple(_rebase(argument, length) for argument in expression.arguments))
    return expression
