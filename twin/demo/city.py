"""The demo city from a seed to a folder of files that the import reads."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError
from twin.demo.addresses import make_addresses
from twin.demo.blocks import lay_lots
from twin.demo.buildings import make_buildings, make_parcels, name_specials
from twin.demo.cells import lay_cells
from twin.demo.devices import place_devices
from twin.demo.drainage import build_drains
from twin.demo.environment import make_environment
from twin.demo.faults import Fault, plant_faults
from twin.demo.fire import make_fire
from twin.demo.former_units import make_admin_changes
from twin.demo.frame_roads import draw_frame_roads, set_insets
from twin.demo.green import make_green_spaces, make_trees
from twin.demo.land import draw_cover_zones, make_land_use, make_provinces, make_wards
from twin.demo.lighting import make_lighting
from twin.demo.owners import OWNERS_FILE, write_owners
from twin.demo.parking import make_parking
from twin.demo.places import make_places, make_signals, make_stops
from twin.demo.plan import draw_water, make_plan
from twin.demo.planning import make_zoning
from twin.demo.population import make_population
from twin.demo.power import make_power
from twin.demo.pressure_loggers import start_leak
from twin.demo.projects import make_projects
from twin.demo.readings import check_end, make_series
from twin.demo.road_works import make_road_works
from twin.demo.shapes import Table
from twin.demo.station_file import STATIONS_FILE, write_stations
from twin.demo.stations import Station, make_sensors, place_stations
from twin.demo.streets import build_streets, make_bridges, make_street_tables
from twin.demo.structures import add_structures, make_catchments, make_drainage_tables
from twin.demo.telecom import make_telecom
from twin.demo.terrain import build_land_cover, build_terrain, draw_dykes, make_dykes
from twin.demo.traffic_readings import start_incident
from twin.demo.transit import FEED_FILE, write_transit
from twin.demo.transport import (
    limit_fairways,
    make_airports,
    make_ferry_routes,
    make_ports,
    make_turn_restrictions,
    set_signals,
)
from twin.demo.waste import make_waste
from twin.demo.water import (
    describe_waters,
    dig_ponds,
    make_ferry_landings,
    make_water_bodies,
    make_waterway_links,
    make_waterways,
)
from twin.demo.water_network import build_water_network
from twin.demo.water_supply import make_water_tables
from twin.demo.write import (
    write_catalog,
    write_datastreams,
    write_faults,
    write_observations,
    write_raster,
    write_tables,
)

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class DemoCity:
    """The city in memory: vector tables by layer id, rasters on the plan's grid, stations, planted faults."""

    tables: dict[str, Table]
    terrain: NDArray[np.float32]
    land_cover: NDArray[np.uint8]
    stations: list[Station]
    faults: list[Fault]


def generate_city(
    folder: Path, *, seed: int = 2026, end: datetime | None = None, progress: Progress | None = None
) -> Path:
    """Write the demo city into ``folder`` and return the path of its catalog.yml.

    Everything but readings and road works depends on ``seed`` alone; the readings are 60 days at most, up to ``end``
    (default: the current hour). ``progress`` is told the step and the share done (0…1). Files are moved into place when
    all are written. Raises InputError when ``folder`` is a file, ``seed`` is negative or ``end`` has no time zone.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"demo folder '{folder}' is a file, expected a folder or a new name")
    if seed < 0:
        raise InputError(f"demo seed {seed} is negative, expected 0 or more")
    tell = progress or _keep_quiet
    moment = end or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    check_end(moment)
    city = build_city(seed=seed, progress=lambda step, share: tell(step, 0.6 * share))
    stations = start_incident(start_leak(city.stations, moment), moment)
    series = make_series(stations, seed=seed, end=moment)
    tables = {**city.tables, "road_works": make_road_works(city.tables["road_links"], moment)}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".demo-", dir=folder) as name:
        draft = Path(name)
        tell("rasters", 0.65)
        write_raster(draft / "terrain.tif", city.terrain, nodata=-9999.0)
        write_raster(draft / "land_cover.tif", city.land_cover, nodata=0)
        tell("tables", 0.7)
        write_tables(draft / "demo.gpkg", tables)
        tell("readings", 0.9)
        write_datastreams(draft / "datastreams.csv", series)
        write_observations(draft / "observations.csv.gz", series)
        write_stations(draft / STATIONS_FILE, stations, seed)
        write_faults(draft / "faults.csv", city.faults)
        write_owners(draft / OWNERS_FILE, tables["parcels"])
        write_transit(draft / FEED_FILE, tables["road_links"], tables["stops"])
        write_catalog(draft / "catalog.yml", list(tables))
        files = sorted(draft.iterdir(), key=lambda path: path.name == "catalog.yml")
        for file in files:
            file.replace(folder / file.name)
    tell("done", 1.0)
    return folder / "catalog.yml"


def _keep_quiet(step: str, share: float) -> None:
    """Take progress and say nothing."""


def build_city(*, seed: int, progress: Progress = _keep_quiet) -> DemoCity:
    """Return the city of ``seed`` in memory."""
    progress("plan", 0.0)
    plan = make_plan(seed)
    cells = lay_cells(plan)
    roads = draw_frame_roads(plan)
    set_insets(cells, roads)
    lots, alleys = lay_lots(cells, roads)
    streets = build_streets(plan, roads, alleys)
    specials = name_specials(cells)
    progress("terrain", 0.2)
    water = dig_ponds(cells, draw_water(plan))
    dykes = draw_dykes(plan, water)
    beds = {body_id: fact.bed for body_id, fact in describe_waters(water).items() if body_id in water.bodies}
    terrain = build_terrain(plan, water, beds, streets, dykes)
    progress("buildings", 0.4)
    buildings = make_buildings(cells, lots, specials, terrain)
    places = make_places(cells, specials, buildings)
    green = make_green_spaces(cells, specials, water)
    progress("networks", 0.6)
    drainage = build_drains(plan, streets, water, terrain)
    add_structures(plan, drainage, water)
    stations = place_stations(plan, drainage)
    roads_tables = make_street_tables(streets, terrain, seed)
    bridges = make_bridges(streets, roads_tables["road_links"])
    lighting = make_lighting(plan, streets, terrain)
    progress("layers", 0.8)
    tables = {
        "provinces": make_provinces(),
        "wards": make_wards(plan, buildings),
        "land_use": make_land_use(cells, specials, streets, water),
        "zoning": make_zoning(cells),
        "planning_projects": make_projects(plan, cells, streets, water),
        "admin_changes": make_admin_changes(plan),
        "parcels": make_parcels(cells, lots, specials),
        "water_bodies": make_water_bodies(water),
        "waterways": make_waterways(water),
        "waterway_links": limit_fairways(make_waterway_links(water), bridges),
        "ports": make_ports(plan),
        "airports": make_airports(plan),
        "ferry_routes": make_ferry_routes(plan, streets),
        "ferry_landings": make_ferry_landings(plan),
        "dykes": make_dykes(dykes),
        "green_spaces": green,
        "buildings": buildings,
        "population": make_population(buildings, places),
        **roads_tables,
        "bridges": bridges,
        "turn_restrictions": make_turn_restrictions(streets),
        "stops": make_stops(streets),
        "signals": set_signals(make_signals(streets), streets),
        "catchments": make_catchments(cells, drainage, water),
        **make_drainage_tables(drainage, seed),
        **lighting,
        **make_water_tables(plan, build_water_network(plan, streets, terrain), buildings),
        **make_power(plan, streets, buildings, lighting["luminaires"], terrain),
        **make_telecom(plan, streets, buildings, terrain),
        **make_waste(plan, streets, buildings),
        **make_parking(plan, cells, specials, streets),
        **make_fire(plan, streets, water, places),
        **make_environment(plan, water, buildings, stations),
        **make_addresses(plan, streets, buildings),
        "trees": make_trees(plan, streets, green, water),
        "places": places,
    }
    stations += place_devices(tables, stations)
    tables["sensors"] = make_sensors(stations, terrain)
    faults = plant_faults(tables)
    cover = build_land_cover(water, streets, draw_cover_zones(cells), list(buildings.geometry))
    progress("built", 1.0)
    return DemoCity(tables, terrain, cover, stations, faults)
