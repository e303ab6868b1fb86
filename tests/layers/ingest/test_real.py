"""Real files of real cities: counts add up, every rejected row is one we looked at, loading again changes nothing.

Expected figures were counted in the files themselves (their provenance notes, and a look at the rows), not taken
from what the import says.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import shapely
from sqlalchemy import Engine, text

from layers.ingest.catalog import Source
from layers.ingest.load import load_source
from layers.ingest.quality import LoadReport
from layers.registry import read_vector_layer
from layers.store.engine import open_engine
from layers.store.features import select_features
from layers.store.quarantine import QuarantineRow, Wanted, list_quarantine

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
Shared = Callable[[str], Path]
Make = Callable[..., Source]


@pytest.fixture(scope="module")
def open_city(make_database: Callable[..., str]) -> Callable[[str], Engine]:
    """Return a function that opens the empty database of a city in its CRS."""
    opened: dict[str, Engine] = {}

    def open_one(crs: str) -> Engine:
        if crs not in opened:
            opened[crs] = open_engine(make_database(f"real_{crs.lower().replace(':', '_')}", crs=crs))
        return opened[crs]

    return open_one


def load_twice(engine: Engine, source: Source) -> dict[str, LoadReport]:
    first, second = (load_source(engine, source, Path()) for _ in range(2))
    for before, after in zip(first, second, strict=True):
        assert before.read == before.loaded + before.quarantined
        assert (after.loaded, after.unchanged, after.gone) == (0, before.loaded, 0)
        assert after.reasons == before.reasons
    return {report.layer: report for report in first}


def read_quarantine(engine: Engine, source: Source) -> list[QuarantineRow]:
    with engine.connect() as connection:
        return list_quarantine(connection, Wanted(source=source.id))


def test_wards_of_can_tho(open_city: Callable[[str], Engine], shared: Shared, make_source: Make) -> None:
    engine = open_city("EPSG:5897")
    path = shared("vn-admin-2025/can_tho_wards_2025.geojson")
    report = load_twice(engine, make_source(path, id="wards", mapping=str(MAPPINGS / "vn_wards.yml")))["wards"]
    assert (report.read, report.quarantined, report.repaired) == (103, 0, 0)
    with engine.connect() as connection:
        wards = select_features(connection, read_vector_layer("wards"))
    # The provenance note: 103 units, 6,360.83 km² as published; of them 31 wards (phường) and 72 communes (xã).
    assert wards["area"].sum() == pytest.approx(6360.83e6, rel=1e-5)
    assert wards.geometry.area.sum() == pytest.approx(6360.83e6, rel=0.01)
    assert wards.set_index("id").loc["31135", "name"] == "Ninh Kiều"
    assert wards["ward_type"].value_counts().to_dict() == {"commune": 72, "ward": 31}


def test_health_care_of_can_tho(open_city: Callable[[str], Engine], shared: Shared, make_source: Make) -> None:
    engine = open_city("EPSG:5897")
    path = shared("cantho-osm/healthcare_facilities_cantho.geojson")
    source = make_source(path, id="health", mapping=str(MAPPINGS / "cantho_healthcare.yml"))
    report = load_twice(engine, source)["places"]
    assert (report.read, report.loaded) == (19, 18)
    (row,) = read_quarantine(engine, source)
    # A barber's shop has slipped into the hospitals.
    assert (row.row, row.field, row.value, row.reason) == (17, "category", "hair", "unknown code")


def test_streets_and_houses_of_can_tho(open_city: Callable[[str], Engine], shared: Shared, make_source: Make) -> None:
    engine = open_city("EPSG:5897")
    path = shared("cantho-osm/cantho_hungloi_xuankhanh_2026.osm")
    source = make_source(path, id="osm", mapping="osm")
    reports = load_twice(engine, source)
    # By the provenance note and a count of the tags: 2,165 building polygons, 18 trees, 22 signals, 33 bus stops and
    # 3 ferry terminals, 4 + 4 waterways, 14 water areas; 509 ways with a road class (58 footways, 223 residential …).
    read = {layer: report.read for layer, report in reports.items()}
    assert read["buildings"] == 2165
    assert read["road_links"] == 509
    assert (read["trees"], read["signals"], read["stops"], read["ferry_landings"]) == (18, 22, 36, 3)
    assert (read["waterways"], read["water_bodies"]) == (8, 14)
    # Three places are in the health file too, which came first and keeps them.
    assert {row.reason for row in read_quarantine(engine, source)} == {"identifier belongs to another source"}
    assert reports["places"].quarantined == 3
    assert sum(report.quarantined for report in reports.values()) == 3
    with engine.connect() as connection:
        roads = select_features(connection, read_vector_layer("road_links"))
        houses = select_features(connection, read_vector_layer("buildings"))
    assert (roads["oneway"] == "forward").sum() <= 66
    assert roads["road_class"].notna().all()
    assert shapely.is_valid(houses.geometry.to_numpy()).all()


def test_roads_of_porto_alegre(open_city: Callable[[str], Engine], shared: Shared, make_source: Make) -> None:
    engine = open_city("EPSG:31982")
    path = shared("porto-alegre/poa_osm.pbf")
    report = load_twice(engine, make_source(path, id="poa", mapping="osm", layer="road_links"))["road_links"]
    # The note counts 16,032 ways, roads only; those without a road class of ours (platforms, proposed …) stay out.
    assert 15_500 <= report.read <= 16_032
    assert report.quarantined == 0
    with engine.connect() as connection:
        length = connection.execute(text("select sum(st_length(geom)) from city.road_links")).scalar_one()
        degrees = connection.execute(
            text("select sum(st_length(st_transform(geom, 4326)::geography)) from city.road_links")
        ).scalar_one()
    assert length == pytest.approx(degrees, rel=1e-3)


def test_population_of_porto_alegre(open_city: Callable[[str], Engine], shared: Shared, make_source: Make) -> None:
    engine = open_city("EPSG:31982")
    path = shared("porto-alegre/poa_hexgrid.csv")
    report = load_twice(engine, make_source(path, id="hex", mapping=str(MAPPINGS / "poa_hexgrid.yml")))["population"]
    assert (report.read, report.quarantined) == (1227, 0)
    with engine.connect() as connection:
        cells = select_features(connection, read_vector_layer("population"))
    # The provenance note: population 812,935, schools 194, jobs 337,921, health care 141.
    assert [int(cells[name].sum()) for name in ("population", "schools", "jobs", "healthcare")] == [
        812_935, 194, 337_921, 141,
    ]  # fmt: skip
    # H3 cells of resolution 9 measure 0.105 km² on average (h3geo.org, table of cell areas).
    assert cells.geometry.area.mean() == pytest.approx(105_000, rel=0.06)


def test_sewers_of_montpelier(open_city: Callable[[str], Engine], shared: Shared, make_source: Make) -> None:
    engine = open_city("EPSG:32145")
    links = make_source(
        shared("sewer-vermont/Montpelier/MontpelierLinearFeatures.geojson"),
        id="links",
        mapping=str(MAPPINGS / "vermont_links.yml"),
    )
    nodes = make_source(
        shared("sewer-vermont/Montpelier/MontpelierPointFeatures.geojson"),
        id="nodes",
        mapping=str(MAPPINGS / "vermont_nodes.yml"),
    )
    pipes = load_twice(engine, links)["drainage_links"]
    assert (pipes.read, pipes.quarantined) == (1133, 0)
    assert "Creator" not in pipes.ignored_columns
    points = load_twice(engine, nodes)["drainage_nodes"]
    # 1,059 points, 6 of them 'Other - insert comment'; 86 stand exactly on another one (mapped twice).
    assert (points.read, points.skipped, points.quarantined) == (1053, 6, 86)
    assert dict(points.reasons) == {"id: identifier appears twice in the file": 86}
    rows = read_quarantine(engine, nodes)
    assert all("Creator" not in row.payload for row in rows)
    with engine.connect() as connection:
        stored = select_features(connection, read_vector_layer("drainage_links"))
    # 6 pipes are abandoned, 56 are of the combined system.
    assert (stored["is_active"] == False).sum() == 6  # noqa: E712
    assert (stored["system"] == "combined").sum() == 56


def test_catch_basins_of_somerville(open_city: Callable[[str], Engine], shared: Shared, make_source: Make) -> None:
    engine = open_city("EPSG:26986")
    path = shared("drains-boston-metro/somerville-catch-basins-2023-05-07.csv")
    source = make_source(path, id="basins", mapping=str(MAPPINGS / "drains_somerville_2023.yml"))
    report = load_twice(engine, source)["drainage_nodes"]
    # 3,617 rows, of which 132 are only proposed; SW-CB-01474 lies at the south pole.
    assert (report.read, report.skipped, report.quarantined) == (3485, 132, 1)
    (row,) = read_quarantine(engine, source)
    assert (row.payload["FacilityID"], row.reason) == ("SW-CB-01474", "far outside the city's area")
    assert not {"created_user", "last_edited_user"} & set(row.payload)
    with engine.connect() as connection:
        basins = select_features(connection, read_vector_layer("drainage_nodes"))
    rims = basins["ground_elevation"].dropna()
    # Somerville lies between the harbour and Central Hill, below 45 m.
    assert rims.between(0.0, 45.0).all()
    assert len(rims) == report.conversions["ground_elevation: us-ft to m"]
    assert basins["installed"].dropna().map(lambda day: day.year).between(1850, 2023).all()
