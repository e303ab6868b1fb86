"""Readings changed and taken back: a correction beside the raw row, or the mark that it is withdrawn."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from layers.errors import InputError
from layers.store.sensing.arrival import store_live
from layers.store.sensing.creating import Writing, find_observation, find_or_create, find_series
from layers.store.sensing.documents import Document
from layers.store.sensing.flags import flag_by_hand
from layers.store.sensing.observing import Row, make_id, read_observation

CHANGED, WITHDRAWN = "changed by hand", "withdrawn"
_EXTRAS = {
    "phenomenonTime": ("phenomenon_end",),
    "resultTime": ("result_time",),
    "validTime": ("valid_start", "valid_end"),
    "parameters": ("parameters",),
}


def change_observation(writing: Writing, observation_id: str, document: Document, *, whole: bool) -> str:
    """Change what is said of a reading and return its id; a new result is a correction, the raw value stays.

    A reading given another phenomenonTime is withdrawn at the old one and stored at the new one, under a new id.
    Raises InputError for a Datastream that is another one.
    """
    connection = writing.connection
    stream, fid, at = find_observation(connection, observation_id)
    _refuse_other_stream(document, stream)
    sent = dict(document.attributes)
    row = read_observation({"result": None, **sent}, stream, at)
    feature = _read_feature(writing, document, stream)
    if row["phenomenon_time"] != at:
        return _move_observation(writing, observation_id, row, sent, feature)
    if whole or "result" in sent:
        store_live(connection, [_keep_value(row)], author=writing.author, reason=writing.reason or CHANGED)
        if row["result"] is None and "value" not in row:
            renew_latest(connection, [fid])
    columns: Row = {}
    for name, names in _EXTRAS.items():
        if name in sent or whole:
            columns |= {column: row.get(column) for column in names}
    if feature is not None:
        columns["feature_of_interest_id"] = feature
    if columns:
        _write(connection, fid, at, columns)
    if sent.get("resultQuality") is not None:
        reason = writing.reason or CHANGED
        flag_by_hand(connection, stream, at, at, row["quality"], author=writing.author, reason=reason)
    return make_id(fid, at)


def withdraw_observation(writing: Writing, observation_id: str) -> None:
    """Take a reading back: nobody reads it any more, the raw row stays, and who did it why is kept."""
    _, fid, at = find_observation(writing.connection, observation_id)
    _withdraw(writing, "o.datastream = :fid and o.phenomenon_time = :at", {"fid": fid, "at": at})


def withdraw_of_feature(writing: Writing, feature_id: str) -> None:
    """Take back all readings of a feature of interest."""
    _withdraw(
        writing,
        "(o.feature_of_interest_id = :feature or (o.feature_of_interest_id is null and o.datastream in "
        "(select fid from sensing.datastream where feature_of_interest_id = :feature)))",
        {"feature": feature_id},
    )


def _withdraw(writing: Writing, condition: str, parameters: dict[str, Any]) -> None:
    connection = writing.connection
    fids = list(
        connection.execute(
            text(
                "with gone as (update sensing.observation o set withdrawn = clock_timestamp(), "
                f"revision = o.revision + 1 where o.withdrawn is null and {condition} "
                "returning o.datastream, o.phenomenon_time, o.revision), said as ("
                "insert into sensing.correction (datastream, phenomenon_time, revision, author, reason) "
                "select datastream, phenomenon_time, revision, :author, :reason from gone), dirty as ("
                "insert into sensing.dirty_hour (datastream, start) select distinct datastream, "
                "date_trunc('hour', phenomenon_time, 'UTC') from gone on conflict do nothing) "
                "select datastream, pg_notify('reading', '') from (select distinct datastream from gone) g"
            ),
            {**parameters, "author": writing.author, "reason": writing.reason or WITHDRAWN},
        ).scalars()
    )
    renew_latest(connection, fids)


def renew_latest(connection: Connection, fids: Sequence[int]) -> None:
    """Find the newest and the first reading of series (by number) anew, after one was taken back."""
    if not fids:
        return
    connection.execute(
        text(
            "delete from sensing.latest l where l.datastream = any(:fids) and not exists ("
            "select from sensing.reading r where r.datastream = l.datastream "
            "and (r.result is not null or r.value is not null))"
        ),
        {"fids": list(fids)},
    )
    connection.execute(
        text(
            "update sensing.latest l set phenomenon_time = n.phenomenon_time, result = n.result, value = n.value, "
            "quality = n.quality, stored = clock_timestamp(), first_time = (select min(f.phenomenon_time) "
            "from sensing.reading f where f.datastream = l.datastream "
            "and (f.result is not null or f.value is not null)) from unnest(cast(:fids as bigint[])) s "
            "cross join lateral (select r.* from sensing.reading r where r.datastream = s "
            "and (r.result is not null or r.value is not null) order by r.phenomenon_time desc limit 1) n "
            "where l.datastream = s"
        ),
        {"fids": list(fids)},
    )


def _move_observation(
    writing: Writing, observation_id: str, row: Row, sent: dict[str, Any], feature: str | None
) -> str:
    connection = writing.connection
    _, fid, at = find_observation(connection, observation_id)
    kept = connection.execute(
        text(
            "select result, value, quality, result_time, valid_start, valid_end, parameters, feature_of_interest_id "
            "from sensing.reading where datastream = :fid and phenomenon_time = :at"
        ),
        {"fid": fid, "at": at},
    ).one()
    moved = {**dict(kept._mapping), **row}
    if "result" not in sent:
        moved |= {"result": kept.result, "value": kept.value}
    if feature is not None:
        moved["feature_of_interest_id"] = feature
    _withdraw(writing, "o.datastream = :fid and o.phenomenon_time = :at", {"fid": fid, "at": at})
    reason = writing.reason or f"moved from {at.astimezone(UTC).isoformat()}"
    store_live(connection, [moved], author=writing.author, reason=reason)
    return make_id(fid, row["phenomenon_time"])


def _refuse_other_stream(document: Document, stream: str) -> None:
    given = document.links.get("Datastream")
    if given is not None and (not isinstance(given, dict) or str(given.get("@iot.id")) != stream):
        raise InputError(f"an Observation of '{stream}' cannot be moved to another Datastream", hint="create it there")


def _read_feature(writing: Writing, document: Document, stream: str) -> str | None:
    given = document.links.get("FeatureOfInterest")
    if given is None:
        return None
    link = document.entity.find_navigation("FeatureOfInterest")
    assert link is not None
    feature = find_or_create(writing.go_deeper(), link, given)
    return None if feature == find_series(writing.connection, stream)[1] else feature


def _keep_value(row: Row) -> Row:
    return {name: row[name] for name in ("datastream_id", "phenomenon_time", "result", "value") if name in row}


def _write(connection: Connection, fid: int, at: datetime, columns: Row) -> None:
    assigned = ", ".join(
        f"{name} = cast(:{name} as jsonb)" if name == "parameters" else f"{name} = :{name}" for name in columns
    )
    values = {
        name: orjson.dumps(value).decode() if name == "parameters" and value is not None else value
        for name, value in columns.items()
    }
    connection.execute(
        text(f"update sensing.observation set {assigned} where datastream = :fid and phenomenon_time = :at"),
        {**values, "fid": fid, "at": at},
    )
