"""Health, readiness, the viewer's files and the command that serves."""

import gzip
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from layers.errors import InputError
from twin.cli import app
from twin.settings import Settings


def test_alive_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    checks = {check["name"]: check for check in ready.json()["checks"]}
    assert set(checks) == {"database", "notifications", "worker", "viewer"}
    assert checks["database"]["ok"]
    assert "twin worker" in checks["worker"]["detail"]


def test_the_viewer_is_served_once_it_is_built(client: TestClient, settings: Settings) -> None:
    missing = client.get("/")
    assert missing.status_code == 503
    assert "make setup" in missing.text
    folder: Path = settings.web_dir
    (folder / "assets").mkdir(parents=True)
    try:
        (folder / "index.html").write_text("<!doctype html><title>map</title>")
        (folder / "assets" / "index-abc123.js").write_text("x = 1;\n" * 1000)
        page = client.get("/")
        assert "map" in page.text
        assert page.headers["cache-control"] == "no-cache"
        with client.stream("GET", "/assets/index-abc123.js") as script:
            assert "immutable" in script.headers["cache-control"]
            assert script.headers["content-encoding"] == "gzip"
            body = b"".join(script.iter_raw())
        assert gzip.decompress(body) == b"x = 1;\n" * 1000
        assert client.get("/../conftest.py").status_code == 404
        assert client.get("/%2e%2e/%2e%2e/etc/passwd").status_code == 404
    finally:
        for path in (folder / "assets" / "index-abc123.js", folder / "index.html"):
            path.unlink()
        (folder / "assets").rmdir()


def test_json_is_compressed_for_who_takes_it(client: TestClient) -> None:
    packed = client.get("/api/catalog")
    plain = client.get("/api/catalog", headers={"accept-encoding": "gzip;q=0"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_serving_others_must_be_said_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_HOST", "0.0.0.0")
    result = CliRunner().invoke(app, ["serve"])
    assert isinstance(result.exception, InputError)
    assert "twin serve --host 0.0.0.0" in str(result.exception)
