"""Models of files without any city: seven networks after real ones, and the command a person types."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from layers.errors import InputError, MassBalanceError, SourceError
from layers.ingest.swmm.document import write_document
from tests.hydrology.test_swmm_run import MODEL
from twin.commands.drainage import drainage
from twin.process import Quiet
from twin.processes.drainage_run import DrainageRunInputs
from twin.processes.drainage_study import open_run
from twin.swmm.running import SwmmTask, check_account, compute_swmm, run_models
from twin.swmm.running_models import read_model_file

NETWORKS = {"alpha": 28, "beta": 210, "delta": 27, "epsilon": 78, "gamma": 22, "theta": 6, "zeta": 30}
"""Their nodes, counted in their files."""

FILLING = ("beta", "epsilon", "zeta")
"""Of the little water in their first hours much is made; over the days of their files it closes: docs/drainage.md."""


def test_seven_networks_run_and_keep_their_water(shared: Callable[[str], Path]) -> None:
    tasks = []
    for name in NETWORKS:
        model = read_model_file(shared(f"swmm-networks/{name}.inp"))
        study = open_run(None, model, DrainageRunInputs(hours=2.0))
        tasks.append((name, SwmmTask(write_document(study.model.inp), dict(study.model.files))))
    for (name, _), done in zip(tasks, run_models(tasks, count=len(tasks), progress=Quiet()), strict=True):
        assert len(done.nodes.ids) == NETWORKS[name]
        # SWMM may cut the last second.
        assert done.duration == pytest.approx(7200.0, abs=1.0)
        assert done.account.outfall_error == pytest.approx(done.account.routing_error, abs=1.0e-6)
        if name == "delta":
            with pytest.raises(MassBalanceError, match="routing -0"):
                check_account(name, done.account)
        elif name not in FILLING:
            check_account(name, done.account)


def test_a_rough_model_is_told_by_which_error(tmp_path: Path) -> None:
    path = tmp_path / "rough.inp"
    path.write_text(MODEL.replace("WET_STEP 00:01:00", "WET_STEP 00:30:00\nDRY_STEP 01:00:00"))
    rough = open_run(None, read_model_file(path), DrainageRunInputs(own_steps=True))
    done = compute_swmm(SwmmTask(write_document(rough.model.inp)), Quiet())
    with pytest.raises(MassBalanceError, match=r"runoff -\d\.\d\d%"):
        check_account("rough", done.account)
    smooth = open_run(None, read_model_file(path), DrainageRunInputs())
    check_account("smooth", compute_swmm(SwmmTask(write_document(smooth.model.inp)), Quiet()).account)


def test_the_command_runs_a_file_and_shows_what_it_kept(tmp_path: Path) -> None:
    runner, app = CliRunner(), drainage
    (tmp_path / "pipes.inp").write_text(MODEL)
    kept, edits = tmp_path / "kept", '[{"links": ["P2"], "share": 0.6}]'
    asked = [
        "run",
        str(tmp_path / "pipes.inp"),
        "-i",
        f"blockages={edits}",
        "-i",
        "compare=false",
        "--keep",
        str(kept),
        "--json",
    ]
    ran = runner.invoke(app, asked, catch_exceptions=False)
    answer = json.loads(ran.stdout)
    assert answer["edits"] == [{"edit": "blockage", "links": 1, "ids": ["P2"], "share": 0.6}]
    assert "comparison" not in answer and answer["flooding_volume"] > 0.0
    assert abs(answer["balance"]["relative_error"]) <= 0.005
    series = runner.invoke(app, ["series", str(kept), "--link", "P3"], catch_exceptions=False)
    rows = list(csv.DictReader(io.StringIO(series.stdout)))
    assert len(rows) == 36 and max(float(row["flow"]) for row in rows) > 0.1
    table = runner.invoke(app, ["profile", str(kept), "--from", "A", "--to", "O"], catch_exceptions=False)
    assert [line.split()[0] for line in table.stdout.splitlines()[1:]] == ["A", "B", "C", "O"]
    picture = tmp_path / "profile.svg"
    drawn = ["profile", str(kept), "--from", "A", "--to", "O", "--at", "0.5", "--output", str(picture)]
    runner.invoke(app, drawn, catch_exceptions=False)
    assert "Mực nước lúc" in picture.read_text() and picture.read_text().count('class="pipe') >= 3
    with pytest.raises(InputError, match=r"neither \.svg nor \.json"):
        runner.invoke(app, [*drawn[:-1], "profile.pdf"], catch_exceptions=False)


@pytest.mark.parametrize("words", [[], ["x.inp", "--layers"], ["--layers", "--model", "m"]])
def test_one_model_is_named(words: list[str]) -> None:
    with pytest.raises(InputError, match="name one model"):
        CliRunner().invoke(drainage, ["run", *words], catch_exceptions=False)


def test_files_that_cannot_be_run_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"absent\.inp"):
        read_model_file(tmp_path / "absent.inp")
    path = tmp_path / "rain.inp"
    path.write_text(MODEL.replace("G INTENSITY 0:20 1 TIMESERIES R", "G INTENSITY 0:20 1 FILE /etc/rain.dat S MM"))
    with pytest.raises(InputError, match=r"names the file 'rain\.dat'"):
        read_model_file(path)
