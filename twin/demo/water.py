"""Waters of the district: what each body is, ponds and the retention basin, fairways and landings."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.cells import Cells
from twin.demo.plan import CANALS, CROSS_CANALS, EXTENT, RIVER_ID, RIVER_WIDTH, Plan, Water
from twin.demo.shapes import Table, as_shapes, as_text, number_ids

BASIN_ID = "WB-HODIEUHOA"


@dataclass(frozen=True, slots=True)
class WaterFacts:
    """What is known about one water body."""

    name: str | None
    water_type: str
    is_tidal: bool
    bed: float
    gate_id: str | None = None


def describe_waters(water: Water) -> dict[str, WaterFacts]:
    """Return the facts of every body of ``water`` by id."""
    facts = {RIVER_ID: WaterFacts("Sông Hậu (mô phỏng)", "river", True, -10.0)}
    for canal in (*CANALS, *CROSS_CANALS):
        gate = canal.gate_id if canal.gated else None
        facts[canal.body_id] = WaterFacts(canal.name, "canal", True, canal.bed, gate)
        if canal.gated:
            facts[f"{canal.body_id}-MOUTH"] = WaterFacts(f"Vàm {canal.name}", "canal", True, canal.bed)
    for body_id in water.bodies:
        if body_id == BASIN_ID:
            facts[body_id] = WaterFacts("Hồ điều hòa Ô Môi", "basin", False, -1.5)
        elif body_id not in facts:
            facts[body_id] = WaterFacts(None, "pond", False, -0.3)
    return facts


def dig_ponds(cells: Cells, water: Water) -> Water:
    """Return the waters with fish ponds in the fields and the retention basin in its block."""
    rng = np.random.default_rng([cells.plan.seed, 8])
    bodies = dict(water.bodies)
    width, height = cells.width(), cells.height()
    count = 0
    for n, use in enumerate(cells.use):
        if use == "basin":
            bodies[BASIN_ID] = cells.outline(gross=False)[n].buffer(-9.0)
        if use not in ("orchard", "paddy") or min(width[n], height[n]) < 105.0 or rng.random() > 0.45:
            continue
        x, y = cells.place(np.array([n]), rng.uniform(0.42, 0.58), rng.uniform(0.42, 0.58))
        radius = rng.uniform(7.0, 15.0)
        turn = np.linspace(0.0, 2.0 * np.pi, 15)[:-1]
        reach = radius * (1.0 + 0.25 * np.sin(2.0 * turn + rng.uniform(0.0, 6.0)) + rng.uniform(-0.08, 0.08, 14))
        pond = shapely.Polygon(np.column_stack([x + reach * np.cos(turn), y + reach * np.sin(turn)]).round(3))
        if not shapely.intersects(pond, water.all):
            count += 1
            bodies[f"WB-AO-{count:03d}"] = pond
    return Water(bodies, water.lines, shapely.union_all(list(bodies.values())))


def make_water_bodies(water: Water) -> Table:
    """Return the water_bodies layer."""
    facts = describe_waters(water)
    known = [facts[body_id] for body_id in water.bodies]
    return Table(
        as_shapes(list(water.bodies.values())),
        {
            "id": as_text(list(water.bodies)),
            "name": as_text([fact.name for fact in known]),
            "water_type": as_text([fact.water_type for fact in known]),
            "is_tidal": np.array([fact.is_tidal for fact in known]),
            "bed_elevation": np.array([fact.bed for fact in known]),
            "gate_id": as_text([fact.gate_id for fact in known]),
        },
    )


def make_waterways(water: Water) -> Table:
    """Return centre lines of river, canals and creeks."""
    named = {canal.waterway_id: canal for canal in (*CANALS, *CROSS_CANALS)}
    names, kinds, widths, beds = [], [], [], []
    for line_id in water.lines:
        canal = named.get(line_id)
        names.append(canal.name if canal else "Sông Hậu (mô phỏng)")
        kinds.append("river" if canal is None else "stream" if canal.name.startswith("Rạch") else "canal")
        widths.append(canal.width if canal else RIVER_WIDTH)
        beds.append(canal.bed if canal else -10.0)
    return Table(
        as_shapes(list(water.lines.values())),
        {
            "id": as_text(list(water.lines)),
            "name": as_text(names),
            "waterway": as_text(kinds),
            "width": np.array(widths),
            "bed_elevation": np.array(beds),
            "is_tidal": np.ones(len(names), bool),
        },
    )


def make_waterway_links(water: Water) -> Table:
    """Return the fairways: the river and the two open canals."""
    fairways = (
        ("WW-HAU", "Luồng sông Hậu (mô phỏng)", "class_0", 7.0, 150.0),
        ("WW-BANXANH", "Luồng Rạch Bần Xanh", "class_4", 2.6, 25.0),
        ("WW-MUU", "Luồng Rạch Mù U", "class_4", 2.8, 30.0),
    )
    return Table(
        as_shapes([water.lines[line_id] for line_id, *_ in fairways]),
        {
            "id": number_ids("FW", len(fairways)),
            "name": as_text([fairway[1] for fairway in fairways]),
            "waterway_class": as_text([fairway[2] for fairway in fairways]),
            "depth": np.array([fairway[3] for fairway in fairways]),
            "width": np.array([fairway[4] for fairway in fairways]),
        },
    )


def make_ferry_landings(plan: Plan) -> Table:
    """Return the landings on both banks."""
    landings = (
        ("Bến đò Bến Sậy", -60.0, 3.0), ("Bến tàu khách Vàm Xanh", 900.0, 3.0), ("Bến phà Lá Dừa", -1250.0, 3.0),
        ("Bến đò Cồn Trâm", 150.0, -RIVER_WIDTH - 8.0),
    )  # fmt: skip
    found = []
    for name, u, v in landings:
        x, y = plan.frame.to_map(u, v)
        point = shapely.Point(round(float(x), 3), round(float(y), 3))
        if EXTENT.covers(point):
            found.append((name, point))
    return Table(
        as_shapes([point for _, point in found]),
        {
            "id": number_ids("FL", len(found)),
            "name": as_text([name for name, _ in found]),
            "operator": as_text(["Hợp tác xã đò ngang (mô phỏng)"] * len(found)),
            "deck_elevation": np.full(len(found), 2.3),
        },
    )
