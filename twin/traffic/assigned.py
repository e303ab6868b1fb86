"""What an assignment hands back: figures, and the files flows.csv, skims.csv, select.csv and paths.npz."""

from collections.abc import Sequence
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError, NotFoundError
from network.assignment import Assignment
from network.assignment_network import Index, Pairs, Values
from network.assignment_paths import Paths
from network.assignment_reading import SelectedLinks, compute_skims
from network.gap import Check

MOST_KEPT = 64_000_000
"""A run keeps its paths for another to start from while they take no more than this [bytes]."""


def summarize(found: Assignment, check: Check) -> dict[str, Any]:
    """Return how well the equilibrium is reached, times and flows in the units of the network."""
    steps = [step for step in found.steps if np.isfinite(step.gap)]
    return {
        "objective": found.objective,
        "gap": found.gap,
        "gap_checked": check.gap,
        "balanced": check.is_balanced,
        "imbalance": float(check.imbalances.max(initial=0.0)),
        "flow_on_closed": check.banned,
        "rounds": len(found.steps),
        "paths": found.paths.count,
        "pairs": found.pairs.count,
        "cpu_s": round(found.cpu_s, 4),
        "gaps": [float(f"{step.gap:.4g}") for step in steps][-60:],
    }


def write_table(names: Sequence[str], columns: Sequence[NDArray[Any] | Sequence[str]]) -> bytes:
    """Return a CSV table; numbers with all their digits where they are floats, empty where NaN."""
    out = StringIO()
    out.write(",".join(names) + "\n")
    words = [_write_column(column) for column in columns]
    out.writelines(",".join(row) + "\n" for row in zip(*words, strict=True))
    return out.getvalue().encode()


def _write_column(column: NDArray[Any] | Sequence[str]) -> list[str]:
    if isinstance(column, np.ndarray) and column.dtype.kind == "f":
        return ["" if np.isnan(value) else f"{value:.10g}" for value in column.tolist()]
    return [_quote(str(value)) for value in column]


def _quote(word: str) -> str:
    return '"' + word.replace('"', '""') + '"' if any(sign in word for sign in ',"\n\r') else word


def write_skims(found: Assignment, names: NDArray[np.object_], lengths: Values, select: SelectedLinks | None) -> bytes:
    """Return a table of origin, destination, class, vehicles, time, length; and those on chosen links.

    names: of zones by node (nodes,).
    """
    pairs = found.pairs
    kinds = pairs.classes[pairs.groups]
    pcu = np.array([each.pcu for each in found.classes])[kinds]
    origins = names[pairs.origins[pairs.groups]]
    columns: list[NDArray[Any] | Sequence[str]] = [
        origins,
        names[pairs.ends],
        [found.classes[kind].name for kind in kinds],
        pairs.volumes / pcu,
        compute_skims(found, found.times),
        compute_skims(found, lengths),
    ]
    header = ["origin", "destination", "class", "trips", "time", "length"]
    if select is not None:
        header.append("selected")
        columns.append(select.pairs / pcu)
    return write_table(header, columns)


def write_paths(found: Assignment, stamp: str) -> dict[str, bytes]:
    """Return paths.npz, from which a later run of the same roads may start; nothing where it were too large."""
    paths, pairs = found.paths, found.pairs
    out = BytesIO()
    np.savez_compressed(
        out, stamp=np.array(stamp), names=np.array([each.name for each in found.classes]), total=found.total,
        flows=found.flows, keys=pairs.keys, first=paths.first, path_flows=paths.flows[: paths.count],
        link_first=paths.link_first[: paths.count + 1], links=paths.used_links, classes=pairs.classes,
        origins=pairs.origins, pair_first=pairs.first, ends=pairs.ends, volumes=pairs.volumes,
        pcu=np.array([each.pcu for each in found.classes]),
    )  # fmt: skip
    content = out.getvalue()
    return {"paths.npz": content} if len(content) <= MOST_KEPT else {}


class KeptPaths:
    """Paths and flows of an earlier run; InputError where it was of other roads or classes."""

    def __init__(self, folder: Path, run: str, stamp: str, names: Sequence[str], links: int) -> None:
        file = folder / "paths.npz"
        if not file.exists():
            raise NotFoundError(
                f"run '{run[:80]}' keeps no paths", hint="give the id of a finished traffic-assignment of the city"
            )
        with np.load(file) as kept:
            content = {name: kept[name] for name in kept.files}
        if str(content["stamp"]) != stamp or content["total"].size != links:
            raise InputError(
                f"run '{run[:80]}' was of roads or zones that have changed since", hint="run it again, then this one"
            )
        if content["names"].tolist() != list(names):
            raise InputError(f"run '{run[:80]}' had classes {content['names'].tolist()}, this one {list(names)}")
        count = content["path_flows"].size
        self.paths = Paths(
            content["first"], content["path_flows"], np.zeros(count), content["link_first"], content["links"]
        )
        self.pairs = Pairs(
            content["classes"], content["origins"], content["pair_first"], content["ends"], content["volumes"],
            np.zeros(len(names)),
        )  # fmt: skip
        self.vehicles: Values = content["flows"] / content["pcu"][:, None]


def list_names(zone_ids: Sequence[str], nodes: Index, count: int) -> NDArray[np.object_]:
    """Return the id of the zone at each node (count,), "" where there is none."""
    names = np.full(count, "", object)
    names[nodes] = zone_ids
    return names
