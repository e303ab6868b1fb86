"""The command line on edits: check says what is wrong, history what was, revert takes back."""

import json
import subprocess
from collections.abc import Callable

from sqlalchemy import Engine, text

from layers.editing.apply import apply_edits
from layers.editing.words import Edit
from layers.registry import read_vector_layer

Run = Callable[..., "subprocess.CompletedProcess[str]"]
NODES = read_vector_layer("drainage_nodes")
PLACE = {"type": "Point", "coordinates": [105.75, 10.02]}


def test_check_history_and_revert(engine: Engine, run: Run) -> None:
    with engine.begin() as connection:
        made = Edit("create", NODES, "n", {"node_type": "manhole", "ground_elevation": 2.0}, PLACE)
        apply_edits(connection, [made], author="An", reason="khảo sát")
    with engine.begin() as connection:
        change = Edit("update", NODES, "n", {"ground_elevation": 1.5})
        second = apply_edits(connection, [change], author="Bình", reason="đo lại").edit_id
    sound = run("check", "--layer", "drainage_nodes", "--json")
    assert sound.returncode == 0, sound.stderr
    assert json.loads(sound.stdout)["errors"] == 0
    versions = json.loads(run("history", "drainage_nodes", "n", "--json").stdout)
    assert [(one["version"], one["author"], one["changed"]) for one in versions] == [
        (1, "An", {}),
        (2, "Bình", {"ground_elevation": [2.0, 1.5]}),
    ]
    assert "2.0 → 1.5" in run("history", "drainage_nodes", "n").stdout
    back = run("revert", second, "--reason", "nhầm")
    assert back.returncode == 0, back.stderr
    assert "drainage_nodes n: updated" in back.stdout
    with engine.connect() as connection:
        assert connection.execute(text("select ground_elevation from city.drainage_nodes")).scalar_one() == 2.0
    again = run("revert", second, "--reason", "nhầm")
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1
    assert "changed since" in again.stderr
    with engine.begin() as connection:
        connection.execute(text("update city.drainage_nodes set invert_elevation = 3"))
    wrong = run("check", "--rule", "invert-below-ground")
    assert wrong.returncode == 1
    assert "cao độ đáy 3 m" in wrong.stdout
    assert run("check", "--rule", "none").returncode == 1
    assert run("check", "--bbox", "1,2,3").returncode == 1
    assert run("history", "drainage_nodes", "none").returncode == 1
