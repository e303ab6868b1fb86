"""Files of runs: in a folder of each, or below an address of each in a bucket."""

import shutil
from collections.abc import Iterable

from layers.store.objects import delete_objects
from twin.settings import Settings


def name_run_objects(object_store: str, run_id: str) -> str:
    """Return the address below which all attempts of a run write."""
    return f"{object_store}/runs/{run_id}"


def remove_run_files(settings: Settings, run_ids: Iterable[str]) -> None:
    """Remove the files of runs that are deleted, and what was brought here of them."""
    for run_id in run_ids:
        shutil.rmtree(settings.processed_dir / "runs" / run_id, ignore_errors=True)
        if settings.object_store is not None:
            delete_objects(name_run_objects(settings.object_store, run_id))
