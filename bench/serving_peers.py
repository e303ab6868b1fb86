"""The peers of the serving benches: tipg on the same database, and statements through pgbench."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.city import Server, find_free_port, stop_server, wait_until_ready
from bench.city_frames import COUNTS
from bench.cpu import list_family
from bench.environments import LeftOutError, Peer, prepare_environment, read_last_line
from layers.store.cluster import find_binaries

TIPG = Peer("tipg", "tipg.main:app", "tipg==1.6.1 uvicorn[standard]==0.54.0")
# pgbench takes no more scripts at a time.
MAX_SCRIPTS = 120
_TPS = re.compile(r"^tps = ([\d.]+) \(without", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rate:
    """What pgbench measured: transactions a second, how many they were, and how long they took [ms]."""

    rate: float
    count: int
    times: tuple[float, ...]


@contextlib.contextmanager
def running_tipg(database_url: str, *, workers: int) -> Iterator[Server]:
    """Run tipg as it comes on the tables of the generated city; LeftOutError where it cannot be installed."""
    python = prepare_environment(TIPG)
    port = find_free_port()
    tables = ",".join(f'"city.{layer_id}"' for layer_id in COUNTS)
    own = {"DATABASE_URL": database_url, "TIPG_DB_SCHEMAS": '["city"]', "TIPG_DB_TABLES": f"[{tables}]"}
    words = [str(python), "-m", "uvicorn", TIPG.script, "--port", str(port), "--workers", str(workers)]
    with tempfile.TemporaryFile() as said:
        server = subprocess.Popen(
            [*words, "--log-level", "warning"], env={**os.environ, **own}, stdout=said, stderr=said
        )
        try:
            wait_until_ready(port, "/healthz")
            yield Server(port, list_family(server.pid))
        except RuntimeError as error:
            said.seek(0)
            raise LeftOutError(f"{error}: {read_last_line(said.read().decode(errors='replace'))}") from error
        finally:
            stop_server(server)


def start_tipg(stack: contextlib.ExitStack, database_url: str, *, workers: int) -> Server | None:
    """Run tipg until ``stack`` ends; None, and the reason on standard error, where it cannot be run."""
    try:
        return stack.enter_context(running_tipg(database_url, workers=workers))
    except LeftOutError as why:
        sys.stderr.write(f"bench: tipg is left out: {why}\n")
        return None


def run_pgbench(database_url: str, statements: Sequence[str], *, clients: int, seconds: int) -> Rate:
    """Run the statements, drawn at random, on ``clients`` connections for ``seconds``; LeftOutError without pgbench."""
    binaries = find_binaries()
    if binaries is None or not (binaries / "pgbench").exists():
        raise LeftOutError("pgbench is not installed")
    with tempfile.TemporaryDirectory(prefix="twin-pgbench-") as name:
        folder = Path(name)
        for place, statement in enumerate(statements[:MAX_SCRIPTS]):
            (folder / f"{place}.sql").write_text(f"{statement};\n", encoding="utf-8")
        scripts = [word for path in sorted(folder.glob("*.sql")) for word in ("-f", str(path))]
        done = subprocess.run(
            [
                *(binaries / "pgbench", "--no-vacuum", "--protocol=prepared", "--log", f"--log-prefix={folder}/took"),
                *("-c", str(clients), "-j", "1", "-T", str(seconds), *scripts, database_url),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        found = _TPS.search(done.stdout)
        if done.returncode or found is None:
            raise LeftOutError(f"pgbench ended with {done.returncode}: {read_last_line(done.stderr)}")
        # client, transaction, time [µs], script, second, microsecond
        times = [
            float(line.split()[2]) / 1e3 for path in folder.glob("took.*") for line in path.read_text().splitlines()
        ]
    return Rate(float(found.group(1)), len(times), tuple(times))
