"""The peers of the flood bench: each in an environment of its own, made on first use, and each run a process.

None of them comes near the product's environment. What cannot be installed or run is left out, with the reason on
standard error.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.environments import ROOT, LeftOutError, Peer, prepare_environment, read_last_line

_LONGEST = 1800.0

Measured = dict[str, Any]


ITZI = Peer("itzi-core", "bench.peers.itzi_case", "itzi-core==0.8.0", (3, 12))
LANDLAB = Peer("landlab", "bench.peers.landlab_case", "landlab==2.11.0", (3, 12))
ANUGA = Peer("anuga", "bench.peers.anuga_case", "anuga==4.1.0")


def run_peers(peers: tuple[Peer, ...], case: Measured) -> dict[str, Measured]:
    """Return what each of ``peers`` measured in ``case``, on one thread; those that fail are left out and named."""
    found: dict[str, Measured] = {}
    for peer in peers:
        try:
            found[peer.name] = run_process(prepare_environment(peer), peer.script, case)
        except LeftOutError as why:
            sys.stderr.write(f"flood bench: {peer.name} is left out: {why}\n")
    return found


def run_ours(case: Measured, *, script: str = "bench.flood_ours") -> Measured:
    """Return what our engine measured in ``case``, which says how many threads it may use."""
    return run_process(Path(sys.executable), script, case, threads=case["threads"])


def run_process(python: Path, script: str, case: Measured, *, threads: int = 1) -> Measured:
    """Run ``script`` as a module on ``case`` and return the figures it printed; raise LeftOutError where it fails."""
    own = {name: str(threads) for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    try:
        done = subprocess.run(
            [python, "-m", script],
            input=json.dumps(case),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, **own},
            timeout=_LONGEST,
        )
    except subprocess.TimeoutExpired:
        raise LeftOutError(f"{script} took longer than {_LONGEST:g} s") from None
    if done.returncode:
        raise LeftOutError(f"{script} ended with {done.returncode}: {read_last_line(done.stderr)}")
    measured: Measured = json.loads(read_last_line(done.stdout))
    return measured
