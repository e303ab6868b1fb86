"""Forecasts over HTTP: the newest, every issue, skill, the loop, the verification page."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from layers.store.engine import open_engine
from tests.api.conftest import START
from twin.forecasts.issuing import issue_all
from twin.forecasts.models import ModelShelf

SERIES = "S-1.stage"


@pytest.fixture(scope="module", autouse=True)
def issued(database_url: str) -> Iterator[None]:
    """Issues of the gauge of the small city: seven days of readings are too few for a tide, so it persists."""
    engine = open_engine(database_url)
    shelf = ModelShelf()
    for hours in (140, 141, 143, 146, 152, 164):
        issue_all(engine, shelf, START + timedelta(hours=hours))
    yield
    with engine.begin() as connection:
        connection.execute(text("delete from forecast.issue"))
    engine.dispose()


def test_the_newest_of_all(client: TestClient) -> None:
    (found,) = client.get("/forecasts").json()["forecasts"]
    assert found["datastream_id"] == SERIES and found["model"] == "persistence"
    assert found["issue_time"] == "2026-11-07T20:00:00Z"
    assert found["alarms"][0]["level"] == 1 and found["alarms"][0]["stage"] == 1.9
    assert found["peak"]["lower"] <= found["peak"]["stage"] <= found["peak"]["upper"]
    assert "why" in found["parameters"]
    assert isinstance(found["trend"], float)
    high = found["next_high"]
    assert high is None or high["lower"] <= high["stage"] <= high["upper"]


def test_every_issue_is_there(client: TestClient) -> None:
    said = client.get(f"/forecasts/{SERIES}/issues?limit=4").json()["issues"]
    assert len(said) == 4 and said[0]["issue_time"] == "2026-11-07T20:00:00Z"
    rest = client.get(f"/forecasts/{SERIES}/issues?before={said[-1]['issue_time']}").json()["issues"]
    assert [one["issue_time"] for one in rest] == ["2026-11-06T21:00:00Z", "2026-11-06T20:00:00Z"]
    one = client.get(f"/forecasts/{SERIES}/issues/2026-11-06T20:00:00Z").json()
    assert len(one["times"]) == len(one["stage"]) == len(one["quantiles"]) == 192
    assert one["levels"] == [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
    assert client.get(f"/forecasts/{SERIES}/issues/latest").json()["issue"] == said[0]["issue"]


def test_the_series_itself_shows_the_newest(client: TestClient) -> None:
    said = client.get(f"/sensors/datastreams/{SERIES}/forecast").json()
    assert said["issue_time"] == "2026-11-07T20:00:00Z" and said["datastream_id"] == SERIES
    assert len(said["times"]) == len(said["stage"]) == len(said["lower"]) == len(said["upper"])


def test_what_is_not_there(client: TestClient) -> None:
    assert client.get("/forecasts/none/issues").status_code == 404
    assert client.get(f"/forecasts/{SERIES}/issues/2020-01-01T00:00:00Z").status_code == 404
    assert client.get(f"/forecasts/{SERIES}/issues/soon").status_code == 400
    assert client.get("/forecasts/none/skill").status_code == 404
    assert client.get(f"/forecasts/{SERIES}/skill?days=0").status_code == 400
    assert client.get("/forecasts?colour=red").status_code == 400
    assert client.get("/forecasts/loop").json() == {
        "last_started": None, "late_since": None, "newest_run": None, "wards": [],
    }  # fmt: skip


def test_skill(client: TestClient) -> None:
    said = client.get(f"/forecasts/{SERIES}/skill?days=5").json()
    leads = {one["lead_hours"]: one for one in said["leads"]}
    assert leads[1.0]["count"] >= 5 and leads[1.0]["rmse"] < leads[6.0]["rmse"]
    assert leads[1.0]["rmse"] == pytest.approx(leads[1.0]["rmse_persistence"], rel=0.05)
    assert leads[1.0]["rmse_tide"] is None


class Outline(HTMLParser):
    """Counts the elements, and refuses those that are not closed in order."""

    EMPTY = ("meta", "br", "line", "circle", "path", "polygon")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_no_script(client: TestClient) -> None:
    answer = client.get("/verification?days=5")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    outline = Outline()
    outline.feed(answer.text)
    assert outline.open == [] and outline.seen.count("svg") == 3 and "script" not in outline.seen
    assert "Kiểm chứng dự báo mực nước" in answer.text and "Verification of stage forecasts" in answer.text
    assert "nan" not in re.sub(r"<style>.*?</style>", "", answer.text).lower()
    assert client.get("/verification?datastream=none").status_code == 404
