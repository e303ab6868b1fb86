"""Processes and jobs over HTTP, on the real queue."""

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from twin.registry import PROCESSES

PATH = "/api/processes/flood-forecast/execution"


@pytest.mark.parametrize("process_id", list(PROCESSES))
def test_a_process_says_what_it_wants_and_gives(client: TestClient, process_id: str) -> None:
    listed = {process["id"]: process for process in client.get("/api/processes").json()["processes"]}
    assert set(listed) == set(PROCESSES)
    described = client.get(f"/api/processes/{process_id}").json()
    assert described["title_i18n"] == PROCESSES[process_id].title._asdict()
    assert set(described["inputs"]) == set(PROCESSES[process_id].inputs.model_fields)
    for declared in described["inputs"].values():
        assert {"title", "title_i18n", "description", "schema", "minOccurs"} <= set(declared)
    assert set(described["outputs"]) == set(PROCESSES[process_id].outputs)


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
        ({"response": "raw"}, "response"),
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
