"""SQL of rules that look at the properties of one feature, and at what they name.

Every function returns a select from ``checked``, the features to look at, of ``id``, ``property``, ``value``, ``other``
(the second feature, if there is one) and ``place`` (a point in the city's CRS).
"""

from collections.abc import Sequence

from layers.schema import Property, VectorLayer
from layers.store.names import quote
from layers.store.tables import CITY

ON = "ST_PointOnSurface(c.geom)"
# A pair is said once, of the first of the two; when only one of them is looked at, of that one.
ONCE = "(c.id < o.id or o.fid not in (select k.fid from checked k)) and c.fid <> o.fid"


def write_columns(
    name: str = "null::text", *, value: str = "null::text", other: str = "null::text", place: str = ON
) -> str:
    """Return the beginning of a rule's select: its columns; each is an SQL expression."""
    return f"select c.id, {name} as property, {value} as value, {other} as other, {place} as place"


def find_undeclared(layer: VectorLayer) -> str:
    """Select values that the declaration does not allow: missing, not in the code list, out of range."""
    faults = {prop.name: _write_fault(prop) for prop in layer.properties}
    rows = ", ".join(
        f"({write_literal(name)}, c.{quote(name)}::text, coalesce({fault}, false))" for name, fault in faults.items()
    )
    return (
        f"{write_columns('v.property', value='v.value')} from checked c "
        f"cross join lateral (values {rows}) v(property, value, wrong) where v.wrong"
    )


def _write_fault(prop: Property) -> str:
    """Return the condition under which a value is wrong."""
    name, faults = f"c.{quote(prop.name)}", []
    if prop.required:
        faults.append(f"{name} is null")
    if prop.codes:
        faults.append(f"{name} not in ({', '.join(write_literal(code.value) for code in prop.codes)})")
    if prop.measure is not None:
        faults.append(f"{name} not between {prop.measure.minimum} and {prop.measure.maximum}")
    return " or ".join(faults) or "false"


def find_unnamed(name: str, target: str, key: str = "id") -> str:
    """Select features whose property ``name`` names nothing: no feature of ``target`` has it as ``key``."""
    own = f"c.{quote(name)}"
    return (
        f"{write_columns(write_literal(name), value=own)} from checked c where {own} is not null "
        f"and not exists (select 1 from {CITY}.{quote(target)} t where t.{quote(key)} = {own})"
    )


def find_empty(names: Sequence[str]) -> str:
    """Select features that have none of the properties ``names``."""
    empty = " and ".join(f"c.{quote(name)} is null" for name in names)
    return f"{write_columns(write_literal(names[0]))} from checked c where {empty}"


def find_above(lower: str, upper: str, *, or_equal: bool) -> str:
    """Select features whose property ``lower`` is above their ``upper``, which is ``other``, or at it if so asked."""
    own, limit = f"c.{quote(lower)}", f"c.{quote(upper)}"
    columns = write_columns(write_literal(lower), value=f"{own}::text", other=f"{limit}::text")
    return f"{columns} from checked c where {own} {'>=' if or_equal else '>'} {limit}"


def find_unequal(name: str, normal: str, *, among: Sequence[str]) -> str:
    """Select features whose ``name``, one of ``among``, is not what ``normal`` says it should be (``other``)."""
    own, usual = f"c.{quote(name)}", f"c.{quote(normal)}"
    return (
        f"{write_columns(write_literal(name), value=own, other=usual)} from checked c "
        f"where {own} in ({', '.join(map(write_literal, among))}) and {own} <> {usual}"
    )


def find_value(name: str, value: str) -> str:
    """Select features whose property ``name`` is ``value``."""
    own = f"c.{quote(name)}"
    return f"{write_columns(write_literal(name), value=own)} from checked c where {own} = {write_literal(value)}"


def find_overdue(name: str, *, state: str, value: str) -> str:
    """Select features in a state that ended with their date ``name``: ``state`` is still ``value``."""
    own = f"c.{quote(name)}"
    return (
        f"{write_columns(write_literal(state), value=f'{own}::text')} from checked c "
        f"where c.{quote(state)} = {write_literal(value)} and {own} < current_date"
    )


def find_repeated(layer: str, name: str) -> str:
    """Select features that have the same ``name`` as another one of their layer."""
    own = f"c.{quote(name)}"
    return (
        f"{write_columns(write_literal(name), value=own, other='o.id')} from checked c "
        f"join {CITY}.{quote(layer)} o on o.{quote(name)} = {own} where {ONCE}"
    )


def find_future(name: str) -> str:
    """Select features whose date ``name`` lies ahead."""
    own = f"c.{quote(name)}"
    return f"{write_columns(write_literal(name), value=f'{own}::text')} from checked c where {own} > current_date"


def write_literal(words: str) -> str:
    """Return ``words`` of a declaration as an SQL string."""
    return "'" + words.replace("'", "''") + "'"
