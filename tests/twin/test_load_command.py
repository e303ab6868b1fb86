"""``twin load`` as it is typed: its report, its dry run, addresses, the catalogue with a source that fails."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from layers.ingest.quality import Change, Diff, LoadReport
from twin.cli import main
from twin.commands.load_report import print_reports

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def city_url(make_database: Callable[..., str]) -> str:
    return make_database("load_command")


@pytest.fixture
def say(city_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that types ``twin load …`` in a folder of its own and gives exit code, output and errors."""
    monkeypatch.setenv("TWIN_DATABASE_URL", city_url)
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    # The address lies on this machine, which only named hosts may.
    monkeypatch.setenv("TWIN_CALLBACK_HOSTS", "127.0.0.1")
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["twin", "load", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


class Quiet(SimpleHTTPRequestHandler):
    """A server that does not write who asked what to the standard error that a test reads."""

    def log_message(self, format: str, *words: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Address of a server of the test's folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def write_trees(path: Path, *heights: float) -> None:
    rows = [f"{path.stem}{number},105.75,10.02,{height},An" for number, height in enumerate(heights)]
    path.write_text("\n".join(["id,lon,lat,height,nguoi_nhap", *rows]))


def test_a_dry_run_is_told(say: Say, tmp_path: Path) -> None:
    write_trees(tmp_path / "a.csv", 1, 2, 3, -4)
    assert say("a.csv", "--layer", "trees")[0] == 0
    write_trees(tmp_path / "a.csv", 1, 9, 3)
    code, out, _ = say("a.csv", "--layer", "trees", "--dry-run")
    assert code == 0
    for words in ("height 1", "a1: height: 2 → 9", "nguoi_nhap (by its name)", "dry run, nothing written"):
        assert words in out
    assert "columns not used" not in out
    (report,) = json.loads(say("a.csv", "--layer", "trees", "--dry-run", "--json")[1])
    assert report["diff"]["changes"] == [{"id": "a1", "property": "height", "old": "2", "new": "9"}]
    write_trees(tmp_path / "a.csv", 1)
    code, out, err = say("a.csv", "--layer", "trees", "--prune")
    assert (code, out) == (1, "") and "pruning would remove 2 of the 3 rows" in err
    assert (
        "2 stored rows are no longer in the file and are removed"
        in say("a.csv", "--layer", "trees", "--prune", "--yes")[1]
    )


def test_an_address_is_loaded_as_a_file(say: Say, tmp_path: Path, address: str) -> None:
    write_trees(tmp_path / "web.csv", 5, 6)
    code, out, err = say(f"{address}/web.csv", "--layer", "trees", "--json")
    assert code == 0, err
    assert (json.loads(out)[0]["source"], json.loads(out)[0]["loaded"]) == ("web", 2)
    code, out, err = say(f"{address}/none.csv", "--layer", "trees")
    assert (code, out) == (1, "") and "404" in err


def test_the_catalogue_goes_on_after_a_source_that_fails(say: Say, tmp_path: Path, address: str) -> None:
    write_trees(tmp_path / "one.csv", 5)
    write_trees(tmp_path / "two.csv", 6)
    words = "title: {vi: a, en: a}, licence: CC0-1.0, attribution: test, layer: trees"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalog.yml").write_text(
        "city: {id: test, crs: 'EPSG:5897', timezone: Asia/Ho_Chi_Minh, title: {vi: a, en: a}}\nsources:\n"
        f"- {{id: broken, uri: gone.csv, {words}}}\n"
        f"- {{id: first, uri: ../one.csv, {words}}}\n"
        f"- {{id: lost, uri: '{address}/lost.csv', {words}}}\n"
        f"- {{id: second, uri: '{address}/two.csv', {words}}}\n"
    )
    code, out, err = say("--catalog")
    assert code == 1
    assert "first" in out and "second" in out
    assert [line.split(":")[0] for line in err.splitlines() if "done" not in line] == ["broken", "lost"]
    code, out, _ = say("--catalog", "--json")
    assert code == 1
    told = json.loads(out)
    assert [(one["source"], one.get("unchanged"), "error" in one) for one in told] == [
        ("first", 1, False),
        ("second", 1, False),
        ("broken", None, True),
        ("lost", None, True),
    ]


def test_seconds_are_told_once_a_source(capsys: pytest.CaptureFixture[str]) -> None:
    diff = Diff(changes=(Change("t1", "height", None, "2"),), gone=tuple(f"g{number}" for number in range(Diff.most)))
    print_reports(
        [
            LoadReport("osm", "trees", seconds=7.3, gone=20, diff=diff),
            LoadReport("osm", "buildings", seconds=7.3, edited=3, settled=2),
        ]
    )
    out = capsys.readouterr().out
    assert out.count("7.3") == 1
    for words in ("t1: height: – → 2", "g9 …", "3 features edited by hand are kept", "2 of the rejected rows"):
        assert words in out
