"""``twin quarantine`` as it is typed: list, show, export, mend, retry, dismiss."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source
from layers.store.engine import open_engine
from twin.cli import main

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def city_url(make_database: Callable[..., str]) -> str:
    return make_database("quarantine_command")


@pytest.fixture
def say(city_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that types ``twin quarantine …`` and gives exit code, output and errors."""
    monkeypatch.setenv("TWIN_DATABASE_URL", city_url)
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["twin", "quarantine", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def test_the_day_of_who_mends(say: Say, city_url: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,lon,lat,height,condition\n1,105.75,10.02,-1,good\n2,105.76,10.02,-1,good\n3,105.76,10.02,5,tốt\n"
        "4,105.76,10.02,5,gãy\n5,105.77,10.02,5,good\n".replace("\\\n", "\n")
    )
    source = Source(
        id="hand", uri="t.csv", layer="trees", title=Words(vi="tay", en="hand"), licence="CC0-1.0", attribution="test"
    )
    engine = open_engine(city_url)
    load_source(engine, source, tmp_path)
    engine.dispose()
    _, out, _ = say("list", "--json")
    listed = json.loads(out)
    assert [one["count"] for one in listed["summary"]] == [2, 2]
    first, _, _, fourth = (row["id"] for row in listed["rows"])
    code, out, _ = say("list", "--reason", "unknown code")
    assert code == 0 and "tốt" in out and "outside" not in out
    assert "height = -1" in say("show", first)[1]
    assert say("export", "--to", tmp_path / "q.xlsx")[1].startswith(f"{tmp_path}/q.xlsx: 4 ")
    code, out, _ = say("mend", first, "--set", "height=-2", "--by", "Lan")
    assert code == 1 and "height: outside 0 to 1000 m" in out
    code, out, _ = say("mend", "--all-with-reason", "outside 0 to 1000 m", "--set", "height=3", "--by", "Lan")
    assert (code, out) == (0, "2 dòng đã nạp · rows loaded, 0 còn lại · still wrong\n")
    mapping = tmp_path / "mended.yml"
    mapping.write_text(
        "layers: [{layer: trees, id: id, properties: {condition: {column: condition, codes: {tốt: good}}}}]"
    )
    code, out, _ = say("retry", "--layer", "trees", "--mapping", mapping, "--json")
    assert (code, [one["feature_id"] for one in json.loads(out)]) == (1, ["3", None])
    assert say("dismiss", fourth, "--why", "chặt rồi", "--by", "Lan")[1].startswith("1 ")
    _, out, _ = say("list", "--status", "all", "--json")
    assert [row["status"] for row in json.loads(out)["rows"]] == ["mended", "mended", "mended", "dismissed"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("show", 99), "no row 99"),
        (("mend", 99), "nothing is changed"),
        (("mend", 99, "--set", "height"), "'height' is not COLUMN=VALUE"),
        (("mend", "--set", "a=b"), "give the number of a row"),
        (("mend", "--all-with-reason", "none", "--set", "a=b"), "no row was rejected for 'none'"),
        (("list", "--status", "closed"), "status 'closed' is not known"),
        (("dismiss", 99), "give --why"),
        (("dismiss", "--why", "x"), "give the numbers of rows"),
        (("load", "gone.csv"), "gone.csv does not exist"),
        (("retry", "--mapping", "gone.yml"), "gone.yml does not exist"),
    ],
)
def test_a_mistake_is_one_line(say: Say, words: tuple[object, ...], named: str) -> None:
    code, out, err = say(*words)
    assert (code, out) == (1, "")
    assert named in err
    assert len(err.splitlines()) == 1
