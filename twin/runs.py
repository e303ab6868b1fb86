"""Runs: read the city, compute, write rasters and features, and keep a record. All of it appears or nothing does."""

import errno
import hashlib
import importlib.metadata
import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.enums import Resampling
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from layers.datum import CRS84, make_transformer
from layers.errors import ConflictError, DiskFullError, TwinError
from layers.registry import read_raster_layer, read_vector_layer
from layers.store.engine import is_away
from layers.store.features import upsert_features
from layers.store.objects import delete_objects, name_for_gdal, put_folder
from layers.store.rasters import register_raster, write_cog
from twin.board import Board
from twin.city import City
from twin.observing.traces import span
from twin.process import Checkpoint, Inputs, Outputs, Process, Progress, RasterOutput, StoppedError, parse_inputs
from twin.queue import call_for_help
from twin.registry import read_process
from twin.run_files import name_run_objects
from twin.settings import ROOT, Settings
from twin.store import (
    RunRow,
    claim_run,
    create_run,
    fail_run,
    finish_run,
    hand_back_run,
    lock_run,
    note_stored,
    read_run,
    register_run_source,
    request_dismiss,
    update_progress,
)
from twin.store_callbacks import JobRequest, insert_request
from twin.store_queue import count_workers
from twin.store_trace_configurations import fill_in
from twin.store_traces import keep_trace

PROGRESS_S = 0.5
CHECKPOINT_S = 10.0
WORKER_SEEN_S = 60.0
RETRY_S = 1.0
MOST_ATTEMPTS = 3
"""A run whose worker died, or lost the database, this often is given up: it is probably what kills them."""

log = logging.getLogger("twin.runs")


class BusyError(ConflictError):
    """Another worker carries the run out."""


class HandedBackError(TwinError):
    """The run is not over: whoever takes it up next goes on from its checkpoint."""

    code = "handed-back"


def submit_run(engine: Engine, process_id: str, values: Mapping[str, Any], *, asked: JobRequest | None = None) -> str:
    """Check the inputs, enter a run as accepted and return its id; nothing is entered when they are wrong.

    ``asked`` is what a client over HTTP wants besides: outputs, callbacks.
    """
    process = read_process(process_id)
    with engine.begin() as connection:
        inputs = parse_inputs(process, fill_in(connection, process.id, values))
        run_id = create_run(
            connection,
            process=process.id,
            inputs=inputs.model_dump(mode="json", exclude_unset=True),
            title=process.title,
        )
        if asked is not None:
            insert_request(connection, run_id, asked)
    return run_id


def execute(
    engine: Engine,
    settings: Settings,
    run_id: str,
    *,
    follow: Callable[[float, str], None] | None = None,
    checkpoint_s: float = CHECKPOINT_S,
    leaving: threading.Event | None = None,
) -> RunRow:
    """Carry out an accepted run, or one whose worker died, and return its record.

    ``follow`` hears of progress (0–1 and words). A dismissed run leaves nothing behind. What goes wrong is written
    into the record and raised. Raises BusyError when another worker is on it, ConflictError when it is over, and
    HandedBackError when it stopped at a step because ``leaving`` was set, or because the database went away.
    """
    with engine.connect() as holder:
        if not lock_run(holder, run_id):
            raise BusyError(f"run '{run_id}' is being carried out by another worker")
        holder.commit()
        try:
            return _carry_out(engine, settings, run_id, follow, checkpoint_s, leaving or threading.Event())
        finally:
            # A pooled connection keeps its session, and with it the lock, unless it is closed for good.
            holder.invalidate()


def _carry_out(
    engine: Engine,
    settings: Settings,
    run_id: str,
    follow: Callable[[float, str], None] | None,
    checkpoint_s: float,
    leaving: threading.Event,
) -> RunRow:
    with engine.begin() as connection:
        run = claim_run(connection, run_id)
    work = settings.processed_dir / "runs" / f".{run_id}"
    began = time.monotonic()
    progress = _Stored(engine, settings, run, work, follow, checkpoint_s, leaving)
    goes_on = False
    try:
        if run.attempts > MOST_ATTEMPTS:
            raise TwinError(
                f"run '{run_id}' was left unfinished {MOST_ATTEMPTS} times by workers that died or lost the database"
            )
        work.mkdir(parents=True, exist_ok=True)
        process = read_process(run.process)
        inputs = parse_inputs(process, run.inputs)
        outputs, data, synthetic = _compute(engine, settings, process, inputs, run, progress)
        progress.report(0.95, "ghi kết quả — writing results")
        if progress.should_stop():
            raise StoppedError
        provenance = _record(run, inputs, outputs, data, time.monotonic() - began)
        with span("write results"):
            _write(engine, settings, run, outputs, provenance, work, synthetic)
    except StoppedError:
        goes_on = progress.lost or (leaving.is_set() and _hand_back(engine, run, leaving, counted=False))
        if goes_on:
            raise HandedBackError(f"run '{run_id}' is handed back") from None
    except KeyboardInterrupt:
        with engine.begin() as connection:
            request_dismiss(connection, run_id)
        raise
    except Exception as error:
        if is_away(error):
            goes_on = _hand_back(engine, run, leaving, counted=True)
            if goes_on:
                raise HandedBackError(f"run '{run_id}' lost the database and is handed back") from error
        else:
            _fail(engine, run, error)
            raise
    finally:
        # What another attempt goes on from, or works in already, is not ours to remove.
        if not goes_on:
            shutil.rmtree(work, ignore_errors=True)
    with engine.connect() as connection:
        return read_run(connection, run_id)


def _hand_back(engine: Engine, run: RunRow, leaving: threading.Event, *, counted: bool) -> bool:
    """Hand a run back, as soon as the database is there; return False when it is over already.

    Who must leave does not wait: the run is found by its lock, which nobody holds then.
    """
    while True:
        try:
            with engine.begin() as connection:
                return hand_back_run(connection, run.id, attempt=run.attempts, counted=counted)
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            if leaving.wait(RETRY_S):
                return True


def _compute(
    engine: Engine, settings: Settings, process: Process, inputs: Inputs, run: RunRow, progress: Progress
) -> tuple[Outputs, dict[str, Any], bool]:
    """Return what the process made of the city, as one consistent picture of it."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        # A run attempted twice must see the same "now", or its checkpoint would be of another flood.
        city = City(connection, settings.processed_dir, run.created)
        with span(f"compute {process.id}"):
            outputs = process.compute(city, inputs, progress)
        # Features may be read from the city only when they are asked for.
        outputs = replace(outputs, features=dict(outputs.features))
        return outputs, city.describe_data(), city.synthetic


def _write(
    engine: Engine,
    settings: Settings,
    run: RunRow,
    outputs: Outputs,
    provenance: Mapping[str, Any],
    work: Path,
    synthetic: bool,
) -> None:
    """Write rasters and files beside their final place, then all else in one transaction with the move."""
    run_id = run.id
    fresh, final = work / f"rasters-{run.attempts}", settings.processed_dir / "runs" / run_id
    shutil.rmtree(fresh, ignore_errors=True)
    moved = False
    for layer_id, raster in outputs.rasters.items():
        _write_raster(fresh / f"{layer_id}.tif", layer_id, raster, run_id)
    for name, content in outputs.files.items():
        fresh.mkdir(parents=True, exist_ok=True)
        (fresh / name).write_bytes(content)
    stored = _deliver(settings, run, fresh)
    try:
        with engine.begin() as connection:
            done = finish_run(
                connection,
                run_id,
                title=outputs.title,
                base_time=outputs.base_time,
                horizon_hours=outputs.horizon_hours,
                summary=outputs.summary,
                stage_forecast=outputs.stage_forecast,
                balance=outputs.balance,
                provenance=provenance,
                attempt=run.attempts,
            )
            if not done:
                raise StoppedError
            for layer_id, frame in outputs.features.items():
                source = register_run_source(connection, run_id, layer_id, outputs.title, synthetic=synthetic)
                named = frame.assign(id=f"{run_id}." + frame["id"].astype(str), run_id=run_id)
                upsert_features(connection, read_vector_layer(layer_id), named, source_id=source)
            if outputs.trace is not None:
                keep_trace(connection, outputs.trace, author=f"run {run_id}")
            for layer_id, raster in outputs.rasters.items():
                _list_raster(connection, run_id, layer_id, raster, fresh, stored)
            # Only one attempt comes here: the run's row is locked until the end.
            shutil.rmtree(final, ignore_errors=True)
            if stored is not None:
                note_stored(connection, run_id, stored)
            elif fresh.exists():
                fresh.rename(final)
                moved = True
    except BaseException as error:
        # A commit without an answer may have happened: the next attempt sees, and writes anew if it did not.
        if moved and not is_away(error):
            shutil.rmtree(final, ignore_errors=True)
        if stored is not None and not is_away(error):
            delete_objects(stored)
        raise


def _deliver(settings: Settings, run: RunRow, fresh: Path) -> str | None:
    """Write what an attempt made below an address of its own in the bucket, if there is one, and return that.

    Nobody knows the address before the run's record names it.
    """
    if settings.object_store is None or not fresh.exists():
        return None
    stored = f"{name_run_objects(settings.object_store, run.id)}/{run.attempts}"
    put_folder(fresh, stored)
    return stored


def _write_raster(path: Path, layer_id: str, raster: RasterOutput, run_id: str) -> None:
    layer = read_raster_layer(layer_id)
    tags = {"layer": layer_id, "run": run_id, "quantity": layer.quantity}
    # A mean of arrival times, or of codes, would be a time or a code that no cell has.
    averaged = layer.quantity != "duration" and not layer.stepped
    how = Resampling.average if averaged else Resampling.nearest
    write_cog(path, raster.array, raster.grid, times=raster.times, tags=tags, resampling=how)


def _list_raster(
    connection: Connection, run_id: str, layer_id: str, raster: RasterOutput, folder: Path, stored: str | None
) -> None:
    x0, y0, x1, y1 = raster.grid.bounds
    to_degrees = make_transformer(raster.grid.crs, CRS84)
    known = np.isfinite(raster.array).any()
    register_raster(
        connection,
        raster_id=f"{run_id}.{layer_id}",
        layer_id=layer_id,
        run_id=run_id,
        path=f"runs/{run_id}/{layer_id}.tif" if stored is None else name_for_gdal(f"{stored}/{layer_id}.tif"),
        times=raster.times,
        bounds_crs84=to_degrees.transform_bounds(x0, y0, x1, y1),
        minimum=float(np.nanmin(raster.array)) if known else None,
        maximum=float(np.nanmax(raster.array)) if known else None,
        source_id=f"run:{run_id}",
        fingerprint=hashlib.sha256((folder / f"{layer_id}.tif").read_bytes()).hexdigest()[:16],
    )


def _record(run: RunRow, inputs: Inputs, outputs: Outputs, data: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    return {
        "code_version": read_code_version(),
        "inputs": inputs.model_dump(mode="json"),
        "parameters": dict(outputs.parameters),
        **data,
        "attempts": run.attempts,
        "duration_s": round(seconds, 3),
        "mass_balance_error": None if outputs.balance is None else outputs.balance.get("relative_error"),
    }


def read_code_version() -> str:
    """Return the version of the code: of the working copy if it is one, else of the installed package."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--tags"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return importlib.metadata.version("city-twin")
    return asked.stdout.strip()


def _fail(engine: Engine, run: RunRow, error: Exception) -> None:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        error = DiskFullError("no room on the disk for the results", hint="make room where the processed data lie")
    code, message = "internal", f"{type(error).__name__}: {error}"
    if isinstance(error, TwinError):
        code, message = error.code, str(error)
    with engine.begin() as connection:
        fail_run(connection, run.id, code=code, message=message, attempt=run.attempts)


class _Stored:
    """Progress kept in the database, checkpoints kept in the run's work folder.

    ``lost``: another attempt has the run.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        run: RunRow,
        work: Path,
        follow: Callable[[float, str], None] | None,
        checkpoint_s: float,
        leaving: threading.Event,
    ) -> None:
        self._settings = settings
        self._engine, self._run, self._work, self._follow = engine, run, work, follow
        self._checkpoint_s, self._leaving = checkpoint_s, leaving
        self._told = self._saved = time.monotonic()
        self._status = "running"
        self._latest = (0.0, "")

    @property
    def lost(self) -> bool:
        """Whether another attempt has the run."""
        return self._status == "superseded"

    def report(self, fraction: float, message: str) -> None:
        """Tell who follows, and the database at most twice a second."""
        self._latest = (fraction, message)
        if self._follow is not None:
            self._follow(fraction, message)
        self._tell()

    def should_stop(self) -> bool:
        """Return whether the run was dismissed or taken over, as of the last half second, or its worker must leave."""
        self._tell()
        return self._status != "running" or self._leaving.is_set()

    def read_checkpoint(self) -> Checkpoint | None:
        """Return the arrays an earlier attempt left, or None."""
        path = self._work / "checkpoint.npz"
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    def write_checkpoint(self, make: Callable[[], Checkpoint]) -> None:
        """Save the arrays, whole or not at all, when the last time is long enough ago; a full disk holds nobody up."""
        if time.monotonic() - self._saved < self._checkpoint_s:
            return
        self._saved = time.monotonic()
        fresh = self._work / f"fresh-{self._run.attempts}.npz"
        try:
            np.savez(fresh, allow_pickle=False, **make())
            fresh.replace(self._work / "checkpoint.npz")
        except OSError as error:
            fresh.unlink(missing_ok=True)
            log.warning("run %s keeps no checkpoint for now: %s", self._run.id, error)

    def open_shelf(self) -> Path:
        """Return the folder for members that outlive this attempt."""
        return self._work / "kept"

    def open_board(self, compute: Callable[[Any, Progress], Any]) -> Board | None:
        """Open a board and call workers, where the settings say that they share members."""
        if not self._settings.share_members:
            return None
        board = Board(self._engine, self._run.id)
        board.open(self._settings.machine, compute)
        with self._engine.connect() as connection:
            workers = count_workers(connection, seen_within_s=WORKER_SEEN_S)
        call_for_help(self._engine, self._run.id, workers)
        return board

    def _tell(self) -> None:
        """Store the progress and hear what became of the run; a database that is away is told later."""
        now = time.monotonic()
        if now - self._told < PROGRESS_S:
            return
        self._told = now
        try:
            with self._engine.begin() as connection:
                self._status = update_progress(
                    connection, self._run.id, 100.0 * self._latest[0], self._latest[1], attempt=self._run.attempts
                )
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            log.warning("the progress of run %s is not stored for now: the database is away", self._run.id)
