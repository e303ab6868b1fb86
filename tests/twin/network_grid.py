"""A grid of streets with a water network and power lines of two voltages, for tests of what is stored."""

import geopandas as gpd
import shapely

X, Y, STEP, SIDE = 586_000.0, 1_109_000.0, 40.0, 4


def place(column: float, row: float) -> tuple[float, float]:
    return X + column * STEP, Y + row * STEP


def make_layers() -> dict[str, gpd.GeoDataFrame]:
    """Return a grid of streets: pipes, their nodes, a valve on each pipe, a pump, and lines of two voltages."""
    pipes, lines = [], []
    for row in range(SIDE):
        for column in range(SIDE):
            for right, up in ((1, 0), (0, 1)):
                if column + right < SIDE and row + up < SIDE:
                    pipes.append(shapely.LineString([place(column, row), place(column + right, row + up)]))
    names = [f"P{k}" for k in range(len(pipes))]
    nodes = [place(column, row) for row in range(SIDE) for column in range(SIDE)]
    valves = [pipe.interpolate(6.0) for pipe in pipes]
    lines = [shapely.transform(pipe, lambda xy: xy + 3.0) for pipe in pipes]
    made = {
        "water_pipes": {"id": names, "pipe_type": "distribution", "status": "open", "geometry": pipes},
        "water_nodes": {
            "id": [f"N{k}" for k in range(len(nodes))],
            "node_type": ["reservoir", *["junction"] * (len(nodes) - 1)],
            "geometry": shapely.points(nodes),
        },
        "water_valves": {
            "id": [f"V{k}" for k in range(len(pipes))], "valve_type": "isolation", "status": "open", "pipe_id": names,
            "geometry": valves,
        },
        "water_pumps": {
            "id": ["B0"], "from_node": ["N5"], "to_node": ["N10"], "status": ["running"],
            "geometry": [shapely.Point(place(1.4, 1.5))],
        },
        "power_lines": {
            "id": [f"L{k}" for k in range(len(lines))],
            "voltage_class": ["medium" if k % 2 else "low" for k in range(len(lines))],
            "geometry": lines,
        },
        "transformers": {"id": ["T0"], "geometry": [shapely.Point(place(1.1, 1.1))]},
    }  # fmt: skip
    return {layer: gpd.GeoDataFrame(columns, crs="EPSG:5897") for layer, columns in made.items()}


LAYERS = make_layers()
