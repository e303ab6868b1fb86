"""Servers that are replaced one after another, and a database that goes away and comes back under them."""

import contextlib
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.faults.plant import Asking, Balancer, Plant, Process, await_ready, is_ready, wait_for
from tests.ports import find_port

ROUTE, TIMES = "/api/conformance", 24
PATHS = [
    "/api/collections/buildings/items?limit=5",
    "/tiles/buildings/14/13004/7733.mvt",
    "/tiles/raster/terrain/preview.png?size=64",
    "/sensors/latest",
]


@pytest.fixture(scope="module")
def pair(plant: Plant) -> list[int]:
    """Ports of two servers on one database."""
    return plant.take_servers(2)


class Stream(threading.Thread):
    """A listener to live changes; ``ended`` says how."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port, self.told, self.ended = port, "", ""
        self.start()

    def run(self) -> None:
        try:
            with httpx.stream("GET", f"http://127.0.0.1:{self.port}/sensors/events", timeout=None) as answer:
                for text in answer.iter_text():
                    self.told += text
            self.ended = "cleanly"
        except httpx.HTTPError as error:
            self.ended = repr(error)


def test_servers_are_replaced_one_after_another_and_nobody_notices(plant: Plant, pair: list[int]) -> None:
    balancer = Balancer(pair)
    asking = Asking(balancer.port, PATHS)
    stream = Stream(pair[0])
    wait_for(lambda: "ready" in stream.told, "the listener is heard")
    asking.await_more(20, "servers answer")
    for port in pair:
        assert plant.end(plant.servers[port]) in (0, -signal.SIGTERM)
        asking.await_more(20, "the other one answers")
        plant.servers[port] = plant.start_server(port)
        await_ready(port)
    answers = asking.end()
    balancer.close()
    assert {status for _, status, _ in answers} == {200, 204}
    stream.join(10.0)
    assert stream.ended == "cleanly"


def test_a_database_that_restarts_is_missed_for_seconds_only(plant: Plant, pair: list[int]) -> None:
    port = pair[0]
    base = f"http://127.0.0.1:{port}"
    asking = Asking(port, PATHS[:1] + PATHS[3:])
    stream = Stream(port)
    wait_for(lambda: "ready" in stream.told, "the listener is heard")
    asking.await_more(20, "the server answers")
    plant.break_database()
    try:
        away = httpx.get(f"{base}{PATHS[0]}", timeout=30.0)
        assert away.status_code == 503 and away.headers["retry-after"]
        assert away.headers["content-type"].startswith("application/problem+json")
        assert httpx.get(f"{base}/healthz").status_code == 200 and not is_ready(port)
        asking.await_more(50, "requests are refused quickly")
    finally:
        plant.start_database()
    await_ready(port)
    asking.await_more(50, "requests are answered again")
    answers = asking.end()
    assert {status for _, status, _ in answers} == {200, 503}
    assert [status for _, status, _ in answers[-20:]] == [200] * 20
    # What the database tells is heard again: a change reaches the listener of before.
    told = stream.told.count("event: reading")
    post = {"phenomenonTime": datetime.now(UTC).isoformat(), "result": 1.25, "Datastream": {"@iot.id": "S1.stage"}}
    assert httpx.post(f"{base}/sta/v1.1/Observations", json=post).status_code == 201
    wait_for(lambda: stream.told.count("event: reading") > told, "the listener hears of a reading")


def test_processes_of_one_server_count_as_one_and_are_replaced(plant: Plant) -> None:
    port = find_port()
    server = plant.start_server(port, "--workers", "2")
    await_ready(port)
    counters = plant.folder / "run" / "counters" / str(port)
    wait_for(lambda: len(list(counters.glob("counter_*.db"))) == 2, "both processes count")
    for _ in range(TIMES):
        assert httpx.get(f"http://127.0.0.1:{port}{ROUTE}").status_code == 200
    # Each request is a connection of its own: either process may answer.
    assert {read_figure(port, "twin_requests_total", route=ROUTE, status="200") for _ in range(6)} == {TIMES}
    assert read_figure(port, "twin_pool_connections", state="limit") > 0

    asking = Asking(port, PATHS[:1])
    asking.await_more(20, "the server answers")
    stream = Stream(port)
    wait_for(lambda: "ready" in stream.told, "the listener is heard")
    before = list_children(server)
    server.send_signal(signal.SIGHUP)
    wait_for(lambda: before.isdisjoint(list_children(server)), "each process is replaced")
    assert {status for _, status, _ in asking.end()} == {200}
    stream.join(10.0)
    assert stream.ended == "cleanly"
    # What processes counted that are gone is not lost.
    assert read_figure(port, "twin_requests_total", route=ROUTE, status="200") == TIMES
    assert plant.end(server) == 0


def read_figure(port: int, name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have the labels."""
    told = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30.0).raise_for_status().text
    return sum(
        sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def list_children(server: Process) -> set[str]:
    """Return the processes that answer for a server."""
    listed = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    found = set[str]()
    for child in listed:
        with contextlib.suppress(OSError):
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(child)
    return found
