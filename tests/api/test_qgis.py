"""The QGIS project over HTTP and by the command is the same."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from tests.api.conftest import ADDRESS
from twin.cli import app


def test_the_command_writes_what_the_server_gives(
    client: TestClient, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the server is asked by somebody it does not know: a file goes from hand to hand."""
    answer = client.get("/api/qgis.qgz", headers={"x-forwarded-for": "203.0.113.9"})
    assert answer.headers["content-disposition"] == 'attachment; filename="city.qgz"'
    monkeypatch.setenv("TWIN_DATABASE_URL", database_url)
    target = tmp_path / "city.qgz"
    done = CliRunner().invoke(app, ["qgis", "--out", str(target), "--server", ADDRESS])
    assert done.exit_code == 0, done.output
    assert target.read_bytes() == answer.content
    for wrong in (["--server", "city.example"], ["--out", "city.shp"]):
        assert CliRunner().invoke(app, ["qgis", *wrong]).exit_code != 0
