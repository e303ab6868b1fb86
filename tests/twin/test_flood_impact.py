"""What water touches, on a raster made by hand; every expected number is worked out in the comments."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers.grid import Grid
from layers.registry import read_vector_layer
from twin.processes.flood_impact import Water, assess_impact, classify_depth

X0, Y0 = 586_000.0, 1_109_000.0
GRID = Grid(10, 10, X0, Y0, 10.0, "EPSG:5897")


def at(col: float, row: float) -> tuple[float, float]:
    return X0 + 10.0 * col, Y0 - 10.0 * row


def make_water() -> Water:
    """Ground 1.0 m; 0.2 m of water in columns 2–4, 0.4 m in column 5, river in column 0."""
    depth = np.zeros(GRID.shape, dtype=np.float32)
    depth[:, 2:5], depth[:, 5] = 0.2, 0.4
    depth[:, 0] = np.nan
    arrival = np.where(depth >= 0.05, 1800.0, np.nan).astype(np.float32)
    return Water(GRID, depth, arrival, np.full(GRID.shape, 1.0))


def put(city, **layers: gpd.GeoDataFrame) -> None:
    city.layers = layers


def frame(shapes: list[object], **columns: object) -> gpd.GeoDataFrame:
    ids = [f"a{k}" for k in range(len(shapes))]
    return gpd.GeoDataFrame({"id": ids, **columns}, geometry=shapes, crs="EPSG:5897")


def test_buildings_against_ground_and_floor(city) -> None:
    small = shapely.box(*at(5.1, 3.4), *at(5.4, 3.1))  # 3 m wide, inside one cell of column 5
    edge = shapely.box(*at(5.5, 5.4), *at(7.5, 5.1))  # its west end stands in column 5
    dry = shapely.box(*at(7.1, 3.4), *at(7.4, 3.1))
    high = shapely.box(*at(5.1, 7.4), *at(5.4, 7.1))  # floor 1.45 m above water level 1.40 m
    low = shapely.box(*at(2.1, 7.4), *at(2.4, 7.1))  # floor 1.05 m, level 1.20 m: 0.15 m inside
    put(
        city,
        buildings=frame(
            [shapely.MultiPolygon([shape]) for shape in (small, edge, dry, high, low)],
            floor_elevation=[np.nan, np.nan, np.nan, 1.45, 1.05],
            residents=[3, 5, 7, 11, 2],
        ),
    )
    impact = assess_impact(city, make_water(), city.now)
    depths = dict(zip(impact.assets["asset_id"], impact.assets["depth_max"], strict=True))
    assert depths == {"a0": pytest.approx(0.4), "a1": pytest.approx(0.4), "a4": pytest.approx(0.15)}
    assert impact.summary["buildings"] == 3
    assert impact.summary["people"] == 3 + 5 + 2
    assert set(impact.assets["arrival"]) == {city.now.replace(minute=30)}


def test_roads_by_length_and_closure(city) -> None:
    along = shapely.LineString([at(1, 1.5), at(9, 1.5)])  # 30 m in 0.2 m, 10 m in 0.4 m: closed, 80 m long
    slow = shapely.LineString([at(1, 2.5), at(4.5, 2.5)])  # 25 m in 0.2 m: open
    bridge = shapely.LineString([at(1, 3.5), at(9, 3.5)])
    above = shapely.LineString([at(1, 4.5), at(9, 4.5)])
    river = shapely.LineString([at(0.1, 1), at(0.1, 9)])  # in the river's cells: not land
    put(
        city,
        road_links=frame(
            [along, slow, bridge, above, river], is_bridge=[None, False, True, False, False], level=[0, None, 0, 1, 0]
        ),
    )
    impact = assess_impact(city, make_water(), city.now)
    lengths = dict(zip(impact.assets["asset_id"], impact.assets["length"], strict=True))
    # Samples stand 5 m apart, so each end of a wet stretch is known to half of that.
    assert set(lengths) == {"a0", "a1"}
    assert lengths["a0"] == pytest.approx(40.0, abs=5.0)
    assert lengths["a1"] == pytest.approx(25.0, abs=5.0)
    assert impact.summary["closed_road_length"] == pytest.approx(80.0)
    assert impact.summary["road_length"] == pytest.approx(sum(lengths.values()), abs=0.2)


def test_lights_cabinets_pumps_and_places(city) -> None:
    wet, dry = shapely.Point(at(3.5, 5.5)), shapely.Point(at(8.5, 5.5))
    outside = shapely.Point(at(50.0, 5.5))
    put(
        city,
        luminaires=frame([wet, dry, outside]),
        lighting_cabinets=frame([wet, wet], base_elevation=[1.3, 1.1], name=["Tủ cao", "Tủ thấp"]),
        drainage_links=frame(
            [shapely.LineString([at(3.5, 1.5), at(0.5, 1.5)]), shapely.LineString([at(3.5, 2.5), at(3.5, 6.5)])],
            link_type=["pump", "conduit"],
        ),
        places=frame([wet], name=["Chợ"], category=["market"]),
    )
    impact = assess_impact(city, make_water(), city.now)
    found = {(row.asset_layer, row.asset_id) for row in impact.assets.itertuples()}
    assert found == {
        ("luminaires", "a0"),
        ("lighting_cabinets", "a1"),
        ("drainage_links", "a0"),
        ("places", "a0"),
    }
    cabinet = impact.assets[impact.assets["asset_layer"] == "lighting_cabinets"].iloc[0]
    assert (cabinet["asset_name"], cabinet["depth_max"]) == ("Tủ thấp", pytest.approx(0.1))


def test_people_from_population_cells_where_no_building_names_any(city) -> None:
    # One cell of 4 × 4 = 16 grid cells over columns 3–6: 8 wet at 0.2 m, 4 at 0.4 m, 4 dry; 160 people.
    # One cell of columns 0–1: half of it river, the rest dry.
    put(
        city,
        population=frame(
            [
                shapely.MultiPolygon([shapely.box(*at(3, 4), *at(7, 0))]),
                shapely.MultiPolygon([shapely.box(*at(0, 4), *at(2, 0))]),
            ],
            population=[160, 1000],
        ),
        wards=frame(
            [shapely.MultiPolygon([shapely.box(*at(0, 10), *at(10, 0))])], name=["Phường Một"], ward_code=["99001"]
        ),
    )
    summary = assess_impact(city, make_water(), city.now).summary
    assert summary["people"] == 120
    by_class = {row["depth_class"]: row["people"] for row in summary["affected"]}
    assert by_class == {"low": 80, "medium": 40}
    assert [(row["ward_name"], row["people"]) for row in summary["by_ward"]] == [("Phường Một", 120)]


def test_wards_and_area(city) -> None:
    north = shapely.MultiPolygon([shapely.box(*at(0, 5), *at(10, 0))])
    put(
        city,
        wards=frame([north], name=["Bắc"], ward_code=["99001"]),
        luminaires=frame([shapely.Point(at(3.5, 1.5)), shapely.Point(at(3.5, 8.5))]),
    )
    impact = assess_impact(city, make_water(), city.now)
    assert {row["ward_code"]: row["lights"] for row in impact.summary["by_ward"]} == {"99001": 1, "—": 1}
    assert impact.assets["ward_code"].iloc[0] == "99001"
    assert impact.assets["ward_code"].isna().tolist() == [False, True]
    assert impact.summary["flooded_area"] == 40 * 100.0
    assert impact.summary["depth_max"] == pytest.approx(0.4)


def test_a_dry_city_has_an_empty_summary(city) -> None:
    water = make_water()
    dry = Water(GRID, np.zeros_like(water.depth_max), np.full_like(water.arrival, np.nan), water.bed)
    impact = assess_impact(city, dry, city.now)
    assert len(impact.assets) == 0
    assert impact.summary["people"] == 0 and impact.summary["by_ward"] == [] and impact.summary["affected"] == []


def test_classes_are_those_of_the_layer() -> None:
    codes = [code.value for code in read_vector_layer("flood_assets").find("depth_class").codes]
    assert classify_depth(np.array([0.02, 0.05, 0.1, 0.3, 0.5, 1.0, 9.0])).tolist() == [
        codes[0],
        *codes,
        codes[-1],
    ]
