"""Indicators over HTTP: what each says, and why; what is asked wrongly; changes as they come."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import pytest
import shapely
from sqlalchemy import Engine
from sse_starlette import ServerSentEvent
from starlette.testclient import TestClient

from api.app import create_app
from api.indicators import stream_indicators
from layers.registry import read_vector_layer
from layers.store.engine import plain_url
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.rollups import roll_up
from layers.store.sensing.writing import store_observations
from tests.api.conftest import ADDRESS, X0, Y0
from twin.indicators.registry import INDICATORS
from twin.settings import Settings

GAUGES = {"G-1": (1.0, 1.5, 2.0), "G-2": (1.0, 1.5, 2.0)}


@pytest.fixture(scope="module")
def client(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """HTTP client of a server on a city of two gauges without readings."""
    frame = gpd.GeoDataFrame(
        {
            "id": list(GAUGES), "name": ["Trạm một", "Trạm hai"], "kind": "stage",
            **{f"alarm_{number + 1}": [levels[number] for levels in GAUGES.values()] for number in range(3)},
        },
        geometry=[shapely.Point(X0, Y0), shapely.Point(X0 + 500.0, Y0)], crs="EPSG:5897",
    )  # fmt: skip
    with engine.begin() as connection:
        upsert_features(connection, read_vector_layer("sensors"), frame, source_id="test")
        series = [Datastream(f"{name}-stage", name, "stage", "m", "Mực nước", "Stage") for name in GAUGES]
        upsert_datastreams(connection, series, "test")
    folder: Path = tmp_path_factory.mktemp("indicators")
    settings = Settings(database_url=plain_url(engine), data_dir=folder, web_dir=folder / "web", tile_cache_mb=8)
    with TestClient(create_app(settings), ADDRESS, client=("127.0.0.1", 50_000)) as opened:
        yield opened


def send(engine: Engine, stages: dict[str, float]) -> None:
    """Store a reading of now for each gauge."""
    at = datetime.now(UTC) - timedelta(seconds=1)
    rows = [
        {"datastream_id": f"{name}-stage", "phenomenon_time": at, "result": stage} for name, stage in stages.items()
    ]
    with engine.begin() as connection:
        store_observations(connection, rows, author="test")


def read(client: TestClient, ids: str) -> dict[str, Any]:
    """Return the only indicator asked for, as it is measured now."""
    client.app.state.resources.indicators.forget()  # type: ignore[attr-defined]
    (told,) = client.get(f"/indicators?ids={ids}").json()["indicators"]
    return dict(told)


def test_every_indicator_has_a_state_with_its_reason_in_both_languages(client: TestClient) -> None:
    told = client.get("/indicators").json()["indicators"]
    assert [each["id"] for each in told] == list(INDICATORS)
    for each in told:
        assert each["state"] in ("good", "watch", "bad", "unknown")
        assert all(
            each[name][lang] for name in ("title", "description", "reason", "state_title") for lang in each[name]
        )
        assert (each["value"] is None) == (each["state"] == "unknown"), each["id"]
        assert client.get(each["links"]["items"]).status_code == 200, each["links"]
        assert client.get(each["links"]["self"]).json()["items"] is not None


def test_a_theme_without_sensors_says_so(client: TestClient) -> None:
    (bins,) = client.get("/indicators?ids=full_bins").json()["indicators"]
    assert bins["value"] is None
    assert (bins["state"], bins["of"]) == ("unknown", 0)
    assert bins["reason"]["vi"] == "chưa có cảm biến nào gửi số đo"


def test_gauges_are_counted_by_their_levels_and_a_new_reading_changes_the_etag(
    client: TestClient, engine: Engine
) -> None:
    address = "/indicators?ids=gauges_over_alarm"
    silent = read(client, "gauges_over_alarm")
    assert (silent["value"], silent["of"]) == (None, 2)
    assert silent["reason"]["en"] == "no sensor has sent lately"
    before = client.get(address)
    known = client.get(address, headers={"if-none-match": before.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    send(engine, {"G-1": 0.4, "G-2": 1.1})
    watch = read(client, "gauges_over_alarm")
    assert (watch["value"], watch["count"], watch["state"]) == (1, 2, "watch")
    assert client.get(address, headers={"if-none-match": before.headers["etag"]}).status_code == 200
    send(engine, {"G-1": 1.7})
    bad = read(client, "gauges_over_alarm")
    assert (bad["value"], bad["state"]) == (2, "bad")
    assert {part["id"]: part["value"] for part in bad["parts"]} == {"level_1": 1, "level_2": 1, "level_3": 0}
    assert bad["reason"]["vi"] == "Báo động I: 1, Báo động II: 1"
    items = client.get("/indicators/gauges_over_alarm").json()["items"]
    assert [(item["id"], item["value"]) for item in items] == [("G-1", 1.7), ("G-2", 1.1)]
    with engine.begin() as connection:
        roll_up(connection)
    assert client.get("/indicators/gauges_over_alarm/history").json()["values"][-1] == 2


def test_indicators_come_in_the_order_asked_and_as_csv(client: TestClient) -> None:
    ids = "rain,alarms_open"
    assert [each["id"] for each in client.get(f"/indicators?ids={ids}").json()["indicators"]] == ids.split(",")
    lines = client.get(f"/indicators?ids={ids}&f=csv").text.splitlines()
    assert lines[0].startswith("id,theme,title_vi")
    assert [line.split(",")[0] for line in lines[1:]] == ids.split(",")
    assert client.get("/indicators?state=unknown&theme=waste").json()["indicators"][0]["id"] == "full_bins"


def test_hours_are_told_where_readings_tell_them(client: TestClient) -> None:
    told = client.get("/indicators/gauges_over_alarm/history?hours=48").json()
    assert len(told["times"]) == len(told["values"]) == 48
    assert client.get("/indicators/rain/history?f=csv").text.startswith("time,value\r\n")
    refused = client.get("/indicators/jobs_running/history")
    assert refused.status_code == 404
    assert "keeps no history" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/indicators?ids=none", 400), ("/indicators?state=fine", 400), ("/indicators?f=xml", 400),
        ("/indicators?limit=3", 400), ("/indicators/none", 404), ("/indicators/none/history", 404),
        ("/indicators/rain/history?hours=0", 400), ("/indicators/rain/history?hours=745", 400),
        ("/indicators/events?ids=none", 400), ("/indicators/rain?x=1", 400),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_a_problem(client: TestClient, address: str, status: int) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_changes_are_told_and_what_is_known_already_is_not(client: TestClient, engine: Engine) -> None:
    resources = client.app.state.resources  # type: ignore[attr-defined]
    ids = frozenset({"gauges_over_alarm"})
    send(engine, {"G-1": 0.1, "G-2": 0.1})
    resources.indicators.forget()

    async def follow() -> list[tuple[str, list[Any]]]:
        first = await read_events(stream_indicators(resources, ids, None), 1)
        token = first[0].id
        events = stream_indicators(resources, ids, token)
        known = await anext(events)
        await asyncio.to_thread(send, engine, {"G-2": 1.2})
        told = await read_events(events, 1)
        return [
            (str(each.event), orjson.loads(each.data or "{}").get("indicators", [])) for each in (*first, known, *told)
        ]

    assert client.portal is not None
    first, known, changed = client.portal.call(follow)
    assert (first[0], first[1][0]["value"]) == ("indicators", 0)
    assert known == ("beat", [])
    assert (changed[0], changed[1][0]["value"]) == ("indicators", 1)


async def read_events(events: AsyncIterator[ServerSentEvent], count: int) -> list[ServerSentEvent]:
    """Return the next events that are no beat, and close the stream."""
    found = []
    async for event in events:
        if event.event == "indicators":
            found.append(event)
        if len(found) == count:
            break
    await events.aclose()  # type: ignore[attr-defined]
    return found
