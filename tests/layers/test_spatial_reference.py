"""spatial_ref_sys carries the declared shifts, after any number of migrations, and stored geometry follows."""

from collections.abc import Callable

import pytest
from pyproj import CRS
from sqlalchemy import Connection, text

from layers.datum import make_transformer
from layers.errors import DatabaseError
from layers.store.engine import open_engine
from layers.store.migrate import migrate
from layers.store.spatial_reference import ensure_spatial_references

X, Y = 586_000.0, 1_109_000.0


def test_a_second_time_nothing_is_written(connection: Connection) -> None:
    before = connection.execute(text("select xmin::text, * from spatial_ref_sys order by srid")).all()
    assert not ensure_spatial_references(connection, 5897)
    assert connection.execute(text("select xmin::text, * from spatial_ref_sys order by srid")).all() == before
    # Longer words do not fit into the table.
    assert connection.execute(text("select max(length(srtext)) from spatial_ref_sys")).scalar_one() < 2048


def test_features_stored_with_another_shift_are_moved(make_database: Callable[..., str]) -> None:
    url = make_database("srs_moved")
    engine = open_engine(url)
    plain = {"wkt": CRS.from_epsg(5897).to_wkt("WKT1_GDAL")}
    with engine.begin() as connection:
        connection.execute(
            text("update spatial_ref_sys set auth_name = 'EPSG', srtext = :wkt where srid = 5897"), plain
        )
    engine.dispose()
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into city.trees (id, source_id, geom) values ('t', 's', st_setsrid(st_makepoint(:x, :y), 5897))"
            ),
            {"x": X, "y": Y},
        )
        valid_from = connection.execute(text("select valid_from from city.trees")).scalar_one()
    expected = make_transformer("EPSG:5897", "EPSG:3857").transform(X, Y)
    with engine.connect() as connection:
        stored = connection.execute(text("select st_x(geom_3857), st_y(geom_3857) from city.trees")).one()
        assert stored[0] - expected[0] == pytest.approx(0.82, abs=0.05)
    assert migrate(engine, "test", "EPSG:5897", {}) == ["Refreshed city.trees: the datum shift of EPSG:5897"]
    with engine.connect() as connection:
        stored = connection.execute(text("select st_x(geom_3857), st_y(geom_3857) from city.trees")).one()
        assert tuple(stored) == pytest.approx(expected, abs=1e-4)
        assert connection.execute(text("select valid_from from city.trees")).scalar_one() == valid_from
        assert connection.execute(text("select count(*) from history.trees")).scalar_one() == 0
    assert migrate(engine, "test", "EPSG:5897", {}) == []
    engine.dispose()


def test_a_user_who_may_not_write_there_is_told(connection: Connection) -> None:
    connection.execute(text("delete from spatial_ref_sys where srid = 9210"))
    connection.execute(text("create role plain_reader"))
    connection.execute(text("grant select, insert on spatial_ref_sys to plain_reader"))
    connection.execute(text("set local role plain_reader"))
    with pytest.raises(DatabaseError, match="grant insert, update on spatial_ref_sys"):
        ensure_spatial_references(connection, 5897)
