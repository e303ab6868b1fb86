"""The live state of items for the map: the main series of each, and the same words in SQL as in Python."""

import geopandas as gpd
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.registry import read_vector_layer
from layers.states import ALARMED, GRADED, GRADES, ORDER, STEPS, TITLES, find_word
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.live import attach_live, build_live_columns

ALARMS = (1.5, None, 1.9)
VALUES = st.one_of(st.none(), st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0, 1.5, 1.7, 1.9]), st.floats(-10, 10))


def add_gauge(connection: Connection) -> None:
    columns = {"id": ["S1"], "name": ["Trạm"], "kind": ["stage"], "alarm_1": [ALARMS[0]], "alarm_3": [ALARMS[2]]}
    frame = gpd.GeoDataFrame(columns, geometry=[shapely.Point(586_000.0, 1_108_000.0)], crs="EPSG:5897")
    upsert_features(connection, read_vector_layer("sensors"), frame, source_id="test")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from([*STEPS, ALARMED, "ph", "a colour"]), value=VALUES, quality=st.sampled_from([1, 2, 3, 4]),
    thing=st.sampled_from(["S1", "S2"]),
)  # fmt: skip
def test_the_map_says_the_same_word(
    connection: Connection, name: str, value: float | None, quality: int, thing: str
) -> None:
    with connection.begin_nested() as inner:
        add_gauge(connection)
        row = connection.execute(
            text(
                f"select {build_live_columns()} from (select 1 as datastream, "
                "cast(:name as text) as observed_property, "
                "cast(:thing as text) as thing_id) m cross join (select cast(:value as float8) as result, "
                "cast(:quality as int) as quality, now() as phenomenon_time) l"
            ),
            {"name": name, "value": value, "quality": quality, "thing": thing},
        ).one()
        inner.rollback()
    alarms = ALARMS if thing == "S1" else (None, None, None)
    assert row.live_state == find_word(name, value, quality, alarms)
    assert row.live_state in TITLES


def test_the_map_grades_a_counted_street_as_the_record_does(connection: Connection) -> None:
    road = {"id": ["R1"], "road_class": ["primary"], "max_speed": [60.0]}
    line = shapely.LineString([(586_000.0, 1_108_000.0), (586_100.0, 1_108_000.0)])
    frame = gpd.GeoDataFrame(road, geometry=[line], crs="EPSG:5897")
    upsert_features(connection, read_vector_layer("road_links"), frame, source_id="test")
    series = Datastream("R1-speed", "T1", GRADED, "km/h", "Tốc độ", "Speed", "road_links", "R1")
    upsert_datastreams(connection, [series], "test")
    values = [0.0, 100.0, *(share * 60.0 + more for share, _ in GRADES for more in (-1e-6, 0.0, 1e-6))]
    for limit in (60.0, None):
        connection.execute(text("update city.road_links set max_speed = :limit"), {"limit": limit})
        told = connection.execute(
            text(
                f"select {build_live_columns()} from sensing.main_series m cross join lateral ("
                "select v as result, 1 as quality, now() as phenomenon_time "
                "from unnest(cast(:values as float8[])) with ordinality t (v, n) order by n) l where m.item = 'R1'"
            ),
            {"values": values},
        ).scalars()
        assert list(told) == [find_word(GRADED, value, 1, speed_limit=limit) for value in values]


def read_main(connection: Connection) -> dict[tuple[str, str], str]:
    rows = connection.execute(
        text(
            "select m.layer, m.item, d.id from sensing.main_series m join sensing.datastream d on d.fid = m.datastream"
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}


def test_the_main_series_of_an_item_follows_its_series(connection: Connection) -> None:
    add_gauge(connection)

    def stream(name: str, observed: str, item: str) -> Datastream:
        return Datastream(name, "S1", observed, "1", "Đo", "Measure", "water_bodies", item)

    upsert_datastreams(connection, [stream("a.ph", "ph", "W"), stream("b.stage", "stage", "W")], "test")
    assert read_main(connection) == {("water_bodies", "W"): "b.stage", ("sensors", "S1"): "b.stage"}
    upsert_datastreams(connection, [stream("b.stage", "stage", "V")], "test")
    main = {("water_bodies", "W"): "a.ph", ("water_bodies", "V"): "b.stage", ("sensors", "S1"): "b.stage"}
    assert read_main(connection) == main
    attach_live(connection)
    assert read_main(connection) == main
    connection.execute(text("delete from sensing.datastream where id = 'b.stage'"))
    assert read_main(connection) == {("water_bodies", "W"): "a.ph", ("sensors", "S1"): "a.ph"}
    assert ORDER.index("stage") < ORDER.index("ph")
