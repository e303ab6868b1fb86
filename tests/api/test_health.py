"""Health, readiness, the viewer's files and the command that serves."""

import gzip
from pathlib import Path

import pytest
from click.testing import Result
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from tests.api.conftest import ADDRESS
from twin.cli import app as command
from twin.settings import Settings


def test_alive_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    checks = {check["name"]: check for check in ready.json()["checks"]}
    assert set(checks) >= {
        "serving", "database", "migrations", "worker", "queue", "loop", "clock", "notifications", "broker", "disk",
        "viewer",
    }  # fmt: skip
    assert checks["database"]["ok"]
    assert checks["migrations"]["state"] == "ok"
    assert checks["worker"]["state"] == "degraded"
    assert checks["worker"]["hint"] == "type: twin worker"
    assert all(check["since"].endswith("Z") for check in checks.values())
    assert ready.json()["status"] == "degraded"


def test_a_process_that_takes_leave_says_so(settings: Settings) -> None:
    app = create_app(settings)
    with TestClient(app, ADDRESS, client=("127.0.0.1", 50_000)) as leaving:
        assert leaving.get("/readyz").status_code == 200
        app.state.resources.readiness.drain()
        gone = leaving.get("/readyz")
        assert gone.status_code == 503
        assert gone.json()["status"] == "draining"
        assert leaving.get("/healthz").status_code == 200


def test_a_database_that_hangs_keeps_nobody_waiting(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.readiness.PATIENCE_S", 0.05)
    readiness = client.app.state.resources.readiness  # type: ignore[attr-defined]
    with readiness._lock:
        waiting = client.get("/readyz")
    assert waiting.status_code == 503
    assert {check["name"]: check["state"] for check in waiting.json()["checks"]}["database"] == "failed"
    monkeypatch.undo()
    assert client.get("/readyz").status_code == 200


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


def serve(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[Result, dict[str, object]]:
    """Call ``twin serve`` up to the moment it would listen, and return what it said and was about to do."""
    called: dict[str, object] = {}
    monkeypatch.setenv("TWIN_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setattr("uvicorn.run", lambda application, **options: called.update(options, application=application))
    return CliRunner().invoke(command, ["serve", *words]), called


def test_only_this_machine_is_served_unless_an_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWIN_HOST", raising=False)
    quiet, called = serve(monkeypatch)
    assert (called["host"], called["application"]) == ("127.0.0.1", "api.app:create_app")
    assert "in the clear" not in quiet.output
    loud, called = serve(monkeypatch, "--host", "0.0.0.0", "--port", "8123")
    assert (called["host"], called["port"]) == ("0.0.0.0", 8123)
    assert "in the clear" in " ".join(loud.output.split())
    assert "http://0.0.0.0:8123/" in loud.output


def test_an_impossible_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refused, called = serve(monkeypatch, "--port", "99999")
    assert refused.exit_code == 2
    assert not called
