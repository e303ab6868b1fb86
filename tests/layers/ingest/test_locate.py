"""Rows without geometry get it from coordinates, ward codes and closed lines; the database gives the wards."""

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from sqlalchemy import Engine, text

from layers.errors import MappingError, SourceError
from layers.ingest.catalog import Source
from layers.ingest.load import load_source
from layers.ingest.locate import locate
from layers.ingest.mapping import GeometryRule
from layers.ingest.raw import Raw
from layers.store.wards import read_ward_shapes

PATH = Path("t.csv")
SQUARE = shapely.box(105.7, 10.0, 105.71, 10.01)
MakeSource = Callable[..., Source]


def make_table(**columns: list[object]) -> Raw:
    return Raw(pd.DataFrame(columns, dtype=object), None, None)


def test_ward_codes_give_the_boundary() -> None:
    raw = make_table(ward=["31117", 117, None, "99999", " 00117 "])
    located = locate(raw, GeometryRule(ward="ward"), PATH, {"31117": SQUARE, "00117": SQUARE})
    assert located.shapes is not None and located.reasons is not None
    assert [shape is not None for shape in located.shapes] == [True, True, False, False, True]
    assert located.reasons.fillna("").tolist() == ["", "", "", "no ward has the code '99999'", ""]


def test_without_wards_it_is_said() -> None:
    with pytest.raises(SourceError, match="layer 'wards' is empty"):
        locate(make_table(ward=["31117"]), GeometryRule(ward="ward"), PATH)
    with pytest.raises(SourceError, match="no ward column 'w' — it has ward"):
        locate(make_table(ward=["31117"]), GeometryRule(ward="w"), PATH, {"31117": SQUARE})


def test_closed_lines_become_areas() -> None:
    ring = shapely.LineString([(0, 0), (4, 0), (4, 3), (0, 0)])
    shapes = pd.Series([ring, shapely.LineString([(0, 0), (1, 1)]), shapely.Point(1, 1), None], dtype=object)
    raw = Raw(pd.DataFrame({"a": range(4)}), shapes.to_numpy(), None)
    located = locate(raw, GeometryRule.model_validate({"as": "area"}), PATH)
    assert located.shapes is not None
    assert located.shapes[0].equals(shapely.Polygon([(0, 0), (4, 0), (4, 3)]))
    assert located.shapes[1:].tolist() == shapes.tolist()[1:]


def test_a_table_by_ward_lands_on_the_official_boundary(
    tmp_path: Path, engine: Engine, make_source: MakeSource, write_mapping: Callable[[str], str]
) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("ma,ten,phuong\nA1,Trường A,31117\nA2,Trường B,31999\nA3,Trường C,31118\n", encoding="utf-8")
    rule = "layer: fire_stations, id: ma, geometry: {ward: phuong, as: point}, properties: {name: ten}"
    source = make_source(path, mapping=write_mapping(f"layers: [{{{rule}}}]"))
    with pytest.raises(SourceError, match="layer 'wards' is empty"):
        load_source(engine, source, tmp_path)
    wards = gpd.GeoDataFrame(
        {"id": ["w1", "w2"], "name": ["Ninh Kiều", "Cái Khế"], "ward_code": ["31117", "31118"]},
        geometry=[SQUARE, shapely.box(105.71, 10.0, 105.72, 10.01)],
        crs=4326,
    )
    wards.to_file(tmp_path / "wards.gpkg")
    load_source(engine, make_source(tmp_path / "wards.gpkg", id="wards", layer="wards"), tmp_path)
    (report,) = load_source(engine, source, tmp_path)
    assert (report.loaded, report.quarantined) == (2, 1)
    assert list(report.reasons) == ["geometry: no ward has the code '31999'"]
    with engine.connect() as connection:
        inside = "select count(*) from city.fire_stations s join city.wards w on st_contains(w.geom, s.geom)"
        assert connection.execute(text(inside)).scalar_one() == 2
        shapes = read_ward_shapes(connection)
    assert shapely.hausdorff_distance(shapes["31117"], SQUARE) < 1e-8


def test_wards_and_coordinates_do_not_mix(
    tmp_path: Path, engine: Engine, make_source: MakeSource, write_mapping: Callable[[str], str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,phuong,lon,lat\na,31117,105.7,10.0\n")
    rules = "{layer: trees, geometry: {x: lon, y: lat}}, {layer: fire_stations, geometry: {ward: phuong, as: point}}"
    source = make_source(path, mapping=write_mapping(f"layers: [{rules}]"))
    with pytest.raises(MappingError, match="all rules of its mapping place rows by ward or none"):
        load_source(engine, source, tmp_path)


def test_cells_with_both_coordinates() -> None:
    cells = ["105.7, 9.9", "(105.1;9.8)", "105.7 9.9", "", "105.7", "a, b"]
    made = locate(Raw(pd.DataFrame({"place": cells}), None, None), GeometryRule(xy="place"), PATH)
    assert made.shapes is not None
    assert made.reasons is not None
    points = [(one.x, one.y) for one in made.shapes[~shapely.is_missing(made.shapes)]]
    assert points == [(105.7, 9.9), (105.1, 9.8), (105.7, 9.9)]
    # An empty cell has no place, which is told elsewhere; what is no pair of numbers is told here.
    assert made.reasons.isna().tolist() == [True, True, True, True, False, False]


def test_closed_lines_of_a_drawing_become_buildings(
    tmp_path: Path, engine: Engine, make_source: MakeSource, write_mapping: Callable[[str], str]
) -> None:
    corners = [(580_000, 1_108_000), (580_010, 1_108_000), (580_010, 1_108_006), (580_000, 1_108_006)]
    line = "".join(f"10\n{x}\n20\n{y}\n" for x, y in corners)
    words = (
        "0\nSECTION\n2\nENTITIES\n"
        f"0\nLWPOLYLINE\n5\nA1\n8\nNHA\n90\n4\n70\n1\n{line}"
        f"0\nLWPOLYLINE\n5\nA2\n8\nNHA\n90\n4\n70\n0\n{line}"
        f"0\nLWPOLYLINE\n5\nA3\n8\nDUONG\n90\n4\n70\n0\n{line}0\nENDSEC\n0\nEOF\n"
    )
    (tmp_path / "plan.dxf").write_text(words)
    rule = "layer: buildings, id: EntityHandle, where: {Layer: NHA}, geometry: {as: area}, set: {use: house}"
    source = make_source(tmp_path / "plan.dxf", mapping=write_mapping(f"layers: [{{{rule}}}]"))
    (report,) = load_source(engine, source, tmp_path, crs="EPSG:5897")
    assert (report.read, report.loaded, report.quarantined, report.skipped) == (2, 1, 1, 1)
    assert list(report.reasons) == ["geometry: geometry is LineString"]
    with engine.connect() as connection:
        found = connection.execute(text("select id, st_area(geom) from city.buildings")).one()
    assert tuple(found) == ("A1", pytest.approx(60.0))
