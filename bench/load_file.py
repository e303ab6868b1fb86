"""Load one file in a process of its own and say how long it took and how much memory: ``python -m bench.load_file``."""

import resource
import sys
import time
from pathlib import Path

import orjson

from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source
from layers.store.engine import open_engine

SOURCE = "bench-imports"


def main() -> None:
    """Load the file named second into the trees of the database named first; print counts, seconds and peak MiB."""
    url, path = sys.argv[1], Path(sys.argv[2])
    source = Source(
        id=SOURCE,
        uri=str(path),
        layer="trees",
        title=Words(vi="đo tốc độ", en="benchmark"),
        licence="CC0-1.0",
        attribution="generated",
        synthetic=True,
    )
    engine = open_engine(url)
    started = time.perf_counter()
    (report,) = load_source(engine, source, path.parent)
    seconds = time.perf_counter() - started
    engine.dispose()
    told = {"read": report.read, "loaded": report.loaded, "unchanged": report.unchanged}
    sys.stdout.write(orjson.dumps({**told, "seconds": seconds, "mebibytes": read_peak()}).decode())


def read_peak() -> float:
    """Return the most memory this process and its workers held [MiB].

    Not ``ru_maxrss`` of itself: that one begins with what its parent held when it started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return float(own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024.0


if __name__ == "__main__":
    main()
