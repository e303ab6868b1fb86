"""SQL of traces: kept under their id with what they found, forgotten when nobody asks for them any more."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from layers.errors import NotFoundError, TooLargeError
from twin.networks.kept import Fids, KeptTrace

KEPT_DAYS, MOST_KEPT = 30, 5_000
"""A trace that nobody asked for so long is forgotten; of more than that, the one asked for longest ago."""
MOST_BITS = 1 << 28
_TIDY = "0"


@dataclass(frozen=True, slots=True)
class TraceRow:
    """A kept trace: what was asked by whom, of which version, what it adds up to, and its members by layer."""

    id: str
    process: str
    commodity: str
    request: dict[str, Any]
    stamp: str
    figures: dict[str, Any]
    author: str
    created: datetime
    asked: datetime
    members: dict[str, int]


def keep_trace(connection: Connection, kept: KeptTrace, *, author: str, lasting: bool = True) -> None:
    """Keep a trace; one that is kept already is only noted as asked for again.

    Without ``lasting`` the transaction does not wait for the disk: the last traces before a crash can be asked again.
    Raises TooLargeError where feature ids are beyond what a bit string may hold.
    """
    if not lasting:
        connection.execute(text("set local synchronous_commit = off"))
    trace_id = kept.id
    fresh = connection.execute(
        text(
            "insert into network.trace (id, process, commodity, request, stamp, figures, author) "
            "values (:id, :process, :commodity, cast(:request as jsonb), :stamp, cast(:figures as jsonb), :author) "
            "on conflict (id) do update set asked = now() returning xmax = 0"
        ),
        {
            "id": trace_id,
            "process": kept.process,
            "commodity": kept.commodity,
            "request": _to_json(kept.request),
            "stamp": kept.stamp,
            "figures": _to_json(kept.figures),
            "author": author,
        },
    ).scalar_one()
    if not fresh:
        return
    rows = []
    for layer, fids in kept.members.items():
        bits, count = pack_fids(fids)
        rows.append({"trace": trace_id, "layer": layer, "count": count, "bits": bits})
    if rows:
        connection.execute(
            text(
                "insert into network.trace_members (trace, layer, count, bits) values (:trace, :layer, :count, :bits)"
            ),
            rows,
        )
    # Ids are spread evenly: every sixteenth trace tidies up.
    if trace_id.startswith(_TIDY):
        forget_traces(connection)


def pack_fids(fids: Fids) -> tuple[bytes, int]:
    """Return feature ids as the bit string of ``network.trace_members``, and how many there are.

    Raises TooLargeError for one beyond ``MOST_BITS``.
    """
    highest = int(fids.max())
    if highest >= MOST_BITS:
        raise TooLargeError(
            f"feature id {highest} is beyond {MOST_BITS}, so the trace cannot be kept as a filter",
            hint="number the layer's features anew",
        )
    bits = np.zeros(highest + 1, np.bool_)
    bits[fids] = True
    return np.packbits(bits, bitorder="little").tobytes(), int(np.count_nonzero(bits))


def read_trace(connection: Connection, trace_id: str) -> TraceRow:
    """Return a kept trace; NotFoundError where there is none."""
    row = connection.execute(
        text(
            "select t.*, coalesce((select jsonb_object_agg(m.layer, m.count) from network.trace_members m "
            "where m.trace = t.id), '{}') as members from network.trace t where t.id = :id"
        ),
        {"id": trace_id},
    ).first()
    if row is None:
        raise NotFoundError(f"there is no trace '{trace_id[:80]}'", hint="ask it again: it may have been forgotten")
    return TraceRow(**row._mapping)


def forget_traces(connection: Connection, *, days: int = KEPT_DAYS, most: int = MOST_KEPT) -> int:
    """Forget traces that nobody asked for in so many days, and all but the ``most`` asked for last."""
    done = connection.execute(
        text(
            "delete from network.trace where asked < now() - make_interval(days => :days) or id in "
            "(select id from network.trace order by asked desc, id offset :most)"
        ),
        {"days": days, "most": most},
    )
    return int(done.rowcount)


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)
