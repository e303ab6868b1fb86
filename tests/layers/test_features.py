"""Upsert, history and selection on a real PostGIS."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import Connection, text

from layers.errors import InputError
from layers.registry import read_vector_layer
from layers.store.features import count_features, delete_features, read_versions, select_features, upsert_features

TREES = read_vector_layer("trees")


def make_trees(count: int) -> gpd.GeoDataFrame:
    x = 580_000.0 + np.arange(count) * 10.0
    return gpd.GeoDataFrame(
        {"id": [f"t{i}" for i in range(count)], "species": 'Dầu rái, "cổ thụ"\n', "height": np.arange(count) + 1.5},
        geometry=shapely.points(x, np.full(count, 1_108_000.0)),
        crs="EPSG:5897",
    )


def test_loading_twice_changes_nothing(connection: Connection) -> None:
    trees = make_trees(50)
    first = upsert_features(connection, TREES, trees, source_id="a")
    version = read_versions(connection)["trees"]
    second = upsert_features(connection, TREES, trees, source_id="a")
    assert (first.new, first.changed, first.unchanged) == (50, 0, 0)
    assert (second.new, second.changed, second.unchanged) == (0, 0, 50)
    assert read_versions(connection)["trees"] == version


def test_values_come_back_as_they_went_in(connection: Connection) -> None:
    trees = make_trees(3)
    trees.loc[1, "height"] = np.nan
    upsert_features(connection, TREES, trees, source_id="a")
    back = select_features(connection, TREES, columns=["species", "height"])
    assert back["species"].tolist() == ['Dầu rái, "cổ thụ"\n'] * 3
    assert back["height"].isna().tolist() == [False, True, False]
    assert back.crs.to_epsg() == 5897
    assert shapely.equals(back.geometry.to_numpy(), trees.geometry.to_numpy()).all()


def test_a_change_keeps_the_past(connection: Connection) -> None:
    trees = make_trees(2)
    upsert_features(connection, TREES, trees, source_id="a")
    before = connection.execute(text("select clock_timestamp()")).scalar_one()
    trees.loc[0, "height"] = 9.0
    assert upsert_features(connection, TREES, trees, source_id="a").changed == 1
    assert select_features(connection, TREES, ids=["t0"])["height"].item() == 9.0
    assert select_features(connection, TREES, ids=["t0"], at=before)["height"].item() == 1.5
    delete_features(connection, TREES, ["t0"])
    assert count_features(connection, TREES) == 1
    assert len(select_features(connection, TREES, at=before)) == 2


def test_an_id_of_another_source_is_refused(connection: Connection) -> None:
    upsert_features(connection, TREES, make_trees(2), source_id="a")
    counts = upsert_features(connection, TREES, make_trees(3), source_id="b")
    assert counts.foreign == ("t0", "t1")
    assert counts.new == 1


def test_dry_run_only_counts(connection: Connection) -> None:
    counts = upsert_features(connection, TREES, make_trees(4), source_id="a", dry_run=True)
    assert counts.new == 4
    assert count_features(connection, TREES) == 0


def test_unknown_property_is_named(connection: Connection) -> None:
    with pytest.raises(InputError, match="no property 'colour'"):
        select_features(connection, TREES, columns=["colour"])
