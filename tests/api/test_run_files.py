"""Files of runs over HTTP: those a run keeps by name, nothing else."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from twin.settings import Settings


@pytest.fixture(scope="module")
def run_id(client: TestClient, settings: Settings) -> str:
    """The finished run of the test city, with a table, a drawing and something that is not handed out."""
    runs = client.get("/api/runs").json()["runs"]
    found: str = next(run["id"] for run in runs if run["status"] == "successful")
    folder: Path = settings.processed_dir / "runs" / found
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (folder / "secret.npz").write_bytes(b"x")
    return found


def test_tables_and_drawings_are_listed_and_read(client: TestClient, run_id: str) -> None:
    listed = client.get(f"/api/runs/{run_id}/files").json()["files"]
    assert [(each["name"], each["size"]) for each in listed] == [("drawing.svg", 41), ("table.csv", 8)]
    got = client.get(listed[1]["href"])
    assert (got.status_code, got.text) == (200, "a,b\n1,2\n")
    drawn = client.get(listed[0]["href"])
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in drawn.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["secret.npz", "absent.csv", "..%2f..%2fterrain.tif"])
def test_nothing_else_is_read(client: TestClient, run_id: str, name: str) -> None:
    assert client.get(f"/api/runs/{run_id}/files/{name}").status_code == 404
    assert client.get("/api/runs/none/files").status_code == 404
    assert client.get(f"/api/runs/{run_id}/files?x=1").status_code == 400
