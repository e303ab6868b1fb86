"""The quarantine as a place of work: rows are mended, retried, dismissed, and later loads know of it."""

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from sqlalchemy import Engine, text

from layers.errors import ConflictError, InputError, NotFoundError
from layers.ingest.catalog import Source
from layers.ingest.load import load_source
from layers.ingest.mapping import read_mapping
from layers.ingest.mend import Outcome, mend_row, mend_rows
from layers.ingest.quality import Problem, Rejection
from layers.ingest.quarantine_file import export_quarantine, read_changes
from layers.ingest.readers import read_file
from layers.ingest.stream import Policy
from layers.registry import read_vector_layer
from layers.store.features import select_features
from layers.store.quarantine import (
    QuarantineRow,
    Wanted,
    count_quarantine,
    dismiss_rows,
    list_quarantine,
    write_rejections,
)

Make = Callable[..., Source]
Trees = Callable[[int], gpd.GeoDataFrame]
HERE = Path()
TREES = read_vector_layer("trees")


def rows_of(engine: Engine, source: str, status: str | None = "open") -> list[QuarantineRow]:
    with engine.connect() as connection:
        return list_quarantine(connection, Wanted(source=source, status=status))  # type: ignore[arg-type]


def mend(engine: Engine, row: int, **changes: object) -> Outcome:
    with engine.begin() as connection:
        return mend_row(connection, row, changes, author="Lan", reason="đo lại")


@pytest.fixture
def dirty(tmp_path: Path, tree_frame: Trees, make_source: Make) -> Callable[[str], Source]:
    """Return a function that makes a source of four trees: the second too high, the third without a place."""

    def make(name: str) -> Source:
        frame = tree_frame(4).assign(id=[f"{name}{number}" for number in range(4)])
        frame.loc[1, "height"] = 4000.0
        frame.loc[2, "geometry"] = None
        frame.loc[2, "height"] = -5.0
        frame.to_file(tmp_path / f"{name}.gpkg")
        return make_source(tmp_path / f"{name}.gpkg", id=name, layer="trees")

    return make


def test_all_that_is_wrong_with_a_row_is_kept(engine: Engine, dirty: Callable[[str], Source]) -> None:
    (report,) = load_source(engine, dirty("all"), HERE)
    assert (report.quarantined, report.reasons["height: outside 0 to 1000 m"]) == (2, 2)
    second, third = rows_of(engine, "all")
    assert [(one.field, one.reason) for one in third.problems] == [
        ("geometry", "no geometry"),
        ("height", "outside 0 to 1000 m"),
    ]
    assert (second.feature_id, third.feature_id) == ("all1", "all2")
    with engine.connect() as connection:
        assert {(one.reason, one.rows) for one in count_quarantine(connection, Wanted(source="all"))} == {
            ("outside 0 to 1000 m", 2),
            ("no geometry", 1),
        }
        assert len(list_quarantine(connection, Wanted(source="all", field="geometry"))) == 1
        assert len(list_quarantine(connection, Wanted(source="all", reason="outside 0 to 1000 m"))) == 2
        assert [one.row for one in list_quarantine(connection, Wanted(source="all", text="ALL1"))] == [2]


def test_a_mended_row_becomes_a_feature(engine: Engine, dirty: Callable[[str], Source]) -> None:
    load_source(engine, dirty("one"), HERE)
    second, third = rows_of(engine, "one")
    assert mend(engine, second.id, height=4.0) == Outcome(second.id, "trees", "one1")
    still = mend(engine, third.id, height=7)
    assert (still.feature_id, [one.reason for one in still.problems]) == (None, ["no geometry"])
    assert [row.changes for row in rows_of(engine, "one")] == [{"height": 7}]
    done = mend(engine, third.id, _wkt="POINT (105.76 10.03)", _crs="OGC:CRS84")
    assert done.feature_id == "one2"
    with engine.connect() as connection:
        found = select_features(connection, TREES, ids=["one1", "one2"]).to_crs(4326)
        edit = connection.execute(
            text(
                "select e.kind, e.author, e.reason from city.trees t join meta.edit e on e.id = t.edit_id "
                "where t.id = 'one2'"
            )
        ).one()
    assert found["height"].tolist() == [4.0, 7.0]
    assert found.geometry.iloc[1].equals_exact(shapely.Point(105.76, 10.03), 2e-5)
    assert tuple(edit) == ("mend", "Lan", "đo lại")
    assert rows_of(engine, "one") == []
    settled = rows_of(engine, "one", "mended")
    assert [(row.settled_by, row.settled_why, row.feature_id) for row in settled] == [
        ("Lan", "đo lại", "one1"),
        ("Lan", "đo lại", "one2"),
    ]
    assert settled[0].payload["height"] == 4000.0


def test_a_later_load_keeps_what_was_settled(
    engine: Engine, dirty: Callable[[str], Source], tmp_path: Path, tree_frame: Trees
) -> None:
    source = dirty("later")
    load_source(engine, source, HERE)
    second, third = rows_of(engine, "later")
    mend(engine, second.id, height=4.0)
    with engine.begin() as connection:
        assert dismiss_rows(connection, Wanted(ids=(third.id,)), author="Lan", reason="no tree there") == 1
    (again,) = load_source(engine, source, HERE, policy=Policy(prune=True))
    assert (again.quarantined, again.settled, again.unchanged, again.gone, again.pruned) == (2, 2, 2, 0, 0)
    assert rows_of(engine, "later") == []
    # The file gets a row of its own for the mended one: it is the file's again.
    frame = gpd.read_file(tmp_path / "later.gpkg")
    frame.loc[1, "height"] = 4.5
    frame.to_file(tmp_path / "later.gpkg")
    (mended,) = load_source(engine, source, HERE)
    assert (mended.loaded, mended.unchanged, mended.quarantined, mended.settled) == (1, 2, 1, 1)
    # And one that is wrong in another way is open again.
    frame.loc[1, "height"] = -4.5
    frame.to_file(tmp_path / "later.gpkg")
    (worse,) = load_source(engine, source, HERE, policy=Policy(prune=True))
    assert (worse.quarantined, worse.settled, worse.gone) == (2, 1, 0)
    assert [row.value for row in rows_of(engine, "later")] == ["-4.5"]


def test_a_mended_row_may_not_take_another_identifier(
    engine: Engine, tmp_path: Path, tree_frame: Trees, make_source: Make
) -> None:
    tree_frame(2).assign(id=["x0", "x0"]).to_file(tmp_path / "x.gpkg")
    load_source(engine, make_source(tmp_path / "x.gpkg", id="x", layer="trees"), HERE)
    tree_frame(1).assign(id=["y0"]).to_file(tmp_path / "y.gpkg")
    load_source(engine, make_source(tmp_path / "y.gpkg", id="y", layer="trees"), HERE)
    (row,) = rows_of(engine, "x")
    assert mend(engine, row.id, height=3).problems[0].reason == "identifier is another feature's"
    assert mend(engine, row.id, id="y0").problems[0].reason == "identifier belongs to another source"
    assert mend(engine, row.id, id="x1").feature_id == "x1"


def test_a_mended_mapping_is_tried_again(
    engine: Engine, tmp_path: Path, make_source: Make, write_mapping: Callable[[str], str]
) -> None:
    (tmp_path / "r.csv").write_text("id,lon,lat,state\n1,105.75,10.02,tốt\n2,105.76,10.02,tốt\n3,105.77,10.02,good\n")
    words = "layers: [{layer: trees, id: 'r{id}', properties: {condition: %s}}]"
    source = make_source(tmp_path / "r.csv", id="retry", mapping=write_mapping(words % "state"))
    assert load_source(engine, source, HERE)[0].quarantined == 2
    ids = [row.id for row in rows_of(engine, "retry")]
    with engine.begin() as connection:
        same = mend_rows(connection, {one: {} for one in ids}, author="Lan", reason="again")
    assert [one.feature_id for one in same] == [None, None]
    better = read_mapping(Path(write_mapping(words % "{column: state, codes: {tốt: good}}")))
    with engine.begin() as connection:
        made = mend_rows(connection, {one: {} for one in ids}, author="Lan", reason="again", mapping=better)
    assert [one.feature_id for one in made] == ["r1", "r2"]
    assert rows_of(engine, "retry") == []


def test_places_of_a_table_are_mended_in_their_columns(engine: Engine, tmp_path: Path, make_source: Make) -> None:
    (tmp_path / "c.csv").write_text("id,lon,lat,editor\nc1,105.75,10.02,An\nc2,x,10.02,An\n")
    load_source(engine, make_source(tmp_path / "c.csv", id="columns", layer="trees"), HERE)
    (row,) = rows_of(engine, "columns")
    assert row.payload == {"id": "c2", "lon": "x", "lat": "10.02"}
    for column in ("editor", "colour"):
        with pytest.raises(InputError, match=f"has no column '{column}' — it has id, lon, lat"):
            mend(engine, row.id, **{column: "Bình"})
    assert mend(engine, row.id, lon="105.76").feature_id == "c2"


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".geojson"])
def test_an_exported_file_is_mended_and_loaded(
    engine: Engine, tmp_path: Path, dirty: Callable[[str], Source], ending: str
) -> None:
    name = f"file{ending[1:]}"
    load_source(engine, dirty(name), HERE)
    rows, path = rows_of(engine, name), tmp_path / f"q{ending}"
    assert export_quarantine(rows, path) == 2
    with engine.begin() as connection:
        assert read_changes(connection, path) == {row.id: {} for row in rows}
    frame = gpd.read_file(path) if ending == ".geojson" else read_file(path).frame.astype("string")
    frame["height"] = ["4.5", "6"]
    if ending == ".geojson":
        frame.loc[1, "geometry"] = shapely.Point(105.76, 10.03)
        frame.to_file(path)
    else:
        frame.loc[1, ["_wkt", "_crs"]] = ["POINT (105.76 10.03)", "EPSG:4326"]
        if ending == ".csv":
            frame.to_csv(path, index=False)
        else:
            path.unlink()
            pyogrio.write_dataframe(frame, path, driver="XLSX")
    with engine.begin() as connection:
        changes = read_changes(connection, path)
        assert changes[rows[0].id] == {"height": "4.5"}
        made = mend_rows(connection, changes, author="Lan", reason=path.name)
    assert [one.feature_id for one in made] == [f"{name}1", f"{name}2"]
    with engine.connect() as connection:
        found = select_features(connection, TREES, ids=[f"{name}1", f"{name}2"])
    assert found["height"].tolist() == [4.5, 6.0]


def test_rows_of_a_load_without_rules_are_mended_in_their_file(engine: Engine) -> None:
    with engine.begin() as connection:
        wrong = Rejection(1, (Problem("result", "x", "not a number"),), {"result": "x"})
        write_rejections(connection, [wrong], source_id="gauge", layer_id="observations", uri="r.csv")
    (row,) = rows_of(engine, "gauge")
    with pytest.raises(InputError, match=r"left no rules — mend the file r\.csv and load it again"):
        mend(engine, row.id, result="5")


def test_a_value_that_no_table_can_hold_is_kept(engine: Engine) -> None:
    odd = Rejection(1, (Problem("a\x00", "\ud800", "bad"),), {"a\x00b": "c\ud800\x00", "n": float("1e300")})
    with engine.begin() as connection:
        write_rejections(connection, [odd], source_id="odd", layer_id="trees", uri="o.csv")
    (row,) = rows_of(engine, "odd")
    assert row.payload == {"a\ufffdb": "c?\ufffd", "n": 1e300}
    assert (row.field, row.value) == ("a\ufffd", "?")


def test_what_cannot_be_mended_is_said(engine: Engine, dirty: Callable[[str], Source]) -> None:
    load_source(engine, dirty("said"), HERE)
    row = rows_of(engine, "said")[0]
    mend(engine, row.id, height=4.0)
    with pytest.raises(ConflictError, match=f"row {row.id} of the quarantine is mended by Lan"):
        mend(engine, row.id, height=5.0)
    with pytest.raises(NotFoundError, match="no row 123456789"):
        mend(engine, 123456789)
