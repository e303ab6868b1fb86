"""SWMM models through the city and back: the same results, and an edit changes its own lines."""

from collections.abc import Callable
from datetime import UTC, datetime
from difflib import ndiff
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import Connection, text

from layers.errors import ConflictError, CrsError, InputError, NotFoundError, SourceError
from layers.ingest.swmm.document import Inp, read_inp, write_document
from layers.ingest.swmm.fields import OBJECTS
from layers.ingest.swmm.files import read_beside
from layers.registry import read_vector_layer
from layers.store.features import select_features
from layers.store.models import list_models, read_model
from tests.twin.swmm_cases import (
    ORIGIN,
    compare_peaks,
    find_case,
    measure_difference,
    pass_through,
    read_reference,
    run_document,
)
from twin.city import City
from twin.models import name_model, read_text, remove_model
from twin.swmm.exporting import Changes, compose_model
from twin.swmm.importing import import_model

Shared = Callable[[str], Path]

QUICK = (
    "examples/Example1",  # runoff, pollutants
    "examples/Example4",  # LID
    "examples/Example6",  # storage, weir
    "extran/extran8b",  # transects, a hot start file
    "extran/extran10",  # pumps, controls
    "alpha",  # every kind of link, dry weather flow
    "theta",  # a divider
)

SMALL = """\
[TITLE]
Hai hố ga
[OPTIONS]
FLOW_UNITS CFS
FLOW_ROUTING DYNWAVE
INFILTRATION HORTON
START_DATE 01/01/2020
END_DATE 01/01/2020
END_TIME 02:00
[RAINGAGES]
R1 INTENSITY 0:15 1.0 TIMESERIES T1
[SUBCATCHMENTS]
S1 R1 J1 2.5 40 300 0.5 0
[SUBAREAS]
S1 0.01 0.1 0.05 0.05 25 OUTLET
[INFILTRATION]
S1 3 0.5 4 7 0
[JUNCTIONS]
J1 10 6 0 0 0 ; the upper one
J2 9 6
[OUTFALLS]
O1 8 FREE NO
[CONDUITS]
C1 J1 J2 400 0.013 0 0.25
C2 J2 O1 300 0.013 0 0
[PUMPS]
P1 J2 J1 PC OFF
[CURVES]
PC PUMP2 2 1.5
PC 4 3
[XSECTIONS]
C1 CIRCULAR 2 0 0 0
C2 RECT_CLOSED 2 3 0 0
[CONTROLS]
RULE 1
IF NODE J2 DEPTH > 4
THEN PUMP P1 STATUS = ON
[DWF]
J1 FLOW 0.1
[TIMESERIES]
T1 0:00 1
T1 1:00 0
[REPORT]
NODES J1 J2
LINKS ALL
[TAGS]
Node J1 old
[COORDINATES]
J1 0 0
J2 400 0
O1 700 0
[VERTICES]
C1 200 10
[POLYGONS]
S1 -100 0
S1 0 0
S1 0 100
[SYMBOLS]
R1 -50 -50
"""


@pytest.mark.parametrize("case", QUICK)
def test_results_are_the_same_to_the_bit(case: str, connection: Connection, shared: Shared, tmp_path: Path) -> None:
    path = shared(str(find_case(Path(), case)))
    original = read_inp(read_text(path))
    returned, rewritten, kept = pass_through(connection, path, tmp_path)
    assert write_document(returned) == write_document(original)
    # Not because the text is kept: every value of the layers written anew says the same.
    files, _ = read_beside(original, path.parent)
    first, second = run_document(original, files), run_document(rewritten, kept)
    assert first.results and not first.error
    assert measure_difference(first.results, second.results) == 0.0
    reference = read_reference(path.parents[2] if "/" not in case else path.parents[3], case)
    if reference is not None:
        good, count, worst = compare_peaks(second.report, reference)
        assert (good, count > 5) == (count, True), f"worst peak {worst:.1%} from SWMM 5.1.12"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file with two manholes, one outfall, a catchment and a pump."""
    path = tmp_path / "Hai hố.inp"
    path.write_text(SMALL, encoding="utf-8")
    return path


class Small:
    """The model in the city of a transaction that is rolled back."""

    def __init__(self, connection: Connection, path: Path) -> None:
        self.connection = connection
        import_model(connection, path, model="m", origin=ORIGIN, verify=False)

    def edit(self, layer: str, item: str, **values: Any) -> None:
        """Set columns of one item."""
        listed = ", ".join(f"{name} = :{name}" for name in values)
        done = self.connection.execute(text(f"update city.{layer} set {listed} where id = :id"), {"id": item, **values})
        assert done.rowcount == 1

    def drop(self, layer: str, *items: str) -> None:
        """Delete items."""
        self.connection.execute(text(f"delete from city.{layer} where id = any(:ids)"), {"ids": list(items)})

    def add(self, layer: str, item: str, geometry: Any, **values: Any) -> None:
        """Insert an item of the model."""
        values = {"id": item, "source_id": "edit", "model_id": "m", **values, "wkt": shapely.to_wkt(geometry, -1)}
        names = ", ".join(name for name in values if name != "wkt")
        bound = ", ".join(f":{name}" for name in values if name != "wkt")
        self.connection.execute(
            text(
                f"insert into city.{layer} ({names}, geom) "
                f"values ({bound}, st_setsrid(st_geomfromtext(:wkt), (select srid from meta.city)))"
            ),
            values,
        )

    def place(self, item: str) -> shapely.Point:
        """Return where a node is."""
        found = select_features(self.connection, read_vector_layer("drainage_nodes"), ids=[item], columns=[])
        point = found.geometry.iloc[0]
        assert isinstance(point, shapely.Point)
        return point

    def compose(self) -> tuple[Inp, Changes]:
        """Return the document as it would be exported."""
        view = City(self.connection, Path(), datetime.now(UTC))
        return compose_model(view, read_model(self.connection, "m", "swmm"))

    def list_changes(self) -> list[str]:
        """Return the lines that an export takes away and adds, in the words of a diff, blanks put together."""
        made = write_document(self.compose()[0])
        return [" ".join(line.split()) for line in ndiff(SMALL.splitlines(), made.splitlines()) if line[0] in "+-"]


@pytest.fixture
def model(connection: Connection, small: Path) -> Small:
    """The small model, imported."""
    return Small(connection, small)


def read_row(model: Small, layer: str, item: str) -> dict[str, Any]:
    """Return the columns of an item."""
    frame = select_features(model.connection, read_vector_layer(layer), ids=[item])
    return dict(frame.iloc[0])


def test_items_have_si_units_and_the_ids_of_their_model(model: Small) -> None:
    node, link = read_row(model, "drainage_nodes", "m.J1"), read_row(model, "drainage_links", "m.C1")
    assert (node["invert_elevation"], node["max_depth"], node["model_id"]) == (3.048, pytest.approx(1.8288), "m")
    assert node["ground_elevation"] == pytest.approx(16 * 0.3048)
    assert (link["from_node"], link["to_node"], link["shape"], link["height"]) == ("m.J1", "m.J2", "circular", 0.6096)
    assert link["to_invert"] == pytest.approx(9.25 * 0.3048)
    pump = read_row(model, "drainage_links", "m.P1")
    assert (pump["link_type"], pump["capacity"]) == ("pump", pytest.approx(3 * 0.3048**3))
    area = read_row(model, "catchments", "m.S1")
    assert (area["area"], area["impervious"], area["outlet_node"]) == (pytest.approx(2.5 * 4046.8564224), 0.4, "m.J1")
    assert read_row(model, "rain_gauges", "m.R1")["interval"] == 900.0
    assert model.place("m.J2").x - model.place("m.J1").x == pytest.approx(400 * 0.3048)


def test_nothing_edited_nothing_changed(model: Small) -> None:
    document, changes = model.compose()
    assert write_document(document) == SMALL
    assert not any((*changes.changed.values(), *changes.added.values(), *changes.removed.values()))


def test_an_edit_changes_its_own_lines(model: Small) -> None:
    model.edit("drainage_links", "m.C1", height=0.9144)
    assert model.list_changes() == ["- C1 CIRCULAR 2 0 0 0", "+ C1 CIRCULAR 3 0 0 0"]
    model.edit("drainage_links", "m.C1", height=0.6096)
    model.edit("drainage_nodes", "m.J2", invert_elevation=2.4384)
    assert model.list_changes() == ["- J2 9 6", "+ J2 8 6"]
    model.edit("drainage_nodes", "m.J2", invert_elevation=9 * 0.3048)
    model.edit("drainage_links", "m.C1", to_invert=9.5 * 0.3048)
    assert model.list_changes() == ["- C1 J1 J2 400 0.013 0 0.25", "+ C1 J1 J2 400 0.013 0 0.5"]


@pytest.mark.parametrize(
    ("layer", "item", "values", "changes"),
    [
        ("drainage_nodes", "m.J1", {"ground_elevation": 17 * 0.3048}, {"+ J1 10 7 0 0 0 ; the upper one"}),
        ("drainage_nodes", "m.O1", {"has_gate": True}, {"+ O1 8 FREE YES"}),
        ("drainage_links", "m.C2", {"mannings_n": 0.02, "length": 304.8}, {"+ C2 J2 O1 1000 0.02 0 0"}),
        ("drainage_links", "m.C2", {"width": 1.2192}, {"+ C2 RECT_CLOSED 2 4 0 0"}),
        ("drainage_links", "m.C2", {"shape": "circular"}, {"+ C2 CIRCULAR 2 0 0 0"}),
        ("drainage_links", "m.C2", {"from_node": "m.J1"}, {"+ C2 J1 O1 300 0.013 0 0"}),
        ("catchments", "m.S1", {"impervious": 0.55, "outlet_node": "m.J2"}, {"+ S1 R1 J2 2.5 55 300 0.5 0"}),
        ("rain_gauges", "m.R1", {"interval": 300.0}, {"+ R1 INTENSITY 00:05:00 1.0 TIMESERIES T1"}),
        (
            "drainage_links", "m.P1", {"capacity": 6 * 0.3048**3},
            {"+ P1 J2 J1 P1 OFF", "+ P1 PUMP2 2 3", "+ P1 4 6"},
        ),
        ("drainage_nodes", "m.J1", {"node_type": "manhole", "note": "kiểm tra"}, set()),
    ],
)  # fmt: skip
def test_what_the_layers_tell_is_written(
    model: Small, layer: str, item: str, values: dict[str, Any], changes: set[str]
) -> None:
    model.edit(layer, item, **values)
    added = {line for line in model.list_changes() if line.startswith("+")}
    assert added == changes
    assert run_document(model.compose()[0], {}).error == ""


def test_a_moved_node_moves_in_the_file(model: Small) -> None:
    place = model.place("m.O1")
    model.connection.execute(
        text("update city.drainage_nodes set geom = st_translate(geom, 30.48, 0) where id = 'm.O1'"), {}
    )
    assert model.list_changes() == ["- O1 700 0", "+ O1 800 0"]
    assert model.place("m.O1").x == pytest.approx(place.x + 30.48)


def test_new_items_become_objects(model: Small) -> None:
    here = model.place("m.J2")
    model.add("drainage_nodes", "m.J9", shapely.Point(here.x, here.y + 30), node_type="manhole", invert_elevation=2.5)
    model.add("drainage_nodes", "HG 7", shapely.Point(here.x, here.y + 60), node_type="storage", invert_elevation=2.0)
    line = shapely.LineString([(here.x, here.y + 30), (here.x + 5, here.y + 15), (here.x, here.y)])
    ends = {"from_node": "m.J9", "to_node": "m.J2"}
    model.add("drainage_links", "new", line, link_type="conduit", height=0.5, **ends)
    model.add("drainage_links", "W", line, link_type="weir", height=0.5, width=1.0, **ends)
    model.add("drainage_links", "G", line, link_type="gate", height=0.5, width=1.0, crest_elevation=3.0, **ends)
    model.add("drainage_links", "P1", line, link_type="pump", capacity=0.1, from_node="HG 7", to_node="m.J9")
    model.add("catchments", "S2", shapely.MultiPolygon([here.buffer(20)]), outlet_node="m.J9", impervious=0.5)
    model.add("rain_gauges", "R2", here, series="T1", interval=600.0)
    document, changes = model.compose()
    assert changes.added == {"drainage_nodes": 2, "drainage_links": 4, "catchments": 1, "rain_gauges": 1}
    assert document.read("STORAGE", "HG_7").read_number(1) == pytest.approx(2.0 / 0.3048)
    # The name of the old pump is taken.
    assert document.read("PUMPS", "P1~2").words[1:3] == ("HG_7", "J9")
    conduit = document.read("CONDUITS", "new")
    assert conduit.read_number(3) == pytest.approx(line.length / 0.3048)
    assert len(document.find("VERTICES", "new")) == 1
    assert document.read("INFILTRATION", "S2").words[1:] == document.read("INFILTRATION", "S1").words[1:]
    outcome = run_document(document, {})
    assert outcome.error == "" and outcome.results
    unchanged = [line for line in ndiff(SMALL.splitlines(), write_document(document).splitlines()) if line[0] == "-"]
    assert unchanged == []


def test_removed_items_go_with_their_rows(model: Small) -> None:
    model.drop("drainage_links", "m.C1", "m.P1")
    with pytest.raises(InputError, match=r"\[CONTROLS\] line \d+ names the link 'P1', which is not there"):
        model.compose()
    record = read_model(model.connection, "m", "swmm")
    kept = record.document.replace("RULE 1\nIF NODE J2 DEPTH > 4\nTHEN PUMP P1 STATUS = ON\n", "")
    model.connection.execute(text("update meta.model set document = :text where id = 'm'"), {"text": kept})
    model.drop("drainage_nodes", "m.J1")
    model.edit("catchments", "m.S1", outlet_node="m.J2")
    document, changes = model.compose()
    assert changes.removed == {"drainage_nodes": 1, "drainage_links": 2, "catchments": 0, "rain_gauges": 0}
    for section in ("JUNCTIONS", "COORDINATES", "DWF"):
        assert not document.find(section, "J1")
    assert not document.find("TAGS", "Node J1")
    assert document.read("REPORT", "NODES").words == ("NODES", "J2")
    assert not document.find("XSECTIONS", "C1") and not document.find("VERTICES", "C1")
    assert run_document(document, {}).error == ""


def test_what_would_not_open_is_refused(model: Small) -> None:
    model.drop("drainage_nodes", "m.J1")
    with pytest.raises(InputError, match=r"would not open after the edits: .* names the node 'J1'"):
        model.compose()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"link_type": "conduit", "from_node": "m.J1", "to_node": "other.J2", "height": 1.0},
            "names the node 'other.J2'",
        ),
        ({"link_type": "conduit", "from_node": "m.J1", "to_node": "m.J2"}, "'new' has no height"),
        ({"link_type": "pump", "from_node": "m.J1", "to_node": "m.J2"}, "'new' has no capacity"),
        ({"link_type": "weir", "to_node": "m.J2"}, "'new' has no from_node"),
    ],
)
def test_a_new_link_without_what_it_needs_is_refused(model: Small, values: dict[str, Any], words: str) -> None:
    model.add("drainage_links", "new", shapely.LineString([(0, 0), (1, 1)]), **values)
    with pytest.raises(InputError, match=words):
        model.compose()


def test_two_models_of_one_city_do_not_clash(model: Small, small: Path) -> None:
    import_model(model.connection, small, model="n", origin=(105.7, 10.0), verify=False)
    model.edit("drainage_links", "n.C1", height=1.5)
    assert model.list_changes() == []
    assert [one.id for one in list_models(model.connection)] == ["m", "n"]
    assert remove_model(model.connection, "swmm", "n", OBJECTS, author="tests") == 8
    assert model.list_changes() == []
    import_model(model.connection, small, model="n", origin=(105.7, 10.0), verify=False)
    assert read_row(model, "drainage_links", "n.C1")["height"] == 0.6096
    with pytest.raises(NotFoundError, match="there is no model 'k'"):
        read_model(model.connection, "k", "swmm")


def test_a_model_that_is_read_anew_follows_its_file_and_keeps_its_place(model: Small, small: Path) -> None:
    before = model.place("m.J2")
    with pytest.raises(ConflictError, match="a model 'm' already"):
        import_model(model.connection, small, model="m", verify=False)
    small.write_text(
        SMALL.replace("J2 9 6", "J2 9.5 6").replace("P1 J2 J1 PC OFF\n", "").replace("THEN PUMP P1", "THEN LINK C1")
    )
    report = import_model(model.connection, small, model="m", replace=True, verify=False)
    assert report.removed == 1
    assert read_row(model, "drainage_nodes", "m.J2")["invert_elevation"] == pytest.approx(9.5 * 0.3048)
    assert model.place("m.J2").equals_exact(before, 1e-9)


def test_a_model_needs_a_place(connection: Connection, small: Path) -> None:
    with pytest.raises(CrsError, match="does not say where its coordinates lie; these span -100…700"):
        import_model(connection, small)
    with pytest.raises(CrsError, match="no row read as EPSG:4326 lies near"):
        import_model(connection, small, crs="EPSG:4326")
    with pytest.raises(CrsError, match="look like degrees"):
        import_model(connection, small, crs="EPSG:32648")
    with pytest.raises(InputError, match="not both"):
        import_model(connection, small, crs="EPSG:32648", origin=ORIGIN)


def test_coordinates_in_a_crs_come_back(connection: Connection, small: Path) -> None:
    moved = SMALL.replace("\nO1 700 0", "\nO1 584700 1108000").replace("\nJ1 0 0", "\nJ1 584000 1108000")
    moved = moved.replace("\nJ2 400 0", "\nJ2 584400 1108000").replace("S1 -100 0\nS1 0 0\nS1 0 100\n", "")
    moved = moved.replace("C1 200 10", "C1 584200 1108010").replace("R1 -50 -50", "R1 584000 1108050")
    small.write_text(moved, encoding="utf-8")
    report = import_model(connection, small, model="utm", crs="EPSG:32648", verify=False)
    assert report.counts == {"catchments_drawn_as_squares": 1}
    view = City(connection, Path(), datetime.now(UTC))
    record = read_model(connection, "utm", "swmm")
    assert write_document(compose_model(view, record)[0]) == moved
    connection.execute(text("update city.drainage_nodes set geom = st_translate(geom, 10, 0) where id = 'utm.O1'"))
    document, _ = compose_model(view, record)
    row = document.read("COORDINATES", "O1")
    # The two grids differ by their scale and a little turn.
    assert [row.read_number(1), row.read_number(2)] == pytest.approx([584710, 1108000], abs=0.1)


def test_nothing_of_a_bad_file_is_loaded(connection: Connection, small: Path) -> None:
    for old, new, words in (
        ("C1 J1 J2 400", "C1 J1 J2 x", r"\[CONDUITS\] line 24 has 'x', expected a number"),
        ("J1 0 0\n", "J1 0 y\n", r"\[COORDINATES\] line \d+ has 'y'"),
        ("[SYMBOLS]", "[SYMBOL", "stands"),
        ("FLOW_UNITS CFS", "FLOW_UNITS XXX", "FLOW_UNITS is 'XXX'"),
        ("C1 CIRCULAR 2 0", "C1 CIRCULR 2 0", r"SWMM does not open the model: .*CIRCULR at line 32"),
    ):
        small.write_text(SMALL.replace(old, new) if words != "stands" else "x\n" + SMALL, encoding="utf-8")
        with pytest.raises((SourceError, InputError), match=words):
            import_model(connection, small, origin=ORIGIN)
    assert list_models(connection) == []
    counted = connection.execute(text("select count(*) from city.drainage_nodes where model_id is not null"))
    assert counted.scalar_one() == 0
    with pytest.raises(InputError, match="cannot be the id"):
        import_model(connection, small, model="Đ m", origin=ORIGIN)


def test_ids_come_from_file_names() -> None:
    assert [name_model(Path(f"{name}.inp")) for name in ("Example 1", "Hẻm", "--")] == ["example-1", "h-m", "model"]
