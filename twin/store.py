"""SQL of runs: made, followed, finished, listed. A run's status only moves forward."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, text

from layers.errors import ConflictError, NotFoundError
from layers.registry import VECTOR_LAYERS
from layers.schema import Text
from layers.store.objects import fetch_folder

RunStatus = Literal["accepted", "running", "successful", "failed", "dismissed"]
RUN_COLUMNS = (
    "id, process, status, inputs, title_vi, title_en, progress, message, created, started, finished, updated, "
    "attempts, base_time, horizon_hours, summary, stage_forecast, balance, provenance, error"
)

_OURS = "(cast(:attempt as integer) is null or attempts = :attempt)"
"""Each start of a run counts its attempts up, so that the number says who has it: one that lost it writes nothing."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run: what was asked, how far it is (``progress`` 0–100) and what came out."""

    id: str
    process: str
    status: str
    inputs: dict[str, Any]
    title_vi: str
    title_en: str
    progress: float
    message: str
    created: datetime
    started: datetime | None
    finished: datetime | None
    updated: datetime
    attempts: int
    base_time: datetime | None
    horizon_hours: float | None
    summary: dict[str, Any] | None
    stage_forecast: dict[str, Any] | None
    balance: dict[str, Any] | None
    provenance: dict[str, Any] | None
    error: dict[str, Any] | None


def create_run(connection: Connection, *, process: str, inputs: Mapping[str, Any], title: Text) -> str:
    """Enter a run as accepted and return its id (sorts by time, no dots)."""
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{process}-{secrets.token_hex(3)}"
    connection.execute(
        text(
            "insert into run.run (id, process, status, inputs, title_vi, title_en) "
            "values (:id, :process, 'accepted', cast(:inputs as jsonb), :vi, :en)"
        ),
        {"id": run_id, "process": process, "inputs": _to_json(inputs), "vi": title.vi, "en": title.en},
    )
    return run_id


def claim_run(connection: Connection, run_id: str) -> RunRow:
    """Mark a run as running, count the attempt and return it.

    A run that is still marked running was left by a worker that died. Raises ConflictError when it is over.
    """
    row = connection.execute(
        text(
            "update run.run set status = 'running', attempts = attempts + 1, started = coalesce(started, now()), "
            "updated = now(), message = '' where id = :id and status in ('accepted', 'running') "
            f"returning {RUN_COLUMNS}"
        ),
        {"id": run_id},
    ).first()
    if row is None:
        raise ConflictError(f"run '{run_id}' is {read_run(connection, run_id).status} and cannot be started")
    return RunRow(*row)


def update_progress(
    connection: Connection, run_id: str, progress: float, message: str, *, attempt: int | None = None
) -> str:
    """Store how far a running run is (0–100) and return its status, by which a dismissal is noticed.

    With ``attempt`` only that one's progress is stored; ``superseded`` says that a later one has the run.
    """
    values = {"id": run_id, "progress": progress, "message": message, "attempt": attempt}
    connection.execute(
        text(
            "update run.run set progress = :progress, message = :message, updated = now() "
            f"where id = :id and status = 'running' and {_OURS}"
        ),
        values,
    )
    return str(
        connection.execute(
            text(f"select case when {_OURS} then status else 'superseded' end from run.run where id = :id"), values
        ).scalar_one()
    )


def finish_run(
    connection: Connection,
    run_id: str,
    *,
    title: Text,
    base_time: datetime,
    horizon_hours: float,
    summary: Mapping[str, Any],
    stage_forecast: Mapping[str, Any] | None,
    balance: Mapping[str, Any] | None,
    provenance: Mapping[str, Any],
    attempt: int | None = None,
) -> bool:
    """Store the results of a running run as successful; return False when it was dismissed meanwhile.

    With ``attempt`` also when a later attempt has the run: results are written by one of them only.
    """
    done = connection.execute(
        text(
            "update run.run set status = 'successful', progress = 100, message = '', finished = now(), "
            "updated = now(), title_vi = :vi, title_en = :en, base_time = :base_time, "
            "horizon_hours = :horizon_hours, summary = cast(:summary as jsonb), "
            "stage_forecast = cast(:stage_forecast as jsonb), balance = cast(:balance as jsonb), "
            f"provenance = cast(:provenance as jsonb), error = null where id = :id and status = 'running' and {_OURS}"
        ),
        {
            "id": run_id,
            "attempt": attempt,
            "vi": title.vi,
            "en": title.en,
            "base_time": base_time,
            "horizon_hours": horizon_hours,
            "summary": _to_json(summary),
            "stage_forecast": None if stage_forecast is None else _to_json(stage_forecast),
            "balance": None if balance is None else _to_json(balance),
            "provenance": _to_json(provenance),
        },
    )
    return done.rowcount == 1


def fail_run(connection: Connection, run_id: str, *, code: str, message: str, attempt: int | None = None) -> None:
    """Mark a run that is not over as failed, with the reason; with ``attempt`` only while that one has the run."""
    connection.execute(
        text(
            "update run.run set status = 'failed', finished = now(), updated = now(), error = cast(:error as jsonb), "
            f"message = :message where id = :id and status in ('accepted', 'running') and {_OURS}"
        ),
        {
            "id": run_id,
            "attempt": attempt,
            "message": message,
            "error": _to_json({"code": code, "message": message}),
        },
    )


def hand_back_run(connection: Connection, run_id: str, *, attempt: int, counted: bool) -> bool:
    """Let another worker take up a running run; return False when the attempt no longer had it.

    Without ``counted`` the attempt is forgotten: nobody died of it.
    """
    done = connection.execute(
        text(
            "update run.run set status = 'accepted', attempts = attempts - cast(:less as integer), updated = now(), "
            f"message = '' where id = :id and status = 'running' and {_OURS}"
        ),
        {"id": run_id, "attempt": attempt, "less": 0 if counted else 1},
    )
    return done.rowcount == 1


def request_dismiss(connection: Connection, run_id: str) -> RunRow:
    """Dismiss a run: a waiting one never starts, a running one stops at its next step.

    Raises NotFoundError when there is none and ConflictError when it is over already.
    """
    row = connection.execute(
        text(
            "update run.run set status = 'dismissed', finished = now(), updated = now() "
            f"where id = :id and status in ('accepted', 'running') returning {RUN_COLUMNS}"
        ),
        {"id": run_id},
    ).first()
    if row is None:
        present = read_run(connection, run_id)
        if present.status == "dismissed":
            return present
        raise ConflictError(f"run '{run_id}' is already {present.status}")
    return RunRow(*row)


def read_run(connection: Connection, run_id: str) -> RunRow:
    """Return a run; NotFoundError when there is none."""
    row = connection.execute(text(f"select {RUN_COLUMNS} from run.run where id = :id"), {"id": run_id}).first()
    if row is None:
        raise NotFoundError(f"run '{run_id}' does not exist", hint="type: twin jobs list")
    return RunRow(*row)


def find_run_folder(connection: Connection, processed_dir: Path, run_id: str, *, with_rasters: bool = True) -> Path:
    """Return the folder of a finished run's files, brought there from the bucket where they lie in one.

    Without ``with_rasters`` those need not be there. NotFoundError where there is no such run, or none that succeeded.
    """
    run = read_run(connection, run_id)
    if run.status != "successful":
        raise NotFoundError(f"run '{run_id}' is {run.status} and keeps no files")
    folder = processed_dir / "runs" / run.id
    stored = connection.execute(text("select stored from run.run where id = :id"), {"id": run_id}).scalar_one()
    if stored is not None:
        fetch_folder(stored, folder, but=None if with_rasters else ".tif")
    return folder


def note_stored(connection: Connection, run_id: str, stored: str) -> None:
    """Say under which address of a bucket the files of a run lie."""
    connection.execute(text("update run.run set stored = :stored where id = :id"), {"id": run_id, "stored": stored})


def list_runs(
    connection: Connection, *, process: str | None = None, status: str | None = None, limit: int = 50
) -> list[RunRow]:
    """Return the newest runs first, of one process or status if asked."""
    rows = connection.execute(
        text(
            f"select {RUN_COLUMNS} from run.run where (cast(:process as text) is null or process = :process) "
            "and (cast(:status as text) is null or status = :status) order by created desc, id desc limit :limit"
        ),
        {"process": process, "status": status, "limit": limit},
    )
    return [RunRow(*row) for row in rows]


def delete_runs_but(connection: Connection, keep: int) -> list[str]:
    """Delete all finished runs but the newest ``keep`` with their features, and return their ids."""
    ids = list(
        connection.execute(
            text(
                "select id from run.run where status not in ('accepted', 'running') "
                "order by created desc, id desc offset :keep"
            ),
            {"keep": keep},
        ).scalars()
    )
    delete_runs(connection, ids)
    return ids


def delete_runs(connection: Connection, ids: Sequence[str]) -> None:
    """Delete the runs with their features; rasters on the disk are the caller's."""
    connection.execute(text("delete from run.run where id = any(:ids)"), {"ids": list(ids)})
    for layer in VECTOR_LAYERS.values():
        if ids and layer.of_runs:
            connection.execute(text(f'delete from city."{layer.id}" where run_id = any(:ids)'), {"ids": list(ids)})
    connection.execute(text("delete from meta.source where id = any(:ids)"), {"ids": [f"run:{name}" for name in ids]})


def lock_run(connection: Connection, run_id: str) -> bool:
    """Take the run for this connection as long as it lives; return False when another works on it."""
    return bool(
        connection.execute(text("select pg_try_advisory_lock(hashtextextended(:id, 7))"), {"id": run_id}).scalar_one()
    )


def register_run_source(connection: Connection, run_id: str, layer: str, title: Text, *, synthetic: bool) -> str:
    """Enter a run as the source of the features it writes and return the source id."""
    source_id = f"run:{run_id}"
    connection.execute(
        text(
            "insert into meta.source (id, layer, title_vi, title_en, uri, licence, attribution, synthetic, loaded_at) "
            "values (:id, :layer, :vi, :en, :uri, '', '', :synthetic, now()) on conflict (id) do update set "
            "title_vi = excluded.title_vi, title_en = excluded.title_en, loaded_at = excluded.loaded_at"
        ),
        {
            "id": source_id,
            "layer": layer,
            "vi": title.vi,
            "en": title.en,
            "uri": f"run/{run_id}",
            "synthetic": synthetic,
        },
    )
    return source_id


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)
