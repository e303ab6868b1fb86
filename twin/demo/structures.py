"""Tide gates, pump stations and the retention basin, and the tables of the whole drainage network."""

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString

from twin.demo.cells import Cells
from twin.demo.drainage import PIPE_N, Drainage, DrainLink, DrainNode
from twin.demo.plan import CANALS, CROSS_CANALS, GATE_V, Floats, Plan, Water, compute_urbanity, cross_gate_u
from twin.demo.shapes import Table, as_shapes, as_text, draw_conditions, draw_dates, make_points, number_ids
from twin.demo.water import BASIN_ID

OWNER = "Công ty Thoát nước Vàm Sông (mô phỏng)"
SPAN = 18.0
IMPERVIOUS = {
    "dense": 0.85, "suburban": 0.5, "orchard": 0.15, "paddy": 0.1, "park": 0.15, "sports": 0.2, "basin": 0.9,
    "industrial": 0.8, "market": 0.9,
}  # fmt: skip


def add_structures(plan: Plan, drainage: Drainage, water: Water) -> None:
    """Add gates and pumps at the gated canals, pumps at three drained hollows, and the basin's weir and pump."""
    for canal in CANALS:
        if canal.gated:
            v = np.array([GATE_V + SPAN, GATE_V - SPAN])
            side = canal.width / 2 + 4.0
            gate = plan.frame.to_map(canal.centre(v), v)
            pump = plan.frame.to_map(canal.centre(v) + np.array([side - 6.0, side - 6.0]), v)
            _add_gate(drainage, canal.gate_id, canal.waterway_id, canal.bed, canal.width, gate)
            _add_pump(drainage, f"PUMP-{canal.key}", pump, 6.0 if canal.width > 22.0 else 4.0, canal.waterway_id)
    for cross in CROSS_CANALS:
        if cross.gated:
            u = np.array([cross_gate_u(plan, cross) + 14.0, cross_gate_u(plan, cross) - 14.0])
            gate = plan.frame.to_map(u, cross.v)
            pump = plan.frame.to_map(u, cross.v + cross.width / 2 - 2.0)
            _add_gate(drainage, cross.gate_id, cross.waterway_id, cross.bed, cross.width, gate)
            _add_pump(drainage, f"PUMP-{cross.key}", pump, 3.0, cross.waterway_id)
    _add_street_pumps(drainage)
    if BASIN_ID in water.bodies:
        _add_basin(drainage, water)


def _add_gate(
    drainage: Drainage, gate_id: str, waterway_id: str, bed: float, width: float, ends: tuple[Floats, Floats]
) -> None:
    index = []
    for x, y in zip(*ends, strict=True):
        node = drainage.add_node("GN", float(x), float(y), "junction", 2.5)
        drainage.nodes[node].invert = bed
        index.append(node)
    drainage.links.append(
        DrainLink(
            gate_id, "gate", index[0], index[1], drainage.draw(index[0], index[1]), "rect_closed", height=4.5,
            width=round(0.7 * width, 1), crest=round(bed + 0.3, 2), waterway_id=waterway_id, note="Cống ngăn triều",
        )
    )  # fmt: skip


def _add_pump(drainage: Drainage, pump_id: str, ends: tuple[Floats, Floats], capacity: float, waterway_id: str) -> None:
    (x0, x1), (y0, y1) = ends
    sump = drainage.add_node("PS", float(x0), float(y0), "storage", 2.0)
    out = drainage.add_node("OF", float(x1), float(y1), "outfall", 2.0)
    drainage.nodes[sump].invert, drainage.nodes[out].invert = -2.0, 0.2
    drainage.nodes[out].has_gate = True
    drainage.links.append(
        DrainLink(pump_id, "pump", sump, out, drainage.draw(sump, out), capacity=capacity, waterway_id=waterway_id)
    )


def _add_street_pumps(drainage: Drainage) -> None:
    """Put a sump and a pump beside the outfalls of the three forests that drain the lowest ground."""
    lowest: dict[int, float] = {}
    for node in drainage.nodes:
        if node.outfall >= 0 and node.distance > 0:
            lowest[node.outfall] = min(lowest.get(node.outfall, 9.0), node.ground)
    made: list[DrainNode] = []
    links = {drainage.nodes[link.end].outfall: link for link in drainage.links if link.end in drainage.body_of}
    for outfall in sorted(lowest, key=lambda key: lowest[key]):
        link = links.get(outfall)
        if link is None or len(made) == 3 or drainage.body_of[link.end] not in ("WB-BANXANH", "WB-MUU", "WB-HAU"):
            continue
        sump, mouth = drainage.nodes[link.start], drainage.nodes[link.end]
        if any(np.hypot(sump.x - other.x, sump.y - other.y) < 500.0 for other in made):
            continue
        along = np.array([mouth.x - sump.x, mouth.y - sump.y])
        across = np.array([-along[1], along[0]]) / np.linalg.norm(along) * 4.0
        out = drainage.add_node("OF", mouth.x + across[0], mouth.y + across[1], "outfall", 2.0)
        drainage.nodes[out].invert = 0.4
        drainage.nodes[out].has_gate = True
        sump.node_type, sump.note = "storage", "Bể hút trạm bơm"
        made.append(sump)
        waterway = drainage.body_of[link.end].replace("WB-", "WW-")
        drainage.links.append(
            DrainLink(
                f"PUMP-TB{len(made)}", "pump", link.start, out, drainage.draw(link.start, out), capacity=1.5,
                waterway_id=waterway, note="Trạm bơm chống ngập",
            )
        )  # fmt: skip


def _add_basin(drainage: Drainage, water: Water) -> None:
    """Let the nearest manhole spill into the basin over a weir, and empty the basin by a pump to open water."""
    basin = water.bodies[BASIN_ID]
    centre = basin.centroid
    manholes = [k for k, node in enumerate(drainage.nodes) if node.node_type in ("manhole", "inlet")]
    reach = [np.hypot(drainage.nodes[k].x - centre.x, drainage.nodes[k].y - centre.y) for k in manholes]
    near = manholes[int(np.argmin(reach))]
    store = drainage.add_node("PS", centre.x, centre.y, "storage", 1.2)
    drainage.nodes[store].invert, drainage.nodes[store].note = -1.5, "Hồ điều hòa"
    crest = round(min(drainage.nodes[near].ground - 0.4, drainage.nodes[near].invert + 0.8), 2)
    drainage.links.append(
        DrainLink("WEIR-HODIEUHOA", "weir", near, store, drainage.draw(near, store), "rect_open", 1.0, 3.0, crest=crest)
    )
    line = shapely.shortest_line(basin, water.bodies["WB-BANXANH"])
    end = shapely.get_coordinates(line)[-1]
    out = drainage.add_node("OF", float(end[0]), float(end[1]), "outfall", 2.0)
    drainage.nodes[out].invert, drainage.nodes[out].has_gate = 0.2, True
    drainage.links.append(
        DrainLink(
            "PUMP-HODIEUHOA", "pump", store, out, drainage.draw(store, out), capacity=3.0, waterway_id="WW-BANXANH",
            note="Trạm bơm hồ điều hòa",
        )
    )  # fmt: skip


def make_drainage_tables(drainage: Drainage, seed: int) -> dict[str, Table]:
    """Return drainage_nodes and drainage_links."""
    rng = np.random.default_rng([seed, 9])
    nodes, links = drainage.nodes, drainage.links
    invert = np.array([node.invert for node in nodes]).round(3)
    ground = np.maximum(np.array([node.ground for node in nodes]), invert + 0.6).round(2)
    return {
        "drainage_nodes": Table(
            make_points(np.array([node.x for node in nodes]), np.array([node.y for node in nodes])),
            {
                "id": as_text([node.id for node in nodes]),
                "node_type": as_text([node.node_type for node in nodes]),
                "system": as_text(["storm"] * len(nodes)),
                "ground_elevation": ground,
                "invert_elevation": invert,
                "max_depth": (ground - invert).round(3),
                "has_gate": np.array([node.has_gate for node in nodes]),
                "material": as_text(["reinforced_concrete"] * len(nodes)),
                "condition": draw_conditions(rng, len(nodes)),
                "installed": draw_dates(rng, len(nodes), since=1998, until=2024),
                "owner": as_text([OWNER] * len(nodes)),
                "note": as_text([node.note for node in nodes]),
            },
        ),
        "drainage_links": Table(as_shapes([link.line for link in links]), _describe_links(drainage, invert, rng)),
    }


def _describe_links(drainage: Drainage, invert: Floats, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    links = drainage.links
    start = np.array([link.start for link in links])
    end = np.array([link.end for link in links])
    conduit = np.array([link.link_type == "conduit" for link in links])
    names = as_text([node.id for node in drainage.nodes])
    return {
        "id": as_text([link.id for link in links]),
        "link_type": as_text([link.link_type for link in links]),
        "system": as_text(["storm"] * len(links)),
        "from_node": names[start],
        "to_node": names[end],
        "shape": as_text([link.shape for link in links]),
        "height": np.array([link.height for link in links]),
        "width": np.array([link.width for link in links]),
        "length": np.array([link.line.length for link in links]).round(2),
        "from_invert": invert[start],
        "to_invert": invert[end],
        "mannings_n": np.where(conduit, PIPE_N, np.nan),
        "capacity": np.array([link.capacity for link in links]),
        "crest_elevation": np.array([link.crest for link in links]),
        "waterway_id": as_text([link.waterway_id for link in links]),
        "is_active": np.ones(len(links), bool),
        "material": as_text(["reinforced_concrete" if flag else None for flag in conduit]),
        "condition": draw_conditions(rng, len(links)),
        "installed": draw_dates(rng, len(links), since=1998, until=2024),
        "owner": as_text([OWNER] * len(links)),
        "note": as_text([link.note for link in links]),
    }


def make_catchments(cells: Cells, drainage: Drainage, water: Water) -> Table:
    """Return one catchment a drained block, each with the nearest manhole or inlet as its outlet."""
    middle = np.arange(len(cells))
    u, v = cells.frame_at(middle, 0.5, 0.5)
    urban = compute_urbanity(u, v) > 0.12
    keep = np.flatnonzero(urban & np.array([use != "canal" for use in cells.use]))
    pieces = shapely.difference(cells.outline(gross=True)[keep], water.all)
    keep, pieces = keep[shapely.area(pieces) > 50.0], pieces[shapely.area(pieces) > 50.0]
    shapes = as_shapes([max(shapely.get_parts(piece), key=lambda part: float(part.area)) for piece in pieces])
    indices = [k for k, node in enumerate(drainage.nodes) if node.node_type in ("manhole", "inlet")]
    points = make_points(
        np.array([drainage.nodes[k].x for k in indices]), np.array([drainage.nodes[k].y for k in indices])
    )
    nearest = shapely.STRtree(points).nearest(shapely.centroid(shapes))
    area = shapely.area(shapes)
    return Table(
        shapes,
        {
            "id": number_ids("CA", len(shapes)),
            "outlet_node": as_text([drainage.nodes[indices[k]].id for k in nearest]),
            "area": area.round(1),
            "impervious": np.array([IMPERVIOUS.get(cells.use[n], 0.65) for n in keep]),
            "slope": np.full(len(shapes), 0.002),
            "width": (area / (np.sqrt(area) * 0.6)).round(1),
        },
    )


def find_links(drainage: Drainage, link_type: str) -> list[DrainLink]:
    """Return the links of one type."""
    return [link for link in drainage.links if link.link_type == link_type]


def site_of(line: LineString) -> shapely.Point:
    """Return where the machine of a link stands: half way along a short one, near the start of a rising main."""
    return line.interpolate(min(line.length / 2, 12.0))
