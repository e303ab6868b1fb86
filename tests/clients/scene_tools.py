"""Node packages the checks of the scene need, installed once, and a server with buildings to look at."""

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.city import fresh_database, running_server
from bench.city_frames import generate_frames
from layers.registry import VECTOR_LAYERS
from layers.store.cluster import start_cluster, stop_cluster
from layers.store.engine import plain_url
from layers.store.features import upsert_features
from tests.conftest import ROOT

FOLDER = ROOT / ".run" / "clients" / "scene"
# Both Apache-2.0.
PACKAGES = {"gltf-validator": "2.0.0-dev.3.10", "cesium": "1.145.0"}


def install(*names: str) -> Path:
    """Install the packages that are not there and return the folder of modules."""
    modules = FOLDER / "node_modules"
    missing = [f"{name}@{PACKAGES[name]}" for name in names if not (modules / name).exists()]
    if missing:
        FOLDER.mkdir(parents=True, exist_ok=True)
        if not (FOLDER / "package.json").exists():
            (FOLDER / "package.json").write_text(json.dumps({"private": True}))
        npm = shutil.which("npm") or "npm"
        subprocess.run([npm, "install", "--no-audit", "--no-fund", *missing], cwd=FOLDER, check=True, timeout=600)
    return modules


@contextlib.contextmanager
def serve_city() -> Iterator[str]:
    """Serve a city of 120,000 generated buildings on a private database and yield the server's address."""
    folder = Path(tempfile.mkdtemp(prefix="twin-scene-"))
    folder.chmod(0o755)
    try:
        with fresh_database(start_cluster(folder / "postgres"), "scene") as engine:
            with engine.begin() as connection:
                frame = generate_frames()["buildings"]
                upsert_features(connection, VECTOR_LAYERS["buildings"], frame, source_id="bench")
            with running_server(plain_url(engine), cache_mb=256) as port:
                yield f"http://127.0.0.1:{port}"
    finally:
        stop_cluster(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)
