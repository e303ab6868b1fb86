"""``python -m bench NAME [--json]``: our figure beside a peer's or the limit, measured in one run."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench import (
    assignment,
    features,
    flood,
    flooded_roads,
    imports,
    leaks,
    load,
    routing,
    scale,
    sensors,
    tiles,
    traces,
    viewer,
)
from layers.store.cluster import start_cluster, stop_cluster
from layers.store.engine import open_engine
from layers.store.migrate import migrate

Row = dict[str, Any]
WITH_DATABASE: dict[str, Callable[[str], list[Row]]] = {
    "import": imports.rows,
    "tiles": tiles.rows,
    "features": features.rows,
    "sensors": sensors.rows,
    "traces": traces.rows,
}
NUMERICS: dict[str, Callable[[], list[Row]]] = {
    "assignment": assignment.rows,
    "flood": flood.rows,
    "flooded-roads": flooded_roads.rows,
    "leaks": leaks.rows,
    "routing": routing.rows,
    "viewer": viewer.rows,
}
ON_REQUEST = {"load": load.rows}
"""By name only, for so many seconds: they take minutes."""


def main() -> int:
    """Run the named benches (default: all) on a private cluster and print rows; ``scale`` has options of its own."""
    if sys.argv[1:2] == ["scale"]:
        return scale.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*WITH_DATABASE, *NUMERICS, *ON_REQUEST])
    parser.add_argument("--json", action="store_true", help="print JSON, one object a bench")
    parser.add_argument("--seconds", type=float, default=load.SECONDS, help="how long load lasts [s]")
    wanted = parser.parse_args()
    names = [wanted.name] if wanted.name else [*WITH_DATABASE, *NUMERICS]
    folder = Path(tempfile.mkdtemp(prefix="twin-bench-"))
    folder.chmod(0o755)
    try:
        url = make_city(folder / "postgres") if set(names) & set(WITH_DATABASE) else ""
        for name in names:
            if name in ON_REQUEST:
                rows = ON_REQUEST[name](wanted.seconds)
            else:
                rows = WITH_DATABASE[name](url) if name in WITH_DATABASE else NUMERICS[name]()
            if wanted.json:
                sys.stdout.write(orjson.dumps({"bench": name, "rows": rows}).decode() + "\n")
            else:
                print_rows(name, rows)
    finally:
        stop_cluster(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def make_city(folder: Path) -> str:
    """Return the URL of a migrated, empty city on a private cluster."""
    url = start_cluster(folder)
    engine = open_engine(url)
    migrate(engine, "bench", "EPSG:5897", {"id": "bench", "crs": "EPSG:5897"})
    engine.dispose()
    return url


def print_rows(name: str, rows: list[Row]) -> None:
    """Print a table with the ratio of our figure to each peer's and to the limit."""
    table = Table("case", "metric", "ours", "peers (ours ÷ peer)", "limit", title=f"{name} — {os.cpu_count()} cores")
    for row in rows:
        peers = ", ".join(
            f"{peer} {value:.4g} ({row['ours'] / value:.3g}×)" for peer, value in row["peers"].items() if value
        )
        limit = f"{row['limit']:.4g} ({row['ours'] / row['limit']:.0%})" if row["limit"] else ""
        table.add_row(row["case"], escape(f"{row['metric']} [{row['unit']}]"), f"{row['ours']:.4g}", peers, limit)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
