"""Simulated devices: what they measure, how they fail, and what a real broker gets from a real process."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import paho.mqtt.client as mqtt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from layers.errors import InputError, SetupError
from layers.observed import OBSERVED
from layers.store.engine import open_engine
from layers.store.sensing.datastreams import list_datastreams
from tests.commands import run_twin
from twin.demo.station_file import STATIONS_FILE, read_stations
from twin.sensors.broker import Broker, await_broker, build_command, find_mosquitto, prepare_broker
from twin.simulation.faults import KINDS, Fault, Spoiler, read_kind
from twin.simulation.fleets import Measured, StationFleet, SyntheticFleet
from twin.simulation.messages import Bundler, Message
from twin.simulation.publishing import Publisher

START = datetime(2026, 11, 10, 3, 17, tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def fleet(demo_folder: Path) -> StationFleet:
    return StationFleet(*read_stations(demo_folder / STATIONS_FILE))


def make_ramp(hours: float = 48.0) -> Measured:
    seconds = START + np.arange(0.0, hours * 3600.0, 600.0)
    return Measured("X-stage", "X", seconds, np.sin(seconds / 7000.0))


def test_stations_measure_everything_they_observe(fleet: StationFleet) -> None:
    measured = fleet.measure(START, START + 3600.0)
    assert {one.sensor_id for one in measured} == set(fleet.sensor_ids)
    names = {one.datastream_id.removeprefix(f"{one.sensor_id}-") for one in measured}
    assert names == {seen.name for kind in OBSERVED.values() for seen in kind}
    assert {len(one.seconds) for one in measured} == {1, 6, 12}


@given(cut=st.floats(0.0, 7200.0), devices=st.integers(1, 5), interval=st.floats(0.5, 900.0))
def test_a_window_in_two_parts_gives_the_same_readings(cut: float, devices: int, interval: float) -> None:
    """No reading is sent twice or left out where a window ends, and none depends on the window."""
    fleet = SyntheticFleet(devices, interval, 7)

    def list_readings(after: float, until: float) -> list[tuple[str, float, float]]:
        return [
            (one.datastream_id, second, result)
            for one in fleet.measure(after, until)
            for second, result in zip(one.seconds.tolist(), one.result.tolist(), strict=True)
        ]

    whole = list_readings(START, START + 7200.0)
    parts = list_readings(START, START + cut) + list_readings(START + cut, START + 7200.0)
    assert sorted(parts) == sorted(whole)
    assert abs(len(whole) - devices * 7200.0 / interval) <= devices


def test_each_fault_shows_what_it_is_named_after() -> None:
    true = make_ramp()
    begins = START + 6 * 3600.0
    spoilt = {kind: Spoiler([Fault(kind, "X", begins)], 0.0, 1, {"X-stage": 2.0}).spoil(true) for kind in KINDS}
    before, after = true.seconds < begins, true.seconds >= begins
    for kind in ("stuck", "drift", "spike"):
        np.testing.assert_allclose(spoilt[kind].result[before], true.result[before], atol=1e-4)
        np.testing.assert_array_equal(spoilt[kind].seconds, true.seconds)
    assert len(set(spoilt["stuck"].result[after])) == 1
    away = spoilt["drift"].result[after] - true.result[after]
    assert (np.diff(away) > 0.0).all() and away[-1] == pytest.approx(0.25 * 2.0 * 41.8, rel=0.01)
    jumps = np.abs(spoilt["spike"].result[after] - true.result[after])
    assert set(jumps.round(3)) == {0.0, 3.0} and 0.1 < (jumps > 1.0).mean() < 0.45
    np.testing.assert_array_equal(spoilt["silence"].seconds, true.seconds[before])


def test_a_device_stays_stuck_over_many_windows() -> None:
    true = make_ramp(4.0)
    spoiler = Spoiler([Fault("stuck", "X", START)], 0.0, 1, {})
    windows = [Measured("X-stage", "X", true.seconds[k : k + 1], true.result[k : k + 1]) for k in range(24)]
    assert len({float(spoiler.spoil(window).result[0]) for window in windows}) == 1


def test_faults_by_chance_are_the_share_asked_for() -> None:
    def count_spoilt(share: float) -> float:
        spoiler, spoilt, slots = Spoiler([], share, 3, {}), 0, 0
        for number in range(60):
            true = Measured(f"X{number}-stage", f"X{number}", make_ramp().seconds, make_ramp().result)
            sent = spoiler.spoil(true)
            there = np.isin(true.seconds, sent.seconds)
            wrong = ~there
            wrong[there] = np.abs(sent.result - true.result[there]) > 1e-3
            hit = pd.Series(wrong).groupby((true.seconds // (6 * 3600)).astype(int)).any()
            spoilt, slots = spoilt + int(hit.sum()), slots + len(hit)
        return spoilt / slots

    assert count_spoilt(0.0) == 0.0
    # Binomial with 540 slots: three standard deviations; a slot that is cut short may hide its spike.
    assert abs(count_spoilt(0.2) - 0.2) < 0.06
    begin = float(make_ramp().seconds[-1]) + 1.0
    assert (Spoiler([], 1.0, 3, {}, begin).spoil(make_ramp()).result == make_ramp().result).all()


@given(sizes=st.lists(st.integers(0, 40), max_size=12), batch=st.integers(1, 25))
@settings(deadline=None)
def test_bundles_hold_every_reading_once_in_order(sizes: list[int], batch: int) -> None:
    bundler, messages, second = Bundler(batch), list[Message](), 0
    for size in sizes:
        seconds = np.arange(second, second + size, dtype=np.float64)
        messages += bundler.add(Measured("it's", "X", seconds, seconds / 8.0))
        second += size
    full = len(messages)
    messages += bundler.flush()
    assert all(message.observations == batch for message in messages[:full]) and len(messages) - full <= 1
    assert {message.topic for message in messages} <= {"v1.1/Datastreams('it''s')/Observations"}
    found = []
    for message in messages:
        sent = orjson.loads(message.payload)
        found += [one["result"] * 8.0 for one in (sent if isinstance(sent, list) else [sent])]
    assert found == list(range(sum(sizes)))


def test_words_that_are_wrong_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no fault 'rust'"):
        read_kind("rust")
    with pytest.raises(SetupError, match="no demo city"):
        read_stations(tmp_path / STATIONS_FILE)
    with pytest.raises(SetupError, match=r"no broker at 127\.0\.0\.1:1"), Publisher("127.0.0.1", 1):
        pass


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed")
    folder = Path(f"/tmp/twin-sim-{os.getpid()}")
    made = prepare_broker(folder, 24_883)
    process = subprocess.Popen(build_command(folder))
    try:
        await_broker(made, process)
        yield made
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


class Reader:
    """Everything that devices publish, as the twin hears it."""

    def __init__(self, broker: Broker) -> None:
        self.messages: list[tuple[str, Any]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, transport="unix")
        self._client.on_message = lambda _client, _data, message: self.messages.append(
            (message.topic, orjson.loads(message.payload))
        )
        self._client.connect(broker.socket)
        self._client.subscribe("in/#", qos=1)
        self._client.loop_start()
        time.sleep(0.3)

    def list_readings(self) -> list[tuple[str, str, float]]:
        found = []
        for topic, sent in self.messages:
            named = re.fullmatch(r"in/v1\.1/Datastreams\('(.+)'\)/Observations", topic)
            assert named is not None, topic
            for one in sent if isinstance(sent, list) else [sent]:
                found.append((named[1], one["phenomenonTime"], one["result"]))
        return found

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def run_command(demo_folder: Path, broker: Broker, *words: str, database_url: str | None = None) -> str:
    data = demo_folder.parent / "simulated"
    (data / "raw").mkdir(parents=True, exist_ok=True)
    if not (data / "raw" / "demo").exists():
        (data / "raw" / "demo").symlink_to(demo_folder)
    database = {} if database_url is None else {"TWIN_DATABASE_URL": database_url}
    given = {**os.environ, "TWIN_DATA_DIR": str(data), **database}
    done = run_twin("sensors", "simulate", "--port", broker.device_port, *words, settings=given)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_range_reaches_the_broker_whole_and_as_in_the_demo(demo_folder: Path, broker: Broker) -> None:
    reader = Reader(broker)
    said = run_command(
        demo_folder, broker, "--from", "2026-11-19T00:00:00Z", "--to", "2026-11-19T06:00:00Z", "--batch", "50",
        "--fault-share", "0", "--fault", "silence", "--at", "S-MUA-01",
    )  # fmt: skip
    sent, acknowledged = (int(number) for number in re.findall(r"(?:sent|acknowledged) (\d+)", said))
    deadline = time.monotonic() + 10.0
    while len(reader.list_readings()) < sent and time.monotonic() < deadline:
        time.sleep(0.1)
    readings = reader.list_readings()
    reader.close()
    assert sent == acknowledged == len(readings) == len({reading[:2] for reading in readings})
    assert not any(name.startswith("S-MUA-01") for name, _, _ in readings)
    told = pd.read_csv(demo_folder / "observations.csv.gz")
    told = told[told["phenomenon_time"].between("2026-11-19T00:00:01Z", "2026-11-19T06:00:00Z")]
    told = told[~told["datastream_id"].str.startswith("S-MUA-01")]
    published = {(name, at): result for name, at, result in readings}
    for name, at, result in zip(told["datastream_id"], told["phenomenon_time"], told["result"], strict=True):
        assert published[(name, at)] == pytest.approx(result, abs=1.1e-3)
    # The demo's file lacks what did not arrive; a device sends it.
    assert len(told) <= len(published) < 1.1 * len(told)


def test_without_a_range_the_last_hour_comes_at_once_and_nothing_from_the_future(
    demo_folder: Path, broker: Broker
) -> None:
    reader = Reader(broker)
    run_command(demo_folder, broker, "--count", "200", "--rate", "400")
    time.sleep(0.5)
    readings = reader.list_readings()
    reader.close()
    assert len(readings) == 200
    times = [datetime.fromisoformat(at) for _, at, _ in readings]
    assert max(times) <= datetime.now(UTC) and min(times) > datetime.now(UTC) - timedelta(hours=2)


def test_alike_devices_find_their_series_and_keep_the_rate(
    demo_folder: Path, broker: Broker, make_database: Callable[..., str]
) -> None:
    url = make_database("simulated")
    reader = Reader(broker)
    began = time.monotonic()
    words = ("--devices", "20", "--rate", "50", "--batch", "5", "--count", "60", "--fault-share", "0")
    said = run_command(demo_folder, broker, *words, database_url=url)
    passed = time.monotonic() - began
    time.sleep(0.5)
    readings = reader.list_readings()
    reader.close()
    assert "sent 300 acknowledged 300 messages 60" in said
    assert len({reading[:2] for reading in readings}) == 300
    # Sixty messages at fifty a second take more than a second, whatever else the machine does.
    assert passed > 1.0
    engine = open_engine(url)
    with engine.connect() as connection:
        known = {stream.id for stream in list_datastreams(connection)}
    engine.dispose()
    assert {name for name, _, _ in readings} <= known and len(known) == 20
