"""A real river city: the Guaíba at 5.35 m over Porto Alegre, from files to the record of the run.

The terrain is coarse (1 arc-second, whole metres, treetops and roofs included) and the gauge's zero is not the
terrain's, so the test asks where water must and must not be, not how deep it was in May 2024.
"""

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from scipy import ndimage
from sqlalchemy import Engine

from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source
from layers.registry import read_vector_layer
from layers.store.engine import open_engine, plain_url
from layers.store.features import count_features, select_features
from layers.store.rasters import list_rasters, read_grid
from twin.city import City
from twin.runs import execute, submit_run
from twin.settings import Settings

MAPPINGS = Path(__file__).resolve().parents[1] / "mappings"
CRS = "EPSG:31982"
LEVEL = 5.35
CELL = 45.0


def make_source(path: Path, source_id: str, **rules: str) -> Source:
    title = Words(vi=source_id, en=source_id)
    return Source.model_validate(
        {"id": source_id, "uri": str(path), "title": title, "licence": "MIT", "attribution": "r5r, OSM", **rules}
    )


@dataclass(frozen=True)
class RiverCity:
    """Porto Alegre in a database: terrain, roads, people, stops, places."""

    engine: Engine
    settings: Settings


@pytest.fixture(scope="module")
def porto_alegre(
    make_database: Callable[..., str], shared: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RiverCity]:
    folder = tmp_path_factory.mktemp("porto_alegre")
    terrain = shared("porto-alegre/poa_elevation.tif")
    with zipfile.ZipFile(shared("porto-alegre/poa_eptc.zip")) as feed:
        (folder / "stops.csv").write_bytes(feed.read("stops.txt"))
    engine = open_engine(make_database("porto_alegre", crs=CRS))
    settings = Settings(data_dir=folder, database_url=plain_url(engine))
    for source in (
        make_source(terrain, "poa-terrain", kind="raster", layer="terrain"),
        make_source(shared("porto-alegre/poa_osm.pbf"), "poa-osm", mapping="osm"),
        make_source(shared("porto-alegre/poa_hexgrid.csv"), "poa-hexgrid", mapping=str(MAPPINGS / "poa_hexgrid.yml")),
        make_source(
            shared("porto-alegre/poa_points_of_interest.csv"), "poa-points", mapping=str(MAPPINGS / "poa_places.yml")
        ),
        make_source(folder / "stops.csv", "poa-stops", mapping=str(MAPPINGS / "poa_stops.yml")),
    ):
        load_source(engine, source, Path(), processed_dir=settings.processed_dir)
    yield RiverCity(engine, settings)
    engine.dispose()


def test_the_guaiba_at_its_record(porto_alegre: RiverCity) -> None:
    engine, settings = porto_alegre.engine, porto_alegre.settings
    with engine.connect() as connection:
        assert count_features(connection, read_vector_layer("road_links")) > 10_000

    values = {"stage_level": LEVEL, "river_below": 0, "cell_size": CELL, "horizon_hours": 24, "ramp_hours": 8}
    run = execute(engine, settings, submit_run(engine, "flood-scenario", {**values, "output_minutes": 60}))
    assert run.status == "successful"
    assert run.title_vi == "Kịch bản: mực nước 5,35 m"
    summary = run.summary
    people = sum(row["people"] for row in summary["affected"] if row["asset_layer"] == "population")
    print(
        f"Porto Alegre at {LEVEL} m: {summary['flooded_area'] / 1e6:.2f} km², {summary['people']:,} people, roads wet "
        f"{summary['road_length'] / 1e3:.1f} km, closed {summary['closed_road_length'] / 1e3:.1f} km, "
        f"mass error {run.balance['relative_error']:.1e}, {run.provenance['duration_s']:.1f} s"
    )
    assert run.balance["relative_error"] < 1e-6
    assert people == pytest.approx(summary["people"], abs=5)
    # 812,935 people live in the hexagons. The flood of 2024 reached some 150,000 in the whole municipality; with
    # roofs and trees for ground this terrain sees far fewer.
    assert 5_000 < summary["people"] < 250_000
    assert summary["closed_road_length"] > 10_000.0
    assert summary["by_ward"][0]["ward_code"] == "—"

    with engine.connect() as connection:
        row = next(row for row in list_rasters(connection, run_id=run.id) if row.layer == "flood_depth_max")
        depth, grid = read_grid(settings.processed_dir / row.path)
        bed, bed_grid = City(connection, settings.processed_dir, run.created).raster("terrain", cell_size=CELL)
    assert bed_grid == grid
    wet = np.nan_to_num(depth) > 0.1
    assert not wet[bed > LEVEL + 0.5].any(), "no water stands above the river that brought it"
    # What a bath tub of the same level would hold is reached by the water in a day, but for the last creeks.
    labels, _ = ndimage.label(bed <= LEVEL - 0.3)
    tub = np.isin(labels, np.unique(labels[np.isnan(depth) & (labels > 0)])) & np.isfinite(depth)
    print(f"bath tub {tub.sum() * CELL**2 / 1e6:.2f} km², of which {wet[tub].mean():.1%} is wet")
    assert wet[tub].mean() > 0.9
    share = {}
    for name, (west, south, east, north) in {
        "4º Distrito, by the airport": (-51.215, -30.010, -51.195, -29.999),
        "Morro da Polícia and Morro Santana": (-51.190, -30.095, -51.150, -30.065),
    }.items():
        to_city = Transformer.from_crs("OGC:CRS84", CRS, always_xy=True)
        x, y = to_city.transform(np.array([west, east]), np.array([south, north]))
        rows, cols, _ = grid.cells(x, y)
        window = (slice(rows[1], rows[0] + 1), slice(cols[0], cols[1] + 1))
        share[name] = float((wet[window] | np.isnan(depth[window])).mean())
    print(share)
    low, high = share.values()
    assert low > 0.25, "roofs stand above the water in this terrain, the streets between them do not"
    assert high == 0.0


def test_what_the_record_takes_from_those_who_move(porto_alegre: RiverCity) -> None:
    engine, settings = porto_alegre.engine, porto_alegre.settings
    run = execute(engine, settings, submit_run(engine, "flood-access", {"stage": LEVEL, "mode": "car"}))
    summary = run.summary
    roads, people, stops = summary["roads"], summary["people"], summary["stops"]
    print(
        f"Porto Alegre at {LEVEL} m: {roads['closed_length'] / 1e3:.1f} of {roads['length'] / 1e3:.1f} km of road "
        f"closed to cars, {people['cut_off']:,} of {people['people']:,} people cut off, {stops['lost']} of "
        f"{stops['count']:,} stops lost, {run.provenance['duration_s']:.1f} s"
    )
    with engine.connect() as connection:
        bed, grid = City(connection, settings.processed_dir, run.created).raster("terrain")
        lines, stands = (select_features(connection, read_vector_layer(name)) for name in ("road_links", "stops"))
    # What the terrain says by itself: ground joined to the river that has water enough to stop a car.
    labels, _ = ndimage.label(bed < LEVEL)
    tub = np.isin(labels, np.unique(labels[(bed <= 0.0) & (labels > 0)])) & (labels > 0)
    deep = tub & (bed <= LEVEL - 0.3)
    # A large road that lies in it is closed, and one that no point of is in it is open.
    ground = lines[~(lines["is_bridge"] == True) & ~(lines["level"].astype(float) > 0)]  # noqa: E712 - holds null too
    dense = shapely.segmentize(ground.geometry.to_numpy(), 10.0)
    inside = shapely.get_coordinates(dense, return_index=True)
    row, col, there = grid.cells(*inside[0].T)
    wet = deep[row, col] & there
    length = shapely.length(ground.geometry.to_numpy())
    touched = np.bincount(inside[1], wet, len(ground)) > 0
    drowned = np.bincount(inside[1], ~wet, len(ground)) == 0
    large = ground["road_class"].isin(("motorway", "trunk", "primary", "secondary", "tertiary")).to_numpy(dtype=bool)
    print(f"{length[drowned & large].sum():,.0f} m of large roads lie in it, {length[touched].sum():,.0f} m touch it")
    assert length[drowned & large].sum() - 1.0 <= roads["closed_length"], "large roads in deep water are closed"
    assert roads["closed_length"] <= length[touched].sum() + 1.0, "no road is closed that no deep cell touches"
    x, y = shapely.get_coordinates(stands.geometry.to_numpy()).T
    row, col, there = grid.cells(x, y)
    assert (deep[row, col] & there).sum() <= stops["lost"] <= stops["count"]
    assert 0 < people["cut_off"] < people["people"] == 812_935
    assert summary["water"]["river"].startswith("ground not above 0 m")
    with engine.connect() as connection:
        areas = select_features(connection, read_vector_layer("cut_off_areas"))
    assert areas["people_cut_off"].sum() == pytest.approx(people["cut_off"], abs=len(areas))
    to_city = Transformer.from_crs("OGC:CRS84", CRS, always_xy=True)
    hill = shapely.box(*to_city.transform_bounds(-51.190, -30.095, -51.150, -30.065))
    assert not areas.geometry.centroid.within(hill).any(), "no water comes near the hills of the east"
    steps = summary["reopening"]
    assert [step["people_total"] for step in steps] == sorted(step["people_total"] for step in steps)
    assert 0 < steps[-1]["people_total"] <= people["cut_off"] + 1
