"""Readings in and out: observations per CPU second of our server and its database, and the time of common questions.

What sends is another process, not counted. The peer measured in the same run is psycopg into a plain table with the
same key and nothing else: no quality tests, no latest, no roll-ups, no corrections; its CPU seconds are those of the
database and of this process. istSOS4's figures were measured in another run on another day and are marked so.
"""

import http.client
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg

from bench.cpu import measure_cpu
from bench.sensor_city import WRITTEN, YEAR, SensorCity, name_series, running_ingest, sensor_city
from twin.sensors.broker import Broker, find_mosquitto
from twin.simulation.messages import Message, write_message
from twin.simulation.publishing import Publisher

ISTSOS4 = "istSOS4 (quoted, not of this run)"
PEER = "psycopg, plain table"
QUOTED = {"single": 100.0, "array": 561.0, "bulk": 7_194.0}
ARRIVE_WITHIN_S, READY_WITHIN_S = 300.0, 60.0
ROUNDS = 25
START = datetime(2026, 2, 1, tzinfo=UTC)
Row = dict[str, Any]
Reading = tuple[str, str, float]


def rows(url: str) -> list[Row]:
    """Return the measured rows; ``limit`` of an answer's time is the most that is wanted [ms]."""
    with sensor_city(url, "bench_sensors") as city:
        clock = _Clock()
        made = [
            *(_measure_posts(city, clock, clients, count) for clients, count in ((1, 500), (16, 3_000), (64, 4_000))),
            *(_measure_arrays(city, clock, size, total) for size, total in ((100, 20_000), (1_000, 100_000))),
            _measure_csv(city, clock, 200_000),
            *_measure_mqtt(city, clock),
            *_measure_latest(city),
            *_measure_year(city),
        ]
    return made


class _Clock:
    """Gives readings with times that were never given before, over the series that are written to."""

    def __init__(self) -> None:
        self._second = 0

    def make(self, count: int) -> Iterator[Reading]:
        """Yield ``count`` readings, in turns of all series."""
        for number in range(count):
            if number % WRITTEN == 0:
                self._second += 1
                moment = (START + timedelta(seconds=self._second)).strftime("%Y-%m-%dT%H:%M:%SZ")
            yield name_series(number % WRITTEN + 1), moment, round(1.0 + number % 100 / 1000.0, 3)

    def make_runs(self, count: int, size: int) -> Iterator[list[Reading]]:
        """Yield ``count`` readings in runs of ``size`` of one series."""
        first, self._second = self._second + 1, self._second + size * (count // size // WRITTEN + 1)
        for number in range(count // size):
            begin = first + number // WRITTEN * size
            name = name_series(number % WRITTEN + 1)
            yield [
                (name, (START + timedelta(seconds=begin + k)).strftime("%Y-%m-%dT%H:%M:%SZ"), 1.0 + k / 1000.0)
                for k in range(size)
            ]


def _measure_posts(city: SensorCity, clock: _Clock, clients: int, count: int) -> Row:
    """Return the row of Observations posted one by one; those that arrive together share a transaction."""
    _tell(f"single POST, {clients} at a time")
    sent = [
        (f"/sta/v1.1/Datastreams('{name}')/Observations", orjson.dumps({"phenomenonTime": at, "result": result}))
        for name, at, result in clock.make(count)
    ]
    ours = count / measure_cpu(city.url, [city.server], lambda: _post_all(city.port, sent, clients=clients))
    peer = _measure_peer(city.url, lambda cursor: _insert_each(cursor, clock.make(count)), count)
    return _row(f"single POST, connections: {clients}", ours, QUOTED["single"], peer)


def _measure_arrays(city: SensorCity, clock: _Clock, size: int, total: int) -> Row:
    _tell(f"data arrays of {size}")
    sent = []
    for run in clock.make_runs(total, size):
        array = {
            "Datastream": {"@iot.id": run[0][0]},
            "components": ["phenomenonTime", "result"],
            "dataArray": [[at, result] for _, at, result in run],
        }
        sent.append(("/sta/v1.1/CreateObservations", orjson.dumps([array])))
    ours = total / measure_cpu(city.url, [city.server], lambda: _post_all(city.port, sent, clients=4))
    runs = list(clock.make_runs(total, size))
    peer = _measure_peer(city.url, lambda cursor: _insert_many(cursor, runs), total)
    return _row(f"dataArray of {size:,}", ours, QUOTED["array"], peer)


def _measure_csv(city: SensorCity, clock: _Clock, total: int) -> Row:
    _tell("CSV in bulk")
    half = total // 2
    bodies = []
    for _ in range(2):
        lines = [f"{name},{at},{result}" for name, at, result in clock.make(half)]
        bodies.append(("/sensors/observations", "\n".join(["datastream_id,phenomenon_time,result", *lines]).encode()))
    ours = total / measure_cpu(
        city.url, [city.server], lambda: _post_all(city.port, bodies, clients=1, content_type="text/csv")
    )
    readings = list(clock.make(total))
    peer = _measure_peer(city.url, lambda cursor: _copy(cursor, readings), total)
    return _row(f"bulk, CSV of {half:,}", ours, QUOTED["bulk"], peer)


def _measure_mqtt(city: SensorCity, clock: _Clock) -> list[Row]:
    if find_mosquitto() is None:
        sys.stderr.write("sensors bench: Mosquitto is not installed (Debian: mosquitto): MQTT is left out\n")
        return []
    made = []
    with running_ingest(city) as (broker, ingest):
        _await_ingest(city, broker, clock)
        for size, total in ((1, 10_000), (50, 250_000)):
            _tell(f"MQTT, {size} a message")
            messages = [
                write_message(run[0][0], [(datetime.fromisoformat(at).timestamp(), result) for _, at, result in run])
                for run in clock.make_runs(total, size)
            ]
            with psycopg.connect(city.url, autocommit=True) as connection:
                before = _count(connection)

                def work(messages: Sequence[Message] = messages, wanted: int = before + total) -> None:
                    with Publisher("127.0.0.1", broker.device_port) as publisher:
                        for message in messages:
                            publisher.publish(message)
                        publisher.wait(ARRIVE_WITHIN_S)
                    _await_count(connection, wanted)

                ours = total / measure_cpu(city.url, [ingest], work)
            made.append(_row(f"MQTT, QoS 1, {size} a message, stored", ours, None, None))
    return made


def _await_ingest(city: SensorCity, broker: Broker, clock: _Clock) -> None:
    """Return when a message sent to the broker gets to the database: before, nobody keeps what is sent."""
    deadline = time.monotonic() + READY_WITHIN_S
    with (
        psycopg.connect(city.url, autocommit=True) as connection,
        Publisher("127.0.0.1", broker.device_port) as publisher,
    ):
        before = _count(connection)
        while _count(connection) == before:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the ingest stored nothing within {READY_WITHIN_S:.0f} s")
            for name, at, result in clock.make(1):
                publisher.publish(write_message(name, [(datetime.fromisoformat(at).timestamp(), result)]))
            time.sleep(0.5)
    time.sleep(1.0)


def _measure_latest(city: SensorCity) -> list[Row]:
    _tell("latest of 5,000")
    path, made = "/sensors/latest", []
    with psycopg.connect(city.url, autocommit=True) as connection:
        # As autovacuum does within a minute of so many writes.
        connection.execute("vacuum analyze")

        def touch() -> None:
            connection.execute(
                "update sensing.latest set stored = clock_timestamp() "
                "where datastream = (select fid from sensing.datastream where id = %s)",
                (name_series(7),),
            )

        tag = {"if-none-match": _get(city.port, path)[1]}
        place = "?bbox=105.72,9.99,105.74,10.01"
        for case, asked, headers, before in (
            ("5,000 sensors, a reading changed", path, {}, touch),
            ("5,000 sensors, nothing changed", path, {}, None),
            ("5,000 sensors, nothing changed (304)", path, tag, None),
            ("in a bbox, a reading changed", path + place, {}, touch),
        ):
            if headers:
                headers = {"if-none-match": _get(city.port, path)[1]}
            made.append(_time_answer(city, f"latest: {case}", asked, headers, before, 100.0))
    return made


def _measure_year(city: SensorCity) -> list[Row]:
    _tell("one year hourly")
    path = f"/sta/v1.1/Datastreams('{YEAR}')/Observations"
    span = "$filter=phenomenonTime%20ge%202025-01-01T00:00:00Z%20and%20phenomenonTime%20lt%202026-01-01T00:00:00Z"
    return [
        _time_answer(city, f"one year hourly: {case}", f"{path}?{span}&{option}", {}, None, None)
        for case, option in (
            ("dataArray, 8,760 rows", "$resultFormat=dataArray&$top=10000"),
            ("aggregate=1d, 365 rows", "aggregate=1d&$top=10000"),
        )
    ]


def _time_answer(
    city: SensorCity,
    case: str,
    path: str,
    headers: dict[str, str],
    before: Callable[[], None] | None,
    limit: float | None,
) -> Row:
    """Return the median time of an answer over HTTP on a kept connection [ms], gzipped."""
    connection = http.client.HTTPConnection("127.0.0.1", city.port, timeout=60)
    spent = []
    for _ in range(ROUNDS):
        if before is not None:
            before()
        began = time.perf_counter()
        connection.request("GET", path, headers={"accept-encoding": "gzip", **headers})
        answer = connection.getresponse()
        body = answer.read()
        spent.append(1e3 * (time.perf_counter() - began))
        if answer.status >= 400:
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
    median = statistics.median(spent[2:])
    return {"case": case, "metric": "time", "unit": "ms", "ours": _shorten(median), "peers": {}, "limit": limit}


def _get(port: int, path: str) -> tuple[bytes, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.read(), answer.getheader("etag", "")


def _post_all(
    port: int, sent: list[tuple[str, bytes]], *, clients: int, content_type: str = "application/json"
) -> None:
    """Send all bodies over ``clients`` kept connections; RuntimeError for an answer that is no success."""
    waiting, lock, failed = list(reversed(sent)), threading.Lock(), list[str]()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while not failed:
            with lock:
                if not waiting:
                    return
                path, body = waiting.pop()
            connection.request("POST", path, body, {"content-type": content_type})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status not in (200, 201):
                failed.append(f"{path}: {answer.status} {said[:300]!r}")

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError(failed[0])


def _measure_peer(url: str, write: Callable[[psycopg.Cursor[Any]], None], count: int) -> float:
    """Return observations per CPU second of psycopg into a table with a key of series and time."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop table if exists bench_plain")
        connection.execute(
            "create table bench_plain (series text, at timestamptz, result double precision, primary key (series, at))"
        )
        with connection.cursor() as cursor:
            return count / measure_cpu(url, [os.getpid()], lambda: write(cursor))


_INSERT = "insert into bench_plain values (%s, %s, %s) on conflict do nothing"


def _insert_each(cursor: psycopg.Cursor[Any], readings: Iterator[Reading]) -> None:
    for reading in readings:
        cursor.execute(_INSERT, reading)


def _insert_many(cursor: psycopg.Cursor[Any], runs: list[list[Reading]]) -> None:
    for run in runs:
        cursor.executemany(_INSERT, run)


def _copy(cursor: psycopg.Cursor[Any], readings: list[Reading]) -> None:
    with cursor.copy("copy bench_plain from stdin") as copy:
        for reading in readings:
            copy.write_row(reading)


def _count(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(
        "select count(*) from sensing.observation where phenomenon_time >= %s", (START,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def _await_count(connection: psycopg.Connection[Any], wanted: int) -> None:
    deadline = time.monotonic() + ARRIVE_WITHIN_S
    while _count(connection) < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{_count(connection)} of {wanted} observations arrived within {ARRIVE_WITHIN_S:.0f} s")
        time.sleep(0.5)


def _row(case: str, ours: float, quoted: float | None, peer: float | None) -> Row:
    sys.stderr.write(f"sensors bench: {case}: {ours:,.0f} observations per CPU second\n")
    peers = {name: _shorten(value) for name, value in ((ISTSOS4, quoted), (PEER, peer)) if value is not None}
    metric = "observations per CPU second"
    return {"case": case, "metric": metric, "unit": "1/s", "ours": _shorten(ours), "peers": peers, "limit": None}


def _shorten(value: float) -> float:
    """Return the value with four significant digits."""
    return float(f"{value:.4g}")


def _tell(what: str) -> None:
    """Say on standard error what is measured now and how busy the machine has been in the last minute."""
    sys.stderr.write(f"sensors bench: {what} (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)\n")
