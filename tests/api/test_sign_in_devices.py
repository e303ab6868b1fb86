"""A device writes its own series alone, by whichever address."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.app import create_app
from layers.store.engine import open_engine
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from tests.api.conftest import ADDRESS
from twin.accounts.keeping import Author
from twin.accounts.keys import add_device_key
from twin.settings import Settings

NOW = datetime.now(UTC).replace(microsecond=0)
AT = NOW.isoformat()
US = Author("cli:test", "cli")
LINK = {"Datastream": {"@iot.id": "G1.stage"}}
FOREIGN = {"Datastream": {"@iot.id": "G2.stage"}}
READING = {"phenomenonTime": AT, "result": 1.0}


@pytest.fixture(scope="module")
def device(make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client with the key of the device of thing G1, beside which there is G2."""
    url, folder = make_database("sign_in_devices"), tmp_path_factory.mktemp("devices")
    engine = open_engine(url)
    rows = [Datastream(f"G{k}.stage", f"G{k}", "stage", "m", "Mực nước", "Stage") for k in (1, 2)]
    with engine.begin() as connection:
        upsert_datastreams(connection, rows, "test")
        made = add_device_key(connection, US, "gauge", thing="G1")
    app = create_app(Settings(database_url=url, data_dir=folder, web_dir=folder / "web", run_dir=folder))
    with TestClient(app, ADDRESS, client=("203.0.113.9", 50_000), raise_server_exceptions=False) as opened:
        opened.headers["authorization"] = f"Bearer {made.key}"
        yield opened
    with engine.connect() as connection:
        foreign = connection.execute(
            text("select count(*) from sensing.observation where datastream = "
                 "(select fid from sensing.datastream where id = 'G2.stage')")
        ).scalar_one()  # fmt: skip
    engine.dispose()
    assert foreign == 0


def arrays(name: str) -> list[dict]:
    names = ["phenomenonTime", "result"]
    return [{"Datastream": {"@iot.id": name}, "components": names, "dataArray": [[AT, 2.0]]}]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sta/v1.1/Observations", {**READING, **LINK}),
        ("/sta/v1.1/Datastreams('G1.stage')/Observations", READING),
        ("/sta/v1.1/CreateObservations", arrays("G1.stage")),
        ("/sensors/telemetry/sensorthings", {**READING, **LINK}),
    ],
)
def test_own_readings_are_taken(device: TestClient, path: str, body: object) -> None:
    answer = device.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    if "telemetry" in path:
        assert answer.json()["rejected"] == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sta/v1.1/Observations", {**READING, **FOREIGN}),
        ("/sta/v1.1/Observations", {**READING, "Datastream": {"name": "new", "Thing": {"@iot.id": "G1"}}}),
        ("/sta/v1.1/Observations", {**READING, **LINK, "FeatureOfInterest": {"name": "new"}}),
        ("/sta/v1.1/Observations", [READING]),
        ("/sta/v1.1/Observations", {"@iot.id": "1", **LINK}),
        ("/sta/v1.1/Datastreams('G2.stage')/Observations", READING),
        ("/sta/v1.1/Datastreams('G2.stage')/Observations", {**READING, **LINK}),
        ("/sta/v1.1/Things('G1')/Datastreams('G1.stage')/Observations", READING),
        ("/sta/v1.1/Datastreams('G1.stage')/Observations/$ref", {"@iot.id": "1"}),
        ("/sta/v1.1/CreateObservations", [*arrays("G1.stage"), *arrays("G2.stage")]),
        ("/sta/v1.1/Things", {"name": "x", "description": "x"}),
    ],
)
def test_others_are_refused(device: TestClient, path: str, body: object) -> None:
    answer = device.post(path, json=body)
    assert answer.status_code == 403 or ("G2" in path and LINK.items() <= dict(body).items()), answer.text


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_nothing_is_changed_or_deleted(device: TestClient, method: str) -> None:
    for path in ("Things('G1')", "Datastreams('G1.stage')", "Observations('1')"):
        assert device.request(method, f"/sta/v1.1/{path}", json={"description": "x"}).status_code == 403


def test_a_batch_reaches_no_further(device: TestClient) -> None:
    asked = [
        {"id": "1", "method": "post", "url": "Observations", "body": {**READING, **LINK}},
        {"id": "2", "method": "post", "url": "Observations", "body": {**READING, **FOREIGN}},
        {"id": "3", "method": "patch", "url": "Things('G1')", "body": {"description": "x"}},
        {"id": "4", "atomicityGroup": "a", "method": "post", "url": "Observations", "body": {**READING, **FOREIGN}},
        {"id": "5", "method": "get", "url": "Things('G1')"},
    ]
    headers = {"prefer": "continue-on-error"}
    answers = device.post("/sta/v1.1/$batch", json={"requests": asked}, headers=headers).json()["responses"]
    assert [one["status"] for one in answers] == [201, 403, 403, 403, 200]


def test_csv_and_telemetry_reach_no_further(device: TestClient) -> None:
    head = "datastream_id,phenomenon_time,result\n"
    for name, status in (("G1.stage", 201), ("G2.stage", 403)):
        sent = f"{head}{name},{AT},3.0\n"
        answer = device.post("/sensors/observations", content=sent, headers={"content-type": "text/csv"})
        assert answer.status_code == status, answer.text
    told = device.post("/sensors/telemetry/senml", json=[{"n": "G2.stage", "v": 1.0, "u": "m"}]).json()
    assert told["reasons"] == {"not-own": 1}


def test_a_device_does_nothing_else(device: TestClient) -> None:
    for method, path in (("POST", "/api/edits"), ("GET", "/sensors/devices"), ("POST", "/auth/keys")):
        assert device.request(method, path, json={"title": "x"}).status_code == 403
    assert device.get("/sta/v1.1/Things").status_code == 200
