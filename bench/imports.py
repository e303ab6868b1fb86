"""How fast files come in: rows a second of a GeoPackage into a layer, beside GeoPandas and ogr2ogr in the same run."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import Engine, text

from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source
from layers.registry import read_vector_layer
from layers.store.engine import open_engine, plain_url
from layers.store.features import delete_features

COUNT = 100_000
LIMIT_S = 60.0


def rows(url: str) -> list[dict[str, Any]]:
    """Return one row a case: loading ``COUNT`` points new, and the same file again; ``limit`` is the slowest allowed.

    Our figure includes checks, identifiers, history triggers, the second geometry for tiles and both indexes; the peers
    only copy. What is written is removed again.
    """
    engine = open_engine(url)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points.gpkg"
        frame = make_points(COUNT)
        frame.to_file(path)
        source = Source(
            id="bench-imports",
            uri=str(path),
            layer="trees",
            title=Words(vi="đo tốc độ", en="benchmark"),
            licence="CC0-1.0",
            attribution="generated",
            synthetic=True,
        )
        try:
            new = COUNT / _time(lambda: load_source(engine, source, Path(folder)))
            again = COUNT / _time(lambda: load_source(engine, source, Path(folder)))
            peers = _measure_peers(engine, path, frame)
        finally:
            _clean_up(engine)
            engine.dispose()
    limit = COUNT / LIMIT_S
    return [
        {"case": "import 100k points", "metric": "rows", "unit": "1/s", "ours": new, "peers": peers, "limit": limit},
        {"case": "import them again", "metric": "rows", "unit": "1/s", "ours": again, "peers": {}, "limit": limit},
    ]


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


def _measure_peers(engine: Engine, path: Path, frame: gpd.GeoDataFrame) -> dict[str, float]:
    """Return rows a second of the peers, both reprojecting into the city's CRS and building one spatial index."""
    with engine.connect() as connection:
        srid = connection.execute(text("select srid from meta.city")).scalar_one()

    def copy_with_geopandas() -> None:
        gpd.read_file(path).to_crs(srid).to_postgis("bench_peer", engine, schema="public", if_exists="replace")

    peers = {"geopandas.to_postgis": len(frame) / _time(copy_with_geopandas)}
    ogr2ogr = shutil.which("ogr2ogr")
    if ogr2ogr is not None:
        command = [ogr2ogr, "-f", "PostgreSQL", f"PG:{plain_url(engine)}", str(path), "-nln", "public.bench_peer"]
        command += ["-overwrite", "-t_srs", f"EPSG:{srid}", "--config", "PG_USE_COPY", "YES"]
        peers["ogr2ogr"] = len(frame) / _time(lambda: subprocess.run(command, check=True, capture_output=True))
    return peers


def _time(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _clean_up(engine: Engine) -> None:
    with engine.begin() as connection:
        layer = read_vector_layer("trees")
        delete_features(connection, layer, [f"bench-{number}" for number in range(COUNT)])
        connection.execute(text("drop table if exists public.bench_peer"))
        connection.execute(text("delete from meta.load where source_id = 'bench-imports'"))
        connection.execute(text("delete from meta.source where id = 'bench-imports'"))
        connection.execute(text("delete from history.trees where source_id = 'bench-imports'"))
