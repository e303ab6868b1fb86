"""Control programs and calendars of lamps, by the cabinet that switches them, each from a time on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from layers.errors import InputError, NotFoundError

EVERYWHERE = ""
"""Stands for all cabinets that have no calendar of their own."""


def declare_calendar(
    connection: Connection,
    cabinet: str,
    calendar: Mapping[str, Any],
    *,
    valid_from: datetime,
    author: str,
    reason: str,
) -> None:
    """Keep the calendar of a cabinet (or of ``EVERYWHERE``) from ``valid_from`` on; one of the same time is replaced.

    Raises NotFoundError for a cabinet that is not there and InputError without a reason.
    """
    if not reason.strip():
        raise InputError("a calendar gives no reason", hint="say who decided it")
    if cabinet != EVERYWHERE:
        found = connection.execute(text("select 1 from city.lighting_cabinets where id = :id"), {"id": cabinet}).first()
        if found is None:
            raise NotFoundError(f"there is no lighting cabinet '{cabinet[:80]}'")
    connection.execute(
        text(
            "insert into sensing.lamp_calendar (cabinet, valid_from, calendar, author, reason) "
            "values (:cabinet, :valid_from, cast(:calendar as jsonb), :author, :reason) "
            "on conflict (cabinet, valid_from) do update set calendar = excluded.calendar, author = excluded.author, "
            "reason = excluded.reason, recorded = clock_timestamp()"
        ),
        {
            "cabinet": cabinet, "valid_from": valid_from, "calendar": orjson.dumps(calendar).decode(),
            "author": author, "reason": reason,
        },
    )  # fmt: skip


def select_calendars(connection: Connection, at: datetime) -> dict[str, dict[str, Any]]:
    """Return the calendars in force at a time, by cabinet."""
    rows = connection.execute(
        text(
            "select distinct on (cabinet) cabinet, calendar from sensing.lamp_calendar where valid_from <= :at "
            "order by cabinet, valid_from desc"
        ),
        {"at": at},
    )
    return {row.cabinet: row.calendar for row in rows}


def select_calendar_versions(connection: Connection) -> list[tuple[str, datetime, dict[str, Any]]]:
    """Return every calendar that was declared: cabinet, from when on, document; in the order of their times."""
    rows = connection.execute(
        text("select cabinet, valid_from, calendar from sensing.lamp_calendar order by valid_from, cabinet")
    )
    return [(row.cabinet, row.valid_from, row.calendar) for row in rows]


def select_feeds(connection: Connection, luminaires: Sequence[str]) -> dict[str, tuple[str | None, str | None]]:
    """Return the cabinet and the circuit of each luminaire, where it names one."""
    rows = connection.execute(
        text("select id, cabinet_id, circuit_id from city.luminaires where id = any(:ids)"), {"ids": list(luminaires)}
    )
    return {row.id: (row.cabinet_id, row.circuit_id) for row in rows}


def select_circuit_cabinets(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """Return the cabinet of each name that is a cabinet or a circuit of one."""
    rows = connection.execute(
        text(
            "select id as name, id as cabinet from city.lighting_cabinets where id = any(:names) union "
            "select circuit_id, min(cabinet_id) from city.luminaires where circuit_id = any(:names) "
            "and cabinet_id is not null group by circuit_id"
        ),
        {"names": list(names)},
    )
    return {row.name: row.cabinet for row in rows}
