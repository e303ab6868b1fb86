"""Speed and error of the flood engine beside its peers and the memory's speed, on one machine in one run.

Every engine runs in a process of its own on one thread where nothing else is said, with its own defaults, the same
roughness, inflow and output interval. Its clock starts after imports, compilation and set-up; CPU seconds are those of
all its threads; peak memory is that of the whole process. A cell-step is one cell visited in one step: ours skips dry
blocks and does not count them, the peers visit all.
"""

import os
import sys
import tempfile
from typing import Any

from bench.environments import Peer
from bench.flood_cases import compute_plain_error, describe_plain, read_reference
from bench.flood_peers import ANUGA, ITZI, LANDLAB, Measured, run_ours, run_peers
from bench.triad import measure_triad

BYTES_A_CELL_STEP = 40.0
"""What one fused local inertial step must move for a cell, where only the rows at hand stay in the cache.

The stage is read and written in 64 bits (16 bytes), the two discharges in 32 (16 bytes), and the bed and the
roughness are read in 32 (8 bytes). Triad bandwidth over this is the limit of cells that do not fit into the caches.
"""

GOAL_AGAINST_ITZI = 12.0
"""How many times fewer CPU seconds than itzi-core are wanted, at an equal error."""

DAY_IN_SECONDS = 180.0
"""Wall time that is wanted for a day of the city on two threads [s]."""

SUBGRID_FACTOR = 6
"""Pixels along a coarse cell of the city: 60 m, more than the width of its widest canals."""

SUBGRID_SECONDS, SUBGRID_ERROR = 10.0, 20.0
"""Wall time of a day [s] and RMSE of the stage [mm] that are wanted of it."""

HOUR, DAY = 3600.0, 86400.0
Row = dict[str, Any]


def rows() -> list[Row]:
    """Return the measured rows: ours, the peers' and the limit.

    ``limit`` of cell-steps is the memory's; of CPU seconds beside itzi-core, of errors and of the city's wall time it
    is the most that is wanted. What is wanted of cell-steps stands among the peers as ``goal``. The RMSE needs the
    reference of the real test data and is left out without it. The machine's load is told on standard error, for wall
    times suffer from it.
    """
    _tell("memory")
    memory = {threads: measure_triad(threads) / BYTES_A_CELL_STEP / 1.0e6 for threads in (1, 2)}
    return [
        *_compare_plain("EA test 4, 5 m, 5 h", describe_plain(5.0), (ITZI, LANDLAB), memory[1]),
        # ANUGA takes some 500 CPU seconds for five hours.
        *_compare_plain("EA test 4, 5 m, first hour", describe_plain(5.0, HOUR), (ANUGA,), memory[1]),
        *_compare_plain("EA test 4, 2 m, 5 h", describe_plain(2.0), (), memory[1]),
        *_compare_plain("EA test 4, 2 m, first 20 min", describe_plain(2.0, HOUR / 3.0), (ITZI, LANDLAB), memory[1]),
        *_measure_basin(memory),
        *_measure_city(memory),
    ]


def _compare_plain(name: str, case: Measured, peers: tuple[Peer, ...], memory: float) -> list[Row]:
    """Return the rows of EA test 4; ``memory`` is the limit of cell-steps [10⁶/s]."""
    _tell(name)
    others = run_peers(peers, case)
    ours = run_ours({**case, "kind": "plain", "threads": 1})
    everyone = {"ours": ours, **others}
    most = others[ITZI.name]["cpu"] / GOAL_AGAINST_ITZI if ITZI.name in others else None
    case_name = f"{name}, {case['rows'] * case['cols']:,} cells, one thread"
    figures: list[tuple[str, str, list[float], float | None]] = [
        ("CPU time", "s", [one["cpu"] for one in everyone.values()], most),
        ("cell-steps per CPU second", "10⁶/s", [_count_speed(one, "cpu") for one in everyone.values()], memory),
        ("peak memory", "MB", [one["megabytes"] for one in everyone.values()], None),
        ("mass error", "1", [one["mass_error"] for one in everyone.values()], 1.0e-6),
    ]
    reference = read_reference()
    if reference is None:
        sys.stderr.write(f"flood bench: {name}: no RMSE, the reference of EA test 4 is absent (see TWIN_TEST_DATA)\n")
    else:
        errors = [compute_plain_error(one["times"], one["depths"], reference) for one in everyone.values()]
        figures.append(("RMSE at six points against DG2 at 5 m", "mm", errors, 5.0))
    return [
        _make_row(case_name, metric, unit, values[0], dict(zip(others, values[1:], strict=True)), limit)
        for metric, unit, values, limit in figures
    ]


def _measure_basin(memory: dict[int, float]) -> list[Row]:
    """Return the cell-steps a second where every cell of a million is wet, on one and on two threads."""
    made = []
    for threads, goal in ((1, 250.0), (2, 500.0)):
        _tell(f"basin, {_name_threads(threads)}")
        ours = run_ours({"kind": "basin", "threads": threads, "steps": 200})
        case = f"basin, 1,000,000 wet cells, {ours['steps']} steps, {_name_threads(threads)}"
        for clock, metric in (("wall", "cell-steps per second"), ("cpu", "cell-steps per CPU second")):
            goals = {"goal": goal if clock == "wall" else goal / threads}
            limit = memory[threads] if clock == "wall" else memory[threads] / threads
            made.append(_make_row(case, metric, "10⁶/s", _count_speed(ours, clock), goals, limit))
    return made


def _measure_city(memory: dict[int, float]) -> list[Row]:
    """Return the rows of the city with rain and tide: a day on two threads, its first four hours on one, a subgrid.

    The errors of the subgrid are those against the fine run of the day, both with default parameters.
    """
    made = []
    with tempfile.TemporaryDirectory() as folder:
        case = {"kind": "city", "depths": f"{folder}/depths.npz"}
        for threads, span, most in ((1, 4.0 * HOUR, None), (2, DAY, DAY_IN_SECONDS)):
            _tell(f"city, {span / HOUR:g} h, {_name_threads(threads)}")
            ours = run_ours({**case, "threads": threads, "duration": span})
            name = f"city, 1,000,000 cells, rain and tide, {span / HOUR:g} h, {_name_threads(threads)}"
            made += [
                _make_row(name, "wall time", "s", ours["wall"], {}, most),
                _make_row(name, "CPU time", "s", ours["cpu"], {}, None),
                _make_row(name, "cell-steps per second", "10⁶/s", _count_speed(ours, "wall"), {}, memory[threads]),
                _make_row(name, "peak memory", "MB", ours["megabytes"], {}, None),
                _make_row(name, "mass error", "1", ours["mass_error"], {}, 1.0e-6),
            ]
        fine = ours
        _tell("city, subgrid")
        ours = run_ours({**case, "factor": SUBGRID_FACTOR, "duration": DAY, "threads": 2}, script="bench.flood_subgrid")
    name = f"city, subgrid, {SUBGRID_FACTOR} x {SUBGRID_FACTOR} pixels a cell, 24 h, 2 threads"
    return [
        *made,
        _make_row(
            name, "wall time", "s", ours["wall"], {"every pixel a cell, two threads": fine["wall"]}, SUBGRID_SECONDS
        ),
        _make_row(name, "CPU time", "s", ours["cpu"], {"every pixel a cell, two threads": fine["cpu"]}, None),
        _make_row(name, "CPU time of the tables, once", "s", ours["preparing"], {}, None),
        _make_row(
            name, "RMSE of the stage, hourly where both are wet", "mm", 1e3 * ours["stage_rmse"], {}, SUBGRID_ERROR
        ),
        _make_row(name, "RMSE of the depth, hourly on all land", "mm", 1e3 * ours["depth_rmse"], {}, None),
        _make_row(name, "RMSE of the highest stage where it floods", "mm", 1e3 * ours["highest_rmse"], {}, None),
        _make_row(name, "mass error", "1", ours["mass_error"], {}, 1.0e-6),
    ]


def _name_threads(threads: int) -> str:
    return "one thread" if threads == 1 else f"{threads} threads"


def _count_speed(measured: Measured, clock: str) -> float:
    """Return million cell-steps a second of the clock ``cpu`` or ``wall``."""
    return float(measured["cell_steps"] / measured[clock] / 1.0e6)


def _make_row(case: str, metric: str, unit: str, ours: float, peers: dict[str, float], limit: float | None) -> Row:
    short = {name: _shorten(value) for name, value in peers.items()}
    most = None if limit is None else _shorten(limit)
    return {"case": case, "metric": metric, "unit": unit, "ours": _shorten(ours), "peers": short, "limit": most}


def _shorten(value: float) -> float:
    """Return the value with four significant digits."""
    return float(f"{value:.4g}")


def _tell(what: str) -> None:
    """Say on standard error what is measured now and how busy the machine has been in the last minute."""
    sys.stderr.write(f"flood bench: {what} (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)\n")
