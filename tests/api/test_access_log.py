"""One line a request: by whom, what, how long; without what the query holds; under the id that is answered back."""

import json
import logging

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import ADDRESS
from twin.observing.logs import JsonLines


class Lines(logging.Handler):
    """Keeps the lines the server would write, written where they are: with the context that holds there."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines("serve"))
        self.kept: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append({"at": record.levelno, **json.loads(self.format(record))})


@pytest.fixture
def lines() -> object:
    log, kept = logging.getLogger("api.access"), Lines()
    level = log.level
    log.addHandler(kept)
    log.setLevel(logging.DEBUG)
    yield kept.kept
    log.removeHandler(kept)
    log.setLevel(level)


def test_a_request_is_one_line(client: TestClient, lines: list[dict[str, object]]) -> None:
    answer = client.get("/api/collections/trees/items?limit=1&name=geheim", headers={"x-request-id": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    (line,) = lines
    assert (line["request_id"], line["who"], line["client"]) == ("abc-1", "local", "127.0.0.1")
    assert (line["method"], line["status"]) == ("GET", answer.status_code)
    assert line["route"] == "/api/collections/{collection_id}/items"
    assert line["path"] == "/api/collections/trees/items"
    assert float(str(line["ms"])) > 0 and line["bytes"]
    assert "geheim" not in json.dumps(line)


def test_every_answer_has_an_id_and_no_two_the_same(client: TestClient) -> None:
    answers = [client.get(path) for path in ("/api", "/nowhere", "/healthz", "/tiles/trees/0/0/0.mvt")]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert client.get("/api", headers={"x-request-id": "a b\tc"}).headers["x-request-id"] != "a b\tc"


def test_who_asks_is_told_and_its_token_is_not(client: TestClient, lines: list[dict[str, object]]) -> None:
    elsewhere = TestClient(client.app, ADDRESS, client=("198.51.100.7", 50_000), raise_server_exceptions=False)
    elsewhere.post("/api/edits", json={}, headers={"authorization": "Bearer geheim-geheim-geheim"})
    (line,) = lines
    assert line["client"] == "198.51.100.7"
    assert "geheim" not in json.dumps(line)


def test_probes_are_quiet(client: TestClient, lines: list[dict[str, object]]) -> None:
    client.get("/healthz")
    assert [line["at"] for line in lines] == [logging.DEBUG]
