"""A small water network: a reservoir, a loop, a dead end, a tank behind a closed valve, one valve that is stuck.

R ─V1─ A ─V2──V3─ B ─V4──V6─ C ─V7─ F (hospital)
                  V5         V8 (stuck)
                  │          │
                  D ──P5──── E ──P8──V9 (closed)── T (tank)
"""

import geopandas as gpd
import shapely

X, Y = 586_000.0, 1_109_000.0
PLACES = {
    "R": (0, 0), "A": (100, 0), "B": (200, 0), "C": (300, 0), "D": (200, 100), "E": (300, 100), "F": (400, 0),
    "T": (300, 200),
}  # fmt: skip
PIPES = {"P1": "RA", "P2": "AB", "P3": "BC", "P4": "BD", "P5": "DE", "P6": "CE", "P7": "CF", "P8": "ET"}
VALVES = {
    "V1": (95, 0), "V2": (105, 0), "V3": (195, 0), "V4": (205, 0), "V5": (200, 5), "V6": (295, 0), "V7": (305, 0),
    "V8": (300, 5), "V9": (300, 195),
}  # fmt: skip


def at(x: float, y: float) -> shapely.Point:
    """Return a place given in metres from the reservoir."""
    return shapely.Point(X + x, Y + y)


def make_frames() -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of the network and of who lives on it."""
    lines = [shapely.LineString([at(*PLACES[end]) for end in ends]) for ends in PIPES.values()]
    home = shapely.MultiPolygon([shapely.box(X + 245, Y + 105, X + 255, Y + 115)])
    tables = {
        "water_pipes": {
            "id": list(PIPES), "pipe_type": "distribution", "status": "open", "street": "Đường Thử",
            "diameter": [0.3, 0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0.2],
            "condition": ["good", "good", "poor", "fair", "good", "failed", "good", None], "geometry": lines,
        },
        "water_nodes": {
            "id": list(PLACES), "node_type": ["reservoir", *["junction"] * 6, "tank"],
            "geometry": [at(*place) for place in PLACES.values()],
        },
        "water_valves": {
            "id": list(VALVES), "valve_type": "isolation", "turns": [20 + k for k in range(9)], "diameter": 0.2,
            "status": ["open"] * 7 + ["stuck", "closed"], "is_operable": [True] * 7 + [False, True],
            "geometry": [at(*place) for place in VALVES.values()],
        },
        "water_meters": {
            "id": ["M1", "M2", "M3"], "customer_type": "household", "pipe_id": ["P2", "P5", None],
            "node_id": [None, None, "F"], "building_id": [None, "B1", None], "connections": [3, 2, 5],
            "address": ["1 Đường Thử", "2 Đường Thử", "3 Đường Thử"],
            "geometry": [at(150, 3), at(250, 103), at(401, 1)],
        },
        "hydrants": {"id": ["H1"], "node_id": ["E"], "status": ["working"], "geometry": [at(301, 101)]},
        "places": {
            "id": ["X1"], "name": ["Bệnh viện Thử"], "category": ["hospital"], "geometry": [at(400, 20)]
        },
        "buildings": {"id": ["B1"], "residents": [8], "geometry": [home]},
    }  # fmt: skip
    return {layer: gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:5897") for layer, table in tables.items()}
