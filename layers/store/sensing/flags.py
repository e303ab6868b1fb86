"""Quality flags after the fact: revised by the tests, or given by a person and then left alone by the tests.

A trigger keeps what a flag was before it changed, and marks the hour for the roll-ups.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from layers.errors import InputError, NotFoundError
from layers.store.sensing.datastreams import read_fid

_REVISE = """
with given as (
    select * from unnest(cast(:fids as bigint[]), cast(:times as float8[]), cast(:flags as smallint[]))
        as g (datastream, at, quality)
), changed as (
    update sensing.observation o set quality = g.quality from given g
    where o.datastream = g.datastream and o.phenomenon_time = to_timestamp(g.at) and o.quality <> g.quality
      and not exists (select from sensing.past_flag v where v.datastream = o.datastream
          and v.phenomenon_time = o.phenomenon_time and v.author is not null)
    returning o.datastream, o.phenomenon_time, o.quality
), shown as (
    update sensing.latest l set quality = c.quality from changed c
    where l.datastream = c.datastream and l.phenomenon_time = c.phenomenon_time
)
select count(*), pg_notify('reading', '') from changed
"""


def revise_flags(
    connection: Connection, fids: NDArray[np.int64], times: NDArray[np.float64], flags: NDArray[np.uint8]
) -> int:
    """Give readings, by series number and time [s since 1970], new flags; return how many changed.

    A flag that a person gave stays.
    """
    if not len(fids):
        return 0
    changed = connection.execute(
        text(_REVISE), {"fids": fids.tolist(), "times": times.tolist(), "flags": flags.tolist()}
    ).scalar_one()
    return int(changed)


def flag_by_hand(
    connection: Connection,
    datastream_id: str,
    start: datetime,
    end: datetime,
    quality: int,
    *,
    author: str,
    reason: str,
) -> int:
    """Flag the readings of ``start`` ≤ time ≤ ``end`` as a person sees it and return how many there are.

    The tests leave them alone from then on. Raises InputError for a flag that is none or no reason, NotFoundError when
    there is no reading.
    """
    if quality not in (1, 2, 3, 4):
        raise InputError(
            f"quality {quality} is no flag a person gives", hint="1 good, 2 not evaluated, 3 suspect, 4 fail"
        )
    if not reason.strip():
        raise InputError("a flag gives no reason", hint="say what is wrong with the readings")
    parameters = {
        "fid": read_fid(connection, datastream_id), "start": start, "end": end, "quality": quality,
        "author": author, "reason": reason,
    }  # fmt: skip
    found = connection.execute(
        text(
            "insert into sensing.past_flag (datastream, phenomenon_time, quality, withdrawn, author, reason) "
            "select datastream, phenomenon_time, quality, withdrawn, :author, :reason from sensing.observation "
            "where datastream = :fid and phenomenon_time between :start and :end and withdrawn is null"
        ),
        parameters,
    ).rowcount
    if not found:
        raise NotFoundError(f"datastream '{datastream_id}' has no reading from {start} to {end}")
    connection.execute(
        text(
            "update sensing.observation set quality = :quality where datastream = :fid and quality <> :quality "
            "and phenomenon_time between :start and :end and withdrawn is null"
        ),
        parameters,
    )
    connection.execute(
        text(
            "update sensing.latest set quality = :quality "
            "where datastream = :fid and phenomenon_time between :start and :end"
        ),
        parameters,
    )
    connection.execute(text("select pg_notify('reading', '')"))
    return int(found)


def pin_flags(connection: Connection, rows: Sequence[tuple[str, float]], *, author: str, reason: str) -> None:
    """Keep the present flags of readings, by series id and time [s since 1970], from being revised by the tests."""
    if not rows:
        return
    connection.execute(
        text(
            "insert into sensing.past_flag (datastream, phenomenon_time, quality, withdrawn, author, reason) "
            "select o.datastream, o.phenomenon_time, o.quality, o.withdrawn, :author, :reason "
            "from unnest(cast(:ids as text[]), cast(:times as float8[])) g (id, at) "
            "join sensing.datastream d on d.id = g.id join sensing.observation o on o.datastream = d.fid "
            "and o.phenomenon_time = to_timestamp(g.at)"
        ),
        {"ids": [row[0] for row in rows], "times": [row[1] for row in rows], "author": author, "reason": reason},
    )
