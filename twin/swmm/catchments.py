"""The catchments of the layers as SWMM's subcatchments, each drained by a node of the network."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from hydrology.infiltration import SOILS
from layers.ingest.inp import Section, Word, name_objects
from twin.process import Bounds, CityView
from twin.processes.sewer_network import Network, Node

GAUGE = "rain"
"""The one rain gauge of a model of the layers."""

REACH = 500.0
"""A catchment whose outlet is not in the network drains to the nearest inlet or manhole within this distance [m]."""

STRIP = 50.0
"""Where the city has no catchments an inlet drains what is nearest to it within this distance [m]."""

_COLUMNS = ["outlet_node", "area", "impervious", "slope", "width"]

IMPERVIOUS, SLOPE = 0.65, 0.005
"""Sealed share of built-up land (as in hydrology.infiltration) and slope of flat land, where none is told [1]."""

LONGEST_PATH = 150.0
"""Overland flow gathers into gutters after at most this [m]: SWMM 5.2 Reference Manual I, section 3.8."""

ROUGHNESS = (0.012, 0.15)
"""Manning's n of overland flow on pavement and on short grass: McCuen 1996, in the SWMM 5.2 User's Manual, A.6."""

DEPRESSIONS_MM = (1.9, 3.8)
"""Water that stays on pavement and on lawns [mm]: ASCE 1992, in the SWMM 5.2 User's Manual, A.5."""

DRY_SHARE = 25.0
"""Sealed ground without depressions [%]: SWMM's own default."""

SOIL, SATURATION = "silty_clay", 0.5
"""Of the delta, as in flood runs."""


def list_catchments(
    view: CityView, network: Network, names: Mapping[str, str], bounds: Bounds | None, counts: Counter[str]
) -> tuple[dict[str, str], list[Section]]:
    """Return ids by name of the catchments that drain to the network, and their tables; ``names``: of its nodes by id.

    Those outside ``bounds`` [m] whose outlet is in the network count too: they bring it water.
    """
    frame = view.layer("catchments", columns=_COLUMNS)
    frame = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    mouths = [node for node in network.nodes.values() if node.kind == "inlet"] or [
        node for node in network.nodes.values() if node.kind in ("manhole", "storage")
    ]
    if not len(frame) and mouths:
        frame = _draw_around(mouths)
        counts["catchments_drawn_around_inlets"] = len(frame)
    tree = shapely.STRtree(shapely.points([(node.x, node.y) for node in mouths]) if mouths else [])
    taken: list[tuple[Any, str]] = []
    rows: Any = frame.itertuples(index=False)
    for row in rows:
        if row.outlet_node in network.nodes:
            taken.append((row, str(row.outlet_node)))
            continue
        # What a whole network leaves out drains elsewhere; within bounds, only what lies there is asked for.
        if bounds is not None and not shapely.intersects(row.geometry, shapely.box(*bounds)):
            continue
        near = tree.query_nearest(row.geometry.centroid, max_distance=REACH, all_matches=False)
        counts["catchments_to_nearest_inlet" if len(near) else "catchments_without_outlet"] += 1
        taken.extend((row, mouths[k].id) for k in near)
    # A name that a node has too would say nothing as an outlet.
    called = name_objects((str(row.id) for row, _ in taken), names.values())
    tables: dict[str, list[tuple[Word, ...]]] = {
        name: [] for name in ("SUBCATCHMENTS", "SUBAREAS", "INFILTRATION", "POLYGONS")
    }
    soil = SOILS[SOIL]
    for row, outlet in taken:
        name = called[str(row.id)]
        area = _choose(row.area, float(row.geometry.area), counts, "areas_measured")
        impervious = _choose(row.impervious, IMPERVIOUS, counts, "imperviousness_assumed", zero=True)
        slope = _choose(row.slope, SLOPE, counts, "slopes_assumed")
        width = _choose(row.width, area / min(np.sqrt(area), LONGEST_PATH), counts, "catchment_widths_assumed")
        tables["SUBCATCHMENTS"].append(
            (name, GAUGE, names[outlet], area / 1.0e4, 100.0 * impervious, width, 100.0 * slope, 0.0)
        )
        tables["SUBAREAS"].append((name, *ROUGHNESS, *DEPRESSIONS_MM, DRY_SHARE, "OUTLET"))
        # SWMM takes mm and mm/h, the soils are in m and m/s.
        front = (1.0e3 * soil.suction, 3.6e6 * soil.conductivity, soil.porosity * (1.0 - SATURATION))
        tables["INFILTRATION"].append((name, *front))
        for polygon in shapely.get_parts(row.geometry)[:1]:
            tables["POLYGONS"] += [(name, x, y) for x, y in shapely.get_coordinates(polygon.exterior).tolist()]
    columns_of = {
        "SUBCATCHMENTS": ("name", "gauge", "outlet", "area(ha)", "sealed(%)", "width(m)", "slope(%)", "curb(m)"),
        "SUBAREAS": ("name", "n_sealed", "n_open", "s_sealed(mm)", "s_open(mm)", "zero(%)", "to"),
        "INFILTRATION": ("name", "suction(mm)", "conductivity(mm/h)", "deficit"),
        "POLYGONS": ("name", "x(m)", "y(m)"),
    }
    sections = [Section(name, columns_of[name], rows) for name, rows in tables.items()]
    return {name: identifier for identifier, name in called.items()}, sections


def _draw_around(mouths: Sequence[Node]) -> gpd.GeoDataFrame:
    """Return the ground nearest to each inlet and within ``STRIP`` of it, for a city without catchments."""
    points = shapely.points([(node.x, node.y) for node in mouths])
    # Inlets in one place share what is around it: the first gets it.
    _, first = np.unique(shapely.get_coordinates(points), axis=0, return_index=True)
    first.sort()
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points[first]), extend_to=_frame(points)))
    which = shapely.STRtree(points[first]).query(cells, predicate="contains")
    found = {int(point): cells[cell] for cell, point in which.T}
    rows = [(mouths[first[at]].id, shapely.intersection(found[at], points[first[at]].buffer(STRIP))) for at in found]
    columns = {name: [None] * len(rows) for name in _COLUMNS}
    columns |= {"id": [name for name, _ in rows], "outlet_node": [name for name, _ in rows]}
    return gpd.GeoDataFrame(columns, geometry=[shape for _, shape in rows])


def _frame(points: NDArray[np.object_]) -> Any:
    """Return a box in which every cell covers its strip; one point alone has the whole of it."""
    x_min, y_min, x_max, y_max = shapely.total_bounds(points)
    return shapely.box(x_min - 2 * STRIP, y_min - 2 * STRIP, x_max + 2 * STRIP, y_max + 2 * STRIP)


def _choose(value: object, fallback: float, counts: Counter[str], what: str, *, zero: bool = False) -> float:
    number = float(value) if isinstance(value, int | float | np.number) else np.nan
    if np.isfinite(number) and (number > 0.0 or (zero and number == 0.0)):
        return number
    counts[what] += 1
    return fallback
