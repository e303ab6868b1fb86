"""EPANET files go into the layers and come out again, unchanged or changed where their items were."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, text

from layers.errors import ConflictError, CrsError, InputError, NotFoundError, SourceError
from layers.ingest.epanet.items import OBJECTS
from layers.registry import read_vector_layer
from layers.store.features import delete_features, select_features, upsert_features
from layers.store.models import list_models, read_model
from network.epanet.hydraulics import run_model
from network.epanet.project import Project
from tests.twin.water_models import TOWN
from twin.city import City
from twin.models import remove_model
from twin.process import Quiet, parse_inputs
from twin.processes import water_run
from twin.water.exporting import compose_model
from twin.water.importing import import_model

PLACE = (105.78, 10.03)


@pytest.fixture
def town(connection: Connection, tmp_path: Path) -> Connection:
    path = tmp_path / "town.inp"
    path.write_text(TOWN)
    import_model(connection, path, origin=PLACE)
    return connection


def compose(connection: Connection, tmp_path: Path) -> tuple[str, dict[str, int]]:
    view = City(connection, tmp_path, datetime(2026, 11, 20, tzinfo=UTC))
    document, changes = compose_model(view, read_model(connection, "town", "epanet"))
    lines = [*document.preamble]
    for block in document.blocks:
        lines += [block.head, *(row.text for row in block.rows)]
    total = {name: sum(getattr(changes, name).values()) for name in ("changed", "added", "removed")}
    return "\n".join(lines) + "\n", total


def items(connection: Connection, layer: str):
    return select_features(connection, read_vector_layer(layer), equals={"model_id": "town"}).set_index("id")


def edit(connection: Connection, layer: str, identifier: str, **values: object) -> None:
    frame = select_features(connection, read_vector_layer(layer), equals={"model_id": "town"})
    frame = frame[frame["id"] == identifier].assign(**values)
    upsert_features(connection, read_vector_layer(layer), frame, source_id="epanet-town")


def pressures(model: str) -> np.ndarray:
    with Project(model) as project:
        return run_model(project).pressure.mean


def test_objects_become_items_in_si(town: Connection) -> None:
    nodes, pipes = items(town, "water_nodes"), items(town, "water_pipes")
    assert nodes["node_type"].value_counts().to_dict() == {"junction": 4, "reservoir": 1, "tank": 1}
    # 20 l/s are 1728 m3/d; of D the two categories together.
    assert nodes.loc["town.C", "base_demand"] == pytest.approx(1728.0)
    assert nodes.loc["town.D", "base_demand"] == pytest.approx(432.0)
    assert nodes.loc["town.T", "tank_diameter"] == 12.0
    assert pipes.loc["town.P1", "diameter"] == pytest.approx(0.2)
    assert pipes["status"].to_dict() == {
        "town.P1": "open", "town.P2": "open", "town.P3": "check_valve", "town.P4": "open", "town.P5": "open",
    }  # fmt: skip
    assert pipes.loc["town.P4"].geometry.length == pytest.approx(np.hypot(250, 400) + 250, abs=1e-3)
    valve = items(town, "water_valves").loc["town.V1"]
    assert (valve["valve_type"], valve["pressure_setting"], valve["status"]) == ("prv", 25.0, "open")
    assert items(town, "water_pumps").loc["town.PU", "curve"] == "2592,40"


def test_what_nobody_edited_comes_back_as_it_was(town: Connection, tmp_path: Path) -> None:
    assert compose(town, tmp_path) == (TOWN, {"changed": 0, "added": 0, "removed": 0})


def test_an_edit_changes_its_word_and_no_other(town: Connection, tmp_path: Path) -> None:
    edit(town, "water_pipes", "town.P1", diameter=0.25)
    edit(town, "water_pipes", "town.P2", status="closed")
    edit(town, "water_nodes", "town.D", base_demand=864.0)
    edit(town, "water_valves", "town.V1", status="active", pressure_setting=20.0)
    written, changes = compose(town, tmp_path)
    assert changes == {"changed": 4, "added": 0, "removed": 0}
    before, after = TOWN.splitlines(), written.splitlines()
    differing = {line.split()[0]: line.split() for line in after if line not in before and line.strip()}
    assert differing["P1"] == ["P1", "A", "B", "500", "250", "120", "0.1", "Open"]
    assert differing["P2"] == ["P2", "B", "C", "400", "150", "110", "0", "Closed"]
    assert differing["V1"] == ["V1", "B", "D", "100", "PRV", "20", "0.2"]
    assert [line.split() for line in after if line.split()[:1] == ["D"]][1:3] == [["D", "6", "day"], ["D", "4", "flat"]]
    assert len(after) == len(before) - 1, "the status of the valve is its setting's again"
    assert not np.allclose(pressures(written), pressures(TOWN), atol=0.01)


def test_objects_come_and_go(town: Connection, tmp_path: Path) -> None:
    delete_features(town, read_vector_layer("water_pipes"), ["town.P4"])
    nodes, pipes = (
        select_features(town, read_vector_layer(layer), equals={"model_id": "town"})
        for layer in ("water_nodes", "water_pipes")
    )
    new = nodes[nodes["id"] == "town.B"].assign(id="town.E", base_demand=86.4, pattern=None)
    upsert_features(town, read_vector_layer("water_nodes"), new, source_id="epanet-town")
    pipe = pipes[pipes["id"] == "town.P1"].assign(id="town.P9", to_node="town.E")
    upsert_features(town, read_vector_layer("water_pipes"), pipe, source_id="epanet-town")
    written, changes = compose(town, tmp_path)
    assert changes == {"changed": 0, "added": 2, "removed": 1}
    assert "LINK P4" not in written, "a control of what is gone goes with it"
    assert written.rstrip().endswith("[END]")
    with Project(written) as project:
        assert {"E"} <= set(project.nodes.ids)
        assert set(project.links.ids) == {"P1", "P2", "P3", "P5", "P9", "PU", "V1"}
    delete_features(town, read_vector_layer("water_nodes"), ["town.A"])
    with pytest.raises(InputError, match=r"names the node .town\.A., which model"):
        compose(town, tmp_path)


def test_the_model_of_the_layers_answers_as_its_file(town: Connection, tmp_path: Path) -> None:
    view = City(town, tmp_path, datetime(2026, 11, 20, tzinfo=UTC))
    outputs = water_run.PROCESS.compute(view, parse_inputs(water_run.PROCESS, {"model": "town"}), Quiet())
    with Project(TOWN) as project:
        found = run_model(project)
    frame = outputs.features["water_pressures"].set_index("id")
    expected = dict(zip(project.nodes.ids, found.pressure.mean, strict=True))
    for name, pressure in expected.items():
        assert frame.loc[f"town.{name}", "pressure_mean"] == pytest.approx(pressure, abs=0.006)
    assert abs(outputs.balance["relative_error"]) < 1e-5
    closed = water_run.PROCESS.compute(
        view, parse_inputs(water_run.PROCESS, {"model": "town", "closed": ["town.P2", "town.P4"]}), Quiet()
    )
    classes = closed.features["water_pressures"].set_index("id")["pressure_class"]
    assert classes["town.C"] == "none" and classes["town.B"] != "none"
    with pytest.raises(InputError, match="neither a water valve nor a water pipe"):
        water_run.PROCESS.compute(view, parse_inputs(water_run.PROCESS, {"model": "town", "closed": ["x"]}), Quiet())


def test_a_model_is_read_anew_and_removed(town: Connection, tmp_path: Path) -> None:
    path = tmp_path / "town.inp"
    with pytest.raises(ConflictError, match="there is a model 'town'"):
        import_model(town, path, origin=PLACE)
    path.write_text(TOWN.replace(" P5  A T  100  200  130\n", "").replace(" T   30    3  0.5  5  12  0\n", "")
                    .replace("LINK PU CLOSED IF NODE T ABOVE 4.5\nLINK PU OPEN IF NODE T BELOW 2\n", "")
                    .replace(" T 0 100\n", ""))  # fmt: skip
    report = import_model(town, path, replace=True)
    assert report.removed == 2 and report.items["water_pipes"] == 4
    assert remove_model(town, "epanet", "town", OBJECTS, author="tests") == 11
    assert not list_models(town, "epanet")
    assert town.execute(text("select count(*) from city.water_pipes")).scalar() == 0
    with pytest.raises(NotFoundError, match="there is no model 'town'"):
        remove_model(town, "epanet", "town", OBJECTS, author="tests")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (("P1  A B", "P1  A Z"), SourceError, "undefined node Z"),
        (("500  200  120", "500  x  120"), SourceError, "illegal numeric value x"),
        (("[TAGS]", "[NONSENSE]"), SourceError, r"line 53: section \[NONSENSE\] is not one of EPANET"),
        (("Units LPS", "Units FURLONG"), SourceError, "FURLONG"),
        ((" B   6     10      day\n", " B   6     10      day\n b 5\n"), SourceError, "alike"),
    ],
)
def test_what_cannot_be_read_is_named(
    connection: Connection, tmp_path: Path, change: tuple[str, str], error: type[Exception], said: str
) -> None:
    path = tmp_path / "bad.inp"
    path.write_text(TOWN.replace(*change))
    with pytest.raises(error, match=said):
        import_model(connection, path, origin=PLACE)


def test_a_place_is_asked_for(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "town.inp"
    path.write_text(TOWN)
    with pytest.raises(CrsError, match="does not say where its coordinates lie"):
        import_model(connection, path)
    with pytest.raises(InputError, match="cannot be the id"):
        import_model(connection, path, model="A B", origin=PLACE)
