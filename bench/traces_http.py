"""Traces over HTTP: the network of the bench as a city, one worker of the server, questions from random places."""

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import Engine

from bench.city import fresh_database, running_workers
from bench.traces_city import fill_city, make_frames
from layers.store.engine import plain_url
from twin.networks.commodities import read_commodity
from twin.networks.storing import build_stored

Row = dict[str, Any]
ASKED, LIMIT_S = 40, 0.05
WARMING = 5
_HEADERS = {"content-type": "application/json"}
_WHOLE = json.dumps({"inputs": {"commodity": "water", "kind": "subnetwork"}})
KINDS = ("upstream", "downstream", "connected", "shortest_path", "subnetwork", "isolation")


def rows(url: str, case: dict[str, np.ndarray], columns: int, name: str) -> list[Row]:
    """Return the median and the 95th percentile of each kind of question [s], answered warm by one worker."""
    with (
        traced_city(url, case, columns) as engine,
        running_workers(plain_url(engine), cache_mb=64, workers=1) as server,
    ):
        times = measure(server.port, case["starts"].size)
    return [
        {
            "case": name,
            "metric": f"POST {kind}, {label}",
            "unit": "s",
            "ours": float(np.percentile(taken, share)),
            "peers": {},
            "limit": LIMIT_S,
        }
        for kind, taken in times.items()
        for label, share in (("median", 50), ("95 %", 95))
    ]


@contextlib.contextmanager
def traced_city(url: str, case: dict[str, np.ndarray], columns: int) -> Iterator[Engine]:
    """Make a city of the network beside ``url``, its topology built; drop it at the end."""
    with fresh_database(url, "bench_traces") as engine:
        fill_city(engine, make_frames(case, columns))
        with engine.begin() as connection:
            build_stored(connection, read_commodity("water"))
        yield engine


def measure(port: int, pipes: int) -> dict[str, list[float]]:
    """Return how long each answer took [s], by kind; the first of each is not counted."""
    chance = np.random.default_rng(22)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(WARMING):
        # Reading the network into memory may take longer than an answer may.
        connection.request("POST", "/api/processes/trace/execution", _WHOLE, _HEADERS)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            break
    for number in range(ASKED + 1):
        for kind in KINDS:
            starts, ends = ([f"water_pipes/WP-{chance.integers(pipes)}"] for _ in range(2))
            inputs: dict[str, Any] = {"commodity": "water", "starts": starts}
            if kind != "isolation":
                inputs |= {"kind": kind, "ends": ends if kind == "shortest_path" else []}
            process = "isolation" if kind == "isolation" else "trace"
            body = json.dumps({"inputs": inputs})
            begin = time.perf_counter()
            connection.request("POST", f"/api/processes/{process}/execution", body, _HEADERS)
            answer = connection.getresponse()
            told = answer.read()
            if answer.status != 200:
                raise SystemExit(f"traces bench: {kind} answers {answer.status} {told[:300]!r}")
            if number:
                times[kind].append(time.perf_counter() - begin)
    return times


def has_pgrouting(url: str) -> bool:
    """Return whether the server of ``url`` has the extension."""
    with psycopg.connect(url) as connection:
        found = connection.execute("select 1 from pg_available_extensions where name = 'pgrouting'").fetchone()
    return found is not None
