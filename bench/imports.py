"""How fast files come in and how much memory that takes: generated trees, beside GeoPandas and ogr2ogr in the same run.

Ours checks every row, makes identifiers, compares with what is stored, and builds the second geometry for tiles and all
indexes in one transaction; the peers only copy, bring the points into the city's CRS and build one spatial index.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import shapely
from sqlalchemy import Engine, text

from bench.load_file import SOURCE
from layers.store.engine import open_engine, plain_url

SIZES = (100_000, 1_000_000)
SLOWEST = 100_000 / 60.0
MOST_MEBIBYTES = 1024.0
Row = dict[str, Any]


def rows(url: str) -> list[Row]:
    """Return rows a second of loading points new and again, and the peak memory; what is written is removed again.

    ``limit`` is the slowest allowed [rows/s], and the most memory [MiB] of the whole loading process (the database's
    own is not in it). Without ogr2ogr on this machine that peer is left out.
    """
    engine = open_engine(url)
    made: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for count in SIZES:
            frame, path = make_points(count), Path(folder) / f"{count}.gpkg"
            frame.to_file(path)
            try:
                made += _measure(engine, path, f"{count:,} points (.gpkg)", _measure_peers(engine, path, frame))
                if count == SIZES[-1]:
                    table = path.with_suffix(".csv")
                    _write_table(frame, table)
                    _clean_up(engine)
                    made += _measure(engine, table, f"{count:,} points (.csv)", {})
            finally:
                _clean_up(engine)
    engine.dispose()
    return made


def make_points(count: int) -> gpd.GeoDataFrame:
    """Return ``count`` trees with random places and heights around Can Tho, the same ones every time."""
    random = np.random.default_rng(20260101)
    return gpd.GeoDataFrame(
        {
            "id": [f"bench-{number}" for number in range(count)],
            "species": random.choice(["Dầu rái", "Sao đen", "Bằng lăng"], count),
            "height": random.uniform(2.0, 25.0, count).round(1),
        },
        geometry=shapely.points(random.uniform(105.70, 105.80, count), random.uniform(9.98, 10.08, count)),
        crs="EPSG:4326",
    )


def _write_table(frame: gpd.GeoDataFrame, path: Path) -> None:
    table = frame.drop(columns="geometry").assign(lon=frame.geometry.x, lat=frame.geometry.y)
    table.to_csv(path, index=False)


def _measure(engine: Engine, path: Path, case: str, peers: dict[str, float]) -> list[Row]:
    """Return the figures of loading ``path`` twice, each time in a process of its own."""
    new, again = _load(engine, path), _load(engine, path)
    assert (new["loaded"], again["unchanged"]) == (new["read"], new["read"])
    speed = {"metric": "rows", "unit": "1/s", "limit": SLOWEST}
    memory = {"metric": "RSS", "unit": "MiB", "limit": MOST_MEBIBYTES}
    peak = max(new["mebibytes"], again["mebibytes"])
    return [
        {"case": f"import {case}", **speed, "ours": new["read"] / new["seconds"], "peers": peers},
        {"case": f"again, nothing changed: {case}", **speed, "ours": again["read"] / again["seconds"], "peers": {}},
        {"case": f"peak memory: {case}", **memory, "ours": peak, "peers": {}},
    ]


def _load(engine: Engine, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.load_file", plain_url(engine), str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return dict(orjson.loads(done.stdout))


def _measure_peers(engine: Engine, path: Path, frame: gpd.GeoDataFrame) -> dict[str, float]:
    """Return rows a second of the peers."""
    with engine.connect() as connection:
        srid = connection.execute(text("select srid from meta.city")).scalar_one()

    def copy_with_geopandas() -> None:
        gpd.read_file(path).to_crs(srid).to_postgis("bench_peer", engine, schema="public", if_exists="replace")

    peers = {"geopandas.to_postgis": len(frame) / _time(copy_with_geopandas)}
    ogr2ogr = shutil.which("ogr2ogr")
    if ogr2ogr is None:
        sys.stderr.write("ogr2ogr is not installed (Debian: gdal-bin): that peer is left out\n")
        return peers
    command = [ogr2ogr, "-f", "PostgreSQL", f"PG:{plain_url(engine)}", str(path), "-nln", "public.bench_peer"]
    command += ["-overwrite", "-t_srs", f"EPSG:{srid}", "-lco", "SPATIAL_INDEX=GIST", "--config", "PG_USE_COPY", "YES"]
    peers["ogr2ogr"] = len(frame) / _time(lambda: subprocess.run(command, check=True, capture_output=True))
    return peers


def _time(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _clean_up(engine: Engine) -> None:
    """Empty what the measurement filled; the database is a private one."""
    with engine.begin() as connection:
        connection.execute(text("truncate city.trees, history.trees"))
        connection.execute(text("drop table if exists public.bench_peer"))
        connection.execute(text("delete from meta.load where source_id = :source"), {"source": SOURCE})
        connection.execute(text("delete from meta.source where id = :source"), {"source": SOURCE})
