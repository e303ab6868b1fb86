"""Which engine computes a flood: every pixel a cell, or coarse cells with tables of their pixels."""

from typing import Literal, NamedTuple

import numpy as np

from hydrology.boundaries import StageBoundary
from hydrology.engine import Engine
from hydrology.flood import FloodSolver
from hydrology.parameters import FloodParameters
from hydrology.rainfall import RainGrid, RainSeries
from hydrology.subgrid import FaceCrests, SubgridTables, build_tables, sign_terrain
from hydrology.subgrid_flood import SubgridSolver
from layers.errors import InputError
from layers.schema import Text
from twin.process import CityView
from twin.processes.flood_inputs import FloodDomain
from twin.processes.flood_sewer import list_sewer_points
from twin.processes.flood_stage import StageSeries
from twin.processes.sewer_model import SewerModel

EngineName = Literal["grid", "subgrid"]

ENGINE_TITLES: dict[EngineName, Text] = {
    "grid": Text("Từng ô", "Every cell"),
    "subgrid": Text(
        "Ô thô biết địa hình bên trong, nhanh hơn nhiều", "Coarse cells that know their terrain, much faster"
    ),
}


class Subgrid(NamedTuple):
    """Coarse cells of ``factor`` × ``factor`` cells of the terrain, and what they know of it."""

    factor: int
    tables: SubgridTables


def make_subgrid(view: CityView, domain: FloodDomain, factor: int) -> Subgrid:
    """Return the coarse cells of the domain, from what the city keeps where the terrain is the same.

    Raise InputError for wind, which only the grid computes.
    """
    if domain.wind is not None:
        raise InputError("engine 'subgrid' computes no wind", hint="choose engine 'grid' for this scenario")
    walls: FaceCrests | None = None if domain.walls is None else (domain.walls.x[:, :-1], domain.walls.y[:-1])
    given = domain.bed, domain.mannings_n, factor
    signature = sign_terrain(*given, walls, domain.storage).tobytes().hex()
    arrays = view.derived(
        "subgrid", signature, lambda: build_tables(*given, walls=walls, storage=domain.storage)._asdict()
    )
    return Subgrid(factor, SubgridTables(**arrays))


def build_solver(
    domain: FloodDomain,
    stage: StageSeries,
    rain: RainSeries | RainGrid | None,
    parameters: FloodParameters,
    *,
    start_time: float = 0.0,
    sewer: SewerModel | None = None,
    subgrid: Subgrid | None = None,
) -> Engine:
    """Return the engine over the domain, driven by ``stage`` and ``rain`` from ``start_time`` [s] on.

    It has the points where ``sewer`` meets the surface, and the coarse cells of ``subgrid`` where one is given.
    """
    depth = np.where(np.isfinite(domain.bed), domain.depth, 0.0)
    boundaries = (StageBoundary(domain.stage_cells, stage.times, stage.stages, "river stage"),)
    points = None if sewer is None else list_sewer_points(sewer)
    if subgrid is not None:
        return SubgridSolver(
            domain.grid,
            domain.bed,
            domain.mannings_n,
            subgrid.factor,
            depth=depth,
            boundaries=boundaries,
            rain=rain,
            losses=domain.losses,
            structures=domain.structures,
            walls=domain.walls,
            breaches=domain.breaches,
            storage=domain.storage,
            points=points,
            tables=subgrid.tables,
            parameters=parameters,
            start_time=start_time,
        )
    return FloodSolver(
        domain.grid,
        domain.bed,
        domain.mannings_n,
        depth=depth,
        boundaries=boundaries,
        rain=rain,
        wind=domain.wind,
        losses=domain.losses,
        structures=domain.structures,
        walls=domain.walls,
        breaches=domain.breaches,
        storage=domain.storage,
        points=points,
        parameters=parameters,
        start_time=start_time,
    )
