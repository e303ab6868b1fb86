"""User equilibrium beside AequilibraE and PyTraf: CPU seconds on one core to a gap, and what the flows are worth.

SiouxFalls comes out of the wheel of AequilibraE; the other cities are made up. Every program gets the same arrays and
answers with link flows, whose relative gap and node balance are computed here. A peer that does not answer in time, or
whose flows are worse than asked, has no figure, and standard error says why.
"""

import json
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.assignment_cases import make_case
from bench.assignment_ours import build_case
from bench.environments import ROOT, LeftOutError, Peer, prepare_environment, read_last_line
from network.assignment import assign
from network.gap import Check, check_flows

Row = dict[str, Any]

AEQUILIBRAE = Peer("aequilibrae", "bench.peers.assignment_aequilibrae", "aequilibrae==1.7.2")
PYTRAF = Peer("pytraf", "bench.peers.assignment_pytraf", "pytraf==0.3.1 numpy==2.4.6")
CITIES = {"1,000 nodes": (1_000, 80), "5,000 nodes": (5_000, 150), "15,000 nodes": (15_000, 250)}
GAPS = (1e-4, 1e-6, 1e-10)
# Published for SiouxFalls, in units of its TNTP file: LeBlanc et al. 1975, doi:10.1016/0041-1647(75)90030-1, as solved
# to 1e-15 by the TransportationNetworks collection.
SIOUXFALLS = 4231335.287107440
# CPU seconds for one answer, so that the whole bench takes minutes; and those of the clock, on a busy machine.
_PATIENCE, _CLOCK = 45, 900.0
# Who took more than this share of the patience is not asked for a gap that is a hundred times smaller.
_SLOW = 0.25
# A gap that is asked for may be missed by rounding and by another way to sum it up.
_SLACK = 1.05


@dataclass(frozen=True, slots=True)
class Told:
    """What a program took, None where it has no figure; the check of its flows; a word on it."""

    seconds: float | None
    check: Check | None
    word: str


def rows() -> list[Row]:
    """Return a row for each network and gap: CPU seconds, gaps of the flows, and objectives on SiouxFalls."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="twin-assignment-") as name:
        folder = Path(name)
        peers = _prepare_peers()
        for city, file in _make_files(folder, peers).items():
            found += _measure_city(city, file, peers)
    return found


def _prepare_peers() -> dict[Peer, Path]:
    ready = {}
    for peer in (AEQUILIBRAE, PYTRAF):
        try:
            ready[peer] = prepare_environment(peer)
        except LeftOutError as why:
            sys.stderr.write(f"assignment bench: {peer.name} is left out: {why}\n")
    return ready


def _make_files(folder: Path, peers: dict[Peer, Path]) -> dict[str, Path]:
    files = {}
    if AEQUILIBRAE in peers:
        files["SiouxFalls"] = folder / "siouxfalls.npz"
        _ask(peers[AEQUILIBRAE], AEQUILIBRAE.script, {"file": str(files["SiouxFalls"])}, "--siouxfalls")
    for city, (nodes, zones) in CITIES.items():
        files[city] = folder / f"{nodes}.npz"
        np.savez(files[city], **make_case(nodes, zones))  # type: ignore[arg-type]
    return files


def _measure_city(city: str, file: Path, peers: dict[Peer, Path]) -> list[Row]:
    programs = {"ours": (Path(sys.executable), "bench.assignment_ours")}
    programs |= {peer.name: (python, peer.script) for peer, python in peers.items()}
    found: list[Row] = []
    late: dict[str, str] = {}
    for gap in GAPS:
        told = {
            name: Told(None, None, late[name]) if name in late else _measure(python, script, file, gap)
            for name, (python, script) in programs.items()
        }
        ours = told.pop("ours")
        if ours.seconds is None:
            raise SystemExit(f"assignment bench: ours does not reach {gap:g} on {city}: {ours.word}")
        for name, each in told.items():
            sys.stderr.write(f"assignment bench: {city}, {gap:g}: {name} {each.word}, ours {ours.word}\n")
            if each.seconds is None or each.seconds > _SLOW * _PATIENCE:
                late[name] = f"not asked: {gap:g} took {each.word}" if each.seconds else each.word
        checks = {name: each.check for name, each in {"ours": ours, **told}.items() if each.check is not None}
        found.append(
            {
                "case": city,
                "metric": f"to a gap of {gap:g}",
                "unit": "CPU s",
                "ours": ours.seconds,
                "peers": {name: each.seconds for name, each in told.items()},
                "limit": None,
                "words": {name: each.word for name, each in told.items() if each.seconds is None},
                "gaps": {name: check.gap for name, check in checks.items()},
                "imbalances": {name: float(check.imbalances.max()) for name, check in checks.items()},
            }
        )
    if city == "SiouxFalls":
        found.append(_compare_objective(file))
    return found


def _measure(python: Path, script: str, file: Path, gap: float) -> Told:
    """Return what one program took and what its flows are worth."""
    flows = file.with_name("flows.npy")
    try:
        told = _ask(python, script, {"file": str(file), "gap": gap, "flows": str(flows), "cpu_limit": _PATIENCE})
    except LeftOutError as why:
        return Told(None, None, str(why))
    with np.load(file) as case:
        network, trips = build_case(dict(case))
    check = check_flows(network, [trips], np.load(flows)[None])
    if check.gap > gap * _SLACK or not check.is_balanced:
        return Told(None, check, f"flows with a gap of {check.gap:.2g}, {check.imbalances.max():.2g} veh/h unbalanced")
    return Told(told["cpu_s"], check, f"{told['cpu_s']:.3g} CPU s")


def _compare_objective(file: Path) -> Row:
    """Return the row of our objective on SiouxFalls beside the published one."""
    with np.load(file) as case:
        network, trips = build_case(dict(case))
    ours = assign(network, [trips], gap=GAPS[-1]).objective
    return {
        "case": "SiouxFalls", "metric": "Beckmann's objective", "unit": "as in its file", "ours": ours,
        "peers": {"published": SIOUXFALLS}, "limit": None,
    }  # fmt: skip


def _ask(python: Path, script: str, case: dict[str, Any], *words: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [python, "-m", script, *words], input=json.dumps(case), capture_output=True, text=True, cwd=ROOT,
            timeout=_CLOCK,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise LeftOutError(f"{script} took longer than {_CLOCK:g} s") from None
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise LeftOutError(f"{script} took more than {_PATIENCE} CPU seconds")
    if done.returncode:
        raise LeftOutError(f"{script} ended with {done.returncode}: {read_last_line(done.stderr)}")
    told: dict[str, Any] = json.loads(read_last_line(done.stdout))
    return told
