"""Processes and jobs over HTTP, on the real queue."""

import httpx
import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.schema import Text
from tests.api.conftest import ADDRESS
from twin.registry import PROCESSES
from twin.store import create_run, delete_runs
from twin.store_callbacks import JobRequest, insert_request

PATH = "/api/processes/flood-forecast/execution"


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/core", "ogcapi-processes-1/1.0/conf/json")
@pytest.mark.parametrize("process_id", list(PROCESSES))
def test_a_process_says_what_it_wants_and_gives(client: TestClient, process_id: str) -> None:
    listed = {process["id"]: process for process in client.get("/api/processes").json()["processes"]}
    assert set(listed) == set(PROCESSES)
    described = client.get(f"/api/processes/{process_id}").json()
    assert described["title_i18n"] == PROCESSES[process_id].title._asdict()
    assert set(described["inputs"]) == set(PROCESSES[process_id].inputs.model_fields)
    for declared in described["inputs"].values():
        assert {"title", "title_i18n", "description", "schema", "minOccurs", "maxOccurs"} <= set(declared)
    assert set(described["outputs"]) == {*PROCESSES[process_id].outputs, "summary", "run"}


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/core", "ogcapi-processes-1/1.0/conf/dismiss")
def test_a_run_is_accepted_queued_listed_and_dismissed(client: TestClient, writer: Engine) -> None:
    answer = client.post(PATH, json={"inputs": {"horizon_hours": 24}})
    assert answer.status_code == 201, answer.text
    status = answer.json()
    job_id = status["jobID"]
    assert answer.headers["location"].endswith(f"/api/jobs/{job_id}")
    assert (status["status"], status["type"], status["processID"]) == ("accepted", "process", "flood-forecast")
    with writer.connect() as connection:
        queued = connection.execute(
            text("select count(*) from queue.procrastinate_jobs where args->>'run_id' = :id"), {"id": job_id}
        ).scalar_one()
    assert queued == 1
    assert job_id in [job["jobID"] for job in client.get("/api/jobs?status=accepted").json()["jobs"]]
    early = client.get(f"/api/jobs/{job_id}/results")
    assert early.status_code == 404
    assert early.json()["type"].endswith("/result-not-ready")
    assert client.delete(f"/api/jobs/{job_id}").json()["status"] == "dismissed"
    assert client.get(f"/api/jobs/{job_id}").json()["status"] == "dismissed"
    assert client.get(f"/api/jobs/{job_id}/results").status_code == 409
    assert client.get(f"/api/runs/{job_id}").json()["inputs"] == {"horizon_hours": 24.0}


def test_a_finished_run_cannot_be_dismissed(client: TestClient) -> None:
    job = client.get("/api/jobs?status=successful").json()["jobs"][0]
    assert job["progress"] == 100
    answer = client.delete(f"/api/jobs/{job['jobID']}")
    assert answer.status_code == 409
    assert "already successful" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"inputs": {"depth_of_feeling": 3}}, "no input 'depth_of_feeling'"),
        ({"inputs": {"horizon_hours": 1000}}, "horizon_hours"),
        ({"inputs": {"horizon_hours": "long"}}, "horizon_hours"),
        ({"inputs": [1]}, "inputs is not a JSON object"),
        ({"input": {}}, "unknown member 'input'"),
        ([], "not a JSON object"),
        ({"response": "raw"}, "cannot mix values and references"),
        ({"response": "loud"}, "response 'loud'"),
        ({"mode": "sync"}, "mode 'sync' is not offered"),
        ({"outputs": {"gold": {}}}, "no output 'gold'"),
        ({"outputs": {"flood_depth": {"transmissionMode": "value"}}}, "transmissionMode 'value' is not offered"),
        ({"outputs": {"flood_depth": {"format": {"mediaType": "image/bmp"}}}}, "format is not offered"),
        ({"inputs": {"horizon_hours": {"href": "http://elsewhere.test/24"}}}, "given by value"),
        ({"subscriber": {"failedUri": "https://example.org"}}, "no successUri"),
        ({"subscriber": {"successUri": "https://example.org", "later": "x"}}, "unknown member 'later'"),
        ({"subscriber": {"successUri": "ftp://example.org"}}, "not an http or https address"),
        ({"subscriber": {"successUri": "http://127.0.0.1:5432/"}}, "not a public address"),
        ({"subscriber": {"successUri": "http://[::ffff:10.0.0.1]/"}}, "not a public address"),
        ({"subscriber": {"successUri": "http://169.254.169.254/latest"}}, "not a public address"),
        ({"subscriber": {"successUri": "http://localhost/"}}, "not a public address"),
        ({"subscriber": {"successUri": "https://user:word@example.org/"}}, "holds a user name"),
        ({"subscriber": {"successUri": "https://example.org:99999/"}}, "not an address"),
        ({"subscriber": {"successUri": "https://example.org/" + "x" * 3000}}, "at most 2000 characters"),
    ],
)
def test_wrong_inputs_are_named_and_nothing_is_entered(client: TestClient, body: object, words: str) -> None:
    before = len(client.get("/api/runs").json()["runs"])
    answer = client.post(PATH, json=body)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert len(client.get("/api/runs").json()["runs"]) == before


def test_what_is_no_json_is_refused(client: TestClient) -> None:
    answer = client.post(PATH, content=b"{broken", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "not JSON" in answer.json()["detail"]


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/core")
def test_an_unknown_process_has_the_type_of_the_standard(client: TestClient) -> None:
    for answer in (client.get("/api/processes/none"), client.post("/api/processes/none/execution", json={})):
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("/no-such-process")
    assert client.get("/api/jobs/none").json()["type"].endswith("/no-such-job")


def test_runs_carry_their_record(client: TestClient) -> None:
    short = next(run for run in client.get("/api/runs").json()["runs"] if run["status"] == "successful")
    assert {"id", "process", "status", "inputs", "title", "created", "base_time", "horizon_hours"} <= set(short)
    run = client.get(f"/api/runs/{short['id']}").json()
    assert run["synthetic"] is True
    assert run["summary"] == {"people": 3}
    assert run["balance"] == {"relative_error": 0.0}
    raster = run["rasters"][0]
    assert raster["layer"] == "flood_depth"
    assert len(raster["times"]) == 3
    assert client.get(raster["tiles"].format(z=15, x=26008, y=15467)).status_code == 200


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/ogc-process-description")
@pytest.mark.parametrize("process_id", list(PROCESSES))
def test_every_number_has_a_unit_and_a_range(client: TestClient, process_id: str) -> None:
    described = client.get(f"/api/processes/{process_id}").json()
    for name, declared in described["inputs"].items():
        schema = declared["schema"]
        assert (declared["minOccurs"], declared["maxOccurs"]) in ((0, 1), (1, 1)), name
        if schema.get("type") in ("number", "integer"):
            assert schema["x-ogc-unit"], name
            assert "minimum" in schema or "exclusiveMinimum" in schema, name
            assert "maximum" in schema, name
        for value in schema.get("enum", ()):
            assert set(schema["x-enum-titles"][value]) == {"vi", "en"}, name
    for name, declared in described["outputs"].items():
        choices = declared["schema"].get("oneOf", [declared["schema"]])
        assert all("/" in choice["contentMediaType"] for choice in choices), name


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/core")
def test_processes_come_in_pages(client: TestClient) -> None:
    seen: list[str] = []
    address = "/api/processes?limit=1"
    while address:
        page = client.get(address).json()
        seen += [process["id"] for process in page["processes"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert seen == list(PROCESSES)
    assert client.get("/api/processes?cursor=none").status_code == 400


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/core")
def test_a_preference_is_applied_only_where_it_was_stated(client: TestClient) -> None:
    body = {"inputs": {"horizon_hours": {"value": 24}}, "mode": "async", "outputs": {"summary": {}}}
    plain = client.post(PATH, json=body)
    asked = client.post(PATH, json=body, headers={"prefer": "return=minimal, respond-async; wait=5"})
    assert "preference-applied" not in plain.headers
    assert asked.headers["preference-applied"] == "respond-async"
    for answer in (plain, asked):
        assert answer.status_code == 201
        job = answer.json()
        assert client.get(f"/api/runs/{job['jobID']}").json()["inputs"] == {"horizon_hours": 24.0}
        client.delete(f"/api/jobs/{job['jobID']}")


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/core", "ogcapi-processes-1/1.0/conf/json")
def test_results_come_as_they_were_asked_for(client: TestClient, writer: Engine) -> None:
    job_id = client.get("/api/jobs?status=successful").json()["jobs"][-1]["jobID"]
    usual = client.get(f"/api/jobs/{job_id}/results").json()
    assert usual["summary"] == {"value": {"people": 3}, "mediaType": "application/json"}
    assert usual["flood_depth"]["type"] == "image/tiff; application=geotiff"
    for result in usual.values():
        if "href" in result:
            found = client.get(result["href"])
            assert found.status_code == 200
            assert found.headers["content-type"].startswith(result["type"].partition(";")[0])

    def ask(outputs: dict[str, dict[str, str]], response: str) -> httpx.Response:
        with writer.begin() as connection:
            connection.execute(text("delete from run.request where run_id = :id"), {"id": job_id})
            insert_request(connection, job_id, JobRequest("http://elsewhere.test", outputs, response))
        return client.get(f"/api/jobs/{job_id}/results")

    try:
        tiles = ask({"flood_depth": {"transmissionMode": "reference", "mediaType": "application/json"}}, "document")
        assert list(tiles.json()) == ["flood_depth"]
        assert client.get(tiles.json()["flood_depth"]["href"]).json()["tilejson"] == "3.0.0"
        by_link = ask({"summary": {"transmissionMode": "reference"}}, "document").json()
        assert by_link["summary"]["href"].endswith(f"/api/runs/{job_id}")
        assert ask({"summary": {"transmissionMode": "value"}}, "raw").json() == {"people": 3}
        links = ask({"flood_depth": {"transmissionMode": "reference"}}, "raw")
        assert (links.status_code, links.content) == (204, b"")
        assert f"{ADDRESS}/tiles/raster/" in links.headers["link"]
    finally:
        with writer.begin() as connection:
            connection.execute(text("delete from run.request where run_id = :id"), {"id": job_id})


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/job-list")
def test_jobs_are_filtered_and_come_in_pages(client: TestClient, writer: Engine) -> None:
    with writer.begin() as connection:
        made = [
            create_run(connection, process="flood-compare", inputs={}, title=Text("So sánh", "Compare"))
            for _ in range(7)
        ]
        connection.execute(
            text(
                "update run.run set created = '2020-01-01T00:00:00Z', started = '2020-01-01T00:00:00Z', "
                "finished = '2020-01-01T01:00:00Z', status = 'failed' where id = :id"
            ),
            {"id": made[0]},
        )

    def read(query: str) -> list[str]:
        found: list[str] = []
        address = f"/api/jobs?{query}"
        while address:
            page = client.get(address).json()
            assert len(page["jobs"]) <= 3
            found += [job["jobID"] for job in page["jobs"]]
            address = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
        return found

    try:
        assert sorted(read("processID=flood-compare&type=process&limit=3")) == sorted(made)
        assert read("processID=flood-compare&status=failed,dismissed&limit=1") == [made[0]]
        assert made[0] not in read("processID=flood-compare,flood-forecast&status=accepted&limit=3")
        assert read("datetime=2019-12-31T00:00:00Z/2020-01-02T00:00:00Z&limit=3") == [made[0]]
        assert read("processID=flood-compare&minDuration=3600&limit=3") == [made[0]]
        assert read("processID=flood-compare&maxDuration=3599&limit=3") == []
        for wrong in ("status=odd", "processID=none", "minDuration=-1", "type=service", "cursor=AAAA", "datetime=soon"):
            assert client.get(f"/api/jobs?{wrong}").status_code == 400, wrong
    finally:
        with writer.begin() as connection:
            delete_runs(connection, made)


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/callback")
def test_what_became_of_a_callback_stands_in_the_job(client: TestClient) -> None:
    asked = {"successUri": "https://example.org/done?key=secret", "failedUri": "https://example.org/failed"}
    answer = client.post(PATH, json={"inputs": {}, "subscriber": asked})
    assert answer.status_code == 201
    address = f"/api/jobs/{answer.json()['jobID']}"
    told = client.get(address)
    assert told.json()["callbacks"] == [
        {"kind": "successUri", "state": "waiting", "attempts": 0},
        {"kind": "failedUri", "state": "waiting", "attempts": 0},
    ]
    assert "secret" not in told.text
    client.delete(address)
