"""Roads handed to others: as GMNS tables, or as the node-link JSON that networkx reads."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer

from layers.errors import InputError
from network.road_times import compute_times
from network.roads import MODES, ROAD_CLASSES, RoadGraph
from twin.roads.city_roads import CityRoads

Tables = Mapping[str, str]
_TURNS = ((45.0, "thru"), (135.0, "left"), (180.1, "uturn"))
_PCU = {"car": 1.0, "motorbike": 0.25, "truck": 2.5, "bus": 2.5, "emergency": 1.0, "bicycle": 0.2, "foot": 0.0}


def make_gmns(roads: CityRoads, crs: CRS) -> Tables:
    """Return the roads as tables of GMNS 0.96 by file name: node, link, movement, config and use_definition.

    A link is a direction of a stretch; its id is that of the feature, with the number of the stretch and a minus
    against the drawing. Coordinates are WGS 84, lengths kilometres, speeds km/h; the capacity is that of a lane.
    Movements are given where turns are banned: all of the junction, with the modes that may make them.
    """
    graph = roads.graph
    project = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    lon, lat = project.transform(*graph.junction_xy.T) if graph.junction_count else ((), ())
    names = name_links(roads)
    lines = shapely.transform(roads.lines(), lambda xy: np.column_stack(project.transform(*xy.T)))
    shapes = lines[graph.edges] if graph.link_count else lines
    turned = np.where(graph.forward, shapes, shapely.reverse(shapes))
    wkt = shapely.to_wkt(turned, rounding_precision=7)
    lanes = np.maximum(np.rint(graph.lanes), 1.0).astype(int)
    links = [
        (
            names[k], roads.names[graph.edges[k]], int(graph.starts[k]), int(graph.ends[k]), "true",
            1, round(float(graph.lengths[k]) / 1000.0, 6),
            ROAD_CLASSES[int(graph.road_classes[k])], round(float(graph.capacities[k]) / int(lanes[k]), 1),
            round(float(graph.speeds[k]), 1), int(lanes[k]), _list_modes(int(graph.access[k])), wkt[k],
        )
        for k in range(graph.link_count)
    ]  # fmt: skip
    return {
        "node.csv": _write(
            ("node_id", "x_coord", "y_coord", "node_type"),
            ((k, f"{lon[k]:.7f}", f"{lat[k]:.7f}", "intersection") for k in range(graph.junction_count)),
        ),
        "link.csv": _write(
            ("link_id", "name", "from_node_id", "to_node_id", "directed", "dir_flag", "length", "facility_type",
             "capacity", "free_speed", "lanes", "allowed_uses", "geometry"),
            links,
        ),
        "movement.csv": _write(
            ("mvmt_id", "node_id", "ib_link_id", "ob_link_id", "type", "allowed_uses"), _list_movements(roads, names)
        ),
        "use_definition.csv": _write(
            ("use", "persons_per_vehicle", "pce"), ((mode, 1, _PCU[mode]) for mode in MODES)
        ),
        "config.csv": _write(
            ("dataset_name", "short_length", "long_length", "speed", "crs", "geometry_field_format", "version_number"),
            (("roads", "m", "km", "kph", "EPSG:4326", "wkt", "0.96"),),
        ),
    }  # fmt: skip


def write_gmns(tables: Tables, path: Path) -> None:
    """Write the tables into a zip file, or into a folder that is new or empty."""
    if path.suffix.lower() == ".zip":
        draft = path.with_name(f".{path.name}.part")
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in tables.items():
                archive.writestr(name, content)
        draft.replace(path)
        return
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"'{path}' is there already", hint="name a .zip, or a folder that is new or empty")
    path.mkdir(parents=True, exist_ok=True)
    for name, content in tables.items():
        (path / name).write_text(content, encoding="utf-8", newline="")


def make_node_link(roads: CityRoads, mode: str) -> dict[str, Any]:
    """Return the roads of a mode as JSON; ``networkx.node_link_graph(data, edges="edges")`` makes a graph of it.

    Nodes are those a search goes over: where turns are banned, several have the same ``junction``, and a shortest path
    by ``time`` [s] obeys every ban. ``length`` [m].
    """
    graph = roads.graph_of(mode)
    times = compute_times(graph, mode)
    names = name_links(roads)
    arcs = np.flatnonzero(np.isfinite(times[graph.links]))
    return {
        "directed": True,
        "multigraph": True,
        "graph": {"mode": mode, "stamp": roads.stamp},
        "nodes": [
            {"id": k, "junction": int(junction), "x": round(float(x), 3), "y": round(float(y), 3)}
            for k, (junction, (x, y)) in enumerate(zip(graph.junctions, graph.node_xy, strict=True))
        ],
        "edges": [
            {
                "source": int(graph.tails[arc]), "target": int(graph.heads[arc]), "key": names[graph.links[arc]],
                "name": roads.names[graph.edges[graph.links[arc]]], "time": round(float(times[graph.links[arc]]), 3),
                "length": round(float(graph.lengths[graph.links[arc]]), 3),
            }
            for arc in arcs.tolist()
        ],
    }  # fmt: skip


def name_links(roads: CityRoads) -> list[str]:
    """Return a name for each link: its feature, ``#stretch`` where it has several, ``-`` against the drawing."""
    graph = roads.graph
    several = {item for item, edges in roads.places.items() if len(edges) > 1}
    items, parts = roads.items[graph.edges].tolist(), roads.parts[graph.edges].tolist()
    return [
        f"{item}{f'#{part}' if item in several else ''}{'' if forward else '-'}"
        for item, part, forward in zip(items, parts, graph.forward.tolist(), strict=True)
    ]


def _list_movements(roads: CityRoads, names: list[str]) -> Iterable[tuple[Any, ...]]:
    graph = roads.graph
    refused: dict[tuple[int, int], int] = {}
    for ban in roads.bans:
        for way in ban.ways:
            if len(way) == 2:
                pair = tuple(int(graph.edge_links[edge, 0 if drawn else 1]) for edge, drawn in way)
                refused[pair[0], pair[1]] = refused.get((pair[0], pair[1]), 0) | ban.modes
    junctions = {int(graph.ends[first]) for first, _ in refused}
    number = 0
    for junction in sorted(junctions):
        into = np.flatnonzero(graph.ends == junction).tolist()
        out = np.flatnonzero(graph.starts == junction).tolist()
        for first in into:
            for second in out:
                number += 1
                modes = int(graph.access[first]) & int(graph.access[second]) & ~refused.get((first, second), 0)
                kind = _name_turn(graph, roads, first, second)
                yield number, junction, names[first], names[second], kind, _list_modes(modes)


def _name_turn(graph: RoadGraph, roads: CityRoads, first: int, second: int) -> str:
    if graph.edges[first] == graph.edges[second]:
        return "uturn"
    angle = (bearing(roads, second, 0) - bearing(roads, first, -1) + 180.0) % 360.0 - 180.0
    kind = next(word for limit, word in _TURNS if abs(angle) < limit)
    return "right" if kind == "left" and angle < 0.0 else kind


def bearing(roads: CityRoads, link: int, at: int) -> float:
    """Return the direction of a link [deg, counterclockwise from east] where it leaves (0) or arrives (-1)."""
    graph = roads.graph
    coords = shapely.get_coordinates(roads.lines([graph.edges[link]])[0])
    if not graph.forward[link]:
        coords = coords[::-1]
    step = coords[1] - coords[0] if at == 0 else coords[-1] - coords[-2]
    return float(np.degrees(np.arctan2(step[1], step[0])))


def _list_modes(bits: int) -> str:
    return ",".join(mode for k, mode in enumerate(MODES) if bits >> k & 1)


def _write(header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()
