"""The units are ones that systemd takes, and what they may do on the machine stays within bounds."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from twin.commands.table import COMMANDS

UNITS = ROOT / "deploy" / "systemd"
PROGRAM = "/opt/city-twin/.venv/bin/twin"
MOST_EXPOSED = 2.0
"""Upper bound of systemd's score, 10 being a process that may do everything."""
STOOD_IN = ("sysinit", "basic", "shutdown", "network-online", "multi-user", "timers", "time-set", "time-sync")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine on which the twin and its units are installed."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    folder = tmp_path_factory.mktemp("machine")
    placed = folder / "etc/systemd/system"
    shutil.copytree(UNITS, placed)
    for name in STOOD_IN:
        (placed / f"{name}.target").write_text("[Unit]\nDescription=stands in\n")
    for name in (PROGRAM, "/bin/sh"):
        program = folder / name.removeprefix("/")
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return folder


def list_units() -> list[str]:
    """Return every unit by the name it is started with."""
    return sorted(
        path.name.replace("@.", "@8001.")
        for path in UNITS.iterdir()
        if path.suffix in (".service", ".timer", ".target")
    )


def analyze(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", f"--root={root}", *words], capture_output=True, text=True, timeout=30)


def test_systemd_takes_every_unit(root: Path) -> None:
    said = analyze(root, "verify", "--recursive-errors=yes", "--man=no", *list_units())
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_a_wrong_unit_would_be_seen(root: Path) -> None:
    wrong = root / "etc/systemd/system/wrong.service"
    wrong.write_text("[Service]\nExecStart=/opt/city-twin/.venv/bin/nothing\nNoSuchWord=yes\n")
    said = analyze(root, "verify", "--man=no", wrong.name)
    assert "NoSuchWord" in said.stderr and "not executable" in said.stderr


def test_no_service_is_exposed_more_than_needed(root: Path) -> None:
    for unit in [name for name in list_units() if name.endswith(".service")]:
        said = analyze(root, "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED * 10:.0f}", unit)
        score = re.search(r"exposure level for \S+: ([\d.]+)", said.stdout)
        assert score is not None, said.stderr
        assert said.returncode == 0 and float(score[1]) <= MOST_EXPOSED, f"{unit}: {score[1]}"


def test_no_restart_takes_the_private_cluster_with_it() -> None:
    """Whoever needs the database begins the cluster's unit first; else it would be a child of the first who asks."""
    for path in UNITS.glob("*.service"):
        text = path.read_text()
        if path.name in ("twin-cluster.service", "twin-broker.service"):
            continue
        assert re.search(r"^Wants=.*\btwin-cluster\.service", text, re.MULTILINE), path.name
        assert re.search(r"^After=.*\btwin-cluster\.service", text, re.MULTILINE), path.name


def test_services_run_commands_that_exist_and_are_started_again() -> None:
    for path in UNITS.glob("*.service"):
        text = path.read_text()
        for line in re.findall(rf"^Exec\w+={PROGRAM} (.+)$", text, re.MULTILINE):
            assert line.split()[0] in COMMANDS, f"{path.name}: {line}"
        lasting = "Type=oneshot" not in text
        assert ("Restart=always" in text) == lasting, path.name
        assert "TimeoutStopSec=" in text or not lasting, path.name
        assert "MemoryMax=" in text or not lasting, path.name
