"""Where names of an expression lead: from an entity's row over its links, by joins, to attributes and inside them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from re import fullmatch

from layers.errors import InputError
from layers.store.sensing.entities import ENTITIES, Attribute, Entity, Navigation
from layers.store.sensing.sta_request import Member
from layers.store.sensing.sta_terms import Statement, Term

MOST_JOINS = 16
ID_NAMES = ("id", "@iot.id")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Scope:
    """One entity's row under an alias, and what is joined to it.

    ``many``: links to many may be followed; a row is then one combination of what they lead to.
    """

    statement: Statement
    entity: Entity
    alias: str
    many: bool = False
    joins: list[str] = field(default_factory=list)
    _reached: dict[tuple[str, ...], tuple[Entity, str]] = field(default_factory=dict)
    _sure: set[str] = field(default_factory=set)

    def find(self, member: Member, option: str) -> Term:
        """Return what ``member`` names as a term, joining what it leads over.

        Raises InputError that names the wrong piece.
        """
        names = member.names
        entity, alias, place = self.reach(names, option)
        if place == len(names):
            raise InputError(
                f"{option}: '{'/'.join(names)}' is a link, not a value", hint=f"add /id or {_hint(entity)}"
            )
        name, inner = names[place], names[place + 1 :]
        if name in ID_NAMES and not inner:
            return Term(_put(entity.key, alias), "id")
        attribute = entity.find_attribute(name)
        if attribute is None:
            raise InputError(
                f"{option}: '{entity.singular}' has nothing called '{name[:80]}'", hint=f"it has id, {_hint(entity)}"
            )
        return self._read(attribute, alias, inner, option)

    def reach(self, names: tuple[str, ...], option: str) -> tuple[Entity, str, int]:
        """Return the entity and alias the links at the beginning of ``names`` lead to, and how many links there are."""
        entity, alias, place = self.entity, self.alias, 0
        while place < len(names) and (link := entity.find_navigation(names[place])) is not None:
            place += 1
            if link.many and not self.many:
                raise InputError(f"{option}: '{'/'.join(names)}' leads to many {link.target}")
            entity, alias = self._follow(names[:place], link, alias)
        return entity, alias, place

    def _follow(self, names: tuple[str, ...], link: Navigation, alias: str) -> tuple[Entity, str]:
        if names not in self._reached:
            if len(self._reached) == MOST_JOINS:
                raise InputError(f"the expression follows more than {MOST_JOINS} links")
            target, fresh = ENTITIES[link.target], self.statement.name()
            condition = link.join.replace("{a}", alias).replace("{b}", fresh)
            # An inner join where it leaves no row out: conditions on what is joined then choose the way to the rows.
            sure = link.sure and not self.many and (alias == self.alias or alias in self._sure)
            self.joins.append(f"{'join' if sure else 'left join'} {target.table} {fresh} on ({condition})")
            if sure:
                self._sure.add(fresh)
            self._reached[names] = target, fresh
        return self._reached[names]

    def _read(self, attribute: Attribute, alias: str, inner: tuple[str, ...], option: str) -> Term:
        sql = _put(attribute.expression, alias)
        if inner:
            if attribute.kind not in ("json", "geometry", "result"):
                raise InputError(f"{option}: '{attribute.name}' holds nothing called '{inner[0][:80]}'")
            document = f"{alias}.value" if attribute.kind == "result" else sql
            return Term(f"({document} #> {self.statement.bind(list(inner), 'text[]')})", "json")
        match attribute.kind:
            case "interval":
                return Term(sql, "interval", _put(attribute.end or attribute.expression, alias))
            case "geometry":
                return Term(_put(attribute.shape or "null", alias), "geometry")
            case "result":
                return Term(f"{alias}.result", "result", f"{alias}.value")
            case "number":
                return Term(f"({sql})::double precision", "number")
            case kind:
                return Term(sql, kind)


def match_id(statement: Statement, entity: Entity, alias: str, key: str) -> str:
    """Return the condition that the row under ``alias`` is the entity ``key``; it uses the relation's key."""
    values = read_key(entity, key)
    if values is None:
        return "1 = 0"
    columns = (_put(column, alias) for column in entity.order)
    pairs = (f"{column} = {bind_key(statement, value)}" for column, value in zip(columns, values, strict=True))
    return " and ".join(pairs)


def read_key(entity: Entity, key: str) -> tuple[int | str | datetime, ...] | None:
    """Return the values of ``entity.order`` that the id ``key`` stands for, or None for an id nothing can have."""
    if len(entity.order) == 1:
        return (key,)
    found = fullmatch(r"([0-9]{1,18})_(-?[0-9]{1,16})", key)
    if found is None:
        return None
    return int(found[1]), _EPOCH + timedelta(microseconds=int(found[2]))


def bind_key(statement: Statement, value: int | str | datetime) -> str:
    """Return one value of a key as a placeholder."""
    kind = "bigint" if isinstance(value, int) else "timestamptz" if isinstance(value, datetime) else "text"
    return statement.bind(value, kind)


def _put(expression: str, alias: str) -> str:
    return expression.replace("{a}", alias)


def _hint(entity: Entity) -> str:
    return ", ".join(attribute.name for attribute in entity.attributes)
