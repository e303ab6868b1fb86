"""Invariants of the files beside the database: every row has its file, every file its row."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from layers.errors import NotFoundError, ObjectStoreError
from layers.store.attachments import FOLDER as ATTACHMENTS
from layers.store.attachments import list_attachment_paths
from layers.store.objects import read_gdal_name, stat_object
from layers.store.rasters import list_rasters
from twin.invariants.words import Breach, Found, Scene
from twin.store_backup import list_retired_files
from twin.store_invariants import list_run_states

RASTERS, RUNS, READINGS = "rasters", "runs", "readings"
# What is younger may belong to what is being written now.
_GROWN_S = 3600.0


def find_lost_files(scene: Scene) -> Found:
    """Find rasters, attachments and retired months whose file is not there."""
    named = [
        *((f"raster {row.id}", row.path) for row in list_rasters(scene.connection)),
        *(("attachment", path) for path in list_attachment_paths(scene.connection)),
        *(("retired month", f"{READINGS}/{name}") for name in list_retired_files(scene.connection)),
    ]
    return _found(scene, _list_lost(scene.processed_dir, named))


def _list_lost(folder: Path, named: Iterable[tuple[str, str]]) -> Iterator[Breach]:
    for what, path in named:
        url = read_gdal_name(path)
        if url is None:
            if not (folder / path).is_file():
                yield Breach(f"{what}: {path}", "the file is not there")
            continue
        try:
            stat_object(url)
        except NotFoundError:
            yield Breach(f"{what}: {url}", "the object is not there")
        except ObjectStoreError as error:
            yield Breach(f"{what}: {url}", error.message)


def find_orphans(scene: Scene) -> Found:
    """Find rasters, attachments and folders of runs that no row names, and work left behind by runs that are over."""
    rows = list_rasters(scene.connection)
    # Of a raster in a bucket the copy that was made here may be left.
    rasters = {row.path if read_gdal_name(row.path) is None else f"{RASTERS}/{row.layer}.tif" for row in rows}
    attachments = set(list_attachment_paths(scene.connection))
    runs = list_run_states(scene.connection)
    return _found(scene, _list_orphans(scene.processed_dir, rasters, attachments, runs))


def _list_orphans(folder: Path, rasters: set[str], attachments: set[str], runs: dict[str, str]) -> Iterator[Breach]:
    for path in _walk(folder / RASTERS, "*.tif"):
        if str(path.relative_to(folder)) not in rasters:
            yield Breach(str(path), "no raster of the city is in this file")
    for path in _walk(folder / ATTACHMENTS, "*/*"):
        if str(path.relative_to(folder)) not in attachments:
            yield Breach(str(path), "no feature has this attachment")
    for path in _walk(folder / RUNS, "*"):
        run_id = path.name.removeprefix(".")
        if run_id not in runs:
            yield Breach(str(path), "there is no such run")
        elif path.name != run_id and runs[run_id] not in ("accepted", "running"):
            yield Breach(str(path), f"work left behind by a run that is {runs[run_id]}")


def _walk(folder: Path, pattern: str) -> Iterator[Path]:
    before = time.time() - _GROWN_S
    for path in sorted(folder.glob(pattern)):
        try:
            if path.stat().st_mtime < before:
                yield path
        except FileNotFoundError:
            continue


def _found(scene: Scene, breaches: Iterable[Breach]) -> Found:
    every = list(breaches)
    return Found(len(every), tuple(every[: scene.most]))
