"""SQL of rules on networks: links that end on nodes, fall, and fit each other.

Every function returns a select from ``checked`` as in ``rule_values``. A link's ends are its properties ``from_node``
and ``to_node`` and the first and last point of its line.
"""

from collections.abc import Sequence

from layers.store.names import quote
from layers.store.rule_values import write_columns
from layers.store.tables import CITY

_ENDS = (
    "cross join lateral (values ('from_node', c.from_node, ST_StartPoint(c.geom)), "
    "('to_node', c.to_node, ST_EndPoint(c.geom))) e(property, node, place)"
)
_LEVELS = (
    f"{write_columns('e.property', value='e.invert::text', other='g.id', place='e.place')} from checked c "
    "cross join lateral (values ('from_invert', c.from_invert, c.from_node, ST_StartPoint(c.geom)), "
    "('to_invert', c.to_invert, c.to_node, ST_EndPoint(c.geom))) e(property, invert, node, place)"
)


def find_loose_ends(nodes: str, tolerance: float) -> str:
    """Select ends of lines with no node within ``tolerance`` [m]; ``value`` is the distance to the nearest [m]."""
    table = f"{CITY}.{quote(nodes)}"
    return (
        f"{write_columns('e.property', value=write_metres('n.distance'), other='n.id', place='e.place')} "
        f"from checked c {_ENDS} "
        f"left join lateral (select g.id, g.geom <-> e.place as distance from {table} g "
        "order by g.geom <-> e.place limit 1) n on true "
        f"where not exists (select 1 from {table} g where ST_DWithin(g.geom, e.place, {tolerance}))"
    )


def find_other_nodes(nodes: str, tolerance: float) -> str:
    """Select ends that name a node which lies elsewhere; ``value`` is how far [m]."""
    far = write_metres("ST_Distance(g.geom, e.place)")
    return (
        f"{write_columns('e.property', value=far, other='g.id', place='e.place')} "
        f"from checked c {_ENDS} join {CITY}.{quote(nodes)} g on g.id = e.node "
        f"where not ST_DWithin(g.geom, e.place, {tolerance})"
    )


def find_unknown_nodes(nodes: str) -> str:
    """Select ends that name a node which does not exist."""
    return (
        f"{write_columns('e.property', value='e.node', place='e.place')} from checked c {_ENDS} "
        f"where e.node is not null and not exists (select 1 from {CITY}.{quote(nodes)} g where g.id = e.node)"
    )


def find_lone_nodes(links: str, tolerance: float, *, devices: Sequence[str]) -> str:
    """Select nodes on which no link begins or ends, and which no device (a pump, a valve) between two nodes names."""
    named = "".join(
        f" and not exists (select 1 from {CITY}.{quote(one)} d where d.from_node = c.id or d.to_node = c.id)"
        for one in devices
    )
    return (
        f"{write_columns()} from checked c "
        f"where not exists (select 1 from {CITY}.{quote(links)} l where ST_DWithin(l.geom, c.geom, {tolerance}) "
        f"and (ST_DWithin(ST_StartPoint(l.geom), c.geom, {tolerance}) "
        f"or ST_DWithin(ST_EndPoint(l.geom), c.geom, {tolerance}))){named}"
    )


def find_high_inverts(nodes: str) -> str:
    """Select links whose invert lies at or above the ground of the node it ends on."""
    return f"{_LEVELS} join {CITY}.{quote(nodes)} g on g.id = e.node where e.invert >= g.ground_elevation"


def find_low_inverts(nodes: str, slack: float) -> str:
    """Select links whose invert lies more than ``slack`` [m] below the bottom of the node it ends on."""
    return f"{_LEVELS} join {CITY}.{quote(nodes)} g on g.id = e.node where e.invert < g.invert_elevation - {slack}"


def find_slopes(low: float | None, high: float | None) -> str:
    """Select gravity links whose fall along the flow lies in [low, high); None is open. ``value`` is in ‰."""
    slope = "(c.from_invert - c.to_invert) / nullif(ST_Length(c.geom), 0)"
    limits = [f"c.slope >= {low}"] * (low is not None) + [f"c.slope < {high}"] * (high is not None)
    return (
        f"{write_columns(_TO_INVERT, value='round((c.slope * 1000)::numeric, 2)::text', place=_MIDDLE)} "
        f"from (select c.*, {slope} as slope from checked c) c "
        f"where c.link_type in ('conduit', 'open_channel') and {' and '.join(limits)}"
    )


def find_narrowing(links: str) -> str:
    """Select round conduits that are narrower than one that flows into them; ``value`` is the diameter [m]."""
    table = f"{CITY}.{quote(links)}"
    columns = write_columns("'height'", value="c.height::text", other="u.id", place="ST_StartPoint(c.geom)")
    return (
        f"{columns.replace('select', 'select distinct on (c.id)', 1)} from checked c "
        f"join {table} u on u.to_node = c.from_node and u.height > c.height + 0.005 "
        "where c.link_type = 'conduit' and u.link_type = 'conduit' and c.shape = 'circular' and u.shape = 'circular' "
        f"and not exists (select 1 from {table} w where w.from_node = c.from_node and w.height >= u.height) "
        "order by c.id, u.height desc, u.id"
    )


def find_jumps(links: str, name: str, factor: float) -> str:
    """Select links whose ``name`` is at least ``factor`` times the largest of those they meet, which is ``other``."""
    own, literal = f"c.{quote(name)}", f"'{name}'"
    return (
        f"{write_columns(literal, value=f'{own}::text', other='m.largest::text', place=_MIDDLE)} from checked c "
        f"join lateral (select max(o.{quote(name)}) as largest from {CITY}.{quote(links)} o "
        f"where ST_DWithin(o.geom, c.geom, 0.05) and o.fid <> c.fid) m on {own} >= {factor} * m.largest"
    )


def find_lengths(share: float, least: float) -> str:
    """Select links whose stated length differs from the drawn one by more than ``share`` and ``least`` [m]."""
    drawn = write_metres("ST_Length(c.geom)")
    return (
        f"{write_columns(_LENGTH, value=write_metres('c.length'), other=drawn, place=_MIDDLE)} from checked c "
        f"where abs(c.length - ST_Length(c.geom)) > greatest({share} * ST_Length(c.geom), {least})"
    )


def write_metres(expression: str) -> str:
    """Return a length as text with two decimals."""
    return f"round(({expression})::numeric, 2)::text"


_TO_INVERT, _LENGTH, _MIDDLE = "'to_invert'", "'length'", "ST_LineInterpolatePoint(c.geom, 0.5)"
