"""Changes told as they come, by a real server process to real connections; the latest of everything kept cheap."""

import http.client
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import geopandas as gpd
import orjson
import pytest
import shapely
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.registry import read_vector_layer
from layers.store.engine import open_engine, plain_url
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import store_observations
from tests.api.conftest import X0, Y0
from tests.commands import start_twin
from tests.ports import find_port

SENSORS = ("L-1", "stage"), ("L-2", "rain"), ("L-3", "stage")
WITHIN_S = 12.0


@pytest.fixture(scope="module")
def engine(make_database: Callable[..., str]) -> Iterator[Engine]:
    """Engine on a city with three sensors, each with one series and no reading."""
    opened = open_engine(make_database("live"))
    frame = gpd.GeoDataFrame(
        {"id": [name for name, _ in SENSORS], "name": "Trạm", "kind": [kind for _, kind in SENSORS]},
        geometry=[shapely.Point(X0 + 2_000.0 * k, Y0) for k in range(3)],
        crs="EPSG:5897",
    )
    with opened.begin() as connection:
        upsert_features(connection, read_vector_layer("sensors"), frame, source_id="test")
        series = [Datastream(f"{name}-{kind}", name, kind, "m", "Số đo", "Reading") for name, kind in SENSORS]
        upsert_datastreams(connection, series, "test")
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def port(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a server process, which must end by itself within seconds although listeners are still there."""
    number, log = find_port(), tmp_path_factory.mktemp("live") / "serve.log"
    environment = {**os.environ, "TWIN_DATABASE_URL": plain_url(engine)}
    server = start_twin("serve", "--port", number, settings=environment, log=log)
    try:
        for _ in range(900):
            assert server.poll() is None, log.read_text()
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", number, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    break
            time.sleep(0.1)
        left_open = Events(number)
        left_open.read()
        yield number
        server.terminate()
        server.wait(timeout=20)
        assert "Traceback" not in log.read_text()
        left_open.close()
    finally:
        server.kill()
        server.wait()


class Events:
    """One client of /sensors/events."""

    def __init__(self, port: int, query: str = "", last_event_id: str | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
        headers = {"accept-encoding": "gzip", **({"last-event-id": last_event_id} if last_event_id else {})}
        self._connection.request("GET", f"/sensors/events{query}", headers=headers)
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        assert (self._answer.getheader("content-type") or "").startswith("text/event-stream")

    def read(self) -> tuple[str, str, dict[str, Any]]:
        """Return the kind, id and data of the next event; heartbeats are passed over."""
        fields: dict[str, str] = {}
        ends = time.monotonic() + WITHIN_S
        while True:
            assert time.monotonic() < ends, "nothing was told"
            line = self._answer.readline().decode().rstrip("\r\n")
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif not line and fields:
                return fields["event"], fields.get("id", ""), orjson.loads(fields["data"])

    def read_until(self, series: str, **wanted: float) -> tuple[str, dict[str, Any]]:
        """Return the id of the event that tells ``series``, and the reading, which has what is ``wanted``."""
        while True:
            kind, number, data = self.read()
            for reading in data["readings"] if kind == "reading" else []:
                if reading["id"] == series and wanted.items() <= reading.items():
                    return number, reading

    def close(self) -> None:
        self._answer.close()
        self._connection.close()


def store(engine: Engine, series: str, minute: int, result: float) -> None:
    with engine.begin() as connection:
        row = {"datastream_id": series, "phenomenon_time": f"2026-11-27T10:{minute:02d}:00Z", "result": result}
        store_observations(connection, [row], author="test")


def test_a_change_is_told_to_those_who_want_it(engine: Engine, port: int) -> None:
    everyone, rain, here = Events(port), Events(port, "?kind=rain"), Events(port, "?bbox=105.72,9,105.735,11")
    one = Events(port, "?datastream=L-3-stage")
    for client in (everyone, rain, here, one):
        assert client.read()[0] == "ready"
    for minute, (name, kind) in enumerate(SENSORS):
        store(engine, f"{name}-{kind}", minute, 1.5)
    told: set[str] = set()
    while len(told) < len(SENSORS):
        told |= {reading["sensor_id"] for reading in everyone.read()[2]["readings"]}
    assert told == {"L-1", "L-2", "L-3"}
    assert [reading["id"] for reading in rain.read()[2]["readings"]] == ["L-2-rain"]
    assert [reading["id"] for reading in here.read()[2]["readings"]] == ["L-1-stage"]
    _, reading = one.read_until("L-3-stage")
    assert reading == {
        "id": "L-3-stage", "sensor_id": "L-3", "kind": "stage", "observed_property": "stage", "unit": "m",
        "result": 1.5, "phenomenon_time": "2026-11-27T10:02:00Z", "quality": 2,
    }  # fmt: skip
    for client in (everyone, rain, here, one):
        client.close()


def test_many_changes_of_a_series_come_as_its_newest(engine: Engine, port: int) -> None:
    client = Events(port)
    client.read()
    for minute in range(10, 50):
        store(engine, "L-1-stage", minute, 100.0 + minute)
    told: list[float] = []
    while not told or told[-1] != 149.0:
        told.append(client.read_until("L-1-stage")[1]["result"])
    # The first may be what was there before; the writes take less time than twenty looks.
    assert told[1:] == sorted(told[1:]) and len(told) < 20
    client.close()


def test_who_comes_back_gets_what_changed_meanwhile(engine: Engine, port: int) -> None:
    client = Events(port, "?datastream=L-2-rain")
    client.read()
    store(engine, "L-2-rain", 20, 7.0)
    number, _ = client.read_until("L-2-rain", result=7.0)
    client.close()
    store(engine, "L-2-rain", 21, 8.0)
    again = Events(port, "?datastream=L-2-rain", last_event_id=number)
    assert again.read()[:2] == ("ready", number)
    assert again.read_until("L-2-rain", result=8.0)
    again.close()


def test_who_comes_new_gets_the_last_minute_too(engine: Engine, port: int) -> None:
    """Between the answer with the latest of everything and the first event nothing is lost."""
    store(engine, "L-1-stage", 50, 6.5)
    client = Events(port)
    assert client.read_until("L-1-stage", result=6.5)
    client.close()


def test_a_transaction_that_commits_late_is_not_missed(engine: Engine, port: int) -> None:
    client = Events(port)
    client.read()
    with engine.begin() as late:
        row = {"datastream_id": "L-2-rain", "phenomenon_time": "2026-11-27T11:00:00Z", "result": 42.0}
        store_observations(late, [row], author="test")
        for minute in (51, 52):
            store(engine, "L-1-stage", minute, float(minute))
            client.read_until("L-1-stage", result=float(minute))
    assert client.read_until("L-2-rain", result=42.0)
    client.close()


def test_a_flag_that_changes_is_told(engine: Engine, port: int) -> None:
    client = Events(port, "?datastream=L-3-stage")
    client.read()
    store(engine, "L-3-stage", 30, 2.0)
    assert client.read_until("L-3-stage", result=2.0, quality=2)
    with engine.begin() as connection:
        connection.execute(
            text(
                "update sensing.latest set quality = 4 "
                "where datastream = (select fid from sensing.datastream where id = 'L-3-stage')"
            )
        )
        connection.execute(text("select pg_notify('reading', '')"))
    assert client.read_until("L-3-stage", result=2.0, quality=4)
    client.close()


def test_alarms_come_with_their_own_type(engine: Engine, port: int) -> None:
    client = Events(port)
    client.read()
    store(engine, "L-1-stage", 53, 1.25)
    client.read_until("L-1-stage", result=1.25)
    with engine.begin() as connection:
        connection.execute(text("select pg_notify('alarm', 'A-17')"))
    kind, _, data = client.read()
    while kind == "reading":
        kind, _, data = client.read()
    assert (kind, data) == ("alarm", {"id": "A-17"})
    client.close()


def test_clients_that_go_leave_nothing_behind(engine: Engine, port: int) -> None:
    for _ in range(30):
        client = Events(port)
        client.read()
        client.close()
    store(engine, "L-1-stage", 54, 3.0)
    client = Events(port, last_event_id="0")
    assert client.read_until("L-1-stage", result=3.0)
    client.close()


@pytest.mark.parametrize(
    ("query", "headers", "said"),
    [
        ("kind=dragon", {}, "kind 'dragon'"),
        ("bbox=1,2", {}, "bbox '1,2'"),
        ("speed=1", {}, "parameter 'speed'"),
        ("", {"last-event-id": "soon"}, "Last-Event-ID 'soon'"),
    ],
)
def test_a_wrong_question_is_answered_at_once(
    client: TestClient, query: str, headers: dict[str, str], said: str
) -> None:
    answer = client.get(f"/sensors/events?{query}", headers=headers)
    assert answer.status_code == 400 and said in answer.json()["detail"]


def test_latest_is_not_sent_again_until_something_changes(client: TestClient, writer: Engine) -> None:
    first = client.get("/sensors/latest?kind=stage")
    tag = {"if-none-match": first.headers["etag"]}
    assert client.get("/sensors/latest?kind=stage", headers=tag).status_code == 304
    assert client.get("/sensors/latest", headers=tag).status_code == 200
    with writer.begin() as connection:
        connection.execute(text("update city.sensors set name = name || ' mới' where id = 'S-1'"))
    renamed = client.get("/sensors/latest?kind=stage", headers=tag)
    assert renamed.status_code == 200 and renamed.json()["features"][0]["properties"]["name"].endswith("mới")
    with writer.begin() as connection:
        connection.execute(text("update city.sensors set name = replace(name, ' mới', '') where id = 'S-1'"))
    again = client.get("/sensors/latest?kind=stage")
    assert again.json()["features"] == first.json()["features"]
