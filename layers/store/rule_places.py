"""SQL of rules on where features lie: on one another, outside, off the line they belong to.

Every function returns a select from ``checked`` as in ``rule_values``.
"""

from layers.store.names import quote
from layers.store.rule_links import write_metres
from layers.store.rule_values import ON, write_columns, write_literal
from layers.store.tables import CITY

# A pair is said once, of the first of the two; when only one of them is looked at, of that one.
_ONCE = "(c.id < o.id or not exists (select 1 from checked k where k.fid = o.fid)) and c.fid <> o.fid"


def find_same_shapes(layer: str) -> str:
    """Select features drawn exactly like another one of their layer."""
    return (
        f"{write_columns(other='o.id')} from checked c join {CITY}.{quote(layer)} o "
        f"on o.geom && c.geom and o.geom = c.geom where {_ONCE}"
    )


def find_close_points(layer: str, distance: float) -> str:
    """Select points nearer than ``distance`` [m] to another one of their layer, yet not on the same place."""
    return (
        f"{write_columns(value='round(ST_Distance(c.geom, o.geom)::numeric, 3)::text', other='o.id')} "
        f"from checked c join {CITY}.{quote(layer)} o "
        f"on ST_DWithin(o.geom, c.geom, {distance}) and not o.geom = c.geom where {_ONCE}"
    )


def find_overlaps(layer: str, share: float) -> str:
    """Select areas that cover more than ``share`` of the smaller of the two; ``value`` is the share [%]."""
    covered = "round(100 * p.share::numeric, 1)::text"
    return (
        f"{write_columns(value=covered, other='o.id', place='ST_PointOnSurface(p.common)')} "
        f"from checked c join {CITY}.{quote(layer)} o on ST_Intersects(o.geom, c.geom) and not o.geom = c.geom "
        "cross join lateral (select i.common, "
        "ST_Area(i.common) / nullif(least(ST_Area(o.geom), ST_Area(c.geom)), 0) as share "
        "from (select ST_Intersection(o.geom, c.geom) as common) i) p "
        f"where p.share > {share} and {_ONCE}"
    )


def find_outside(areas: str) -> str:
    """Select features that lie in none of ``areas``; none when there are no areas."""
    table = f"{CITY}.{quote(areas)}"
    return (
        f"{write_columns(place='c.place')} from (select id, {ON} as place from checked c) c "
        f"where exists (select 1 from {table}) "
        f"and not exists (select 1 from {table} w where ST_Intersects(w.geom, c.place))"
    )


def find_off_lines(lines: str, tolerance: float, *, name: str, values: tuple[str, ...]) -> str:
    """Select points whose ``name`` is one of ``values`` and that lie farther than ``tolerance`` [m] from every line.

    ``value`` is the distance to the nearest [m].
    """
    table = f"{CITY}.{quote(lines)}"
    listed = ", ".join(map(write_literal, values))
    return (
        f"{write_columns(value=write_metres('n.distance'), other='n.id')} "
        "from checked c left join lateral (select l.id, l.geom <-> c.geom as distance "
        f"from {table} l order by l.geom <-> c.geom limit 1) n on true where c.{quote(name)} in ({listed}) "
        f"and not exists (select 1 from {table} l where ST_DWithin(l.geom, c.geom, {tolerance}))"
    )


def find_short_lines(least: float) -> str:
    """Select lines shorter than ``least`` [m]."""
    return (
        f"{write_columns(value=write_metres('ST_Length(c.geom)'), place='ST_StartPoint(c.geom)')} "
        f"from checked c where ST_Length(c.geom) < {least}"
    )
