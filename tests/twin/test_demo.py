"""The demo city: the same from the same seed, true to the declarations, sound in topology and in its water."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterio.features
import shapely
import yaml
from scipy.ndimage import label

from layers.errors import InputError
from layers.ingest.catalog import read_catalog
from layers.ingest.observations import read_datastreams
from layers.observed import OBSERVED
from layers.quantities import QUANTITIES
from layers.registry import LAYERS, VECTOR_LAYERS
from twin.demo.city import generate_city
from twin.demo.plan import BOUNDS, CRS, GRID
from twin.demo.readings import GAUGES, compute_rain, compute_results
from twin.demo.shapes import hash_uniform
from twin.demo.station_file import STATIONS_FILE, read_stations
from twin.demo.tide import compute_river_stage
from twin.transit.reading import read_feed
from twin.transit.validating import validate_feed

BY_RUNS = {name for name, layer in VECTOR_LAYERS.items() if layer.of_runs}
# Routes of buses come with their feed; trips begin and end in the cells of population.
LEFT_OUT = {"rail_links", "rain_gauges", "traffic_zones", "transit_routes"} | BY_RUNS


@pytest.fixture(scope="module")
def folder(demo_folder: Path) -> Path:
    return demo_folder


@pytest.fixture(scope="module")
def tables(demo_tables: dict[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    return demo_tables


@pytest.fixture(scope="module")
def readings(folder: Path) -> pd.DataFrame:
    frame = pd.read_csv(folder / "observations.csv.gz")
    frame["phenomenon_time"] = pd.to_datetime(frame["phenomenon_time"], utc=True)
    return frame


def test_same_seed_gives_the_same_bytes(folder: Path, demo_end: datetime, tmp_path: Path) -> None:
    generate_city(tmp_path, end=demo_end)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "catalog.yml",
        "datastreams.csv",
        "demo.gpkg",
        "faults.csv",
        "land_cover.tif",
        "observations.csv.gz",
        "owners.csv",
        "stations.csv",
        "terrain.tif",
        "transit.zip",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_the_buses_of_the_demo_are_a_clean_feed_of_its_stops(
    folder: Path, tables: dict[str, gpd.GeoDataFrame], demo_end: datetime
) -> None:
    feed = read_feed(folder / "transit.zip")
    assert validate_feed(feed, demo_end.date()).describe() == []
    assert set(feed.stop_ids.to_pylist()) <= set(tables["stops"]["gtfs_id"])
    assert feed.counts["routes"] >= 5


def test_every_declared_vector_layer_is_there_with_its_columns(tables: dict[str, gpd.GeoDataFrame]) -> None:
    assert set(tables) == set(VECTOR_LAYERS) - LEFT_OUT
    for name, table in tables.items():
        expected = ["id", *(prop.name for prop in VECTOR_LAYERS[name].properties), "geometry"]
        assert list(table.columns) == expected, name
        assert len(table) > 0, name


def test_values_keep_to_the_declarations(tables: dict[str, gpd.GeoDataFrame]) -> None:
    for name, table in tables.items():
        assert table["id"].notna().all() and table["id"].is_unique, name
        for prop in VECTOR_LAYERS[name].properties:
            found = table[prop.name].dropna()
            where = f"{name}.{prop.name}"
            if prop.required:
                assert len(found) == len(table), where
            if prop.codes:
                assert set(found) <= {code.value for code in prop.codes}, where
            if prop.measure is not None and len(found):
                assert found.min() >= prop.measure.minimum and found.max() <= prop.measure.maximum, where
            if prop.type == "date" and len(found):
                assert pd.api.types.is_datetime64_any_dtype(found), where
            if prop.type == "datetime" and len(found):
                assert found.dt.tz is not None, where
            if prop.type in ("number", "integer") and len(found):
                assert pd.api.types.is_numeric_dtype(found), where


def test_geometry_is_valid_of_the_declared_type_and_inside(tables: dict[str, gpd.GeoDataFrame]) -> None:
    for name, table in tables.items():
        assert table.crs.to_string() == CRS, name
        assert set(table.geometry.geom_type) == {VECTOR_LAYERS[name].geometry}, name
        assert table.geometry.is_valid.all() and not table.geometry.is_empty.any(), name
        x0, y0, x1, y1 = table.total_bounds
        assert x0 > BOUNDS[0] - 1 and y0 > BOUNDS[1] - 1 and x1 < BOUNDS[2] + 1 and y1 < BOUNDS[3] + 1, name


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("buildings", 17_000, 25_000),
        ("parcels", 18_000, 32_000),
        ("wards", 8, 8),
        ("provinces", 1, 1),
        ("road_links", 1_000, 4_000),
        ("drainage_links", 1_500, 6_000),
        ("luminaires", 3_000, 12_000),
        ("trees", 5_000, 20_000),
        ("catchments", 200, 900),
        ("sensors", 50, 110),
    ],
)
def test_counts_are_those_promised(tables: dict[str, gpd.GeoDataFrame], name: str, low: int, high: int) -> None:
    assert low <= len(tables[name]) <= high


def test_road_links_end_at_their_nodes_and_form_one_network(tables: dict[str, gpd.GeoDataFrame]) -> None:
    links, nodes = tables["road_links"], tables["road_nodes"].set_index("id").geometry
    start = shapely.get_point(links.geometry.values, 0)
    end = shapely.get_point(links.geometry.values, -1)
    assert shapely.distance(start, nodes.loc[links["from_node"]].values).max() < 1e-6
    assert shapely.distance(end, nodes.loc[links["to_node"]].values).max() < 1e-6
    code = {node: k for k, node in enumerate(nodes.index)}
    graph = np.array([[code[a], code[b]] for a, b in zip(links["from_node"], links["to_node"], strict=True)])
    reached = np.arange(len(code))
    for _ in range(len(code)):
        lowest = np.minimum(reached[graph[:, 0]], reached[graph[:, 1]])
        before = reached.copy()
        np.minimum.at(reached, graph[:, 0], lowest)
        np.minimum.at(reached, graph[:, 1], lowest)
        if (reached == before).all():
            break
    assert set(reached) == {0}
    ends = np.bincount(graph.ravel(), minlength=len(code))
    assert ((ends == 1) == (tables["road_nodes"]["node_type"] == "end").to_numpy()).all()


def test_links_that_cross_without_a_node_do_not_exist(tables: dict[str, gpd.GeoDataFrame]) -> None:
    links = tables["road_links"].geometry.values
    left, right = shapely.STRtree(links).query(links, predicate="crosses")
    assert len(left) == 0, (left[:5], right[:5])


def test_roads_stay_dry_except_on_bridges(tables: dict[str, gpd.GeoDataFrame]) -> None:
    links = tables["road_links"]
    water = shapely.union_all(tables["water_bodies"].geometry.values)
    ground = links[~links["is_bridge"].astype(bool)]
    assert shapely.length(shapely.intersection(ground.geometry.values, water)).max() < 0.5
    bridges = links[links["is_bridge"].astype(bool)]
    assert (shapely.length(shapely.intersection(bridges.geometry.values, water)) > 5.0).all()
    assert len(bridges) == len(tables["bridges"]) > 15


def test_buildings_stand_neither_in_water_nor_on_streets(tables: dict[str, gpd.GeoDataFrame]) -> None:
    buildings = tables["buildings"].geometry.values
    water = shapely.union_all(tables["water_bodies"].geometry.values)
    assert not shapely.intersects(water, buildings).any()
    links = tables["road_links"]
    wide = links[links["road_class"] != "living_street"]
    carriageways = shapely.buffer(wide.geometry.values, wide["width"].to_numpy() / 2 - 0.1, cap_style="flat")
    tree = shapely.STRtree(buildings)
    assert len(np.unique(tree.query(carriageways, predicate="intersects")[1])) < 0.001 * len(buildings)


def test_every_luminaire_has_its_circuit_and_cabinet(tables: dict[str, gpd.GeoDataFrame]) -> None:
    lights, circuits = tables["luminaires"], tables["lighting_circuits"]
    cabinets = set(tables["lighting_cabinets"]["id"])
    assert set(lights["cabinet_id"]) == cabinets
    assert set(lights["circuit_id"]) == set(circuits["circuit_id"])
    owner = circuits.groupby("circuit_id")["cabinet_id"].agg(["nunique", "first"])
    assert (owner["nunique"] == 1).all()
    assert (owner["first"].loc[lights["circuit_id"]].to_numpy() == lights["cabinet_id"].to_numpy()).all()
    load = lights.groupby("cabinet_id")["power"].sum()
    assert (tables["lighting_cabinets"].set_index("id")["rated_power"] >= load).all()


def test_conduits_fall_all_the_way_to_an_outfall(tables: dict[str, gpd.GeoDataFrame]) -> None:
    links, nodes = tables["drainage_links"], tables["drainage_nodes"].set_index("id")
    conduits = links[links["link_type"] == "conduit"]
    assert (conduits["from_invert"] > conduits["to_invert"]).all()
    assert (nodes.loc[conduits["from_node"], "invert_elevation"].to_numpy() == conduits["from_invert"].to_numpy()).all()
    below = dict(zip(conduits["from_node"], conduits["to_node"], strict=True))
    assert len(below) == len(conduits), "a node has two conduits out of it"
    for node in below:
        seen = 0
        while node in below:
            node, seen = below[node], seen + 1
            assert seen < 500, "a circle of conduits"
        assert nodes.loc[node, "node_type"] == "outfall"
    room = nodes.loc[conduits["from_node"], "max_depth"].to_numpy()
    assert (conduits["height"].to_numpy() <= room).all()


def test_drainage_links_end_at_their_nodes(tables: dict[str, gpd.GeoDataFrame]) -> None:
    links, nodes = tables["drainage_links"], tables["drainage_nodes"].set_index("id").geometry
    for column, index in (("from_node", 0), ("to_node", -1)):
        ends = shapely.get_point(links.geometry.values, index)
        assert shapely.distance(ends, nodes.loc[links[column]].values).max() < 1e-6
    assert set(tables["catchments"]["outlet_node"]) <= set(nodes.index)


def test_gates_pumps_and_waters_name_each_other(tables: dict[str, gpd.GeoDataFrame]) -> None:
    links, waters = tables["drainage_links"].set_index("id"), tables["water_bodies"].set_index("id")
    gates = links[links["link_type"] == "gate"]
    gated = waters["gate_id"].dropna()
    assert set(gated) == set(gates.index) and len(gates) == 3
    assert set(gates["waterway_id"]) <= set(tables["waterways"]["id"])
    for body, gate in gated.items():
        assert waters.loc[f"{body}-MOUTH", "gate_id"] is None or pd.isna(waters.loc[f"{body}-MOUTH", "gate_id"])
        start, end = (shapely.get_point(gates.loc[gate, "geometry"], k) for k in (0, -1))
        assert waters.loc[body, "geometry"].contains(start)
        assert waters.loc[f"{body}-MOUTH", "geometry"].contains(end)
    assert (links[links["link_type"] == "pump"]["capacity"] > 0.5).all()


def test_sensors_watch_things_that_exist(tables: dict[str, gpd.GeoDataFrame], folder: Path) -> None:
    sensors = tables["sensors"]
    for layer, item in zip(sensors["watched_layer"], sensors["watched_id"], strict=True):
        assert item in set(tables[layer]["id"]), (layer, item)
    main = sensors.set_index("id").loc["S-HAU-01"]
    assert (main["alarm_1"], main["alarm_2"], main["alarm_3"]) == (1.8, 1.9, 2.0)
    kinds = sensors["kind"].value_counts()
    links = tables["drainage_links"]["link_type"].value_counts()
    assert 8 <= kinds["stage"] <= 12 and kinds["rain"] == 4
    assert kinds["pump"] == links["pump"] and kinds["gate"] == links["gate"]
    streams = pd.read_csv(folder / "datastreams.csv")
    assert set(kinds.index) == set(OBSERVED) and sensors["id"].is_unique
    assert set(streams["sensor_id"]) == set(sensors["id"]) and streams["id"].is_unique
    made = {(kind, one.name, one.unit) for kind, seen in OBSERVED.items() for one in seen}
    found = streams.merge(sensors[["id", "kind"]], left_on="sensor_id", right_on="id")
    assert set(zip(found["kind"], found["observed_property"], found["unit"], strict=True)) == made


def test_a_reading_is_a_function_of_seed_time_and_item(folder: Path, readings: pd.DataFrame) -> None:
    """A device that measures one moment alone says what the file of sixty days says."""
    stations, seed = read_stations(folder / STATIONS_FILE)
    told = readings.set_index(["datastream_id", "phenomenon_time"])["result"]
    for number, station in enumerate(stations):
        sample = told.loc[f"{station.id}-{OBSERVED[station.kind][0].name}"].index[[3, 100, -1]]
        for moment in sample:
            seconds = np.array([int(moment.timestamp())], dtype=np.int64)
            for name, result in compute_results(station, number, seconds, seed).items():
                assert result[0] == pytest.approx(told[(f"{station.id}-{name}", moment)], abs=1.1e-3), station.id


def test_the_first_stations_read_as_they_always_did(readings: pd.DataFrame) -> None:
    """Kinds that were added later leave the readings of the gauges alone; figures of the edition that had 25."""
    first = readings[readings["datastream_id"].isin(readings["datastream_id"].drop_duplicates()[:25])]
    assert len(first) == 214_514
    assert first["result"].sum() == pytest.approx(132_027.289, abs=5e-4)


def test_people_are_counted_once(tables: dict[str, gpd.GeoDataFrame]) -> None:
    residents = tables["buildings"]["residents"].sum()
    assert 60_000 < residents < 140_000
    assert tables["wards"]["population"].sum() == residents
    assert tables["population"]["population"].sum() == residents
    assert set(tables["buildings"]["ward_code"]) <= set(tables["wards"]["ward_code"])
    assert tables["wards"]["ward_code"].str.startswith("99").all()


def test_wards_and_land_use_cover_the_district(tables: dict[str, gpd.GeoDataFrame]) -> None:
    extent = (BOUNDS[2] - BOUNDS[0]) * (BOUNDS[3] - BOUNDS[1])
    assert tables["wards"].area.sum() == pytest.approx(extent, rel=1e-6)
    assert tables["land_use"].union_all().area == pytest.approx(extent, rel=1e-3)
    assert tables["land_use"].area.sum() == pytest.approx(extent, rel=2e-3)


def test_rasters_share_the_grid(folder: Path) -> None:
    for name, dtype in (("terrain", "float32"), ("land_cover", "uint8")):
        with rasterio.open(folder / f"{name}.tif") as file:
            assert (file.height, file.width) == GRID.shape and file.transform == GRID.transform
            assert file.crs.to_string() == CRS and file.dtypes[0] == dtype
            assert file.overviews(1) and file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            values = file.read(1)
            if name == "terrain":
                assert -10.5 < values.min() < -8.0 and 2.3 < values.max() < 3.5
            else:
                assert set(np.unique(values)) == {1, 2, 3, 4, 5, 7, 8}


def test_banks_hold_an_ordinary_tide_and_the_spring_tide_gets_over_the_low_ones(
    folder: Path, tables: dict[str, gpd.GeoDataFrame]
) -> None:
    with rasterio.open(folder / "terrain.tif") as file:
        terrain = file.read(1)
    waters = tables["water_bodies"]
    tidal = waters[waters["is_tidal"].astype(bool)]
    outside, inside = (
        rasterio.features.rasterize(part.geometry, GRID.shape, transform=GRID.transform) > 0
        for part in (tidal[tidal["gate_id"].isna()], tidal[tidal["gate_id"].notna()])
    )
    centre = tables["buildings"].geometry.centroid
    row, col, _ = GRID.cells(centre.x.to_numpy(), centre.y.to_numpy())

    def reach(stage: float) -> np.ndarray:
        region, _ = label(terrain < stage)
        return np.isin(region, np.setdiff1d(region[outside & (terrain < stage)], [0]))

    ordinary, spring = reach(1.55), reach(2.0)
    assert ordinary[row, col].sum() == 0 and not (ordinary & inside).any()
    assert spring[row, col].sum() > 5_000


def test_readings_cover_sixty_days_with_some_faults(readings: pd.DataFrame, folder: Path, demo_end: datetime) -> None:
    streams = pd.read_csv(folder / "datastreams.csv").set_index("id")
    assert set(readings["datastream_id"]) == set(streams.index)
    kinds = pd.Series({one.id: one.kind for one in read_stations(folder / STATIONS_FILE)[0]})
    gauged = set(streams.index[streams["sensor_id"].map(kinds).isin(GAUGES)])
    counted = set(streams.index[streams["sensor_id"].map(kinds) == "traffic"])
    full = 60 * 144
    for name, rows in readings.groupby("datastream_id"):
        if name not in gauged:
            steps, quantity = (
                rows["phenomenon_time"].diff().dropna(),
                QUANTITIES[streams.loc[name, "observed_property"]],
            )
            step, due = (timedelta(minutes=5), 15 * 288) if name in counted else (timedelta(hours=1), 720)
            assert 0.93 * due < len(rows) <= due and (steps % pd.Timedelta(step)).max() == timedelta(0), name
            assert rows["result"].between(quantity.minimum, quantity.maximum).all() and rows["result"].std() > 0.0, name
            continue
        times = rows["phenomenon_time"]
        assert times.is_monotonic_increasing and times.is_unique, name
        assert times.min() > demo_end - timedelta(days=60) and times.max() <= demo_end, name
        assert times.max() - times.min() > timedelta(days=59), name
        assert 0.93 * full < len(rows) < full, name
        kind = streams.loc[name, "observed_property"]
        if kind == "stage":
            assert rows["result"].quantile(0.001) > -0.2 and rows["result"].quantile(0.999) < 2.4, name
        elif kind == "rainfall":
            assert rows["result"].min() == 0.0 and 80.0 < rows["result"].sum() < 1200.0, name
        else:
            assert set(rows["result"]) == {0.0, 1.0}, name


def test_tide_is_that_of_the_lower_hau() -> None:
    start = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    seconds = np.arange(start, start + 365 * 86_400, 600, dtype=np.int64)
    days = compute_river_stage(seconds, 2026).reshape(365, 144)
    swing = days.max(axis=1) - days.min(axis=1)
    assert swing.min() > 0.5 and 1.5 < swing.max() < 2.0
    assert days.max() < 2.3 and days.min() > -0.4
    wet = days[273:334]  # October and November
    assert np.median(wet.max(axis=1)) > 1.55 and 1.9 < wet.max() < 2.2
    assert wet.mean() > days[90:150].mean() + 0.25
    two_days = np.maximum(days.max(axis=1)[:-1], days.max(axis=1)[1:])[273:334]
    assert (two_days > 1.58).mean() > 0.95  # crest of the lowest banks [m]


def test_readings_do_not_depend_on_when_they_are_made() -> None:
    start = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp())
    long = np.arange(start, start + 30 * 86_400, 600, dtype=np.int64)
    part = slice(1000, 1500)
    np.testing.assert_allclose(compute_river_stage(long, 7)[part], compute_river_stage(long[part], 7), atol=1e-9)
    np.testing.assert_array_equal(compute_rain(long, 7, 1)[part], compute_rain(long[part], 7, 1))
    assert not np.allclose(compute_river_stage(long, 7), compute_river_stage(long, 8), atol=1e-3)


def test_hash_is_uniform_and_repeats() -> None:
    values = hash_uniform(5, 1, np.arange(20_000))
    assert values.min() > 0.0 and values.max() < 1.0
    counts, _ = np.histogram(values, 10, (0.0, 1.0))
    assert counts.min() > 1_850 and counts.max() < 2_150
    assert (values == hash_uniform(5, 1, np.arange(20_000))).all()


def test_catalogue_names_files_and_layers_that_exist(folder: Path, tables: dict[str, gpd.GeoDataFrame]) -> None:
    assert len(read_catalog(folder / "catalog.yml").sources) == len(tables) + 3
    assert {one.sensor_id for one in read_datastreams(folder / "datastreams.csv")} == set(tables["sensors"]["id"])
    catalog = yaml.safe_load((folder / "catalog.yml").read_text(encoding="utf-8"))
    assert catalog["city"]["crs"] == CRS and catalog["city"]["synthetic"] is True
    assert catalog["city"]["main_gauge"] in set(tables["sensors"]["id"])
    ids = [source["id"] for source in catalog["sources"]]
    assert len(ids) == len(set(ids)) == len(tables) + 3
    for source in catalog["sources"]:
        assert (folder / source["uri"]).is_file() and source["synthetic"] is True, source["id"]
        assert source.get("kind") == "observations" or source["layer"] in LAYERS, source["id"]
        assert source.get("table", source.get("layer")) == source.get("layer"), source["id"]
        assert source["licence"] and source["attribution"] and set(source["title"]) == {"vi", "en"}


def test_bad_requests_are_named_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="-1 is negative"):
        generate_city(tmp_path / "new", seed=-1)
    with pytest.raises(InputError, match="no time zone"):
        generate_city(tmp_path / "new", end=datetime(2026, 1, 1))
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(InputError, match="is a file"):
        generate_city(file)
    assert not (tmp_path / "new").exists()
