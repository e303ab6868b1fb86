"""The command line on SWMM models: in, out, built from the layers, and removed."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from layers.errors import ConflictError, CrsError, InputError, SourceError
from layers.ingest.swmm.document import read_inp
from tests.twin.test_swmm_round_trip import SMALL
from twin.commands.swmm import swmm


def type_words(*words: object) -> str:
    """Return what ``twin swmm …`` prints."""
    done: Any = CliRunner().invoke(swmm, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.output)


def test_import_edit_export_build_remove(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("TWIN_DATABASE_URL", url)
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path))
    file, out = tmp_path / "Hẻm 5.inp", tmp_path / "out.inp"
    file.write_text(SMALL, encoding="utf-8")
    with pytest.raises(CrsError, match="does not say where"):
        type_words("import", file)
    with pytest.raises(InputError, match="origin 'x' is not two numbers"):
        type_words("import", file, "--origin", "x")
    dry = type_words("import", file, "--id", "hem-5", "--origin", "105.78,10.03", "--dry-run")
    assert "nothing was written" in dry and type_words("list") == ""
    said = type_words("import", file, "--id", "hem-5", "--origin", "105.78,10.03")
    assert said.startswith("hem-5: Hai hố ga\n       3  nút · nodes\n")
    with pytest.raises(ConflictError, match="a model 'hem-5' already"):
        type_words("import", file, "--id", "hem-5", "--origin", "105.78,10.03")
    with engine.begin() as connection:
        connection.execute(text("update city.drainage_links set height = 0.9144 where id = 'hem-5.C1'"))
    assert "1 sửa, 0 thêm, 0 bỏ · changed, added, removed: tuyến · links" in type_words("export", "hem-5", out)
    assert out.read_text(encoding="utf-8") == SMALL.replace("C1 CIRCULAR 2 0", "C1 CIRCULAR 3 0")
    with pytest.raises(SourceError, match="cannot be written: Is a directory"):
        type_words("export", "hem-5", tmp_path)
    type_words("export", "--commodity", "drainage", "-i", "storm_depth=50", "-i", "stage_level=2.5", out)
    document = read_inp(out.read_text(encoding="utf-8"))
    assert document.names("CONDUITS") == ["hem-5.C1", "hem-5.C2"]
    assert document.names("TIMESERIES") and document.rows("OUTFALLS")[0].words[2] == "TIMESERIES"
    type_words("export", "hem-5", out, "-i", "storm_depth=50", "-i", "hours=1")
    document = read_inp(out.read_text(encoding="utf-8"))
    assert document.option("END_TIME").startswith("01:00:0") and len(document.rows("TIMESERIES")) > 10
    for words, error in (
        (("export", "--commodity", "water", out), "commodity 'water' has no SWMM model"),
        (("export", out), "1 words given, expected 2"),
        (("export", "--commodity", "drainage", "-i", "stage=1", out), "has no input 'stage'"),
        (("export", "--commodity", "drainage", "--bbox", "1,2,3", out), "is not four numbers"),
        (("export", "--commodity", "drainage", "--bbox", "1,2,3,4", out), "no storm sewer .* within the bounds"),
        (("remove", "hem-5"), "would go with all its items"),
    ):
        with pytest.raises(InputError, match=error):
            type_words(*words)
    assert "8 items removed" in type_words("remove", "hem-5", "--yes")
    assert type_words("list") == ""
