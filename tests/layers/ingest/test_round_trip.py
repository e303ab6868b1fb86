"""What is exported and imported again is the same, in every format: any text, number, date, null and shape."""

import tempfile
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from layers.ingest.crs import read_crs, transform
from layers.ingest.export import export_features
from layers.ingest.locate import locate
from layers.ingest.mapping import GeometryRule, PropertyRule
from layers.ingest.quality import Problems
from layers.ingest.readers import read_file
from layers.ingest.values import convert
from layers.ingest.writers import WRITERS, shorten_names
from layers.schema import GeometryType, Property, Style, Text, VectorLayer

WORDS = Text("thử", "test")
PROPERTIES = (
    Property("name", WORDS),
    Property("description", WORDS),
    Property("a_very_long_name_that_formats_will_cut_1", WORDS),
    Property("a_very_long_name_that_formats_will_cut_2", WORDS),
    Property("width", WORDS, "number"),
    Property("lanes", WORDS, "integer"),
    Property("is_bridge", WORDS, "boolean"),
    Property("built", WORDS, "date"),
    Property("seen", WORDS, "datetime"),
)
LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxyẢấậẹỆộỡữỵĐQ 0123456789/,.;\"'&<>-()°²"
# Blanks around a text and the words that mean null are taken for what they are, in every format.
texts = st.text(LETTERS, min_size=1, max_size=40).map(lambda word: f"Đ{word}ữ")
numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 9) + 0.0)
moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))
rows = st.fixed_dictionaries(
    {
        "name": st.none() | texts,
        "description": st.none() | texts,
        PROPERTIES[2].name: st.none() | texts,
        PROPERTIES[3].name: st.none() | texts,
        "width": st.none() | numbers,
        "lanes": st.none() | st.integers(-(2**31), 2**31 - 1),
        "is_bridge": st.none() | st.booleans(),
        "built": st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
        "seen": st.none() | moments,
    }
)
metres = st.tuples(st.floats(570_000, 590_000), st.floats(1_100_000, 1_110_000)).map(
    lambda at: (round(at[0], 3), round(at[1], 3))
)
SHAPES = {
    "Point": metres.map(shapely.Point),
    "LineString": st.tuples(metres, st.integers(1, 500), st.integers(-500, 500)).map(
        lambda at: shapely.LineString([at[0], (at[0][0] + at[1], at[0][1] + at[2]), (at[0][0] + at[1] + 7, at[0][1])])
    ),
    "MultiPolygon": st.tuples(metres, st.integers(10, 500), st.booleans()).map(
        lambda at: shapely.MultiPolygon(
            [
                shapely.box(*at[0], at[0][0] + at[1], at[0][1] + at[1]).difference(
                    shapely.box(at[0][0] + 2, at[0][1] + 2, at[0][0] + 5, at[0][1] + 6)
                ),
                *([shapely.box(at[0][0] + 600, at[0][1], at[0][0] + 610, at[0][1] + 9)] if at[2] else []),
            ]
        )
    ),
}


def make_layer(geometry: GeometryType) -> VectorLayer:
    return VectorLayer("things", "test", WORDS, WORDS, geometry, PROPERTIES, Style("#000000"), 1)


def make_frame(values: list[dict[str, Any]], shapes: list[Any]) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(values, columns=[prop.name for prop in PROPERTIES], dtype=object)
    frame.insert(0, "id", [f"Mã {at}" for at in range(len(values))])
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:32648")


def read_back(path: Path, suffix: str, layer: VectorLayer, crs: str) -> tuple[pd.DataFrame, Any]:
    """Return rows in the order of their identifiers, as an import makes them."""
    raw = read_file(path)
    raw = locate(raw, GeometryRule(wkt="wkt") if "wkt" in raw.frame.columns else GeometryRule(), path)
    assert raw.shapes is not None
    longest = {".zip": 10, ".tab": 31, ".mif": 31, ".tab.zip": 31, ".mif.zip": 31}.get(suffix, 99)
    short = shorten_names(["id", *(prop.name for prop in layer.properties)], longest)
    problems, made = Problems(len(raw.frame)), {"id": raw.frame["id"]}
    for prop in layer.properties:
        rule = PropertyRule(columns=(short[prop.name],))
        made[prop.name] = convert([raw.frame[short[prop.name]]], prop, rule, problems, Counter())
    assert not problems.bad.any()
    order = np.argsort(raw.frame["id"].to_numpy(dtype=object))
    there = transform(raw.shapes, read_crs(raw.crs or crs), read_crs("EPSG:32648"))
    return pd.DataFrame(made).iloc[order].reset_index(drop=True), there[order]


def is_same(wanted: Any, found: Any) -> bool:
    if wanted is None:
        return bool(pd.isna(found))
    if isinstance(wanted, datetime):
        return bool(pd.Timestamp(found) == pd.Timestamp(wanted))
    if isinstance(wanted, date):
        return bool(pd.Timestamp(found) == pd.Timestamp(wanted))
    if isinstance(wanted, float):
        return bool(np.isclose(float(found), wanted, rtol=1e-14, atol=1e-12))
    return bool(found == wanted)


@pytest.mark.parametrize("suffix", [suffix for suffix, writer in WRITERS.items() if writer.keeps])
def test_what_is_exported_comes_back(suffix: str) -> None:
    writer = WRITERS[suffix]
    # A failure is not made smaller: every try writes a file.
    phases = (Phase.explicit, Phase.generate)

    @settings(max_examples=6, deadline=None, phases=phases, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(list(SHAPES)), st.lists(rows, min_size=1, max_size=5), st.booleans(), st.data())
    def check(geometry: GeometryType, values: list[dict[str, Any]], in_degrees: bool, data: st.DataObject) -> None:
        layer = make_layer(geometry)
        crs = "EPSG:4326" if in_degrees or writer.only_degrees else "EPSG:32648"
        frame = make_frame(values, [data.draw(SHAPES[geometry]) for _ in values])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"things{suffix}"
            assert export_features(frame, layer, path, crs=crs) == len(frame)
            back, shapes = read_back(path, suffix, layer, crs)
        assert back["id"].tolist() == frame["id"].tolist()
        for prop in layer.properties:
            for wanted, found in zip(frame[prop.name], back[prop.name], strict=True):
                assert is_same(wanted, found), (prop.name, wanted, found)
        # A projection there and back costs some nanometres.
        worst = shapely.hausdorff_distance(shapes, frame.geometry.to_numpy())
        assert worst.max() <= writer.tolerance + 1e-7
        assert np.allclose(shapely.area(shapes), shapely.area(frame.geometry.to_numpy()), rtol=1e-3)

    check()


@pytest.mark.parametrize("geometry", list(SHAPES))
def test_a_drawing_keeps_the_geometry(tmp_path: Path, geometry: GeometryType) -> None:
    shapes = [SHAPES[geometry].example() for _ in range(3)]
    frame = make_frame([dict.fromkeys([prop.name for prop in PROPERTIES])] * 3, shapes)
    export_features(frame, make_layer(geometry), tmp_path / "t.dxf", crs="EPSG:32648")
    raw = read_file(tmp_path / "t.dxf")
    assert set(raw.frame["Layer"]) == {"things"}
    drawn, wanted = shapely.union_all(raw.shapes), shapely.union_all(np.array(shapes))
    assert shapely.hausdorff_distance(drawn, wanted) <= WRITERS[".dxf"].tolerance
