"""The queue has an end: 503 when it is full, 429 when it is full of one's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.conftest import ADDRESS
from twin.settings import Settings

TOKEN = "a-token-of-the-tests-0123456789"
EXECUTION = "/api/processes/flood-scenario/execution"


@contextmanager
def serving(settings: Settings, folder: Path, **changed: object) -> Iterator[TestClient]:
    app = create_app(settings.model_copy(update={"run_dir": folder, "rate_limit": 0.0, **changed}))
    with TestClient(app, ADDRESS, client=("127.0.0.1", 50_000), raise_server_exceptions=False) as client:
        # Runs of other tests may wait.
        dismiss_all(client)
        yield client
        dismiss_all(client)


def dismiss_all(client: TestClient) -> None:
    while waiting := client.get("/api/jobs?status=accepted").json()["jobs"]:
        for job in waiting:
            assert client.delete(f"/api/jobs/{job['jobID']}").status_code == 200


def test_a_full_queue_is_a_503_with_when_to_come_back(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path, waiting_runs=2) as client:
        assert [client.post(EXECUTION, json={"inputs": {}}).status_code for _ in range(2)] == [201, 201]
        refused = client.post(EXECUTION, json={"inputs": {}})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["type"] == "urn:twin:problem:overloaded"
        dismiss_all(client)
        assert client.post(EXECUTION, json={"inputs": {}}).status_code == 201


def test_one_has_so_many_runs_waiting_and_no_more(settings: Settings, tmp_path: Path) -> None:
    with serving(settings, tmp_path, waiting_runs_of_one=2, write_token=SecretStr(TOKEN)) as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        assert [client.post(EXECUTION, json={"inputs": {}}).status_code for _ in range(2)] == [201, 201]
        refused = client.post(EXECUTION, json={"inputs": {}})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["type"] == "urn:twin:problem:too-many"
        gone = client.get("/api/jobs?status=accepted").json()["jobs"][0]["jobID"]
        assert client.delete(f"/api/jobs/{gone}").status_code == 200
