"""A small city with things that are for few, each with a mark that is found wherever it leaks."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Engine, text

from layers.registry import VECTOR_LAYERS
from layers.schema import Access, Text
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import insert_observations
from tests.api.conftest import X0, Y0, fill, fill_rasters
from twin.accounts.keeping import Author
from twin.accounts.keys import add_device_key, add_key
from twin.roles import ROLES
from twin.store import claim_run, create_run, finish_run

NEAR_WARD, FAR_WARD = "31117", "31120"
RUN_ID = "guarded-run"
START = datetime(2026, 11, 1, tzinfo=UTC)
MARKS: Mapping[str, tuple[Access, bool]] = {
    "b-hidden-near": ("restricted", False),
    "b-hidden-far": ("restricted", True),
    "Kho-Bi-Mat": ("restricted", False),
    "Ten-Cu-Mat": ("restricted", False),
    "9876501": ("staff", False),
    "m-near": ("staff", False),
    "m-far": ("staff", True),
    "Ngo-Kin-12": ("restricted", False),
    "4321.875": ("restricted", False),
    "987.625": ("restricted", False),
    "S-hidden": ("restricted", True),
    "77.123456": ("restricted", True),
}
"""From which level on a mark is seen, and whether it lies where somebody bound to the near ward does not see."""


def fill_guarded(engine: Engine, folder: Path) -> None:
    """Write the city of the other tests, and beside it what is for few."""
    fill(engine)
    fill_rasters(engine, folder)
    half = shapely.box(X0 - 5000, Y0 - 5000, X0 + 2000, Y0 + 5000)
    other = shapely.box(X0 + 2000, Y0 - 5000, X0 + 9000, Y0 + 5000)
    wards = {"id": ["w1", "w2"], "name": ["Gần", "Xa"], "ward_code": [NEAR_WARD, FAR_WARD], "ward_type": ["ward"] * 2}
    near, far = shapely.Point(X0 + 60, Y0 + 200), shapely.Point(X0 + 4060, Y0 + 200)
    frames = {
        "wards": (wards, [shapely.MultiPolygon([half]), shapely.MultiPolygon([other])]),
        "buildings": (
            {
                "id": ["b-open", "b-hidden-near", "b-hidden-far"], "name": ["Nhà mở", "Ten-Cu-Mat", "Xa"],
                "use": ["house"] * 3, "residents": [9876501, 3, 3], "height": [5.0] * 3,
                "is_restricted": [False, True, True],
            },
            [shapely.MultiPolygon([place.buffer(9.0)]) for place in (shapely.Point(X0 + 20, Y0 + 200), near, far)],
        ),
        "water_meters": (
            {
                "id": ["m-near", "m-far"], "customer_type": ["household"] * 2, "average_use": [4321.875, 1.0],
                "address": ["Ngo-Kin-12", "x"],
            },
            [near, far],
        ),
        "substations": (
            {"id": ["ss-1"], "name": ["Trạm"], "voltage_class": ["110kV"], "peak_load": [987.625]},
            [near],
        ),
        "sensors": (
            {"id": ["S-hidden"], "name": ["Trạm kín"], "kind": ["stage"], "is_restricted": [True]},
            [far],
        ),
    }  # fmt: skip
    with engine.begin() as connection:
        for layer_id, (columns, shapes) in frames.items():
            frame = gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:5897")
            upsert_features(connection, VECTOR_LAYERS[layer_id], frame, source_id="s-guarded")
        stream = Datastream("S-hidden.stage", "S-hidden", "stage", "m", "Mực nước", "Stage")
        upsert_datastreams(connection, [stream], "s-sensors")
        times = [START + timedelta(minutes=10 * k) for k in range(20)]
        frame = pd.DataFrame(
            {"datastream_id": "S-hidden.stage", "phenomenon_time": times, "result": np.full(20, 77.123456)}
        )
        insert_observations(connection, frame)
    with engine.begin() as connection:
        connection.execute(text("update city.buildings set name = 'Kho-Bi-Mat' where id = 'b-hidden-near'"))
        run_id = create_run(connection, process="flood-access", inputs={}, title=Text("a", "b"))
        claim_run(connection, run_id)
        finish_run(
            connection, run_id, title=Text("a", "b"), base_time=START, horizon_hours=1.0, summary={},
            stage_forecast=None, balance=None, provenance={},
        )  # fmt: skip
        columns = {
            "id": ["r1", "r2"], "run_id": [run_id] * 2, "asset_layer": ["buildings", "water_meters"],
            "asset_id": ["b-hidden-near", "m-near"], "category": ["building"] * 2, "depth_class": ["0.3-0.5"] * 2,
            "depth_max": [0.4] * 2,
        }  # fmt: skip
        frame = gpd.GeoDataFrame(columns, geometry=[near, near], crs="EPSG:5897")
        upsert_features(connection, VECTOR_LAYERS["flood_assets"], frame, source_id="s-run")


def make_keys(engine: Engine) -> dict[str, dict[str, str]]:
    """Return the headers with which each role asks; ``*-near`` are bound to the near ward."""
    author = Author("cli:test", "cli")
    headers: dict[str, dict[str, str]] = {"public": {}}
    with engine.begin() as connection:
        for role in ROLES:
            if role == "public":
                continue
            if role == "device":
                made = add_device_key(connection, author, role, gateway=True)
            else:
                made = add_key(connection, author, role, roles=[role])
            headers[role] = {"authorization": f"Bearer {made.key}"}
        for role in ("viewer", "engineer"):
            made = add_key(connection, author, f"{role}-near", roles=[role], wards=[NEAR_WARD])
            headers[f"{role}-near"] = {"authorization": f"Bearer {made.key}"}
    return headers


def list_forbidden(who: str) -> list[str]:
    """Return the marks that ``who`` must never find."""
    role, bound = ROLES[who.removesuffix("-near")], who.endswith("-near")
    levels: tuple[Access, ...] = ("public", "staff", "restricted")
    return [
        mark
        for mark, (level, is_far) in MARKS.items()
        if levels.index(level) > levels.index(role.level) or (bound and is_far)
    ]
