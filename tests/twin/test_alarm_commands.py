"""``twin alarms`` as it is typed: rules from a file, a pass of the watch, what a person does."""

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from layers.store.engine import open_engine
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import store_observations
from tests.conftest import ROOT
from twin.cli import main

Say = Callable[..., tuple[int, str, str]]
SERIES = "S-HAU-01-stage"


@pytest.fixture(scope="module")
def city_url(make_database: Callable[..., str]) -> str:
    url = make_database("alarm_command")
    engine = open_engine(url)
    with engine.begin() as connection:
        upsert_datastreams(connection, [Datastream(SERIES, "S-HAU-01", "stage", "m", "Mực nước", "Stage")], "edit")
    engine.dispose()
    return url


@pytest.fixture
def say(city_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that types ``twin alarms …`` and gives exit code, output and errors."""
    monkeypatch.setenv("TWIN_DATABASE_URL", city_url)
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["twin", "alarms", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def measure(city_url: str, value: float) -> None:
    engine = open_engine(city_url)
    with engine.begin() as connection:
        at = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
        row = {"datastream_id": SERIES, "phenomenon_time": at, "result": value, "quality": 1}
        store_observations(connection, [row], author="test")
    engine.dispose()


def test_the_rules_of_the_page_can_be_loaded(say: Say, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert found is not None
    (tmp_path / "page.yml").write_text(found[1], encoding="utf-8")
    code, out, err = say("rules", "load", tmp_path / "page.yml", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["rules"] == 3
    names = [one["id"] for one in json.loads(say("rules", "list", "--json", "--at", "2027-01-01")[1])]
    assert names == ["flood-2-expected.S-HAU-01", "stage-fast", "stage-silent"]
    for name in names:
        assert say("rules", "end", name, "--reason", "thử")[0] == 0


def test_the_day_of_an_operator(say: Say, city_url: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    written = (
        "rules:\n  - id: high\n    title: {vi: Mực nước cao, en: High stage}\n    event: flood\n    priority: high\n"
        f"    target: {{series: {SERIES}}}\n    conditions: [{{kind: limit, on: 1.8}}]\n    lateness_s: 0\n"
        "    valid_from: 2026-01-01\n"
    )
    rules.write_text(written, encoding="utf-8")
    assert json.loads(say("rules", "load", rules, "--json")[1]) == {"rules": 1, "changed": ["high"]}
    assert say("rules", "load", rules)[1].startswith("1 quy tắc, 0 thay đổi")
    assert "Mực nước cao" in say("rules", "list")[1]
    (version,) = json.loads(say("rules", "show", "high")[1])
    assert version["origin"] == "file" and version["valid_from"].startswith("2026-01-01")
    measure(city_url, 1.9)
    assert say("watch", "--once")[0] == 0
    (alarm,) = json.loads(say("list", "--json")[1])
    assert alarm["state"] == "UNACK"
    number = alarm["id"]
    assert "Chưa xác nhận" in say("list", "--priority", "high")[1]
    assert json.loads(say("list", "--priority", "low", "--json")[1]) == []
    (incident,) = json.loads(say("list", "--grouped", "--json")[1])
    assert incident["ids"] == [number] and "Mực nước cao" in say("list", "--grouped")[1]
    assert say("acknowledge", number, "--reason", "đã biết")[1] == f"{number} · Đã xác nhận · Mực nước cao · 1.90 m\n"
    code, _, err = say("acknowledge", number)
    assert code == 1 and "the alarm is ACK" in err
    assert "Tạm gác" in say("shelve", number, "--minutes", "5", "--reason", "bảo trì")[1]
    assert json.loads(say("list", "--json")[1]) == []
    assert json.loads(say("list", "--state", "SHELVED", "--json")[1])[0]["id"] == number
    assert say("unshelve", number)[0] == 0
    assert say("comment", number, "đã gọi trạm")[0] == 0
    assert "Bị chặn" in say("suppress", number, "--reason", "thử")[1]
    assert say("suppress", number, "--reason", "thử", "--end")[0] == 0
    assert "Ngừng phục vụ" in say("service", number, "--reason", "hỏng")[1]
    assert say("service", number, "--reason", "xong", "--return")[0] == 0
    shown = say("show", number)[1]
    assert "đã gọi trạm" in shown and "Phát sinh → Chưa xác nhận 1.90" in shown
    assert len(json.loads(say("show", number, "--json")[1])["events"]) == 9
    assert json.loads(say("statistics", "--json")[1])["by_priority"] == {"high": 1}
    assert "Mực nước cao" in say("statistics", "--hours", "1")[1]
    assert "hết hiệu lực" in say("rules", "end", "high")[1]
    assert say("watch", "--once")[0] == 0
    assert json.loads(say("list", "--state", "all", "--json")[1]) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("rules: 3", "has no list 'rules'"),
        ("rules: [", "is not YAML"),
        ("rules: [{id: x}]", "rule 'x', title"),
        ("rules: [{id: x, valid_from: 3}]", "'3' is not a moment"),
    ],
)
def test_a_wrong_file_is_one_line(say: Say, tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "rules.yml").write_text(content)
    code, _, err = say("rules", "load", tmp_path / "rules.yml")
    assert code == 1 and words in err and err.count("\n") == 1


def test_a_state_there_is_not_is_named(say: Say) -> None:
    code, _, err = say("list", "--state", "LOUD")
    assert code == 1 and "state 'LOUD' is not known" in err
