"""Edits carried out on a real PostGIS: what they write, what stands against them, and that all or nothing happens."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Connection, Engine, text

from layers.datum import CRS84, make_transformer
from layers.editing.apply import apply_edits
from layers.editing.revert import revert_edit
from layers.editing.words import Edit, Op, Outcome, RejectedError
from layers.errors import ConflictError, ForbiddenError, InputError, NotFoundError, PreconditionError
from layers.registry import read_vector_layer
from layers.store.edits import begin_edit
from layers.store.features import upsert_features

TREES, NODES, LINKS, LIGHTS = map(read_vector_layer, ("trees", "drainage_nodes", "drainage_links", "luminaires"))
X0, Y0 = 580_000.0, 1_108_000.0


def locate(*points: tuple[float, float]) -> list[list[float]]:
    """Return places [m east and north of a corner] in degrees."""
    moving = make_transformer("EPSG:5897", CRS84)
    return [list(moving.transform(X0 + x, Y0 + y)) for x, y in points]


def point(x: float, y: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": locate((x, y))[0]}


def line(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": locate(*points)}


def plant(name: str, x: float = 0.0, **properties: Any) -> Edit:
    return Edit("create", TREES, name, properties, point(x, 0.0))


def edit(connection: Connection, *edits: Edit, valid_from: datetime | None = None) -> Outcome:
    return apply_edits(connection, edits, author="An", reason="khảo sát", valid_from=valid_from)


def count(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())


@pytest.fixture
def network(connection: Connection) -> Iterator[Connection]:
    """A connection to a drain of two nodes and one conduit."""
    edit(connection, *lay_drain())
    yield connection


def lay_drain() -> list[Edit]:
    levels = {"node_type": "manhole", "ground_elevation": 2.0, "invert_elevation": 0.5}
    return [
        Edit("create", NODES, "n1", levels, point(0, 0)),
        Edit("create", NODES, "n2", levels | {"node_type": "outfall", "invert_elevation": 0.2}, point(50, 0)),
        Edit("create", LINKS, "l1", conduit("n1", "n2"), line((0, 0), (50, 0))),
    ]


def conduit(start: str, end: str) -> dict[str, Any]:
    return {"link_type": "conduit", "from_node": start, "to_node": end, "from_invert": 0.5, "to_invert": 0.3}


def test_a_feature_is_created_changed_and_deleted(connection: Connection) -> None:
    made = edit(connection, plant("a", species="Sao đen", height=7)).results[0]
    assert (made.status, made.id) == ("created", "a")
    assert made.version is not None
    changed = edit(connection, Edit("update", TREES, "a", {"height": 8.5}, seen=frozenset([made.version]))).results[0]
    row = connection.execute(text("select species, height, source_id, fid from city.trees")).one()
    assert tuple(row) == ("Sao đen", 8.5, "edit", made.version[0])
    assert changed.version is not None
    assert changed.version > made.version
    replaced = edit(connection, Edit("replace", TREES, "a", {"species": "Dầu rái"}, point(3, 3))).results[0]
    assert replaced.status == "updated"
    row = connection.execute(text("select species, height, round(ST_X(geom)) from city.trees")).one()
    assert tuple(row) == ("Dầu rái", None, X0 + 3)
    assert edit(connection, Edit("delete", TREES, "a")).results[0].version is None
    assert count(connection, "city.trees") == 0
    assert count(connection, "history.trees") == 3


@pytest.mark.parametrize(
    "words", ["\\N", "\\.", "a\rb\r\nc", " lề ", 'ngoặc "kép", phẩy', "NULL", "", "-", "😀 e\u0301"]
)
def test_text_is_kept_to_the_letter(connection: Connection, words: str) -> None:
    edit(connection, plant("a", note=words))
    assert connection.execute(text("select note from city.trees")).scalar_one() == words


def test_what_changes_nothing_makes_no_version(connection: Connection) -> None:
    first = edit(connection, plant("a", species="Sao đen", height=7)).results[0]
    again = edit(connection, Edit("update", TREES, "a", {"height": 7.0})).results[0]
    assert again.status == "unchanged"
    assert again.version == first.version
    assert count(connection, "history.trees") == 0


def test_geometry_put_back_as_read_moves_nothing(connection: Connection) -> None:
    edit(connection, plant("a", x=1 / 3))
    before = connection.execute(text("select geom::text from city.trees")).scalar_one()
    written = connection.execute(text("select ST_AsGeoJSON(ST_Transform(geom, 4326), 7)::jsonb from city.trees"))
    back = Edit("replace", TREES, "a", {"species": "x"}, written.scalar_one())
    assert edit(connection, back).results[0].status == "updated"
    assert connection.execute(text("select geom::text from city.trees")).scalar_one() == before


def test_who_saw_an_older_version_is_refused(connection: Connection) -> None:
    first = edit(connection, plant("a", height=1)).results[0].version
    assert first is not None
    edit(connection, Edit("update", TREES, "a", {"height": 2}))
    for op in ("update", "replace", "delete"):
        with pytest.raises(PreconditionError, match="'a' of 'trees' was changed meanwhile"):
            edit(connection, Edit(op, TREES, "a", {"height": 3}, point(0, 0), frozenset([first])))


@pytest.mark.parametrize("op", ["update", "replace", "delete"])
def test_what_is_not_there_is_not_found(connection: Connection, op: Op) -> None:
    with pytest.raises(NotFoundError, match="no item 'zz'"):
        edit(connection, Edit(op, TREES, "zz", {}, point(0, 0)))


def test_an_id_is_given_once(connection: Connection) -> None:
    edit(connection, plant("a"))
    with pytest.raises(ConflictError, match="exists already"):
        edit(connection, plant("a"))
    with pytest.raises(InputError, match="edited twice"):
        edit(connection, plant("b"), plant("b"))


def test_what_runs_write_is_not_edited(connection: Connection) -> None:
    with pytest.raises(ForbiddenError, match="by runs only"):
        edit(connection, Edit("delete", read_vector_layer("flood_assets"), "x"))


def test_a_feature_that_comes_back_keeps_its_key(connection: Connection) -> None:
    first = edit(connection, plant("a")).results[0].version
    edit(connection, Edit("delete", TREES, "a"))
    again = edit(connection, plant("a")).results[0].version
    assert first is not None
    assert again is not None
    assert again[0] == first[0]


def test_edits_are_back_dated_only_behind_the_present_version(connection: Connection) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    edit(connection, plant("a", height=1), valid_from=start)
    edit(connection, Edit("update", TREES, "a", {"height": 2}), valid_from=start + timedelta(days=10))
    with pytest.raises(ConflictError, match="it cannot change at 2024-01-06"):
        edit(connection, Edit("update", TREES, "a", {"height": 3}), valid_from=start + timedelta(days=5))
    edit(connection, Edit("delete", TREES, "a"), valid_from=start + timedelta(days=20))
    with pytest.raises(ConflictError, match="existed until 2024-01-21"):
        edit(connection, plant("a"), valid_from=start + timedelta(days=15))
    with pytest.raises(InputError, match="lies in the future"):
        edit(connection, plant("b"), valid_from=datetime.now(UTC) + timedelta(days=1))
    rows = connection.execute(text("select height, valid_from, valid_to from history.trees order by valid_from")).all()
    assert [tuple(row) for row in rows] == [
        (1.0, start, start + timedelta(days=10)),
        (2.0, start + timedelta(days=10), start + timedelta(days=20)),
    ]


@pytest.mark.parametrize(
    ("layer", "properties", "geometry", "name", "said"),
    [
        ("trees", {"height": "12"}, point(0, 0), "height", "not a number"),
        ("trees", {"height": -1}, point(0, 0), "height", "outside 0 to 1000"),
        ("trees", {"height": True}, point(0, 0), "height", "not a number"),
        ("trees", {"colour": "red"}, point(0, 0), "colour", "no such property"),
        ("trees", {"note": 7}, point(0, 0), "note", "not a string"),
        ("trees", {"note": "a\x00"}, point(0, 0), "note", "no text"),
        ("trees", {"planted": "yesterday"}, point(0, 0), "planted", "not a date"),
        ("trees", {"planted": ""}, point(0, 0), "planted", "not a date"),
        ("trees", {}, line((0, 0), (1, 1)), "geometry", "geometry is LineString"),
        ("trees", {}, {"type": "Point", "coordinates": [2.35, 48.85]}, "geometry", "far outside"),
        ("trees", {}, {"type": "Point", "coordinates": "here"}, "geometry", "not a GeoJSON geometry"),
        ("trees", {}, None, "geometry", "no geometry"),
        ("drainage_nodes", {}, point(0, 0), "node_type", "required value missing"),
        ("drainage_nodes", {"node_type": "hole"}, point(0, 0), "node_type", "unknown code"),
        ("drainage_links", {"link_type": "conduit"}, line((0, 0), (0, 0)), "geometry", "line without length"),
        (
            "buildings",
            {},
            {"type": "Polygon", "coordinates": [locate((0, 0), (9, 9), (9, 0), (0, 9), (0, 0))]},
            "geometry",
            "crosses itself",
        ),
    ],
)
def test_what_the_declaration_does_not_allow_is_said(
    connection: Connection, layer: str, properties: dict[str, Any], geometry: Any, name: str, said: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        edit(connection, Edit("create", read_vector_layer(layer), "a", properties, geometry))
    (finding,) = caught.value.findings
    assert finding.name == name
    assert said in finding.reason.en
    assert finding.reason.vi != finding.reason.en
    assert count(connection, f"city.{layer}") == 0


def test_a_rejected_edit_names_every_fault_of_all_its_parts(connection: Connection) -> None:
    with pytest.raises(RejectedError) as caught:
        edit(connection, plant("a", height=-1, planted="x"), plant("b", height="tall"), plant("c"))
    assert [(one.feature, one.name) for one in caught.value.findings] == [
        ("a", "height"),
        ("a", "planted"),
        ("b", "height"),
    ]
    assert count(connection, "city.trees") == 0


def test_a_network_is_laid_in_one_edit_and_not_in_parts(connection: Connection) -> None:
    with pytest.raises(RejectedError) as caught, connection.begin_nested():
        edit(connection, *lay_drain()[1:])
    said = {(one.rule, one.feature, one.name) for one in caught.value.findings if one.severity == "error"}
    assert said == {("ends-on-node", "l1", "from_node"), ("node-exists", "l1", "from_node")}
    assert count(connection, "city.drainage_nodes") == 0
    outcome = edit(connection, *lay_drain())
    assert [one.status for one in outcome.results] == ["created"] * 3
    assert outcome.findings == ()


def test_a_finding_says_where(connection: Connection) -> None:
    with pytest.raises(RejectedError) as caught:
        edit(connection, *lay_drain()[1:])
    finding = next(one for one in caught.value.findings if one.rule == "ends-on-node")
    assert finding.place == pytest.approx(tuple(locate((0, 0))[0]), abs=1e-6)
    assert "50" in finding.reason.en
    assert "n2" in finding.reason.vi


def test_a_finding_says_where_a_new_feature_would_be(connection: Connection) -> None:
    crossed = {"type": "Polygon", "coordinates": [locate((0, 0), (9, 9), (9, 0), (0, 9), (0, 0))]}
    nowhere = {"type": "Point", "coordinates": [200.0, 100.0]}
    wanted = [
        plant("t", 5.0, height=-1),
        Edit("create", TREES, "u", {}, nowhere),
        Edit("create", TREES, "v", {}, {"type": "Point", "coordinates": []}),
        Edit("create", TREES, "w", {}, None),
        Edit("create", read_vector_layer("buildings"), "b", {}, crossed),
    ]
    with pytest.raises(RejectedError) as caught:
        edit(connection, *wanted)
    places = {one.feature: one.place for one in caught.value.findings}
    assert places["t"] == pytest.approx(locate((5, 0))[0], abs=1e-6)
    assert places["b"] == pytest.approx(locate((0, 0))[0], abs=1e-6)
    assert [places[name] for name in "uvw"] == [None, None, None]


def test_a_node_in_use_stays(network: Connection) -> None:
    for wrong in (Edit("delete", NODES, "n1"), Edit("update", NODES, "n1", geometry=point(5, 0))):
        with pytest.raises(RejectedError, match="l1"), network.begin_nested():
            edit(network, wrong)
    both = (
        Edit("update", NODES, "n1", geometry=point(5, 0)),
        Edit("update", LINKS, "l1", geometry=line((5, 0), (50, 0))),
    )
    assert [one.status for one in edit(network, *both).results] == ["updated"] * 2


def test_what_was_wrong_before_does_not_stand_against_an_edit(network: Connection) -> None:
    network.execute(text("update city.drainage_nodes set geom = ST_Translate(geom, 9, 0) where id = 'n1'"))
    outcome = edit(network, Edit("update", LINKS, "l1", {"condition": "poor"}))
    assert outcome.results[0].status == "updated"
    assert [(one.rule, one.standing) for one in outcome.findings] == [
        ("ends-on-node", True),
        ("node-agrees", True),
        ("lone-node", True),
    ]
    with pytest.raises(RejectedError, match="below the rim"):
        edit(network, Edit("update", LINKS, "l1", {"from_invert": 2.5}))


def test_a_warning_comes_with_the_answer(network: Connection) -> None:
    outcome = edit(network, Edit("update", LINKS, "l1", {"to_invert": 0.6}))
    assert [(one.rule, one.severity, one.value) for one in outcome.findings] == [
        ("slope-against-flow", "warning", "-2.00")
    ]


def test_no_light_dangles(connection: Connection) -> None:
    with pytest.raises(RejectedError, match="neither circuit nor cabinet"), connection.begin_nested():
        edit(connection, Edit("create", LIGHTS, "d1", {}, point(0, 0)))
    cabinet = Edit("create", read_vector_layer("lighting_cabinets"), "c1", {}, point(1, 1))
    light = Edit("create", LIGHTS, "d1", {"cabinet_id": "c1"}, point(0, 0))
    edit(connection, cabinet, light)
    with pytest.raises(RejectedError, match="'c1' is not among lighting cabinets"):
        edit(connection, Edit("delete", cabinet.layer, "c1"))


def test_shapes_are_stored_as_the_layer_holds_them(connection: Connection) -> None:
    square = {"type": "Polygon", "coordinates": [locate((0, 0), (9, 0), (9, 9), (0, 9), (0, 0))]}
    edit(connection, Edit("create", read_vector_layer("buildings"), "b", {}, square))
    wkb = connection.execute(text("select ST_AsBinary(geom) from city.buildings")).scalar_one()
    shape = shapely.from_wkb(bytes(wkb))
    assert shape.geom_type == "MultiPolygon"
    assert shape.area == pytest.approx(81.0, rel=1e-6)


def load(connection: Connection, *names: str, height: float) -> tuple[int, int, int]:
    """Load trees of a file and return how many were new, changed and kept as edited by hand."""
    begin_edit(connection, author="twin load", reason="trees.csv", kind="load", source="s", layers=["trees"])
    frame = gpd.GeoDataFrame(
        {"id": list(names), "height": height}, geometry=[shapely.Point(X0, Y0)] * len(names), crs="EPSG:5897"
    )
    counts = upsert_features(connection, TREES, frame, source_id="s")
    return counts.new, counts.changed, counts.edited


def test_the_next_load_keeps_what_was_edited_or_deleted_by_hand(connection: Connection) -> None:
    assert load(connection, "a", "b", "c", height=1.0) == (3, 0, 0)
    edit(connection, Edit("update", TREES, "a", {"height": 5}), Edit("delete", TREES, "b"))
    assert load(connection, "a", "b", "c", height=2.0) == (0, 1, 2)
    rows = connection.execute(text("select id, height from city.trees order by id")).all()
    assert [tuple(row) for row in rows] == [("a", 5.0), ("c", 2.0)]


def test_a_load_that_was_taken_back_does_not_stand_in_the_way_of_the_next(connection: Connection) -> None:
    load(connection, "a", height=1.0)
    keys = dict(tuple(row) for row in connection.execute(text("select id, fid from city.trees")))
    load(connection, "a", "b", height=70.0)
    wrong = connection.execute(text("select max(id) from meta.edit")).scalar_one()
    done = revert_edit(connection, wrong, author="An", reason="sai đơn vị")
    assert {one.id: one.status for one in done.results} == {"a": "updated", "b": "deleted"}
    assert connection.execute(text("select id, height from city.trees")).all() == [("a", 1.0)]
    assert load(connection, "a", "b", height=7.0) == (1, 1, 0)
    again = dict(tuple(row) for row in connection.execute(text("select id, fid from city.trees")))
    assert again["a"] == keys["a"]
    past = connection.execute(text("select distinct fid from history.trees where id = 'b'")).scalar_one()
    assert again["b"] == past, "a feature that comes back is the one that it was"


def test_edits_wait_for_a_load_and_say_so_when_it_takes_long(engine: Engine) -> None:
    with engine.begin() as busy, engine.begin() as other:
        begin_edit(busy, author="twin load", reason="x", kind="load", layers=["trees"])
        with pytest.raises(ConflictError, match="'trees' is being loaded or edited"):
            begin_edit(other, author="An", reason="", kind="edit", layers=["trees"], wait_s=0.05)


def test_of_two_edits_at_once_one_is_told(engine: Engine) -> None:
    with engine.begin() as connection:
        version = edit(connection, plant("t")).results[0].version
    assert version is not None
    wanted = [Edit("update", TREES, "t", {"height": height}, seen=frozenset([version])) for height in range(1, 7)]

    def change(one: Edit) -> str:
        try:
            with engine.begin() as own:
                return edit(own, one).results[0].status
        except PreconditionError:
            return "told"

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(change, wanted))
    assert sorted(done) == ["told"] * 5 + ["updated"]
