"""Objectives: what is counted once, how it is judged, what the page says."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from tests.conftest import ROOT
from twin.observing.judging import find_measured_share, judge_objectives
from twin.observing.measuring import measure_objectives
from twin.observing.objectives import DAYS, OBJECTIVES
from twin.store_observing import MEASURED, Counted, add_chances, list_hours

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOUR = NOW.replace(minute=0)


@pytest.mark.parametrize(
    ("good", "state", "budget"), [(1000, "met", 1.0), (996, "risk", 0.2), (990, "missed", -1.0), (0, "missed", -199.0)]
)
def test_an_objective_is_judged_by_its_budget(good: float, state: str, budget: float) -> None:
    judged = judge_objectives({"availability": {HOUR - timedelta(days=9): Counted(good, 1000)}}, NOW, ZONE)
    found = next(each for each in judged if each.objective.id == "availability")
    assert found.state == state
    assert found.budget == pytest.approx(budget)
    assert found.day.total == found.now.total == 0
    others = [each for each in judged if each is not found]
    assert {each.state for each in others} == {"unknown"}


def test_days_are_those_of_the_city() -> None:
    late = datetime(2026, 11, 19, 18, tzinfo=UTC)
    days = dict(judge_objectives({"tiles": {late: Counted(1, 2)}}, NOW, ZONE)[2].days)
    assert len(days) == DAYS
    # Eighteen o'clock UTC is one in the morning of the next day in Can Tho.
    assert days[datetime(2026, 11, 20).date()].total == 2


def test_a_minute_counts_once_whoever_measures(connection: Connection) -> None:
    since = datetime.now(UTC) - timedelta(hours=2)
    measure_objectives(connection)
    first = list_hours(connection, since)
    measure_objectives(connection)
    again = list_hours(connection, since)
    minutes = sum(counted.total for counted in again[MEASURED].values())
    # The clock may strike between the two.
    assert minutes == 1 or again != first
    share = find_measured_share(again, datetime.now(UTC))
    assert share is not None and 0 < share <= 1


def test_chances_add_up_within_the_hour(connection: Connection) -> None:
    for good in (3, 4):
        add_chances(connection, "tiles", HOUR, Counted(good, 5))
    assert list_hours(connection, HOUR)["tiles"] == {HOUR: Counted(7, 10)}


def test_the_service_tells_every_objective(client: TestClient) -> None:
    told = client.get("/slo").json()
    assert [each["id"] for each in told["objectives"]] == list(OBJECTIVES)
    for each in told["objectives"]:
        assert len(each["by_day"]) == told["days"] == DAYS
        assert each["title"]["vi"] and each["title"]["en"]
    assert client.get("/slo?x=1").status_code == 400


def test_a_person_gets_a_page(client: TestClient) -> None:
    page = client.get("/slo", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert 'route="/slo"' in client.get("/metrics").text
    for objective in OBJECTIVES.values():
        assert objective.title.vi in page.text
        assert objective.title.en in page.text


def test_the_document_defines_the_same_objectives() -> None:
    page = (ROOT / "docs" / "slo.md").read_text(encoding="utf-8")
    for objective in OBJECTIVES.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{objective.id}`"))
        assert f"`{objective.expression}`" in row
        assert f"| {100 * objective.target:g} % |" in row
