"""The network of the traces bench as the water network of a city: pipes, nodes and valves in layers."""

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import Engine, text

from bench.city_frames import CRS
from layers.registry import VECTOR_LAYERS
from layers.store.features import upsert_features

ORIGIN = (575_000.0, 1_103_000.0)
STEP = 20.0


def make_frames(case: dict[str, np.ndarray], columns: int) -> dict[str, gpd.GeoDataFrame]:
    """Return pipes, nodes and valves; the outfall of the case is the reservoir that feeds all of it.

    case: as ``bench.traces.make_network`` returns it, of a grid with so many columns.
    """
    size = case["valves"].size
    x, y = ORIGIN[0] + STEP * (np.arange(size) % columns), ORIGIN[1] + STEP * (np.arange(size) // columns)
    starts, ends = case["starts"], case["ends"]
    lines = shapely.linestrings(
        np.stack((np.column_stack((x[starts], y[starts])), np.column_stack((x[ends], y[ends]))), axis=1)
    )
    chance = np.random.default_rng(21)
    pipes = gpd.GeoDataFrame(
        {
            "id": [f"WP-{k}" for k in range(starts.size)],
            "pipe_type": "distribution",
            "diameter": chance.choice([0.1, 0.15, 0.2, 0.3], starts.size),
            "status": "open",
        },
        geometry=lines,
        crs=CRS,
    )
    # The reservoir is no valve.
    is_valve = case["valves"] & (np.arange(size) != int(case["outfall"]))
    plain = np.flatnonzero(~is_valve)
    kinds = np.where(plain == int(case["outfall"]), "reservoir", "junction")
    nodes = gpd.GeoDataFrame(
        {"id": [f"WN-{k}" for k in plain], "node_type": kinds}, geometry=shapely.points(x[plain], y[plain]), crs=CRS
    )
    valves = np.flatnonzero(is_valve)
    devices = gpd.GeoDataFrame(
        {"id": [f"WV-{k}" for k in valves], "valve_type": "isolation", "status": "open", "is_operable": True},
        geometry=shapely.points(x[valves], y[valves]),
        crs=CRS,
    )
    return {"water_pipes": pipes, "water_nodes": nodes, "water_valves": devices}


def fill_city(engine: Engine, frames: dict[str, gpd.GeoDataFrame]) -> None:
    """Write the layers."""
    for layer_id, frame in frames.items():
        with engine.begin() as connection:
            upsert_features(connection, VECTOR_LAYERS[layer_id], frame, source_id="bench")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
