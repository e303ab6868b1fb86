"""What water touches, on a raster made by hand; every expected number is worked out in the comments."""

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from hydrology.damage import DAMAGE_CURVES, JRC
from hydrology.hazard import HAZARD_LIMITS
from layers.grid import Grid
from layers.registry import read_raster_layer, read_vector_layer
from twin.processes.flood_damage import BUILDING_CLASSES
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


def make_fast_water() -> Water:
    """The same water: 1 m/s in columns 2–4 and 2 m/s in column 5; 0.3 m of it stood there for two hours."""
    slow = make_water()
    velocity = np.where(slow.depth_max > 0.3, 2.0, np.where(slow.depth_max > 0.0, 1.0, 0.0)).astype(np.float32)
    stood = np.where(slow.depth_max >= 0.3, 7200.0, 0.0).astype(np.float32)
    return replace(slow, velocity_max=velocity, hazard_max=slow.depth_max * velocity, durations={0.3: stood})


def square(col: float, row: float) -> shapely.MultiPolygon:
    """A building of 4 × 4 m with its north-west corner at a place of the grid."""
    return shapely.MultiPolygon([shapely.box(*at(col, row + 0.4), *at(col + 0.4, row))])


def test_damage_by_class_and_ward(city) -> None:
    put(
        city,
        buildings=frame([square(2.1, 3.1), square(5.1, 3.1), square(5.1, 7.1)], use=["house", "shop", None]),
        road_links=frame(
            [shapely.LineString([at(2, 1.5), at(4.999, 1.5)]), shapely.LineString([at(5.5, 2), at(5.5, 4)])],
            width=[6.0, np.nan],
        ),
        land_use=frame([shapely.MultiPolygon([shapely.box(*at(4, 10), *at(6, 8))])], land_use=["agriculture"]),
        wards=frame([shapely.MultiPolygon([shapely.box(*at(0, 5), *at(10, 0))])], name=["Bắc"], ward_code=["99001"]),
    )
    city.damage = {"residential": {"value_per_m2": 1e6}, "agriculture": {"value_per_m2": 100.0}}
    impact = assess_impact(city, make_water(), city.now)
    damage = impact.summary["damage"]
    rows = {row["damage_class"]: row for row in damage["classes"]}
    # Homes of 16 m²: 0.2 m of water is 0.4 of the way to 0.327 at 0.5 m, 0.4 m is 0.8 of it; the one without a use
    # counts as a home. Shops: 0.8 × 0.377.
    assert rows["residential"]["damage"] == pytest.approx(16.0 * (0.4 + 0.8) * 0.327 * 1e6, rel=1e-3)
    assert (rows["residential"]["count"], rows["residential"]["area"]) == (2, 32.0)
    assert rows["commercial"]["factor"] == pytest.approx(0.8 * 0.377, abs=1e-3)
    assert rows["commercial"]["damage"] is None
    # 30 m of road of 6 m in 0.2 m; that of unknown width has no area.
    assert rows["roads"]["area"] == pytest.approx(180.0, abs=1.0)
    assert rows["roads"]["damaged_area"] == pytest.approx(180.0 * 0.4 * 0.214, abs=0.2)
    # Two cells each of 0.2 and 0.4 m of water on crops, 100 m² a cell.
    assert rows["agriculture"]["damage"] == pytest.approx(200.0 * (0.4 + 0.8) * 0.135 * 100.0, rel=1e-3)
    assert damage["total"] == rows["residential"]["damage"] + rows["agriculture"]["damage"]
    assert damage["without_value"] == ["commercial", "roads"]
    assert (damage["assumed_use"], damage["roads_without_width"]) == (1, 1)
    assert damage["sources"] == [JRC]
    by_ward = {(row["ward_code"], row["damage_class"]): row for row in impact.summary["damage_by_ward"]}
    assert set(by_ward) == {("99001", "residential"), ("99001", "commercial"), ("99001", "roads"), ("—", "residential")}
    ward = next(row for row in impact.summary["by_ward"] if row["ward_code"] == "99001")
    assert ward["damage"] == by_ward["99001", "residential"]["damage"]
    # Half of the forty wet cells lie in the ward; the water came after half an hour.
    assert (ward["flooded_area"], ward["first_hours"]) == (20 * 100.0, 0.5)
    lost = dict(zip(impact.assets["asset_id"] + impact.assets["asset_layer"], impact.assets["damage"], strict=True))
    assert lost["a0buildings"] == pytest.approx(16.0 * 0.4 * 0.327 * 1e6, rel=1e-6)


def test_without_values_there_is_no_money(city) -> None:
    put(city, buildings=frame([square(5.1, 3.1)], use=["house"]))
    impact = assess_impact(city, make_water(), city.now)
    assert impact.summary["damage"]["total"] is None
    assert impact.summary["damage"]["classes"][0]["damaged_area"] == pytest.approx(16.0 * 0.8 * 0.327, abs=0.05)
    assert impact.summary["by_ward"][0]["damage"] is None
    assert impact.assets["damage"].isna().all() and impact.assets["damage_factor"].notna().all()


def test_hazard_and_closure_in_fast_water(city) -> None:
    along = shapely.LineString([at(1, 1.5), at(9, 1.5)])
    put(
        city,
        buildings=frame([square(2.1, 3.1), square(5.1, 3.1)], residents=[3, 5]),
        road_links=frame([along, shapely.LineString([at(1, 2.5), at(4.5, 2.5)])]),
        places=frame(
            [shapely.Point(at(3.5, 5.5)), shapely.Point(at(5.5, 5.5)), shapely.Point(at(5.5, 6.5))],
            category=["hospital", "school", "school"],
        ),
    )
    impact = assess_impact(city, make_fast_water(), city.now)
    # 0.2 m at 1 m/s is 0.2 m²/s: H1, 30 cells; 0.4 m at 2 m/s is 0.8 m²/s: H4, 10 cells.
    rows = {row["hazard_class"]: row for row in impact.summary["by_hazard"]}
    assert {name: (row["area"], row["people"], row["buildings"]) for name, row in rows.items()} == {
        "H1": (3000.0, 3, 1),
        "H4": (1000.0, 5, 1),
    }
    # A road is in the class of its worst place.
    assert rows["H4"]["road_length"] == pytest.approx(40.0, abs=5.0)
    closed = impact.summary["closed_roads"]
    assert closed == {"count": 1, "length": 80.0, "mean_hours": 2.0, "longest_hours": 2.0}
    places = {row["category"]: (row["count"], row["depth_max"], row["first_hours"]) for row in impact.summary["places"]}
    assert places == {"hospital": (1, 0.2, 0.5), "school": (2, 0.4, 0.5)}
    assert impact.summary["people_by_depth"] == [
        {"depth_class": "low", "people": 3},
        {"depth_class": "medium", "people": 5},
    ]
    school = impact.assets[impact.assets["category"] == "school"].iloc[0]
    assert (school["hazard_class"], school["duration"]) == ("H4", 7200.0)


def test_people_of_population_cells_by_hazard(city) -> None:
    # 16 cells over columns 3–6 with ten people each: 8 cells H1, 4 cells H4, 4 dry.
    put(
        city,
        population=frame([shapely.MultiPolygon([shapely.box(*at(3, 4), *at(7, 0))])], population=[160]),
    )
    rows = assess_impact(city, make_fast_water(), city.now).summary["by_hazard"]
    assert {row["hazard_class"]: row["people"] for row in rows} == {"H1": 80, "H4": 40}


def test_a_run_without_velocity_or_durations_says_so(city) -> None:
    put(city, road_links=frame([shapely.LineString([at(1, 1.5), at(9, 1.5)])]))
    impact = assess_impact(city, make_water(), city.now)
    assert impact.summary["by_hazard"] == []
    assert impact.summary["closed_roads"] == {"count": 1, "length": 80.0, "mean_hours": None, "longest_hours": None}
    assert impact.assets["hazard_class"].isna().all() and impact.assets["duration"].isna().all()


def test_every_building_use_has_its_damage_class() -> None:
    uses = {code.value for code in read_vector_layer("buildings").find("use").codes}
    assert set(BUILDING_CLASSES) == uses - {"other"}
    assert set(BUILDING_CLASSES.values()) <= set(DAMAGE_CURVES)


def test_a_summary_is_json_without_gaps(city) -> None:
    put(
        city,
        buildings=frame([square(5.1, 3.1)]),
        road_links=frame([shapely.LineString([at(1, 1.5), at(9, 1.5)])]),
        places=frame([shapely.Point(at(3.5, 5.5))]),
    )
    for water in (make_water(), make_fast_water()):
        json.dumps(assess_impact(city, water, city.now).summary, allow_nan=False)


def test_a_dry_city_has_an_empty_summary(city) -> None:
    water = make_fast_water()
    dry = replace(water, depth_max=np.zeros_like(water.depth_max), arrival=np.full_like(water.arrival, np.nan))
    impact = assess_impact(city, dry, city.now)
    assert len(impact.assets) == 0
    assert impact.summary["by_hazard"] == [] and impact.summary["damage"]["classes"] == []
    assert impact.summary["people"] == 0 and impact.summary["by_ward"] == [] and impact.summary["affected"] == []


def test_classes_are_those_of_the_layer() -> None:
    hazards = [code.value for code in read_vector_layer("flood_assets").find("hazard_class").codes]
    assert hazards == [limit.id for limit in HAZARD_LIMITS]
    assert [value for value, _ in read_raster_layer("flood_hazard_class").ramp] == [
        limit.code for limit in HAZARD_LIMITS
    ]
    codes = [code.value for code in read_vector_layer("flood_assets").find("depth_class").codes]
    assert classify_depth(np.array([0.02, 0.05, 0.1, 0.3, 0.5, 1.0, 9.0])).tolist() == [
        codes[0],
        *codes,
        codes[-1],
    ]
