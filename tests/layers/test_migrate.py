"""A database comes to the present from nothing, twice, and only ever gains."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from layers.errors import ConflictError, CrsError, DatabaseError
from layers.registry import VECTOR_LAYERS
from layers.store.engine import open_engine
from layers.store.migrate import migrate, read_city
from layers.store.sources import note_layers, read_source


def test_every_declared_property_is_a_column(make_database: Callable[..., str]) -> None:
    engine = open_engine(make_database("migrate_columns"))
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select table_schema, table_name, column_name from information_schema.columns "
                "where table_schema in ('city', 'history')"
            )
        ).all()
    found: dict[tuple[str, str], set[str]] = {}
    for schema, table, column in rows:
        found.setdefault((schema, table), set()).add(column)
    for layer in VECTOR_LAYERS.values():
        kept = {"fid", "id", "source_id", "valid_from", "recorded_from", "edit_id", "geom"}
        declared = {prop.name for prop in layer.properties} | kept
        assert declared | {"geom_3857"} == found["city", layer.id]
        assert declared | {"valid_to", "recorded_to", "ended_by"} == found["history", layer.id]
    engine.dispose()


def test_a_second_migration_does_nothing_and_a_new_property_is_added(make_database: Callable[..., str]) -> None:
    engine = open_engine(make_database("migrate_twice"))
    assert migrate(engine, "test", "EPSG:5897", {}) == []
    with engine.begin() as connection:
        connection.execute(text("alter table city.trees drop column crown_diameter"))
        connection.execute(text("alter table history.trees drop column crown_diameter"))
    assert migrate(engine, "test", "EPSG:5897", {}) == ["AddColumn trees crown_diameter"]
    engine.dispose()


def test_features_made_by_hand_have_a_source(make_database: Callable[..., str]) -> None:
    engine = open_engine(make_database("migrate_by_hand"))
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into city.trees (id, source_id, geom) "
                "values ('t', 'edit', ST_SetSRID(ST_MakePoint(580000, 1108000), 5897))"
            )
        )
        connection.execute(text("delete from meta.source where id = 'edit'"))
    migrate(engine, "test", "EPSG:5897", {"licence": "CC-BY-4.0", "attribution": "Sở Xây dựng", "synthetic": True})
    with engine.begin() as connection:
        row = read_source(connection, "edit")
        assert row is not None
        assert (row.layers, row.licence, row.attribution, row.synthetic) == (
            ("trees",), "CC-BY-4.0", "Sở Xây dựng", True
        )  # fmt: skip
        assert row.title_vi and row.title_en
        note_layers(connection, "edit", ["trees", "stops"])
        found = read_source(connection, "edit")
        assert found is not None and found.layers == ("trees", "stops")
    engine.dispose()


def test_a_column_no_longer_declared_asks_for_a_migration(make_database: Callable[..., str]) -> None:
    engine = open_engine(make_database("migrate_drop"))
    with engine.begin() as connection:
        connection.execute(text("alter table city.trees add column nickname text"))
    with pytest.raises(DatabaseError, match="DropColumn trees nickname"):
        migrate(engine, "test", "EPSG:5897", {})
    engine.dispose()


def test_one_database_holds_one_city_in_one_crs(make_database: Callable[..., str]) -> None:
    engine = open_engine(make_database("migrate_crs"))
    with pytest.raises(ConflictError, match="EPSG:5897, the catalogue says EPSG:32648"):
        migrate(engine, "test", "EPSG:32648", {})
    for wrong, reason in (
        ("EPSG:4326", "not projected in metres"),
        ("EPSG:2263", "not projected in metres"),
        ("x", "not a known"),
    ):
        with pytest.raises(CrsError, match=reason):
            migrate(engine, "test", wrong, {})
    engine.dispose()


def test_an_unmigrated_database_says_so(cluster_url: str) -> None:
    engine = open_engine(cluster_url)
    with engine.connect() as connection, pytest.raises(DatabaseError, match="twin db migrate"):
        read_city(connection)
    engine.dispose()


def test_wrong_urls_are_named() -> None:
    with pytest.raises(DatabaseError, match="'mysql'"):
        open_engine("mysql://x/y")
    with pytest.raises(DatabaseError, match="cannot be read"):
        open_engine("nonsense")
