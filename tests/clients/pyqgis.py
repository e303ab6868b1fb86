"""PyQGIS without a screen: each script runs in the Python of QGIS; edits go as newer versions of it send them."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import httpx

from tests.clients.environments import find_qgis
from tests.clients.serving import Wire
from tests.conftest import ROOT


def run_script(name: str, *words: str) -> str:
    """Return the last line of a script of this folder; AssertionError holds what it said when it failed.

    QGIS 3.22 now and then falls over its own threads while it reads features: then it is asked once more, and that is
    said.
    """
    command = [find_qgis(), ROOT / "tests" / "clients" / name, *words]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    crashed = ""
    while True:
        done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False, env=environment)
        if done.returncode >= 0 or crashed:
            break
        crashed = f"QGIS crashed once ({signal.Signals(-done.returncode).name}); "
    assert done.returncode == 0, f"{crashed}exit code {done.returncode}: {(done.stdout + done.stderr)[-800:]}"
    return crashed + (done.stdout.strip().splitlines() or ["passed"])[-1][:200]


def check_features(wire: Wire) -> str:
    """Return what was checked of features and vector tiles; AssertionError says what does not hold."""
    wire.forget()
    said = run_script("qgis_features.py", wire.base)
    asked = wire.list_requests()
    assert any("/buildings/items" in line and "bbox=" in line for line in asked), "the box did not reach the server"
    pushed = any("use=shop" in line or "filter=" in line for line in asked)
    if not pushed:
        # QGIS before 3.30 filters attributes itself; what later ones send is sent for them.
        newer = {"filter": "(\"use\" = 'shop')", "filter-lang": "cql2-text", "limit": "5"}
        found = httpx.get(f"{wire.base}/api/collections/buildings/items", params=newer).raise_for_status().json()
        assert {feature["properties"]["use"] for feature in found["features"]} == {"shop"}
    assert any(line.startswith("GET /tiles/buildings,road_links/") for line in asked)
    return said + f"; box on the server, attributes {'too' if pushed else 'in QGIS: this version sends no filter'}"


def check_maps(wire: Wire) -> str:
    """Return what was checked of WMS and WMTS."""
    return run_script("qgis_wms.py", wire.base)


def check_esri(wire: Wire) -> str:
    """Return what was checked of the GeoServices facade."""
    return run_script("qgis_esri.py", wire.base)


def check_project(wire: Wire) -> str:
    """Return what was checked of the project file that the server gives."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "city.qgz"
        path.write_bytes(httpx.get(f"{wire.base}/api/qgis.qgz", timeout=60).raise_for_status().content)
        return run_script("qgis_project.py", wire.base, str(path))


def check_edit(wire: Wire) -> str:
    """Send the requests of an edit as QGIS 3.28 and later send them (QgsOapifProvider); older ones only read.

    OPTIONS asks for the methods, POST adds, GET reads back, PATCH changes an attribute, PUT the geometry, DELETE ends.
    """
    items = f"{wire.base}/api/collections/trees/items"
    geojson = {"content-type": "application/geo+json"}
    allowed = {word.strip() for word in httpx.options(items).headers["allow"].split(",")}
    assert "POST" in allowed, allowed
    some = httpx.get(items, params={"limit": 1}).json()["features"][0]
    feature = {
        "type": "Feature", "geometry": some["geometry"], "properties": {"species": "Dầu rái", "height": 3.5},
    }  # fmt: skip
    made = httpx.post(items, json=feature, headers=geojson)
    assert made.status_code == 201, made.text
    address = made.headers["location"]
    address = address if address.startswith("http") else f"{wire.base}{address}"
    assert {"PUT", "PATCH", "DELETE"} <= {word.strip() for word in httpx.options(address).headers["allow"].split(",")}
    read = httpx.get(address)
    assert read.json()["properties"]["height"] == 3.5
    changed = httpx.patch(
        address,
        json={"type": "Feature", "properties": {"height": 4.5}},
        headers={"content-type": "application/merge-patch+json", "if-match": read.headers["etag"]},
    )
    assert changed.status_code in (200, 204), changed.text
    whole = httpx.get(address)
    assert whole.json()["properties"] | {"height": 4.5} == whole.json()["properties"]
    moved = {**whole.json(), "geometry": {"type": "Point", "coordinates": [105.77, 10.03]}}
    moved = {key: moved[key] for key in ("type", "id", "geometry", "properties")}
    replaced = httpx.put(address, json=moved, headers={**geojson, "if-match": whole.headers["etag"]})
    assert replaced.status_code in (200, 204), replaced.text
    assert httpx.get(address).json()["geometry"]["coordinates"] == [105.77, 10.03]
    last = httpx.get(address).headers["etag"]
    assert httpx.delete(address, headers={"if-match": last}).status_code in (200, 204)
    assert httpx.get(address).status_code == 404
    return "OPTIONS, POST, PATCH, PUT, DELETE as QGIS ≥ 3.28 sends them (this QGIS only reads)"
