"""Telemetry over HTTP: stored before it is answered, kept where it cannot be read, accounted for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from api.app import create_app
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from tests.api.conftest import ADDRESS
from tests.twin.test_telemetry import chirpstack, things_stack
from twin.settings import Settings
from twin.store_telemetry import upsert_device

EUI = "a84041ffff1f8020"


@pytest.fixture
def gauge(writer: Engine) -> Iterator[Engine]:
    """A gauge of its own with a declared device; gone after the test."""
    rules = {"readings": [{"datastream": "T1.stage", "path": "level", "factor": 0.01}]}
    with writer.begin() as connection:
        upsert_datastreams(connection, [Datastream("T1.stage", "T1", "stage", "m", "Mực nước", "Stage")], "test")
        upsert_device(connection, EUI, "chirpstack", rules, thing_id="T1", author="Lan")
    yield writer
    with writer.begin() as connection:
        connection.execute(text("delete from sensing.thing where id = 'T1'"))
        connection.execute(text("delete from sensing.device"))
        connection.execute(text("truncate sensing.ledger, sensing.rejected"))


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(
            connection.execute(
                text(
                    "select count(*) from sensing.observation o join sensing.datastream d on d.fid = o.datastream "
                    "where d.id = 'T1.stage'"
                )
            ).scalar_one()
        )


def test_webhooks_of_both_network_servers(client: TestClient, gauge: Engine) -> None:
    first = client.post("/sensors/telemetry/chirpstack?event=up", json=chirpstack(EUI, {"level": 125}))
    assert (first.status_code, first.json()["stored"]) == (200, 1)
    assert client.post("/sensors/telemetry/chirpstack?event=join", json={}).json() == {"received": 0}
    other = client.post("/sensors/telemetry/tts", json=things_stack(EUI.upper(), {"level": 130}))
    assert (other.status_code, other.json()["stored"]) == (200, 1)
    assert count(gauge) == 2
    again = client.post("/sensors/telemetry/chirpstack?event=up", json=chirpstack(EUI, {"level": 125}))
    assert (again.json()["repeated"], count(gauge)) == (1, 2)
    (hour,) = client.get(f"/sensors/ledger?device={EUI}").json()["ledger"]
    assert (hour["received"], hour["stored"], hour["repeated"], hour["rejected"]) == (3, 2, 1, 0)
    (device,) = client.get("/sensors/devices").json()["devices"]
    assert (device["id"], device["format"], device["thing_id"]) == (EUI, "chirpstack", "T1")


def test_the_other_formats(client: TestClient, gauge: Engine) -> None:
    one = {"Datastream": {"@iot.id": "T1.stage"}, "phenomenonTime": "2026-11-20T00:00:00Z", "result": 1.0}
    assert client.post("/sensors/telemetry/sensorthings", json=[one]).json()["stored"] == 1
    pack = [{"bn": "T1.", "n": "stage", "u": "m", "bt": 1_763_600_400, "v": 1.5}]
    said = client.post("/sensors/telemetry/senml", json=pack, headers={"content-type": "application/senml+json"}).json()
    assert said["stored"] == 1
    assert client.post(f"/sensors/telemetry/json?device={EUI}", json={"level": 99}).json()["stored"] == 1
    refused = client.post("/sensors/telemetry/json", json={"level": 99})
    assert refused.status_code == 400 and "?device=" in refused.json()["hint"]
    assert client.post("/sensors/telemetry/other", json={}).status_code == 400


def test_what_cannot_be_read_is_kept_and_said(client: TestClient, gauge: Engine) -> None:
    answer = client.post("/sensors/telemetry/senml", content=b"{not json")
    assert (answer.status_code, answer.json()["reasons"]) == (200, {"unreadable": 1})
    assert answer.json()["refusals"][0]["code"] == "unreadable"
    future = {"Datastream": {"@iot.id": "T1.stage"}, "phenomenonTime": "2099-01-01T00:00:00Z", "result": 1}
    assert client.post("/sensors/telemetry/sensorthings", json=future).json()["reasons"] == {"future": 1}
    kept = client.get("/sensors/rejected?code=future").json()
    assert [(row["device"], row["code"], row["channel"]) for row in kept["rows"]] == [("T1", "future", "http")]
    assert {one["code"] for one in kept["summary"]} == {"unreadable", "future"}
    assert count(gauge) == 0


def test_only_who_may_write_sends_and_sees(settings: Settings) -> None:
    with TestClient(create_app(settings), ADDRESS, client=("10.0.0.7", 50_000)) as far:
        assert far.post("/sensors/telemetry/senml", json=[]).status_code == 403
        assert far.get("/sensors/devices").status_code == 403
        assert far.get("/sensors/rejected").status_code == 403
        assert far.get("/sensors/ledger").status_code == 403


def test_while_the_database_is_away_nothing_is_acknowledged(
    make_database: Callable[..., str], cluster_url: str, tmp_path: Path
) -> None:
    url = make_database("telemetry_away")
    made = Settings(database_url=url, data_dir=tmp_path, web_dir=tmp_path)
    one = {"Datastream": {"@iot.id": "T1.stage"}, "phenomenonTime": "2026-11-20T00:00:00Z", "result": 1.0}
    local = ("127.0.0.1", 50_000)
    with (
        TestClient(create_app(made), ADDRESS, client=local, raise_server_exceptions=False) as client,
        psycopg.connect(cluster_url, autocommit=True) as server,
    ):
        assert client.post("/sensors/telemetry/sensorthings", json=one).status_code == 200
        server.execute("alter database telemetry_away allow_connections false")
        server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'telemetry_away'")
        answer = client.post("/sensors/telemetry/sensorthings", json=one)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        server.execute("alter database telemetry_away allow_connections true")
        assert client.post("/sensors/telemetry/sensorthings", json=one).status_code == 200
