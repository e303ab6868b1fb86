"""SQL of rules on where features lie: on one another, outside, off the line they belong to.

Every function returns a select from ``checked`` as in ``rule_values``.
"""

from layers.store.names import quote
from layers.store.rule_links import write_metres
from layers.store.rule_values import ON, ONCE, write_columns, write_literal
from layers.store.tables import CITY


def find_same_shapes(layer: str) -> str:
    """Select features drawn exactly like another one of their layer."""
    return (
        f"{write_columns(other='o.id')} from checked c join {CITY}.{quote(layer)} o "
        f"on o.geom && c.geom and o.geom = c.geom where {ONCE}"
    )


def find_close_points(layer: str, distance: float) -> str:
    """Select points nearer than ``distance`` [m] to another one of their layer, yet not on the same place."""
    return (
        f"{write_columns(value='round(ST_Distance(c.geom, o.geom)::numeric, 3)::text', other='o.id')} "
        f"from checked c join {CITY}.{quote(layer)} o "
        f"on ST_DWithin(o.geom, c.geom, {distance}) and not o.geom = c.geom where {ONCE}"
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
        f"where p.share > {share} and {ONCE}"
    )


def find_outside(areas: str) -> str:
    """Select features that lie in none of ``areas``; none when there are no areas."""
    table = f"{CITY}.{quote(areas)}"
    return (
        f"{write_columns(place='c.place')} from (select id, {ON} as place from checked c) c "
        f"where exists (select 1 from {table}) "
        f"and not exists (select 1 from {table} w where ST_Intersects(w.geom, c.place))"
    )


def find_other_areas(areas: str, key: str, *, slack: float) -> str:
    """Select features that name by ``key`` another of ``areas`` than the one they lie in, which is ``other``.

    Those within ``slack`` [m] of the one they name are let be.
    """
    own, table = f"c.{quote(key)}", f"{CITY}.{quote(areas)}"
    return (
        f"{write_columns(write_literal(key), value=own, other='w.key', place='c.place')} "
        f"from (select id, {own}, {ON} as place from checked c where {own} is not null) c "
        f"join lateral (select a.{quote(key)} as key from {table} a "
        f"where ST_Intersects(a.geom, c.place) order by a.fid limit 1) w on w.key <> {own} "
        f"where not exists (select 1 from {table} n where n.{quote(key)} = {own} "
        f"and ST_DWithin(n.geom, c.place, {slack}))"
    )


def find_sunken(name: str, around: str, ground: str, *, within: float, slack: float) -> str:
    """Select features whose level ``name`` lies more than ``slack`` [m] below the ground.

    The ground is what the nearest feature of ``around`` says of it, if one is ``within`` [m] and says it.
    """
    return (
        f"{write_columns(write_literal(name), value=f'c.{quote(name)}::text', other='g.level::text')} from checked c "
        f"join lateral (select a.{quote(ground)} as level from {CITY}.{quote(around)} a "
        f"where ST_DWithin(a.geom, c.geom, {within}) and a.{quote(ground)} is not null "
        f"order by a.geom <-> c.geom limit 1) g on c.{quote(name)} < g.level - {slack}"
    )


def find_off_lines(lines: str, tolerance: float, *, of: str, name: str, values: tuple[str, ...]) -> str:
    """Select points whose ``name`` is one of ``values`` and that lie farther than ``tolerance`` [m] from every line.

    ``of`` is the property that names the line; ``value`` is the distance to the nearest [m].
    """
    table = f"{CITY}.{quote(lines)}"
    listed = ", ".join(map(write_literal, values))
    return (
        f"{write_columns(write_literal(of), value=write_metres('n.distance'), other='n.id')} "
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
