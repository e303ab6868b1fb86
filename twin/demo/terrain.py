"""Terrain with beds, banks, dykes and road crowns, and land cover, both on the 5 m grid of the plan."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy.ndimage import distance_transform_edt, gaussian_filter
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from twin.demo.plan import (
    CANALS,
    CROSS_CANALS,
    EXTENT,
    GATE_V,
    GRID,
    RIVER_ID,
    CrossCanal,
    Floats,
    Plan,
    Water,
    cross_gate_u,
)
from twin.demo.shapes import Table, as_shapes, as_text, number_ids
from twin.demo.streets import Streets

Raster = NDArray[np.float32]
CROWN = {"primary": 0.40, "secondary": 0.32, "tertiary": 0.24, "residential": 0.14, "living_street": 0.03}
GROUND_RADIUS = {"primary": 10.0, "secondary": 7.5, "tertiary": 5.5, "residential": 4.0, "living_street": 2.0}
COVER = {"water": 1, "road": 2, "building": 3, "grass": 4, "trees": 5, "bare": 6, "crops": 7, "urban": 8}

# Centre (u, v), radius and depth [m] of the hollows that make the low wards.
HOLLOWS = (
    (-1150.0, 700.0, 460.0, 0.33),
    (1180.0, 620.0, 400.0, 0.33),
    (-1250.0, 1900.0, 500.0, 0.25),
    (1250.0, 1900.0, 420.0, 0.25),
    (-100.0, 2450.0, 420.0, 0.22),
)


@dataclass(frozen=True, slots=True)
class DykeLine:
    """One stretch of a line of defence."""

    name: str
    dyke_type: str
    crest: float
    width: float
    line: LineString


def draw_dykes(plan: Plan, water: Water) -> list[DykeLine]:
    """Return the river wall, the canal embankments with low stretches, and the sluice walls at the gates."""
    lines: list[DykeLine] = []
    for u in np.arange(-3400.0, 4200.0, 200.0):
        crest = 2.35 if abs(u - 20.0) < 700.0 else 1.76 if u in (-1200.0, 1200.0) else 2.25
        points = plan.frame.draw_line(np.linspace(u, u + 200.0, 15), 6.0)
        lines.append(DykeLine("Kè sông Hậu", "wall", crest, 4.0, points))
    for canal in CANALS:
        stop = canal.v_end if canal.gated else 6600.0
        for side, label in ((-1.0, "tây"), (1.0, "đông")):
            for v in np.arange(6.0, stop, 300.0):
                crest = _canal_crest(canal.gated, float(v), canal.u, side)
                steps = np.linspace(v, min(v + 300.0, stop), 21)
                line = plan.frame.draw_line(canal.centre(steps) + side * (canal.width / 2 + 5.0), steps)
                lines.append(DykeLine(f"Bờ bao {label} {canal.name}", "earth", crest, 3.0, line))
        if canal.gated:
            u = float(canal.centre(stop)) + np.linspace(-1.0, 1.0, 9) * (canal.width / 2 + 5.0)
            head = plan.frame.draw_line(u, stop + 5.0)
            lines.append(DykeLine(f"Bờ bao đầu {canal.name}", "earth", 1.85, 3.0, head))
    for cross in CROSS_CANALS:
        lines.extend(_draw_cross_banks(plan, cross))
    lines.extend(_draw_sluice_walls(plan))
    return _clear_water(lines, water)


def _draw_cross_banks(plan: Plan, cross: CrossCanal) -> list[DykeLine]:
    """Return the two banks of a cross canal, out to the banks of the canals it meets, and a bank at its head."""
    left, right = CANALS[cross.sector - 1], CANALS[cross.sector]
    reach = [
        float(left.centre(cross.v)) + left.width / 2 + 3.0,
        float(right.centre(cross.v)) - right.width / 2 - 3.0,
    ]
    if 0.0 < cross.to_fraction < 1.0:
        reach[0] = float(plan.column_u(cross.sector, cross.to_fraction, cross.v)) - 5.0
    half = cross.width / 2 + 5.0
    banks = []
    for offset, label, crest in ((-half, "bắc", 2.05), (half, "nam", 2.15)):
        line = plan.frame.draw_line(np.linspace(reach[0], reach[1], 70), cross.v + offset)
        banks.append(DykeLine(f"Bờ bao {label} {cross.name}", "earth", 1.85 if cross.gated else crest, 3.0, line))
    if 0.0 < cross.to_fraction < 1.0:
        head = plan.frame.draw_line(reach[0], cross.v + np.linspace(-half, half, 7))
        banks.append(DykeLine(f"Bờ bao đầu {cross.name}", "earth", 2.15, 3.0, head))
    return banks


def _canal_crest(gated: bool, v: float, u: float, side: float) -> float:
    if gated:
        return 2.2 if v < GATE_V else 1.85
    if v > 2300.0:
        return 1.80 if side > 0.0 and int(v / 300.0) % 7 == 0 else 2.15
    low = side < 0.0 and (600.0 < v < 900.0 if u < 0.0 else 300.0 < v < 600.0)
    return 1.72 if low else 2.15


def _draw_sluice_walls(plan: Plan) -> list[DykeLine]:
    walls = []
    for canal in CANALS:
        if canal.gated:
            reach = canal.width / 2 + 8.0
            u = np.linspace(-reach, reach, 9) + float(canal.centre(GATE_V))
            walls.append(DykeLine(f"Cống ngăn triều {canal.name}", "wall", 2.5, 8.0, plan.frame.draw_line(u, GATE_V)))
            for side in (-1.0, 1.0):
                v = np.linspace(6.0, GATE_V, 8)
                line = plan.frame.draw_line(canal.centre(v) + side * (canal.width / 2 + 5.0), v)
                walls.append(DykeLine(f"Tường cánh cống {canal.name}", "wall", 2.4, 3.0, line))
    for cross in CROSS_CANALS:
        if cross.gated:
            u0, reach = cross_gate_u(plan, cross), cross.width / 2 + 8.0
            v = np.linspace(cross.v - reach, cross.v + reach, 9)
            line = plan.frame.draw_line(np.full_like(v, u0), v)
            walls.append(DykeLine(f"Cống ngăn triều {cross.name}", "wall", 2.5, 8.0, line))
            for side in (-1.0, 1.0):
                u = np.linspace(u0 - 50.0, u0, 6)
                line = plan.frame.draw_line(u, cross.v + side * (cross.width / 2 + 5.0))
                walls.append(DykeLine(f"Tường cánh cống {cross.name}", "wall", 2.3, 3.0, line))
    return walls


def _clear_water(lines: list[DykeLine], water: Water) -> list[DykeLine]:
    wet = water.all.buffer(0.5)
    clear = []
    for dyke in lines:
        for part in shapely.get_parts(dyke.line.intersection(EXTENT).difference(wet)):
            if part.length > 4.0:
                clear.append(DykeLine(dyke.name, dyke.dyke_type, dyke.crest, dyke.width, part))
    return clear


def build_terrain(plan: Plan, water: Water, beds: dict[str, float], streets: Streets, dykes: list[DykeLine]) -> Raster:
    """Return bare-earth elevation [m] (rows, cols): ground, then road crowns, then water beds, then dykes.

    ``beds``: bed elevation by body id [m]. Dykes come last so that a defence is never cut by the raster.
    """
    x, y = GRID.centres()
    u, v = plan.frame.to_frame(*(np.ascontiguousarray(c) for c in np.meshgrid(x, y)))
    z = _shape_ground(plan, u, v)
    z += _draw_crowns(streets)
    for bed in sorted(set(beds.values()), reverse=True):
        edge = max(-0.6, bed)
        alike = [body_id for body_id, other in beds.items() if other == bed]
        wet = _burn_values([(water.bodies[body_id], 1.0) for body_id in alike]) > 0.0
        reach = distance_transform_edt(wet) * GRID.cell_size
        slope_length = 260.0 if RIVER_ID in alike else 9.0
        z = np.where(wet, edge + (bed - edge) * (1.0 - np.exp(-2.5 * reach / slope_length)), z)
    wall = _burn_values([(d.line.buffer(max(d.width, 3.0) / 2), d.crest) for d in dykes], all_touched=True)
    return np.where(wall > 0.0, np.maximum(wall, z), z).astype(np.float32)


def _shape_ground(plan: Plan, u: Floats, v: Floats) -> Floats:
    rng = np.random.default_rng([plan.seed, 6])
    z = 1.18 + 1.05 * np.exp(-(((u - 20.0) / 620.0) ** 2) - (np.maximum(v, 0.0) / 1150.0) ** 2)
    z = np.where(v < -1.0, 1.8, z + 0.35 * np.exp(-np.maximum(v, 0.0) / 60.0)) - 0.08 * np.clip(
        (v - 2400.0) / 1500.0, 0.0, 1.0
    )
    for u0, v0, radius, depth in HOLLOWS:
        z -= depth * np.exp(-((((u - u0) ** 2 + (v - v0) ** 2) / radius**2) ** 1.5))
    for spread, height in ((40.0, 0.07), (8.0, 0.03), (1.2, 0.012)):
        noise = gaussian_filter(rng.standard_normal(z.shape), spread)
        z += height * noise / noise.std()
    return np.asarray(np.clip(z, 0.72, 2.55), np.float64)


def _draw_crowns(streets: Streets) -> Floats:
    crowns = [
        (link.line.buffer(GROUND_RADIUS[link.road_class]), CROWN[link.road_class])
        for link in sorted(streets.links, key=lambda link: CROWN[link.road_class])
        if not link.is_bridge
    ]
    return np.asarray(gaussian_filter(_burn_values(crowns).astype(np.float64), 0.6), np.float64)


def _burn_values(pairs: Sequence[tuple[BaseGeometry, float]], *, all_touched: bool = False) -> Raster:
    """Burn values in the order given: the last one wins; dykes are sorted so that the highest wins."""
    ordered = sorted(pairs, key=lambda pair: pair[1]) if all_touched else pairs
    burnt = rasterize(
        ordered, out_shape=GRID.shape, transform=GRID.transform, fill=0.0, dtype="float32", all_touched=all_touched
    )
    return np.asarray(burnt, np.float32)


def build_land_cover(
    water: Water, streets: Streets, zones: list[tuple[BaseGeometry, str]], buildings: list[BaseGeometry]
) -> NDArray[np.uint8]:
    """Return land cover codes (rows, cols): zones first, then streets, buildings and water over them."""
    pairs: list[tuple[BaseGeometry, float]] = [(shape, COVER[word]) for shape, word in zones]
    pairs += [
        (link.line.buffer(GROUND_RADIUS[link.road_class]), COVER["road"])
        for link in streets.links
        if link.road_class != "living_street"
    ]
    pairs += [(shape, COVER["building"]) for shape in buildings]
    pairs += [(shape, COVER["water"]) for shape in water.bodies.values()]
    pairs += [(link.line.buffer(5.0), COVER["road"]) for link in streets.links if link.is_bridge]
    burnt = rasterize(pairs, out_shape=GRID.shape, transform=GRID.transform, fill=COVER["trees"], dtype="uint8")
    return np.asarray(burnt, np.uint8)


def make_dykes(dykes: list[DykeLine]) -> Table:
    """Return the dykes layer."""
    count = len(dykes)
    return Table(
        as_shapes([dyke.line for dyke in dykes]),
        {
            "id": number_ids("DK", count),
            "name": as_text([dyke.name for dyke in dykes]),
            "dyke_type": as_text([dyke.dyke_type for dyke in dykes]),
            "crest_elevation": np.array([dyke.crest for dyke in dykes]),
            "width": np.array([dyke.width for dyke in dykes]),
            "year_built": np.array([2016 if dyke.dyke_type == "wall" else 2004 for dyke in dykes]),
        },
    )
