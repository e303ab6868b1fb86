"""A source is loaded whole or not at all; every row is loaded, unchanged or quarantined."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from layers.errors import CrsError, MappingError, NotFoundError, SourceError, TwinError
from layers.ingest.catalog import Source
from layers.ingest.load import load_source
from layers.ingest.quality import LoadReport
from layers.registry import read_vector_layer
from layers.store.features import select_features
from layers.store.loads import list_loads
from layers.store.quarantine import Wanted, list_quarantine
from layers.store.sources import list_sources

Make = Callable[..., Source]
Trees = Callable[[int], gpd.GeoDataFrame]
Count = Callable[[], dict[str, int]]
HERE = Path()


def adds_up(report: LoadReport) -> bool:
    return report.read == report.loaded + report.unchanged + report.quarantined == report.read


def test_load_twice_changes_nothing(
    engine: Engine, tmp_path: Path, make_source: Make, tree_frame: Trees, count_rows: Count
) -> None:
    tree_frame(100).to_file(tmp_path / "t.gpkg")
    source = make_source(tmp_path / "t.gpkg", id="twice", layer="trees")
    (first,) = load_source(engine, source, HERE)
    before = count_rows()
    (second,) = load_source(engine, source, HERE)
    assert (first.read, first.loaded, first.unchanged, first.quarantined) == (100, 100, 0, 0)
    assert (second.read, second.loaded, second.unchanged, second.quarantined) == (100, 0, 100, 0)
    assert count_rows() == {**before, "meta.load": before["meta.load"] + 1}
    with engine.connect() as connection:
        (row,) = [one for one in list_sources(connection, "trees") if one.id == "twice"]
        assert (row.layers, row.licence, row.uri) == (("trees",), "CC0-1.0", "t.gpkg")
        assert row.loaded_at is not None
        latest = list_loads(connection, source_id="twice")[0]
        assert latest.report["unchanged"] == 100


def test_unchanged_files_are_skipped_when_asked(
    engine: Engine, tmp_path: Path, make_source: Make, tree_frame: Trees, write_mapping: Callable[[str], str]
) -> None:
    path = tmp_path / "t.gpkg"
    tree_frame(10).to_file(path)
    mapping = write_mapping("layers: [{layer: trees, id: id, id_prefix: s-, properties: {species: species}}]")
    source = make_source(path, id="skip", mapping=mapping)
    assert not load_source(engine, source, HERE, only_changed=True)[0].is_current
    assert load_source(engine, source, HERE, only_changed=True)[0].is_current
    write_mapping("layers: [{layer: trees, id: id, id_prefix: s-, properties: {species: id}}]")
    (third,) = load_source(engine, source, HERE, only_changed=True)
    assert (third.is_current, third.loaded) == (False, 10)


def test_rejected_rows_are_kept_with_reason_and_do_not_pile_up(
    engine: Engine, tmp_path: Path, make_source: Make, tree_frame: Trees
) -> None:
    frame = tree_frame(6)
    frame["id"] = ["q0", "q1", "q1", "", "q4", "q5"]
    frame.loc[4, "height"] = 5000.0
    frame.loc[5, "geometry"] = None
    frame.to_file(tmp_path / "q.gpkg")
    source = make_source(tmp_path / "q.gpkg", id="dirty", layer="trees")
    for expected in ((2, 0), (0, 2)):
        (report,) = load_source(engine, source, HERE)
        assert (report.loaded, report.unchanged, report.quarantined) == (*expected, 4)
    assert dict(report.reasons) == {
        "id: identifier appears twice in the file": 1,
        "id: no identifier": 1,
        "height: outside 0 to 1000 m": 1,
        "geometry: no geometry": 1,
    }
    with engine.connect() as connection:
        rows = list_quarantine(connection, Wanted(source="dirty"))
    assert [(row.row, row.field) for row in rows] == [(3, "id"), (4, "id"), (5, "height"), (6, "geometry")]
    assert (rows[0].hint, rows[2].value) == ("row 2 has it", "5000")
    assert rows[2].payload["species"] == "Dầu rái"
    assert rows[2].payload["_wkt"].startswith("POINT (105.7504")


def test_a_mended_file_empties_the_quarantine(
    engine: Engine, tmp_path: Path, make_source: Make, tree_frame: Trees
) -> None:
    frame = tree_frame(3)
    frame["id"] = ["m0", "m1", "m2"]
    frame.loc[1, "height"] = -4.0
    path = tmp_path / "m.geojson"
    source = make_source(path, id="mended", layer="trees")
    frame.to_file(path)
    assert load_source(engine, source, HERE)[0].quarantined == 1
    frame.loc[1, "height"] = 4.0
    frame.to_file(path)
    (report,) = load_source(engine, source, HERE)
    assert (report.loaded, report.unchanged, report.quarantined) == (1, 2, 0)
    with engine.connect() as connection:
        assert list_quarantine(connection, Wanted(source="mended")) == []


def test_ignored_columns_are_kept_nowhere(
    engine: Engine, tmp_path: Path, make_source: Make, tree_frame: Trees, write_mapping: Callable[[str], str]
) -> None:
    frame = tree_frame(2)
    frame["inspector"], frame["street"] = "Nguyễn Văn A", "3/2"
    frame["height"] = -1.0
    frame.to_file(tmp_path / "p.gpkg")
    mapping = write_mapping("layers: [{layer: trees, id: 'p-{id}', ignore: [inspector], properties: {height: height}}]")
    (report,) = load_source(engine, make_source(tmp_path / "p.gpkg", id="private", mapping=mapping), HERE)
    assert report.ignored_columns == ("species", "street")
    with engine.connect() as connection:
        held = [row.payload for row in list_quarantine(connection, Wanted(source="private"))]
    assert len(held) == 2
    assert "Nguyễn" not in json.dumps(held, ensure_ascii=False)


def test_a_required_property_is_not_made_of_personal_data(
    engine: Engine, tmp_path: Path, make_source: Make, tree_frame: Trees, write_mapping: Callable[[str], str]
) -> None:
    frame = tree_frame(2)
    frame["chu_ho"] = ["Trạm 1", "Trạm 2"]
    frame.to_file(tmp_path / "f.gpkg")
    words = "layers: [{layer: fire_stations, id: 'fs-{id}', properties: {name: chu_ho}%s}]"
    source = make_source(tmp_path / "f.gpkg", id="stations", mapping=write_mapping(words % ""))
    said = r"'chu_ho' looks like personal data.*'fire_stations' needs it as 'name' — .*keep: \[chu_ho\]"
    with pytest.raises(MappingError, match=said):
        load_source(engine, source, HERE)
    write_mapping(words % ", keep: [chu_ho]")
    (report,) = load_source(engine, source, HERE)
    assert report.loaded == 2


def test_an_identifier_of_another_source_is_quarantined(
    engine: Engine, tmp_path: Path, make_source: Make, tree_frame: Trees
) -> None:
    tree_frame(4).assign(id=["o0", "o1", "o2", "o3"]).to_file(tmp_path / "a.gpkg")
    tree_frame(5).assign(id=["o3", "o4", "o5", "o6", "o0"]).to_file(tmp_path / "b.gpkg")
    load_source(engine, make_source(tmp_path / "a.gpkg", id="owner", layer="trees"), HERE)
    (report,) = load_source(engine, make_source(tmp_path / "b.gpkg", id="other", layer="trees"), HERE)
    assert (report.loaded, report.quarantined) == (3, 2)
    assert dict(report.reasons) == {"id: identifier belongs to another source": 2}


def test_dry_run_counts_and_writes_nothing(
    engine: Engine, tmp_path: Path, make_source: Make, tree_frame: Trees, count_rows: Count
) -> None:
    frame = tree_frame(5).assign(id=[f"d{i}" for i in range(5)])
    frame.loc[0, "height"] = -1
    frame.to_file(tmp_path / "d.gpkg")
    before = count_rows()
    (report,) = load_source(engine, make_source(tmp_path / "d.gpkg", id="dry", layer="trees"), HERE, dry_run=True)
    assert (report.read, report.loaded, report.quarantined, report.dry_run) == (5, 4, 1, True)
    assert count_rows() == before


def test_one_file_feeds_several_layers(
    engine: Engine, tmp_path: Path, make_source: Make, write_mapping: Callable[[str], str]
) -> None:
    frame = gpd.GeoDataFrame(
        {"kind": ["tree", "house", "tree", "stone"], "n": [1, 2, 3, 4]},
        geometry=[shapely.Point(105.75, 10.02), shapely.box(105.75, 10.02, 105.76, 10.03)]
        + [shapely.Point(105.75, 10)] * 2,
        crs="EPSG:4326",
    )
    frame.to_file(tmp_path / "mixed.geojson")
    mapping = write_mapping(
        "layers: [{layer: trees, where: {kind: tree}, id: 'x-{kind}-{n}'},"
        "{layer: buildings, where: {kind: {in: [house]}}, id: 'x-{n}'}]"
    )
    trees, buildings = load_source(engine, make_source(tmp_path / "mixed.geojson", id="mixed", mapping=mapping), HERE)
    assert (trees.loaded, buildings.loaded, trees.skipped) == (2, 1, 1)
    with engine.connect() as connection:
        found = select_features(connection, read_vector_layer("buildings"), ids=["x-2"])
        assert found.geometry.iloc[0].geom_type == "MultiPolygon"
        assert [one.id for one in list_sources(connection, "buildings")] == ["mixed"]


def bad_wrong_crs(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    frame.set_crs("EPSG:5897", allow_override=True).to_file(folder / "t.gpkg")
    return folder / "t.gpkg"


def bad_metres(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    frame.to_crs("EPSG:5897").set_crs("EPSG:4326", allow_override=True).to_file(folder / "t.gpkg")
    return folder / "t.gpkg"


def bad_no_crs(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    frame.to_file(folder / "t.shp")
    (folder / "t.prj").unlink()
    return folder / "t.shp"


def bad_type(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    frame.set_geometry(frame.to_crs("EPSG:5897").buffer(5).to_crs("EPSG:4326")).to_file(folder / "t.gpkg")
    return folder / "t.gpkg"


def bad_empty(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    frame.iloc[:0].to_file(folder / "t.gpkg")
    return folder / "t.gpkg"


def bad_swapped(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    pd.DataFrame({"id": frame["id"], "lon": frame.geometry.y, "lat": frame.geometry.x - 50}).to_csv(folder / "t.csv")
    return folder / "t.csv"


@pytest.mark.parametrize(
    ("spoil", "error", "named"),
    [
        (bad_wrong_crs, CrsError, "look like degrees"),
        (bad_metres, CrsError, "are not degrees"),
        (bad_no_crs, CrsError, "does not say its coordinate reference system — give it with --crs"),
        (bad_type, SourceError, "every geometry is Polygon, the layer holds Point"),
        (bad_empty, SourceError, "has no rows"),
        (bad_swapped, CrsError, "exchanged"),
    ],
)
def test_a_bad_file_is_one_line_and_leaves_nothing(
    engine: Engine,
    tmp_path: Path,
    make_source: Make,
    tree_frame: Trees,
    count_rows: Count,
    spoil: Callable[[Path, gpd.GeoDataFrame], Path],
    error: type[TwinError],
    named: str,
) -> None:
    path = spoil(tmp_path, tree_frame(5))
    before = count_rows()
    with pytest.raises(error) as caught:
        load_source(engine, make_source(path, id="bad", layer="trees"), HERE)
    assert path.name in str(caught.value)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    assert count_rows() == before


def test_words_of_a_source_that_do_not_fit(
    engine: Engine,
    tmp_path: Path,
    make_source: Make,
    tree_frame: Trees,
    count_rows: Count,
    write_mapping: Callable[[str], str],
) -> None:
    tree_frame(5).to_file(tmp_path / "t.gpkg")
    before = count_rows()
    with pytest.raises(NotFoundError, match="layer 'shrubs' is not declared"):
        load_source(engine, make_source(tmp_path / "t.gpkg", layer="shrubs"), HERE)
    with pytest.raises(CrsError, match="EPSG:77"):
        load_source(engine, make_source(tmp_path / "t.gpkg", layer="trees"), HERE, crs="EPSG:77")
    mapping = write_mapping("layers: [{layer: trees, properties: {species: kind}}]")
    with pytest.raises(MappingError, match="no column 'kind', which the mapping names — it has id, species, height"):
        load_source(engine, make_source(tmp_path / "t.gpkg", mapping=mapping), HERE)
    with pytest.raises(MappingError, match="feeds trees, not 'buildings'"):
        load_source(engine, make_source(tmp_path / "t.gpkg", mapping=mapping, layer="buildings"), HERE)
    assert count_rows() == before


def test_an_error_while_storing_leaves_nothing(
    engine: Engine,
    tmp_path: Path,
    make_source: Make,
    count_rows: Count,
    write_mapping: Callable[[str], str],
) -> None:
    # The second layer's rule is wrong only when the first has been cleaned.
    (tmp_path / "t.csv").write_text("id,lon,lat\nz1,105.75,10.02\n")
    mapping = write_mapping(
        "layers: [{layer: trees, id: id}, {layer: buildings, id: id, geometry: {x: lon, y: lat, square: 5}}, "
        "{layer: road_links, id: id}]"
    )
    before = count_rows()
    with pytest.raises(SourceError, match="every geometry is Point, the layer holds LineString"):
        load_source(engine, make_source(tmp_path / "t.csv", id="half", mapping=mapping), HERE)
    assert count_rows() == before


def test_a_wkt_cell_of_ten_megabytes_is_quarantined(
    engine: Engine, tmp_path: Path, make_source: Make, write_mapping: Callable[[str], str]
) -> None:
    huge = "POLYGON ((" + ", ".join(["105.75 10.02"] * 800_000) + "))"
    assert len(huge) > 10_000_000
    (tmp_path / "w.csv").write_text(
        f'id,wkt\nw1,"{huge}"\nw2,"POLYGON ((105.75 10, 105.76 10, 105.76 10.1, 105.75 10))"\n'
    )
    mapping = write_mapping("layers: [{layer: buildings, id: id, geometry: {wkt: wkt}}]")
    (report,) = load_source(engine, make_source(tmp_path / "w.csv", id="wkt", mapping=mapping), HERE)
    assert (report.loaded, report.quarantined) == (1, 1)
    assert dict(report.reasons) == {"geometry: geometry text longer than 1000000 characters": 1}
    with engine.connect() as connection:
        (row,) = list_quarantine(connection, Wanted(source="wkt"))
    assert len(json.dumps(row.payload)) < 5000


CELL = st.one_of(
    st.text(max_size=6), st.sampled_from(["", "5", "-1", "1e9", "good", "t1", "2001-02-03", "nan", "105.75", "10.02"])
)
ROWS = st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL, CELL, CELL), min_size=1, max_size=12)


@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=ROWS, named=st.booleans())
def test_any_table_is_loaded_or_quarantined(
    engine: Engine, tmp_path: Path, make_source: Make, rows: list[tuple[str, ...]], named: bool
) -> None:
    path = tmp_path / "any.csv"
    table = pd.DataFrame(rows, columns=["id", "lon", "lat", "height", "condition", "planted", "species"])
    if named:
        table["id"], table["lon"], table["lat"] = [f"r{i}" for i in range(len(table))], "105.75", "10.02"
    table.to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    source = make_source(path, id="any", layer="trees")
    try:
        (report,) = load_source(engine, source, HERE)
    except TwinError as error:
        assert "any.csv" in str(error)
        return
    assert adds_up(report)
    assert report.read + report.skipped == len(table)
    with engine.connect() as connection:
        assert len(list_quarantine(connection, Wanted(source="any"))) == report.quarantined
        stored = connection.execute(text("select count(*) from city.trees where source_id = 'any'")).scalar_one()
    assert stored >= report.loaded
    (again,) = load_source(engine, source, HERE)
    assert (again.loaded, again.quarantined) == (0, report.quarantined)
