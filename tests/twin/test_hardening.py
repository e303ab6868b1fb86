"""The doctor names what is unsafe in a configuration, and what to change."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from twin import hardening
from twin.cli import app
from twin.finding import Finding
from twin.hardening import examine_hardening
from twin.sensors.broker import name_broker
from twin.settings import Settings

OPEN = "postgresql://twin:0123456789abcdef@127.0.0.1:1/none"


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., dict[str, Finding]]:
    """Return a function that examines settings and gives the findings by name."""

    def examine(**settings: object) -> dict[str, Finding]:
        own: dict[str, object] = {"run_dir": tmp_path / "run", "data_dir": tmp_path, "database_url": OPEN, **settings}
        return {one.name: one for one in examine_hardening(Settings(**own))}  # type: ignore[arg-type]

    return examine


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("address", {"host": "0.0.0.0"}, "in the clear"),
        ("address", {"public_url": "http://twin.example.vn"}, "is not https"),
        ("proxies", {"proxies": "10.0.0.0/8"}, "may say who asks"),
        ("proxies", {"proxies": "::/0"}, "may say who asks"),
        ("second factor", {"public_url": "https://x.vn", "second_factor": False}, "by password alone"),
        ("database", {"database_url": "postgresql://postgres:postgres@127.0.0.1/x"}, "guessed soon"),
        ("database", {"database_url": "postgresql://twin:@db.city/x"}, "guessed soon"),
        ("database", {"database_url": "postgresql://twin:0123456789abcdef@db.city/x"}, "in the clear"),
        ("backups", {}, "none in"),
    ],
)
def test_what_is_unsafe_is_named_with_a_way_out(
    look: Callable[..., dict[str, Finding]], name: str, settings: dict[str, object], words: str
) -> None:
    found = look(**settings)[name]
    assert found.verdict == "unsafe" and words in found.detail and found.remedy


def test_a_sound_configuration_has_nothing_unsafe(
    look: Callable[..., dict[str, Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(hardening, "read_standing", lambda _: SimpleNamespace(backup_at=now, drill_at=now))
    monkeypatch.setattr(os, "geteuid", lambda: 998)
    found = look(
        public_url="https://twin.example.vn",
        oidc_issuer="https://id.example.vn",
        database_url="postgresql://twin:0123456789abcdef@db.city/x?sslmode=verify-full",
        audit_ship="https://soc.example.vn/log",
    )
    found.pop("clock")
    assert {one.verdict for one in found.values()} == {"ok"}


def test_backups_age(look: Callable[..., dict[str, Finding]], monkeypatch: pytest.MonkeyPatch) -> None:
    for days, drilled, verdict in ((0, 10, "ok"), (0, 400, "optional"), (5, 10, "unsafe")):
        told = SimpleNamespace(
            backup_at=datetime.now(UTC) - timedelta(days=days), drill_at=datetime.now(UTC) - timedelta(days=drilled)
        )
        monkeypatch.setattr(hardening, "read_standing", lambda _, told=told: told)
        assert look()["backups"].verdict == verdict


def test_secrets_that_others_may_read(look: Callable[..., dict[str, Finding]], tmp_path: Path) -> None:
    contacts = tmp_path / "contacts.yml"
    contacts.write_text("groups: {}")
    contacts.chmod(0o644)
    found = look(notify_file=contacts)["secrets"]
    assert found.verdict == "unsafe" and str(contacts) in found.detail
    contacts.chmod(0o600)
    assert look(notify_file=contacts)["secrets"].verdict == "ok"


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("listener 8883\nallow_anonymous true\ncertfile x\n", "unsafe"),
        ("listener 8883\nallow_anonymous false\npassword_file x\n", "unsafe"),
        ("listener 8883 ::\nallow_anonymous false\npassword_file x\ncertfile x\n", "ok"),
        ("listener 1899 127.0.0.1\nallow_anonymous true\n", "ok"),
    ],
)
def test_listeners_of_the_broker(
    look: Callable[..., dict[str, Finding]], tmp_path: Path, words: str, verdict: str
) -> None:
    folder = name_broker(tmp_path / "run") / "conf.d"
    folder.mkdir(parents=True)
    (folder / "own.conf").write_text(words)
    assert look()["MQTT"].verdict == verdict


def test_the_command_ends_with_one_when_something_is_unsafe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TWIN_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("TWIN_DATABASE_URL", OPEN)
    done = CliRunner().invoke(app, ["doctor", "--hardening", "--json"])
    assert done.exit_code == 1
    assert {one["name"] for one in json.loads(done.stdout)} >= {"accounts", "backups", "clock", "secrets"}
    assert "0123456789abcdef" not in done.stdout
