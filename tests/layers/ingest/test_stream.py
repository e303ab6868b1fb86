"""A file in chunks: the same whatever their size; what a dry run foresees; what becomes of rows that are gone."""

import csv
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from layers.editing.apply import apply_edits
from layers.editing.words import Edit
from layers.errors import ConflictError, TwinError
from layers.ingest.catalog import Source
from layers.ingest.identifiers import Met
from layers.ingest.load import load_source
from layers.ingest.mend import mend_row
from layers.ingest.quality import Change, LoadReport
from layers.ingest.stream import Policy
from layers.registry import read_vector_layer
from layers.store.edits import begin_edit
from layers.store.features import select_features
from layers.store.loads import lock_loads
from layers.store.quarantine import Wanted, dismiss_rows, list_quarantine

Make = Callable[..., Source]
Trees = Callable[[int], gpd.GeoDataFrame]
HERE = Path()
TREES = read_vector_layer("trees")


def clear(engine: Engine, source: str) -> None:
    with engine.begin() as connection:
        for schema in ("city", "history"):
            connection.execute(text(f"delete from {schema}.trees where source_id = :source"), {"source": source})
        connection.execute(text("delete from meta.quarantine where source_id = :source"), {"source": source})


def read_state(engine: Engine, source: str) -> tuple[object, ...]:
    """Return all that a load left: features, and rejected rows with their reasons."""
    with engine.connect() as connection:
        rows = list_quarantine(connection, Wanted(source=source))
        stored = connection.execute(
            text(
                "select id, species, height, condition, st_astext(geom, 3) from city.trees where source_id = :s "
                "order by id"
            ),
            {"s": source},
        ).all()
    return stored, [(row.row, row.problems, row.payload, row.feature_id) for row in rows]


def test_identifiers_met_before_are_known(tmp_path: Path) -> None:
    met = Met()
    assert not met.meet(pd.Series(["a", "b"])).any()
    assert met.meet(pd.Series(["c", "b", "d", "a"])).tolist() == [False, True, False, True]
    assert met.meet(pd.Series(["d", "e"])).tolist() == [True, False]
    assert met.meet(pd.Series([], dtype=object)).tolist() == []


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
def test_duplicates_are_found_across_chunks(
    engine: Engine, tmp_path: Path, tree_frame: Trees, make_source: Make, rows: int
) -> None:
    clear(engine, "twins")
    frame = tree_frame(7).assign(id=["a", "b", "a", "c", "b", "a", "d"])
    frame.loc[0, "height"] = -1.0
    frame.to_file(tmp_path / "t.gpkg")
    source = make_source(tmp_path / "t.gpkg", id="twins", layer="trees")
    (report,) = load_source(engine, source, HERE, policy=Policy(rows=rows))
    assert (report.read, report.loaded, report.quarantined) == (7, 4, 3)
    with engine.connect() as connection:
        found = list_quarantine(connection, Wanted(source="twins"))
    assert [(row.row, row.problems[0].hint) for row in found[1:]] == [(5, "row 2 has it"), (6, "row 3 has it")]


CELL = st.one_of(
    st.text(max_size=6), st.sampled_from(["", "5", "-1", "1e9", "good", "t1", "2001-02-03", "nan", "105.75", "Ph­êng"])
)
TABLE = st.lists(st.lists(CELL, min_size=6, max_size=8), min_size=1, max_size=9)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1258", "latin-1"])


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(table=TABLE, encoding=ENCODINGS, sizes=st.sampled_from([(1, 100), (2, 3)]))
def test_any_file_gives_the_same_in_chunks_of_any_size(
    engine: Engine, tmp_path: Path, make_source: Make, table: list[list[str]], encoding: str, sizes: tuple[int, int]
) -> None:
    path = tmp_path / "any.csv"
    with path.open("w", newline="", encoding=encoding, errors="replace") as opened:
        writer = csv.writer(opened, quoting=csv.QUOTE_ALL)
        writer.writerow(["id", "height", "condition", "species", "lon", "lat"])
        for number, cells in enumerate(table):
            # Ragged: some rows have more cells than the header.
            writer.writerow([cells[0] or f"r{number}", *cells[1:4], "105.75", "10.02", *cells[6:]])
    source = make_source(path, id="sizes", layer="trees")
    outcomes = []
    for rows in sizes:
        clear(engine, "sizes")
        try:
            (report,) = load_source(engine, source, HERE, policy=Policy(rows=rows))
        except TwinError as error:
            assert "any.csv" in str(error)
            outcomes.append(str(error))
            continue
        assert report.read == report.loaded + report.unchanged + report.quarantined == len(table)
        counts = (report.loaded, report.quarantined, report.reasons, report.conversions, report.encoding)
        outcomes.append((counts, read_state(engine, "sizes")))
    assert outcomes[0] == outcomes[1]


@pytest.fixture
def yesterday(engine: Engine, tmp_path: Path, tree_frame: Trees, make_source: Make) -> tuple[Source, Path]:
    """A source of six trees that was loaded, and its file, which has changed since: two changed, two gone, one new."""
    clear(engine, "diff")
    path = tmp_path / "d.gpkg"
    frame = tree_frame(6).assign(id=[f"f{number}" for number in range(6)])
    frame.to_file(path)
    source = make_source(path, id="diff", layer="trees")
    load_source(engine, source, HERE)
    frame.loc[0, ["height", "species"]] = [9.5, None]
    frame.loc[1, "geometry"] = shapely.Point(105.76, 10.03)
    frame.loc[5, "id"] = "f9"
    frame.drop(index=4).to_file(path)
    return source, path


def test_a_dry_run_says_what_would_change(engine: Engine, yesterday: tuple[Source, Path]) -> None:
    source, _ = yesterday
    before = read_state(engine, "diff")
    (report,) = load_source(engine, source, HERE, dry_run=True)
    assert (report.new, report.changed, report.unchanged, report.gone) == (1, 2, 2, 2)
    assert report.diff.properties == {"height": 1, "species": 1, "geometry": 1}
    first, second, third = report.diff.changes
    assert {first, second} == {Change("f0", "species", "Dầu rái", None), Change("f0", "height", "5", "9.5")}
    assert (third.id, third.property) == ("f1", "geometry")
    assert third.old != third.new
    assert (report.diff.new, report.diff.gone) == (("f9",), ("f4", "f5"))
    assert read_state(engine, "diff") == before
    # What was foreseen is what happens.
    (done,) = load_source(engine, source, HERE)
    assert (done.new, done.changed, done.unchanged, done.gone, done.diff) == (1, 2, 2, 2, report.diff)
    (again,) = load_source(engine, source, HERE)
    assert (again.loaded, again.unchanged, again.gone, again.diff.properties) == (0, 5, 2, {})


def test_pruned_rows_are_in_the_history(engine: Engine, yesterday: tuple[Source, Path]) -> None:
    source, _ = yesterday
    (report,) = load_source(engine, source, HERE, policy=Policy(prune=True))
    assert (report.gone, report.pruned) == (2, 2)
    with engine.connect() as connection:
        assert len(select_features(connection, TREES, ids=["f4", "f5"])) == 0
        past = connection.execute(text("select count(*) from history.trees where id in ('f4', 'f5')")).scalar_one()
    assert past >= 2


def test_more_than_half_is_pruned_only_when_asked(engine: Engine, yesterday: tuple[Source, Path]) -> None:
    source, path = yesterday
    gpd.read_file(path).head(1).to_file(path)
    before = read_state(engine, "diff")
    with pytest.raises(
        ConflictError, match=r"remove 5 of the 6 rows that source 'diff' has in layer 'trees' — .*--yes"
    ):
        load_source(engine, source, HERE, policy=Policy(prune=True))
    assert read_state(engine, "diff") == before
    (foreseen,) = load_source(engine, source, HERE, dry_run=True, policy=Policy(prune=True))
    (report,) = load_source(engine, source, HERE, policy=Policy(prune=True, confirmed=True))
    assert foreseen.pruned == report.pruned == 5


def test_a_rejected_row_is_not_gone(engine: Engine, yesterday: tuple[Source, Path]) -> None:
    source, path = yesterday
    frame = gpd.read_file(path)
    frame["height"] = -1.0
    frame.to_file(path)
    (report,) = load_source(engine, source, HERE, policy=Policy(prune=True))
    assert (report.quarantined, report.gone, report.pruned) == (5, 2, 2)
    with engine.connect() as connection:
        assert select_features(connection, TREES, ids=["f0", "f1", "f2"])["height"].tolist() == [5.0, 6.0, 7.0]


def test_edits_by_hand_are_kept_unless_told_otherwise(engine: Engine, yesterday: tuple[Source, Path]) -> None:
    source, _ = yesterday
    with engine.begin() as connection:
        begin_edit(connection, author="Lan", reason="measured", kind="edit", layers=["trees"])
        connection.execute(text("update city.trees set height = 7.25, valid_from = meta.edit_valid() where id = 'f0'"))
        connection.execute(text("update city.trees set height = 7.25, valid_from = meta.edit_valid() where id = 'f4'"))
    (report,) = load_source(engine, source, HERE)
    assert (report.changed, report.unchanged, report.edited, report.gone) == (1, 3, 1, 2)
    assert report.read == report.loaded + report.unchanged + report.quarantined
    with engine.connect() as connection:
        assert select_features(connection, TREES, ids=["f0"])["height"].tolist() == [7.25]
    (again,) = load_source(engine, source, HERE, policy=Policy(overwrite_edits=True))
    assert (again.changed, again.edited) == (1, 0)
    with engine.connect() as connection:
        assert select_features(connection, TREES, ids=["f0"])["height"].tolist() == [9.5]


def test_every_version_names_the_load_that_made_it(engine: Engine, yesterday: tuple[Source, Path]) -> None:
    source, _ = yesterday
    load_source(engine, source, HERE, policy=Policy(author="Bình"))
    with engine.connect() as connection:
        made = connection.execute(
            text(
                "select t.id, e.kind, e.author, e.reason, e.source from city.trees t "
                "join meta.edit e on e.id = t.edit_id where t.id in ('f0', 'f2', 'f9') order by t.id"
            )
        ).all()
    assert [tuple(row) for row in made] == [
        ("f0", "load", "Bình", "d.gpkg", "diff"),
        ("f2", "load", "twin load", "d.gpkg", "diff"),
        ("f9", "load", "Bình", "d.gpkg", "diff"),
    ]


def once_while_reading(act: Callable[[], object]) -> Callable[[float, str], None]:
    """Return a listener to a load's progress that acts when the first rows are staged."""
    done = []

    def tell(_share: float, message: str) -> None:
        if message.endswith("rows") and not done:
            done.append(True)
            act()

    return tell


def test_edits_go_on_while_a_load_is_reading(engine: Engine, yesterday: tuple[Source, Path]) -> None:
    source, _ = yesterday
    wanted = [
        Edit("update", TREES, "f0", {"height": 7.25}),
        Edit("update", TREES, "f2", {"height": 8.25}),
        Edit("delete", TREES, "f3"),
    ]

    def edit() -> None:
        with engine.begin() as other:
            apply_edits(other, wanted, author="Lan", reason="measured")

    (report,) = load_source(engine, source, HERE, policy=Policy(rows=1), progress=once_while_reading(edit))
    assert (report.new, report.changed, report.unchanged, report.edited) == (1, 1, 3, 3)
    with engine.connect() as connection:
        found = select_features(connection, TREES, ids=["f0", "f1", "f2", "f3"])
        order = connection.execute(text("select kind from meta.edit order by at desc, id desc limit 2")).scalars().all()
    assert dict(zip(found["id"], found["height"], strict=True)) == {"f0": 7.25, "f1": 6.0, "f2": 8.25}
    # System time follows the order of commits.
    assert order == ["load", "edit"]


def test_a_load_gives_up_when_an_identifier_of_the_file_is_taken_meanwhile(
    engine: Engine, yesterday: tuple[Source, Path]
) -> None:
    source, _ = yesterday
    before = read_state(engine, "diff")
    place = {"type": "Point", "coordinates": [105.76, 10.03]}

    def edit() -> None:
        with engine.begin() as other:
            apply_edits(other, [Edit("create", TREES, "f9", {}, place)], author="Lan", reason="planted")

    try:
        with pytest.raises(ConflictError, match=r"'trees' was changed by others during the load — load it again"):
            load_source(engine, source, HERE, progress=once_while_reading(edit))
        assert read_state(engine, "diff") == before
        (again,) = load_source(engine, source, HERE)
        assert again.reasons == {"id: identifier belongs to another source": 1}
    finally:
        clear(engine, "edit")


def test_rows_settled_while_a_load_is_reading_stay_settled(engine: Engine, yesterday: tuple[Source, Path]) -> None:
    source, path = yesterday
    frame = gpd.read_file(path)
    frame.loc[frame["id"].isin(["f9", "f2", "f3"]), "height"] = -1.0
    frame.to_file(path)
    load_source(engine, source, HERE)
    with engine.connect() as connection:
        rows = {row.feature_id: row.id for row in list_quarantine(connection, Wanted(source="diff"))}
    assert set(rows) == {"f2", "f3", "f9"}

    def settle() -> None:
        with engine.begin() as other:
            mend_row(other, rows["f9"], {"height": "6"}, author="Lan", reason="typing error")
            dismiss_rows(other, Wanted(ids=(rows["f2"],)), author="Lan", reason="felled")

    (report,) = load_source(
        engine, source, HERE, policy=Policy(rows=2, prune=True), progress=once_while_reading(settle)
    )
    assert (report.quarantined, report.settled, report.pruned) == (3, 2, 2)
    with engine.connect() as connection:
        assert [row.feature_id for row in list_quarantine(connection, Wanted(source="diff"))] == ["f3"]
        assert select_features(connection, TREES, ids=["f9"])["height"].tolist() == [6.0]


def test_loads_of_a_layer_follow_each_other(engine: Engine) -> None:
    with engine.begin() as busy, engine.begin() as other:
        lock_loads(busy, ["trees"])
        other.execute(text("set local lock_timeout = '50ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            lock_loads(other, ["places", "trees"])


def test_text_of_another_age_is_read(engine: Engine, tmp_path: Path, make_source: Make) -> None:
    path = tmp_path / "old.csv"
    # In TCVN3, one byte a letter.
    species = ("DÇu r¸i ph\xadêng Ninh KiÒu", "B»ng l¨ng ®\xadêng NguyÔn Tr·i")
    words = f"id,lon,lat,species\n1,105.75,10.02,{species[0]}\n2,105.76,10.02,{species[1]}\n"
    path.write_bytes(words.encode("latin-1"))
    (report,) = load_source(engine, make_source(path, id="old", layer="trees"), HERE)
    assert report.encoding is not None and "tcvn3" in report.encoding
    with engine.connect() as connection:
        found = select_features(connection, TREES, ids=["1", "2"])
    assert found["species"].tolist() == ["Dầu rái phường Ninh Kiều", "Bằng lăng đường Nguyễn Trãi"]
    (given,) = load_source(engine, make_source(path, id="old", layer="trees"), HERE, encoding="tcvn3")
    assert given.unchanged == 2


def test_an_empty_layer_keeps_its_indexes(engine: Engine, tmp_path: Path, make_source: Make) -> None:
    query = text(
        "select indexname, indexdef from pg_indexes where schemaname = 'city' and tablename = 'green_spaces' order by 1"
    )
    with engine.connect() as connection:
        before = connection.execute(query).all()
    count = 20_000
    x, y = 105.70 + 0.0005 * (np.arange(count) % 200), 9.98 + 0.0005 * (np.arange(count) // 200)
    squares = shapely.box(x, y, x + 0.0002, y + 0.0002)
    gpd.GeoDataFrame({"id": np.arange(count).astype(str)}, geometry=squares, crs="EPSG:4326").to_file(
        tmp_path / "g.fgb"
    )
    (report,) = load_source(engine, make_source(tmp_path / "g.fgb", id="green", layer="green_spaces"), HERE)
    assert report.loaded == count
    with engine.connect() as connection:
        assert connection.execute(query).all() == before
        with pytest.raises(Exception, match="green_spaces_id_key"):
            connection.execute(
                text(
                    "insert into city.green_spaces (id, source_id, geom) select id, 'x', geom "
                    "from city.green_spaces limit 1"
                )
            )


def test_the_report_is_plain_json(engine: Engine, yesterday: tuple[Source, Path]) -> None:
    source, _ = yesterday
    (report,) = load_source(engine, source, HERE, dry_run=True)
    told = report.as_dict()
    assert told["diff"]["changes"][0].keys() == {"id", "property", "old", "new"}
    assert told["crs"].startswith("EPSG:4326")
    assert LoadReport("a", "b").as_dict()["diff"] == {"properties": {}, "changes": [], "new": [], "gone": []}
