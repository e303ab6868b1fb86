"""Gates, pumps, outfalls, weirs and culverts of the drainage layers as structures of the flood engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from hydrology.controls import LevelRule, Schedule
from hydrology.structures import Culvert, Gate, Pump, Structure, Weir
from layers.errors import InputError
from layers.grid import Grid
from twin.process import CityView
from twin.processes.flood_water import Mask, OpenWater, Raster
from twin.scenario import OperateGate, OperatePump, Scenario

PUMP_BAND = 0.10
"""A pump starts so far [m] above the water its cell starts with."""

GATE_MARGIN = 0.05
"""A tide gate opens where the river stands so far [m] below the water inside."""

GATE_TRAVEL = 300.0
"""Time from open to shut of a gate [s]."""

GATE_HEIGHT = 3.0
"""Lift of a gate that has no height [m]."""

GATE_REACH = 150.0
"""A gate's line lies no farther [m] than this from the water on either side of it."""

SNAP = 3
"""Ends of structures are moved to water at most so many cells away."""

PIPE_N = 0.014
"""Manning's n [s/m^(1/3)] of a pipe that has none: concrete, Chow 1959, table 5-6."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Where structures stand: bed and starting depth [m], river cells, closed water and cells no water is in."""

    grid: Grid
    bed: Raster
    depth: Raster
    stage: Mask
    closed: Mask
    water: OpenWater

    @property
    def computed(self) -> Mask:
        """Cells whose stage is computed."""
        return np.isfinite(self.bed) & ~self.stage

    def find_cell(self, at: NDArray[np.float64], wanted: Mask) -> tuple[int, int] | None:
        """Return the cell of ``wanted`` nearest to a point x, y [m], at most SNAP cells from it, or None."""
        row, col, inside = (value[0] for value in self.grid.cells(at[:1], at[1:2]))
        if not inside:
            return None
        top, left = max(row - SNAP, 0), max(col - SNAP, 0)
        rows, cols = np.nonzero(wanted[top : row + SNAP + 1, left : col + SNAP + 1])
        if not rows.size:
            return None
        away = np.hypot(rows + top - row, cols + left - col)
        nearest = int(np.argmin(away))
        return int(rows[nearest] + top), int(cols[nearest] + left)


@dataclass(frozen=True, slots=True)
class Built:
    """Structures, and the ids of those that could not be built by the reason."""

    structures: tuple[Structure, ...]
    left_out: Mapping[str, tuple[str, ...]]


def build_structures(
    view: CityView, scenario: Scenario, site: Site, *, sunk: float = 0.0, sewer: bool = False
) -> Built:
    """Return all structures of the city.

    Elevations of the layers have sunk by ``sunk`` [m]. ``sewer``: a sewer model carries its own pipes, outfalls and
    pumps; only gates and the pumps and culverts that join open waters are built here.
    """
    links = view.layer(
        "drainage_links",
        columns=[
            "link_type", "from_node", "to_node", "shape", "height", "width", "length", "from_invert", "to_invert",
            "mannings_n", "capacity", "crest_elevation", "is_active",
        ],
    )  # fmt: skip
    links = links[links["is_active"].ne(False) & links.geometry.notna()]
    numeric = ["height", "width", "length", "from_invert", "to_invert", "mannings_n", "capacity", "crest_elevation"]
    links[numeric] = links[numeric].apply(pd.to_numeric)
    links[["from_invert", "to_invert", "crest_elevation"]] -= sunk
    nodes = view.layer("drainage_nodes", columns=["node_type", "has_gate"]).set_index("id")
    out: dict[str, list[str]] = {}
    found: list[Structure] = []
    records: list[dict[str, Any]] = [
        {str(key): value for key, value in row.items()} for row in links.to_dict("records")
    ]
    for row in records:
        match row["link_type"]:
            case "gate":
                built: Structure | str | None = _build_gate(row, scenario, site)
            case "pump":
                built = None if sewer and _is_sewer(row["from_node"], nodes) else _build_pump(row, scenario, site)
            case "weir":
                built = _build_weir(row, site)
            case "conduit" if not sewer and _type_of(row["to_node"], nodes) == "outfall":
                built = _build_outfall(row, nodes.at[row["to_node"], "has_gate"], site)
            case "conduit" if not (_is_sewer(row["from_node"], nodes) or _is_sewer(row["to_node"], nodes)):
                built = _build_culvert(row, site)
            case _:
                built = None
        if isinstance(built, str):
            out.setdefault(built, []).append(str(row["id"]))
        elif built is not None:
            found.append(built)
    return Built(tuple(found), {reason: tuple(ids) for reason, ids in out.items()})


def _type_of(name: Any, nodes: pd.DataFrame) -> str | None:
    return str(nodes.at[name, "node_type"]) if name in nodes.index else None


def _is_sewer(name: Any, nodes: pd.DataFrame) -> bool:
    return _type_of(name, nodes) in ("manhole", "inlet")


def _known(value: Any) -> float | None:
    """Return a number of a row, None where it is missing."""
    return None if pd.isna(value) else float(value)


def _build_gate(row: Mapping[str, Any], scenario: Scenario, site: Site) -> Gate | str | None:
    """Return the gate between the body behind it and the river; None where it has no part in this run.

    By itself it shuts as the river rises above the water inside and opens as it falls below.
    """
    name = str(row["id"])
    numbers = site.water.gated.get(name)
    if numbers is None:
        return None
    inside = site.closed & np.isin(site.water.still, numbers)
    ends = _find_nearest(row["geometry"], inside, site.grid), _find_nearest(row["geometry"], site.stage, site.grid)
    here, there = ends
    if here is None or there is None:
        return f"no water within {GATE_REACH:g} m on both sides"
    plan = _find_plan(name, [edit for edit in scenario.find(OperateGate) if edit.gate_id == name])
    sill, width = _known(row["crest_elevation"]), _known(row["width"])
    return Gate(
        id=name,
        row=here[0],
        col=here[1],
        to_row=there[0],
        to_col=there[1],
        sill=float(site.bed[here]) if sill is None else sill,
        width=width or site.grid.cell_size * _count_front(site, inside),
        opening=_known(row["height"]) or GATE_HEIGHT,
        schedule=plan,
        rule=LevelRule(head_difference=0.0, margin=GATE_MARGIN) if plan is None else None,
        travel_time=GATE_TRAVEL if plan is not None else 0.0,
    )


def _count_front(site: Site, inside: Mask) -> int:
    """Return how many cells wide a body is where it ends before the river."""
    near = ndimage.binary_dilation(site.stage, iterations=2)
    return max(int((near & ndimage.binary_dilation(inside)).sum()) // 2, 1)


def _find_nearest(line: shapely.Geometry, wanted: Mask, grid: Grid) -> tuple[int, int] | None:
    """Return the cell of ``wanted`` whose centre lies nearest to a line, within GATE_REACH of it, or None."""
    x0, y0, x1, y1 = shapely.bounds(line)
    rows, cols, _ = grid.cells(
        np.array([x0 - GATE_REACH, x1 + GATE_REACH]), np.array([y1 + GATE_REACH, y0 - GATE_REACH])
    )
    row, col = np.nonzero(wanted[rows[0] : rows[1] + 1, cols[0] : cols[1] + 1])
    if not row.size:
        return None
    x, y = grid.centres()
    away = shapely.distance(shapely.points(x[col + cols[0]], y[row + rows[0]]), line)
    nearest = int(np.argmin(away))
    return (int(row[nearest] + rows[0]), int(col[nearest] + cols[0])) if away[nearest] <= GATE_REACH else None


def _find_plan(name: str, edits: list[OperateGate] | list[OperatePump]) -> Schedule | None:
    """Return the schedule of a gate or pump, None where it has none; InputError for two."""
    if not edits:
        return None
    if len(edits) > 1:
        raise InputError(f"'{name}' has {len(edits)} schedules, expected one")
    return Schedule(np.array(edits[0].hours) * 3600.0, np.array(edits[0].settings))


def _build_pump(row: Mapping[str, Any], scenario: Scenario, site: Site) -> Pump | str:
    """Return the pump from the water at its line's start to the water at its end, or out of the domain."""
    capacity = _known(row["capacity"])
    if capacity is None:
        return "no capacity"
    name, ends = str(row["id"]), shapely.get_coordinates(row["geometry"])
    cell, to = (site.find_cell(end, np.isfinite(site.bed)) for end in (ends[0], ends[-1]))
    if cell is None:
        return "no ground at its start"
    held = site.water.still[cell] > 0 and not site.closed[cell]
    if held:
        # The sump lies where the gate's wall stands on the grid.
        cell = site.find_cell(ends[0], site.closed)
    if cell is None or site.stage[cell]:
        return "it draws from the river"
    full = float(site.depth[cell])
    return Pump(
        id=name,
        row=cell[0],
        col=cell[1],
        to_row=None if to is None or to == cell else to[0],
        to_col=None if to is None or to == cell else to[1],
        capacity=capacity,
        start_depth=full + PUMP_BAND,
        stop_depth=max(full, 0.02),
        schedule=_find_plan(name, [edit for edit in scenario.find(OperatePump) if edit.pump_id == name]),
    )


def _find_waters(row: Mapping[str, Any], site: Site) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the cells of two different waters that a line joins, None where it does not or both are the river."""
    ends = shapely.get_coordinates(row["geometry"])
    here, there = (site.find_cell(end, site.stage | site.closed) for end in (ends[0], ends[-1]))
    if here is None or there is None:
        return None
    bodies = [0 if site.stage[cell] else int(site.water.still[cell]) for cell in (here, there)]
    return (here, there) if bodies[0] != bodies[1] else None


def _build_weir(row: Mapping[str, Any], site: Site) -> Weir | str | None:
    """Return the weir between two waters; one inside a sewer is none."""
    waters = _find_waters(row, site)
    crest, width = _known(row["crest_elevation"]), _known(row["width"])
    if waters is None:
        return None
    if crest is None or not width:
        return "no crest or width"
    (a, b), (c, d) = waters
    return Weir(id=str(row["id"]), row=a, col=b, to_row=c, to_col=d, crest=crest, width=width)


def _build_culvert(row: Mapping[str, Any], site: Site) -> Culvert | str | None:
    """Return the culvert between two waters that a conduit outside of the sewer joins."""
    waters = _find_waters(row, site)
    return None if waters is None else _make_barrel(row, *waters, flap=False)


def _build_outfall(row: Mapping[str, Any], has_flap: Any, site: Site) -> Culvert | str:
    """Return the last pipe before an outfall: from the street it drains to the water it ends in, with its flap.

    The city's storm water reaches it over the street here, not through the sewer.
    """
    ends = shapely.get_coordinates(row["geometry"])
    there = site.find_cell(ends[-1], site.stage | site.closed)
    here = site.find_cell(ends[0], site.computed & (site.water.still == 0))
    if there is None:
        return "no water at the outfall"
    if here is None:
        return "no ground at the start of the outfall's pipe"
    if pd.isna(has_flap):
        return "not known whether it has a flap"
    return _make_barrel(row, here, there, flap=bool(has_flap))


def _make_barrel(row: Mapping[str, Any], here: tuple[int, int], there: tuple[int, int], *, flap: bool) -> Culvert | str:
    height, width = _known(row["height"]), _known(row["width"])
    inverts = _known(row["from_invert"]), _known(row["to_invert"])
    round_ = row["shape"] == "circular" or width is None
    if not height or inverts[0] is None or inverts[1] is None:
        return "no height or inverts"
    n = _known(row["mannings_n"])
    return Culvert(
        id=str(row["id"]),
        row=here[0],
        col=here[1],
        to_row=there[0],
        to_col=there[1],
        invert=inverts[0],
        to_invert=inverts[1],
        length=max(_known(row["length"]) or float(row["geometry"].length), 1.0),
        diameter=height if round_ else None,
        width=None if round_ else width,
        height=None if round_ else height,
        mannings_n=PIPE_N if n is None else n,
        flap=flap,
    )


def count_kinds(structures: tuple[Structure, ...]) -> dict[str, int]:
    """Return how many structures of each kind there are."""
    kinds: NDArray[np.str_] = np.array([type(item).__name__.lower() for item in structures], dtype=np.str_)
    names, counts = np.unique(kinds, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))
