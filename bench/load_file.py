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
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    told = {"read": report.read, "loaded": report.loaded, "unchanged": report.unchanged}
    sys.stdout.write(orjson.dumps({**told, "seconds": seconds, "mebibytes": peak / 1024.0}).decode())


if __name__ == "__main__":
    main()
