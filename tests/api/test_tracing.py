"""One request followed by its id and its trace: server, queue, worker, run. The collector is a real OTLP receiver."""

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.conftest import ADDRESS
from tests.commands import run_twin
from tests.conftest import ROOT
from twin.observing import traces
from twin.settings import Settings

service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
REQUEST = "req-42"
# It fails at once for want of a network, and that is as good a run as any.
PROCESS = "/api/processes/flood-forecast/execution"


class Collector(http.server.BaseHTTPRequestHandler):
    """Keeps the spans it is sent."""

    spans: list[tuple[str, object]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        sent = service.ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            part = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
            self.spans += [(part, span) for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, object]]]]:
    """Address of a collector, and what it got."""
    Collector.spans = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", Collector.spans
    server.shutdown()
    server.server_close()


def work_once(settings: Settings) -> list[dict[str, object]]:
    """Let a real worker empty the queue, and return the lines of its log."""
    given = {
        "TWIN_DATABASE_URL": str(settings.database_url), "TWIN_DATA_DIR": str(settings.data_dir),
        "TWIN_TRACES": str(settings.traces or ""), "TWIN_LOG_FORMAT": "json",
    }  # fmt: skip
    environment = {**os.environ, **{name: value for name, value in given.items() if value}}
    done = run_twin("worker", "--once", settings=environment)
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


def test_a_request_is_followed_to_the_end_of_its_run(
    settings: Settings, collector: tuple[str, list[tuple[str, object]]]
) -> None:
    address, spans = collector
    traced = settings.model_copy(update={"traces": address})
    with TestClient(create_app(traced), ADDRESS, client=("127.0.0.1", 50_000)) as client:
        headers = {"x-request-id": REQUEST, "traceparent": f"00-{TRACE}-{SPAN}-01", "prefer": "respond-async"}
        asked = client.post(PROCESS, json={"inputs": {}}, headers=headers)
        assert asked.status_code == 201
        assert asked.headers["x-request-id"] == REQUEST
        lines = work_once(traced)
    run_id = asked.json()["jobID"]
    of_run = [line for line in lines if line.get("run_id") == run_id]
    assert of_run
    assert {line["request_id"] for line in of_run} == {REQUEST}
    assert all(line["job_id"] and line["part"] == "worker" for line in of_run)
    assert {line["who"] for line in of_run} == {"local"}

    by_name = {(part, span.name): span for part, span in spans if span.trace_id.hex() == TRACE}  # type: ignore[attr-defined]
    server = by_name["twin-serve", "POST /api/processes/{process_id}/execution"]
    assert server.parent_span_id.hex() == SPAN
    put, job = by_name["twin-serve", "put into the queue"], by_name["twin-worker", "job"]
    assert put.parent_span_id == server.span_id
    assert job.parent_span_id == put.span_id
    assert by_name["twin-worker", "compute flood-forecast"].parent_span_id == job.span_id


def test_without_a_collector_nothing_is_imported_or_made() -> None:
    code = "import sys, twin.queue; sys.exit('twin.observing.otel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    with traces.span("nothing") as made:
        assert made is None
    assert traces.read_parent() is None
