"""``twin sensors`` as it is typed: devices, refused messages, the account, years from a file."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from layers.store.engine import open_engine
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from twin.cli import main
from twin.sensors.intake import store_messages
from twin.sensors.message import Message

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def city_url(make_database: Callable[..., str]) -> str:
    return make_database("telemetry_command")


@pytest.fixture
def say(city_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that types ``twin sensors …`` and gives exit code, output and errors."""
    monkeypatch.setenv("TWIN_DATABASE_URL", city_url)
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TWIN_RUN_DIR", str(tmp_path / "run"))

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["twin", "sensors", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def test_the_day_of_who_adds_a_logger(say: Say, city_url: str, tmp_path: Path) -> None:
    engine = open_engine(city_url)
    messages = [
        Message("json/logger-7", b'{"h": [142]}', datetime.now(UTC)),
        Message("json/x", b"{", datetime.now(UTC)),
    ]
    with engine.begin() as connection:
        upsert_datastreams(connection, [Datastream("S1.stage", "S1", "stage", "m", "Mực nước", "Stage")], "test")
        store_messages(connection, messages, tolerance_s=300.0)
    code, out, _ = say("rejected", "list", "--json")
    listed = json.loads(out)
    assert code == 0 and {one["code"] for one in listed["summary"]} == {"unknown-device", "unreadable"}
    first, second = (row["id"] for row in listed["rows"])
    assert '{"h": [142]}' in say("rejected", "show", first)[1]
    assert "unknown-device" in say("rejected", "list")[1]
    code, out, _ = say("rejected", "replay", first)
    assert code == 1 and "is not declared" in out
    code, _, err = say("devices", "set", "logger-7", "--read", "S9=h")
    assert code == 1 and "datastream 'S9' does not exist" in err
    mapping = tmp_path / "logger.yml"
    mapping.write_text('readings: [{datastream: S1.stage, path: "h[0]", factor: 0.01}]')
    assert say("devices", "set", "logger-7", "--mapping", mapping, "--thing", "S1", "--by", "Lan")[0] == 0
    assert "S1.stage" in say("devices", "list")[1]
    assert say("rejected", "replay", "--device", "logger-7")[0] == 0
    assert "1 bản tin" in say("rejected", "settle", second, "--by", "Lan")[1]
    ledger = {row["device"]: row for row in json.loads(say("ledger", "--json")[1])}
    assert (ledger["logger-7"]["received"], ledger["logger-7"]["stored"]) == (1, 1)
    assert ledger["x"]["reasons"] == {"unreadable": 1}
    assert "logger-7" in say("ledger", "--device", "logger-7")[1]
    assert say("devices", "remove", "logger-7")[0] == 0
    assert say("devices", "remove", "logger-7")[0] == 1
    engine.dispose()


def test_years_from_a_file(say: Say, city_url: str, tmp_path: Path) -> None:
    engine = open_engine(city_url)
    with engine.begin() as connection:
        upsert_datastreams(connection, [Datastream("S2.stage", "S2", "stage", "m", "Mực nước", "Stage")], "test")
    engine.dispose()
    path = tmp_path / "years.csv"
    path.write_text("phenomenon_time,result\n2024-01-01 07:00,1.0\nsoon,1\n")
    code, out, _ = say("load", path, "--datastream", "S2.stage", "--zone", "Asia/Ho_Chi_Minh", "--json")
    assert (code, json.loads(out)["new"], json.loads(out)["rejected"]) == (0, 1, 1)
    assert "were loaded before" in say("load", path, "--datastream", "S2.stage", "--zone", "Asia/Ho_Chi_Minh")[1]
    assert say("load", path, "--zone", "Mars")[2].startswith("twin: 'Mars' is no time zone")


def test_without_a_broker_the_ingest_says_what_to_type(say: Say) -> None:
    code, _, err = say("ingest")
    assert code == 1 and "twin sensors broker" in err
