"""The state of stored networks: versions, what waits to be settled, what changed, and the triggers that note it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from layers.errors import ConflictError
from layers.registry import read_vector_layer
from layers.store.names import quote
from layers.store.tables import CITY

CHANGES_KEPT = 200
WRITERS_WAIT = "2s"
"""How long a first build waits for transactions that write the layers: one of them may wait for this very build."""


@dataclass(frozen=True, slots=True)
class StoredState:
    """A network as it is stored: its version, when it changed last and was built last, what its declaration was, and
    whether writes wait to be settled.
    """

    version: int
    changed: datetime
    built: datetime
    declared: str
    waiting: bool

    @property
    def stamp(self) -> str:
        """The version with its moment: a database put back from a copy never repeats one."""
        return f"{self.version}-{int(self.changed.timestamp() * 1e6)}"


@dataclass(frozen=True, slots=True)
class Written:
    """What statements wrote (n,): the layers, the features, and the box of the place each has or had [m], NaN where it
    did not move. ``whole`` are layers of which more was written than is listed.
    """

    layers: NDArray[np.object_]
    fids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    whole: frozenset[str]


def read_state(connection: Connection, commodity: str) -> StoredState | None:
    """Return the state of a stored network, None when it was never built."""
    row = connection.execute(text(_STATE), {"id": commodity}).first()
    return None if row is None else StoredState(*row)


def lock_state(connection: Connection, commodity: str, *, wait: bool = True) -> StoredState | None:
    """Return the state of a stored network, which no other transaction changes until this one ends.

    None when it was never built, or when another holds it and ``wait`` is false.
    """
    how = "" if wait else " skip locked"
    row = connection.execute(text(f"{_STATE} for update of c{how}"), {"id": commodity}).first()
    return None if row is None else StoredState(*row)


def lock_build(connection: Connection, commodity: str) -> None:
    """Let no other transaction build a network before this one ends."""
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended('network.' || :id, 0))"), {"id": commodity})


def write_state(
    connection: Connection, commodity: str, *, declared: str, tolerance: float, lines: Sequence[str],
    points: Sequence[str], next_node: int,
) -> None:  # fmt: skip
    """Record that a network was built: its next version."""
    connection.execute(
        text(
            "insert into network.commodity as c (id, version, changed, built, declared, tolerance, line_layers, "
            "point_layers, next_node) values (:id, 1, clock_timestamp(), clock_timestamp(), :declared, :tolerance, "
            ":lines, :points, :next_node) on conflict (id) do update set version = c.version + 1, "
            "changed = excluded.changed, built = excluded.built, declared = excluded.declared, "
            "tolerance = excluded.tolerance, line_layers = excluded.line_layers, "
            "point_layers = excluded.point_layers, next_node = excluded.next_node"
        ),
        {
            "id": commodity, "declared": declared, "tolerance": tolerance, "lines": list(lines),
            "points": list(points), "next_node": next_node,
        },
    )  # fmt: skip
    connection.execute(text("delete from network.change where commodity = :id"), {"id": commodity})
    connection.execute(text("delete from network.pending where commodity = :id"), {"id": commodity})


def advance_state(connection: Connection, commodity: str, changed: Iterable[tuple[str, int]], *, nodes: int) -> None:
    """Record the next version of a network, which features changed in it, and how many nodes got a number."""
    version = connection.execute(
        text(
            "update network.commodity set version = version + 1, changed = clock_timestamp(), "
            "next_node = next_node + :nodes where id = :id returning version"
        ),
        {"id": commodity, "nodes": nodes},
    ).scalar_one()
    pairs: list[tuple[str | None, int | None]] = [*sorted(set(changed))] or [(None, None)]
    connection.execute(
        text(
            "insert into network.change (commodity, version, layer, fid) "
            "select :id, :version, * from unnest(cast(:layers as text[]), cast(:fids as bigint[]))"
        ),
        {"id": commodity, "version": version, "layers": [one[0] for one in pairs], "fids": [one[1] for one in pairs]},
    )
    connection.execute(
        text("delete from network.change where commodity = :id and version <= :old"),
        {"id": commodity, "old": version - CHANGES_KEPT},
    )


def read_next_node(connection: Connection, commodity: str) -> int:
    """Return the number of the next new node."""
    found = connection.execute(text("select next_node from network.commodity where id = :id"), {"id": commodity})
    return int(found.scalar_one())


def has_written(connection: Connection) -> bool:
    """Return whether the transaction wrote anything."""
    return bool(connection.execute(text("select pg_current_xact_id_if_assigned() is not null")).scalar_one())


def read_changes(connection: Connection, commodity: str, since: int, until: int) -> dict[str, list[int]] | None:
    """Return the features that changed after version ``since``, by layer; None when that is not known any more."""
    rows = connection.execute(
        text(
            "select version, layer, fid from network.change where commodity = :id and version > :since "
            "and version <= :until"
        ),
        {"id": commodity, "since": since, "until": until},
    ).all()
    if len({row.version for row in rows}) != until - since:
        return None
    found: dict[str, set[int]] = {}
    for row in rows:
        if row.layer is not None:
            found.setdefault(row.layer, set()).add(row.fid)
    return {layer: sorted(fids) for layer, fids in found.items()}


def take_written(connection: Connection, commodity: str, *, most: int) -> Written:
    """Return what waits to be settled and take it out; more than ``most`` features of a layer are the whole layer."""
    rows = connection.execute(
        text(
            "with taken as (delete from network.pending where commodity = :id returning layer, fid, x0, y0, x1, y1), "
            "counted as (select *, count(*) over (partition by layer) > :most or "
            "bool_or(fid is null) over (partition by layer) as whole from taken) "
            "select layer, fid, x0, y0, x1, y1 from counted where not whole union all "
            "select distinct layer, null::bigint, null::float8, null::float8, null::float8, null::float8 from counted "
            "where whole"
        ),
        {"id": commodity, "most": most},
    ).all()
    listed = [row for row in rows if row.fid is not None]
    layers = np.empty(len(listed), object)
    layers[:] = [row.layer for row in listed]
    return Written(
        layers,
        np.array([row.fid for row in listed], np.int64),
        np.array([row[2:] for row in listed], np.float64).reshape(-1, 4),
        frozenset(row.layer for row in rows if row.fid is None),
    )


def follow_layers(connection: Connection, commodity: str, layers: Iterable[str]) -> None:
    """Let every statement that writes one of these layers note it for the network of a commodity.

    Raises ConflictError where somebody who writes one of them does not come to an end.
    """
    connection.execute(text("select set_config('lock_timeout', :wait, true)"), {"wait": WRITERS_WAIT})
    for layer in layers:
        try:
            _note_writes(connection, commodity, layer)
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            raise ConflictError(f"layer '{layer}' is being loaded or edited", hint="try again soon") from None
    connection.execute(text("select set_config('lock_timeout', '0', true)"))


def _note_writes(connection: Connection, commodity: str, layer: str) -> None:
    table = f"{CITY}.{quote(read_vector_layer(layer).id)}"
    for event, rows in (
        ("inserted", "after insert on {} referencing new table as new_rows"),
        ("updated", "after update on {} referencing old table as old_rows new table as new_rows"),
        ("deleted", "after delete on {} referencing old table as old_rows"),
        ("truncated", "after truncate on {}"),
    ):
        name, argument = quote(f"network_{commodity}_{event}"), "'" + commodity.replace("'", "''") + "'"
        connection.exec_driver_sql(
            f"create or replace trigger {name} {rows.format(table)} for each statement "
            f"execute function network.note_{event}({argument})"
        )


_COLUMNS = (
    "c.version, c.changed, c.built, c.declared, "
    "exists (select 1 from network.pending p where p.commodity = c.id) as waiting"
)
_STATE = f"select {_COLUMNS} from network.commodity c where c.id = :id"
