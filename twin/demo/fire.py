"""Fire protection: the stations, and where engines draw water from river, canals, ponds and the basin."""

import numpy as np
import shapely

from twin.demo.plan import EXTENT, WARD_CODES, Plan, Water, locate_ward
from twin.demo.shapes import Table, as_text, draw_dates, make_points, number_ids
from twin.demo.street_graph import choose_apart
from twin.demo.streets import Streets
from twin.demo.water import BASIN_ID, describe_waters

INTAKE_SPACING = 420.0
REACH = 60.0


def make_fire(plan: Plan, streets: Streets, water: Water, places: Table) -> dict[str, Table]:
    """Return fire_stations and fire_water_points."""
    return {"fire_stations": _make_stations(places), "fire_water_points": _make_intakes(plan, streets, water)}


def _make_stations(places: Table) -> Table:
    """Return the places that are fire stations, with what they have."""
    keep = np.flatnonzero(places.columns["category"] == "fire_station")
    count = len(keep)
    return Table(
        places.geometry[keep],
        {
            "id": number_ids("FS", count),
            "name": places.columns["name"][keep],
            "address": places.columns["address"][keep],
            "phone": as_text(["114"] * count),
            "engines": np.array([4, 2, 2])[np.arange(count) % 3],
            "boats": np.array([1, 2, 0])[np.arange(count) % 3],
            "staff": np.array([36, 22, 18])[np.arange(count) % 3],
            "max_ladder": np.array([32.0, 18.0, 18.0])[np.arange(count) % 3],
            "ward_code": places.columns["ward_code"][keep],
        },
    )


def _make_intakes(plan: Plan, streets: Streets, water: Water) -> Table:
    """Return points on the bank within reach of a street, apart from each other; the basin is one of them."""
    facts = describe_waters(water)
    ids = [key for key in water.bodies if facts[key].water_type != "pond"]
    banks = np.array([water.bodies[key].boundary for key in ids], dtype=object)
    nodes = make_points(streets.x, streets.y)
    (_, body), distance = shapely.STRtree(banks).query_nearest(nodes, all_matches=False, return_distance=True)
    near = np.flatnonzero(distance < REACH)
    bank = shapely.get_point(shapely.shortest_line(banks[body[near]], nodes[near]), 0)
    kept = shapely.covers(EXTENT.buffer(-2.0), bank)
    near, bank = near[kept], bank[kept]
    x, y = shapely.get_x(bank), shapely.get_y(bank)
    basin = np.array([ids[k] == BASIN_ID for k in body[near]])
    chosen = choose_apart(x, y, np.argsort(~basin, kind="stable"), INTAKE_SPACING)
    bodies = [ids[k] for k in body[near][chosen]]
    count = len(chosen)
    names = [facts[key].name or "Ao" for key in bodies]
    bed = np.array([facts[key].bed for key in bodies])
    return Table(
        make_points(x[chosen], y[chosen]),
        {
            "id": number_ids("FI", count),
            "name": as_text([f"Bến lấy nước {n} – {name}" for n, name in enumerate(names, 1)]),
            "source_type": as_text(["pond" if key == BASIN_ID else "quay" for key in bodies]),
            "suction_lift": np.where(bed < -1.6, 2.4, 3.1),
            "has_vehicle_access": np.arange(count) % 7 != 3,
            "status": as_text(["blocked" if n % 7 == 3 else "usable" for n in range(count)]),
            "water_body_id": as_text(bodies),
            "last_checked": draw_dates(np.random.default_rng([plan.seed, 25]), count, since=2025),
            "ward_code": WARD_CODES[locate_ward(*plan.frame.to_frame(x[chosen], y[chosen]))].astype(object),
        },
    )
