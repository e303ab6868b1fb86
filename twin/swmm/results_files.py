"""What a run of SWMM keeps beside its rasters: the model, the extremes, and the series of every node and link."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from hydrology.swmm_run import SwmmResults
from layers.errors import NotFoundError
from layers.ingest.swmm.document import fold_name, write_document
from twin.swmm.running_models import RunModel

MODEL, INDEX, NODE_SERIES, LINK_SERIES, SYSTEM_SERIES = (
    "model.inp",
    "drainage.json",
    "drainage_nodes.npy",
    "drainage_links.npy",
    "drainage_system.npy",
)
NODE_VALUES = {"depth": "m", "inflow": "m3/s", "flooding": "m3/s"}
LINK_VALUES = {"flow": "m3/s", "depth": "m", "velocity": "m/s"}
SYSTEM_VALUES = {"runoff": "m3/s", "flooding": "m3/s", "outflow": "m3/s"}

_NODE_COLUMNS = ("invert", "full_depth", "max_depth", "max_inflow", "max_flooding", "flooding_volume",
                 "surcharge_time", "flooding_time", "peak_time")  # fmt: skip
_LINK_COLUMNS = ("start_offset", "end_offset", "length", "full_depth", "full_flow", "max_flow", "max_velocity",
                 "max_depth", "full_time", "above_full_time", "peak_time")  # fmt: skip


def pack_results(model: RunModel, results: SwmmResults) -> dict[str, bytes]:
    """Return the files of a run by name."""
    nodes, links, series = results.nodes, results.links, results.series
    index: dict[str, Any] = {
        "times": series.times,
        "nodes": {
            "names": nodes.ids,
            "ids": [model.nodes.get(name, name) for name in nodes.ids],
            "kinds": nodes.kinds,
            **{name: np.round(getattr(nodes, name), 6) for name in _NODE_COLUMNS},
        },
        "links": {
            "names": links.ids,
            "ids": [model.links.get(name, name) for name in links.ids],
            "kinds": links.kinds,
            "start": links.start,
            "end": links.end,
            **{name: np.round(getattr(links, name), 6) for name in _LINK_COLUMNS},
        },
    }
    return {
        MODEL: write_document(model.inp).encode(),
        INDEX: orjson.dumps(index, option=orjson.OPT_SERIALIZE_NUMPY),
        NODE_SERIES: _pack(np.stack([series.node_depth, series.node_inflow, series.node_flooding])),
        LINK_SERIES: _pack(np.stack([series.link_flow, series.link_depth, series.link_velocity])),
        SYSTEM_SERIES: _pack(np.stack([series.runoff, series.flooding, series.outflow])),
    }


def _pack(array: NDArray[np.float32]) -> bytes:
    held = io.BytesIO()
    np.save(held, array, allow_pickle=False)
    return held.getvalue()


@dataclass(frozen=True, slots=True, eq=False)
class StoredRun:
    """The files of a run in a folder; a series is read from its place in the file, not the whole."""

    folder: Path
    times: NDArray[np.float64]
    nodes: Mapping[str, Any]
    links: Mapping[str, Any]

    def find_node(self, identifier: str) -> int:
        """Return the index of a node by id or name; NotFoundError names some that there are."""
        return _find(identifier, self.nodes, "node")

    def find_link(self, identifier: str) -> int:
        """Return the index of a link by id or name; NotFoundError names some that there are."""
        return _find(identifier, self.links, "link")

    def column(self, what: str, name: str) -> NDArray[np.float64]:
        """Return a column of ``nodes`` or ``links``."""
        return np.asarray((self.nodes if what == "nodes" else self.links)[name], dtype=np.float64)

    def read_node(self, index: int) -> dict[str, NDArray[np.float32]]:
        """Return the series of a node by ``NODE_VALUES``, each (times,)."""
        return dict(zip(NODE_VALUES, self._read(NODE_SERIES)[:, index, :], strict=True))

    def read_link(self, index: int) -> dict[str, NDArray[np.float32]]:
        """Return the series of a link by ``LINK_VALUES``, each (times,)."""
        return dict(zip(LINK_VALUES, self._read(LINK_SERIES)[:, index, :], strict=True))

    def read_system(self) -> dict[str, NDArray[np.float32]]:
        """Return the series of the whole network by ``SYSTEM_VALUES``, each (times,)."""
        return dict(zip(SYSTEM_VALUES, self._read(SYSTEM_SERIES), strict=True))

    def read_depths(self, moment: int) -> NDArray[np.float64]:
        """Return the depth at every node [m] at the step ``moment``."""
        return np.asarray(self._read(NODE_SERIES)[0, :, moment], dtype=np.float64)

    def find_moment(self, seconds: float) -> int:
        """Return the kept step nearest to a time since the start [s]."""
        return int(np.argmin(np.abs(self.times - seconds)))

    def _read(self, name: str) -> NDArray[np.float32]:
        array: NDArray[np.float32] = np.load(self.folder / name, mmap_mode="r", allow_pickle=False)
        return array


def open_results(folder: Path) -> StoredRun:
    """Return the stored results in ``folder``; NotFoundError where there are none."""
    try:
        index = orjson.loads((folder / INDEX).read_bytes())
    except FileNotFoundError as error:
        raise NotFoundError(
            f"run '{folder.name}' keeps no results of drains", hint="name a finished run of drainage-run"
        ) from error
    return StoredRun(folder, np.asarray(index["times"], dtype=np.float64), index["nodes"], index["links"])


def _find(identifier: str, table: Mapping[str, Any], what: str) -> int:
    for column in (table["ids"], table["names"]):
        if identifier in column:
            return int(column.index(identifier))
    folded = [fold_name(name) for name in table["names"]]
    if fold_name(identifier) in folded:
        return folded.index(fold_name(identifier))
    sample = ", ".join(table["ids"][:8])
    raise NotFoundError(f"{what} '{identifier[:80]}' is not in this run", hint=f"there are {sample}, …")
