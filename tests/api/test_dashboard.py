"""Dashboard and alerts speak of figures that exist, and every alert says what to do; promtool tries the rules."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import generate_latest
from starlette.testclient import TestClient

from docs.dashboard import PATH, build_dashboard
from layers.store.engine import open_engine
from tests.api.conftest import TREE_TILE
from tests.conftest import ROOT
from twin.commands.table import load_command
from twin.observing.intake import IntakeFigures
from twin.observing.objectives import OBJECTIVES
from twin.observing.work import WorkFigures
from twin.sensors.broker import Broker
from twin.sensors.consumer import Consumer
from twin.sensors.ingest import Ingest, Store
from twin.sensors.spill import Spill
from twin.settings import Settings
from twin.store_figures import GROUPS
from twin.store_observing import give_sign, take_leave

RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
PROMTOOL = shutil.which("promtool")
_SAMPLE = re.compile(r"^(twin_\w+)(?:\{(.*)\})? \S+$", re.M)
_TYPE = re.compile(r"^# TYPE (twin_\w+) (\w+)$", re.M)
_SUFFIXES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


def list_alerts() -> list[dict[str, object]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def list_expressions() -> Iterator[tuple[str, str]]:
    """Yield every expression anybody is given, with where it stands."""
    for panel in build_dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for alert in list_alerts():
        yield str(alert["alert"]), str(alert["expr"])
    for objective in OBJECTIVES.values():
        yield objective.id, objective.expression


def make_intake(folder: Path) -> IntakeFigures:
    """Return the figures of an ingest that has not begun."""
    (folder / "secret").write_text("unused here")
    consumer = Consumer(Broker(1, 2, 3, str(folder / "socket")))
    return IntakeFigures(Ingest(consumer, Store(lambda: None, 60.0), Spill(folder / "spill", 1_000_000)))


@pytest.fixture(scope="module")
def figures(client: TestClient, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Labels of every figure in a real answer, with a worker and an ingest that gave a sign of life."""
    work = WorkFigures()
    with work.measure("execute_run"):
        pass
    engine = open_engine(str(settings.database_url))
    with engine.begin() as connection:
        for part, registry in (
            ("worker", work.registry),
            ("ingest", make_intake(tmp_path_factory.mktemp("in")).registry),
        ):
            give_sign(connection, part, "test", 1, generate_latest(registry).decode())
    client.get(f"/tiles/trees/{TREE_TILE}.mvt")
    told = client.get("/metrics").text
    with engine.begin() as connection:
        for part in ("worker", "ingest"):
            take_leave(connection, part, "test", 1)
    engine.dispose()
    found = {name + suffix: set[str]() for name, kind in _TYPE.findall(told) for suffix in _SUFFIXES[kind]}
    # Of what is not there today, such as replicas, the declaration tells the labels.
    found |= {f"twin_{name}": set(group.labels) for group in GROUPS for name in group.figures}
    found |= {"twin_requests_refused_total": {"reason"}, "twin_figures_unreadable": {"group"}}
    for name, labels in _SAMPLE.findall(told):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


@pytest.mark.parametrize(("place", "expression"), list_expressions())
def test_an_expression_speaks_of_figures_that_exist(figures: dict[str, set[str]], place: str, expression: str) -> None:
    named = re.findall(r"(twin_\w+)(?:\{([^}]*)\})?", expression)
    assert named or "up{" in expression, place
    known: set[str] = {"le"}
    for name, selector in named:
        assert name in figures, f"{place}: there is no {name}"
        known |= figures[name]
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector):
            assert label in figures[name] | {"le"}, f"{place}: {name} has no label {label}"
    for labels in re.findall(r"by \(([^)]*)\)", expression):
        assert {label.strip() for label in labels.split(",")} <= known, place


def test_the_dashboard_is_the_one_that_is_declared() -> None:
    assert json.loads(PATH.read_text(encoding="utf-8")) == build_dashboard(), "run: make docs"


def test_the_dashboard_is_as_grafana_imports_it() -> None:
    panels = build_dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, f"{panel['title']} lies on another"
        assert place["x"] + place["w"] <= 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${source}"
            assert " · " in panel["title"]
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize("alert", list_alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_what_to_do(alert: dict[str, dict[str, str]]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["for"]
    assert " — " in alert["annotations"]["summary"]
    page, _, anchor = alert["annotations"]["runbook"].partition("#")
    section = re.search(
        rf"^### {alert['alert']}\n\n(.+?)(?=^#|\Z)", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S
    )
    assert anchor == str(alert["alert"]).lower()
    assert section, f"{page} has no section {alert['alert']}"
    assert "**Do:**" in section[1]


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: apt-get install prometheus")
@pytest.mark.parametrize("words", [("check", "rules", "rules.yml"), ("test", "rules", "rules_test.yml")], ids=" ".join)
def test_promtool_agrees(words: tuple[str, ...]) -> None:
    done = subprocess.run([str(PROMTOOL), *words], cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_runbook_names_commands_and_units_that_exist() -> None:
    page = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    for name, inner in re.findall(r"`twin ([a-z]+)(?: ([a-z]+))?", page):
        command = load_command(name)
        assert not inner or inner in getattr(command, "commands", {}), f"twin {name} {inner}"
    units = {path.name.partition(".")[0] for path in (ROOT / "deploy" / "systemd").iterdir()}
    for unit in re.findall(r"systemctl (?:status|list-timers) '?([a-z-]+@?)", page):
        assert unit in units, unit
