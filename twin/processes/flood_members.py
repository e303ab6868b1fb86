"""One flood in a process of its own: what it is handed, what it hands back, how members differ."""

import hashlib
import pickle
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hydrology.engine import EngineState
from hydrology.links import select_active
from hydrology.structures import Pump
from twin.parcel import read_parcel
from twin.process import Progress
from twin.processes.flood_run import FloodWater
from twin.processes.flood_stage import StageSeries
from twin.processes.flood_steps import PARAMETERS, FloodCase, run_case
from twin.processes.flood_wards import WardCells

MEMBER_PARAMETERS = replace(PARAMETERS, threads=1)
"""Of a flood beside others: together they fill the cores, bands of one would wait for each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """What members share: a case without its city, the water they start from (None: calm), the cells of wards."""

    case: FloodCase
    initial: EngineState | None
    cells: WardCells | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FloodMember:
    """One flood: the parcel it is made from and what differs.

    stage: its own, None for the case's. rain_factor: its rain over the case's [1]. stopped_pumps: ids.
    """

    parcel: Path
    stage: StageSeries | None = None
    rain_factor: float = 1.0
    stopped_pumps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MemberWater:
    """The water of one member without its frames; ``seconds`` is processor time [s].

    times: of its frames [s]. wards: the wet cells of each ward in each (times, wards).
    """

    water: FloodWater
    seconds: float
    times: NDArray[np.float64]
    wards: NDArray[np.int32]


def compute_member(member: FloodMember, progress: Progress) -> MemberWater:
    """Return the water of a member, computed on one thread."""
    began = time.process_time()
    parcel: Parcel = read_parcel(member.parcel)
    case, initial = change_case(parcel, member)
    times: list[float] = []
    wards: list[NDArray[np.int32]] = []

    def watch(seconds: float, depth: NDArray[np.float32]) -> None:
        if parcel.cells is not None:
            times.append(seconds)
            wards.append(parcel.cells.count_wet(depth))

    water = run_case(case, progress, parameters=MEMBER_PARAMETERS, initial=initial, keeps_frames=False, watch=watch)
    counted = np.stack(wards) if wards else np.zeros((0, 0), dtype=np.int32)
    # What the view's default for them is does not travel.
    return MemberWater(
        replace(water, durations=dict(water.durations)), time.process_time() - began, np.array(times), counted
    )


def sign_member(member: FloodMember) -> bytes:
    """Return what tells a member from any other: what it shares with the rest, and what differs."""
    stage = member.stage
    own = (
        None if stage is None else (stage.times, stage.stages, stage.usual),
        member.rain_factor,
        member.stopped_pumps,
    )
    return _sign_parcel(member.parcel, member.parcel.stat().st_mtime_ns) + pickle.dumps(own)


@lru_cache(maxsize=4)
def _sign_parcel(path: Path, _changed: int) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()


def change_case(parcel: Parcel, member: FloodMember) -> tuple[FloodCase, EngineState | None]:
    """Return the case and the first water with what is different in a member."""
    case = parcel.case if member.stage is None else replace(parcel.case, stage=member.stage)
    if case.rain is not None and member.rain_factor != 1.0:
        case = replace(case, rain=replace(case.rain, intensity=case.rain.intensity * member.rain_factor))
    return stop_pumps(case, parcel.initial, member.stopped_pumps)


def stop_pumps(
    case: FloodCase, initial: EngineState | None, names: Collection[str]
) -> tuple[FloodCase, EngineState | None]:
    """Return the case with some pumps off, and the first water without what it holds about them."""
    if not names:
        return case, initial
    before = select_active(case.domain.structures)
    structures = tuple(
        replace(item, on=False) if isinstance(item, Pump) and item.id in names else item
        for item in case.domain.structures
    )
    changed = replace(case, domain=replace(case.domain, structures=structures))
    if initial is None:
        return changed, None
    running = {item.id for item in select_active(structures)}
    kept: NDArray[np.bool_] = np.array([item.id in running for item in before], dtype=bool)
    return changed, replace(initial, settings=initial.settings[kept], running=initial.running[kept])
