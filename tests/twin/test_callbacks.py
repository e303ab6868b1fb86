"""Callbacks of jobs: sent by the worker, tried again, given up, and never into the private network."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import Engine, text

from layers.schema import Text
from twin.callbacks import deliver_due
from twin.settings import Settings
from twin.store import claim_run, create_run, fail_run, finish_run, request_dismiss, update_progress
from twin.store_callbacks import MOST_ATTEMPTS, JobRequest, insert_request, list_callbacks

NOW = datetime(2026, 11, 1, tzinfo=UTC)


class Subscriber:
    """An HTTP server that keeps what it is told and answers with ``status``."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.headers["content-type"] == "application/json"
                kept.told.append((self.path, json.loads(body)))
                self.send_response(kept.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    kept = Subscriber()
    thread = threading.Thread(target=kept.server.serve_forever, daemon=True)
    thread.start()
    yield kept
    kept.server.shutdown()
    kept.server.server_close()


@pytest.fixture
def allowed(engine: Engine) -> Settings:
    return Settings(database_url=engine.url.render_as_string(False), callback_hosts="127.0.0.1")


def begin(engine: Engine, base: str) -> str:
    with engine.begin() as connection:
        run_id = create_run(connection, process="flood-forecast", inputs={}, title=Text("Dự báo", "Forecast"))
        callbacks = {kind: f"{base}/{kind}" for kind in ("successUri", "inProgressUri", "failedUri")}
        insert_request(connection, run_id, JobRequest("https://city.test", callbacks=callbacks))  # type: ignore[arg-type]
        claim_run(connection, run_id)
    return run_id


def finish(engine: Engine, run_id: str) -> None:
    with engine.begin() as connection:
        finish_run(
            connection, run_id, title=Text("Dự báo", "Forecast"), base_time=NOW, horizon_hours=24.0,
            summary={"people": 3}, stage_forecast=None, balance=None, provenance={},
        )  # fmt: skip


def make_due(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update run.callback set next_attempt = now()"))


def read_states(engine: Engine, run_id: str) -> dict[str, str]:
    with engine.connect() as connection:
        return {row.kind: row.state for row in list_callbacks(connection, run_id)}


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/callback")
def test_progress_and_results_are_told(engine: Engine, allowed: Settings, subscriber: Subscriber) -> None:
    run_id = begin(engine, subscriber.base)
    assert deliver_due(engine, allowed) == 1
    assert [(path, told["status"]) for path, told in subscriber.told] == [("/inProgressUri", "running")]
    make_due(engine)
    assert deliver_due(engine, allowed) == 0, "the progress is the one that was told"
    with engine.begin() as connection:
        update_progress(connection, run_id, 42.0, "half")
    make_due(engine)
    assert deliver_due(engine, allowed) == 1
    assert subscriber.told[-1][1]["progress"] == 42
    finish(engine, run_id)
    assert deliver_due(engine, allowed) == 1
    path, results = subscriber.told[-1]
    assert path == "/successUri"
    assert results["summary"] == {"value": {"people": 3}, "mediaType": "application/json"}
    assert results["run"]["href"] == f"https://city.test/api/runs/{run_id}"
    make_due(engine)
    assert deliver_due(engine, allowed) == 0, "each is told once"
    assert read_states(engine, run_id) == {
        "successUri": "delivered", "inProgressUri": "not needed", "failedUri": "not needed",
    }  # fmt: skip


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/callback")
@pytest.mark.parametrize("dismissed", [False, True])
def test_a_failure_is_told(engine: Engine, allowed: Settings, subscriber: Subscriber, dismissed: bool) -> None:
    run_id = begin(engine, subscriber.base)
    with engine.begin() as connection:
        if dismissed:
            request_dismiss(connection, run_id)
        else:
            fail_run(connection, run_id, code="bad-input", message="no river")
    assert deliver_due(engine, allowed) == 1
    path, told = subscriber.told[-1]
    assert (path, told["status"]) == ("/failedUri", "dismissed" if dismissed else "failed")
    assert told["links"][0]["href"] == f"https://city.test/api/jobs/{run_id}"


def test_what_does_not_arrive_is_tried_again_and_given_up(
    engine: Engine, allowed: Settings, subscriber: Subscriber
) -> None:
    run_id = begin(engine, subscriber.base)
    finish(engine, run_id)
    subscriber.status = 503
    assert deliver_due(engine, allowed) == 0
    assert deliver_due(engine, allowed) == 0
    assert len(subscriber.told) == 1, "not before its time"
    for _ in range(2 * MOST_ATTEMPTS):
        make_due(engine)
        deliver_due(engine, allowed)
    assert len(subscriber.told) == MOST_ATTEMPTS
    with engine.connect() as connection:
        row = next(row for row in list_callbacks(connection, run_id) if row.kind == "successUri")
    assert (row.state, row.attempts, row.outcome) == ("given up", MOST_ATTEMPTS, "answered 503")


def test_a_private_address_is_not_called_unless_it_is_named(
    engine: Engine, allowed: Settings, subscriber: Subscriber
) -> None:
    run_id = begin(engine, subscriber.base)
    finish(engine, run_id)
    assert deliver_due(engine, allowed.model_copy(update={"callback_hosts": ""})) == 0
    assert subscriber.told == []
    with engine.connect() as connection:
        outcomes = {row.kind: row.outcome for row in list_callbacks(connection, run_id)}
    assert outcomes["successUri"] == "the callback leads to a private address"
