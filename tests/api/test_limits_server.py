"""A real server of several processes: one allowance for all of them, and a flood of files that stops nobody else."""

import http.client
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from bench.city import find_free_port, wait_until_ready
from tests.api.conftest import TREE_TILE
from tests.commands import start_twin
from twin.settings import Settings

PATIENCE_S, READY_WITHIN_S = 60.0, 300.0
ALLOWED = 12


@contextmanager
def run_server(settings: Settings, folder: Path, *options: str, **changed: str) -> Iterator[int]:
    """Run ``twin serve`` on the small city and give its port."""
    port = find_free_port()
    environment = {
        **os.environ,
        "TWIN_DATABASE_URL": str(settings.database_url),
        "TWIN_DATA_DIR": str(settings.data_dir),
        "TWIN_RUN_DIR": str(folder),
        **changed,
    }
    server = start_twin("serve", "--port", port, *options, settings=environment)
    try:
        wait_until_ready(port, within_s=READY_WITHIN_S)
        yield port
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture(scope="module")
def port(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server of two processes that lets one address in another network have twelve tiles."""
    limits = {"TWIN_RATE_LIMIT": "0.001", "TWIN_RATE_BURST": str(ALLOWED)}
    with run_server(settings, tmp_path_factory.mktemp("wire"), "--workers", "2", **limits) as opened:
        yield opened


def ask(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and the whole body of an answer, which http.client checks for its length."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_server_processes_share_what_one_may_ask(port: int) -> None:
    tile = f"/tiles/trees/{TREE_TILE}.mvt"
    statuses = Counter(ask(port, tile, {"x-forwarded-for": "198.51.100.9"})[0] for _ in range(3 * ALLOWED))
    assert statuses == {200: ALLOWED, 429: 2 * ALLOWED}
    # Of what a client says of itself only what the trusted proxy added counts.
    assert ask(port, tile, {"x-forwarded-for": "203.0.113.1, 198.51.100.9"})[0] == 429
    assert ask(port, tile, {"x-forwarded-for": "198.51.100.9, 203.0.113.1"})[0] == 200


def test_long_addresses_and_heads_are_refused_in_words(port: int) -> None:
    status, _, body = ask(port, f"/api/collections?x={'y' * 40_000}")
    assert (status, orjson.loads(body)["type"]) == (414, "urn:twin:problem:too-long")
    many = {f"x-{number}": "y" * 1_000 for number in range(70)}
    assert ask(port, "/healthz", many)[0] == 431
    assert ask(port, "/healthz", {"x": "y" * 30_000})[0] == 200


def test_alarms_and_health_are_answered_while_files_and_pictures_flood_the_server(
    settings: Settings, tmp_path: Path
) -> None:
    flood = (
        "/api/collections/trees/items?f=gpkg",
        "/api/collections/trees/items?f=xlsx",
        "/api/collections/trees/map?width=800&height=800",
    )
    seen: dict[str, Counter[int]] = {"flood": Counter(), "control": Counter(), "map": Counter()}
    broken: list[str] = []
    lock, over = threading.Lock(), threading.Event()

    def go(kind: str, paths: tuple[str, ...], port: int) -> None:
        while not over.is_set():
            for path in paths:
                try:
                    status, headers, body = ask(port, path)
                except (OSError, http.client.HTTPException) as error:
                    broken.append(f"{path}: {error!r}")
                    continue
                with lock:
                    seen[kind][status] += 1
                if status == 503 and ("retry-after" not in headers or orjson.loads(body)["status"] != 503):
                    broken.append(f"{path}: {headers}")

    with run_server(settings, tmp_path) as port:
        crowd = [threading.Thread(target=go, args=("flood", flood, port)) for _ in range(24)]
        for thread in crowd:
            thread.start()
        go_on = ("/healthz", "/alarms", "/readyz", "/cap/alerts.json")
        for _ in range(5):
            for path in go_on:
                seen["control"][ask(port, path)[0]] += 1
            seen["map"][ask(port, f"/tiles/trees/{TREE_TILE}.mvt")[0]] += 1
        over.set()
        for thread in crowd:
            thread.join()
    assert not broken
    assert seen["control"] == {200: 20}
    assert seen["map"] == {200: 5}
    # Some are served, the others hear that there is no room; nobody meets a mistake.
    assert set(seen["flood"]) == {200, 503}, seen["flood"]
