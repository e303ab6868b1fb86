"""The broker's doors by keys, with a real Mosquitto: own topics alone, guarded sensors for who sees them."""

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import paho.mqtt.client as mqtt
import pytest
from sqlalchemy import Engine, text

from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import ensure_partitions
from tests.twin.telemetry_plant import wait_for
from twin.accounts.keeping import Author
from twin.accounts.keys import Made, add_device_key, add_key, take_key
from twin.sensors.announcer import Announcer
from twin.sensors.broker import Broker, await_broker, build_command, find_mosquitto, prepare_broker
from twin.sensors.broker_rights import ACCOUNT, Gatekeeper
from twin.sensors.consumer import Consumer, open_session
from twin.sensors.intake import store_messages
from twin.sensors.message import Message
from twin.store_telemetry import upsert_device

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="Mosquitto is not installed")
US = Author("cli:test", "cli")
OWN, FOREIGN = "v1.1/Datastreams('G1.stage')/Observations", "v1.1/Datastreams('G2.stage')/Observations"


@dataclass
class Post:
    """A broker with its gatekeeper, on a database with three gauges; G2 is guarded, the device d1 is part of G1."""

    broker: Broker
    engine: Engine
    gatekeeper: Gatekeeper

    def make_device(self) -> Made:
        with self.engine.begin() as connection:
            return add_device_key(connection, US, "gauge", device="d1")

    def make_reader(self, role: str) -> Made:
        with self.engine.begin() as connection:
            return add_key(connection, US, role, roles=[role])


@pytest.fixture(scope="module")
def post(engine: Engine) -> Iterator[Post]:
    folder = Path(tempfile.mkdtemp(prefix="twin-"))
    folder.chmod(0o755)
    broker = prepare_broker(folder, 31_000)
    server = subprocess.Popen(build_command(folder))
    rows = [Datastream(f"G{k}.stage", f"G{k}", "stage", "m", "Mực nước", "Stage") for k in (1, 2, 3)]
    with engine.begin() as connection:
        upsert_datastreams(connection, rows, "test")
        now = datetime.now(UTC)
        ensure_partitions(connection, {(day.year, day.month) for day in (now, now - timedelta(days=31))})
        upsert_device(connection, "d1", "json", {"readings": [{"datastream": "G1.stage", "path": "level"}]},
                      thing_id="G1", author="test")  # fmt: skip
        connection.execute(
            text("insert into city.sensors (id, source_id, name, kind, is_restricted, geom) "
                 "values ('G2', 'test', 'G2', 'stage', true, ST_SetSRID(ST_MakePoint(580000, 1108000), 5897))")
        )  # fmt: skip
    try:
        await_broker(broker, server)
        open_session(broker)
        yield Post(broker, engine, Gatekeeper(folder, lambda: engine))
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


class Knock:
    """A client that wants in; it keeps what the broker said and what it got."""

    def __init__(self, port: int, made: Made | None = None, *, password: str = "") -> None:
        self.said: list[str] = []
        self.got: list[mqtt.MQTTMessage] = []
        self.heard, self.lost = threading.Event(), threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
        if made is not None:
            self.client.username_pw_set(made.id, password or made.key)
        self.client.on_connect = lambda _client, _data, _flags, reason, _more: self.said.append(str(reason))
        self.client.on_message = lambda _client, _data, message: self.got.append(message)
        self.client.on_subscribe = lambda *_given: self.heard.set()
        self.client.on_disconnect = lambda *_given: self.lost.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_for(lambda: bool(self.said), "the broker answers")

    def send(self, topic: str, body: object) -> None:
        self.client.publish(topic, orjson.dumps(body), qos=1).wait_for_publish(60)

    def hear(self, topic: str) -> None:
        self.client.subscribe(topic, qos=1)
        assert self.heard.wait(60)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_devices_publish_below_their_own_topics(post: Post) -> None:
    post.gatekeeper.step(post.engine)
    stranger = Knock(post.broker.device_port)
    stranger.send("json/anything", {})
    made = post.make_device()
    assert post.gatekeeper.step(post.engine)
    assert not post.gatekeeper.step(post.engine)
    device = Knock(post.broker.device_port, made)
    assert device.said == ["Success"]
    # A reload is done when a wrong password is refused: until then the broker knows no such name.
    assert Knock(post.broker.device_port, made, password="wrong").said == ["Not authorized"]
    stranger.send("json/d1", {"level": 9})
    for topic in (
        "json/d1",
        "senml/d1",
        OWN,
        FOREIGN,
        "json/d2",
        "v1.1/Observations",
        "application/1/device/d2/event/up",
    ):
        device.send(topic, {"level": 1})
    twin = Knock(post.broker.device_port, Made(ACCOUNT, post.broker.read_secret()))
    twin.send("json/made-up", {})
    consumer = Consumer(post.broker)
    consumer.start()
    try:
        got = []
        while not got or got[-1].message.topic != "json/made-up":
            got += consumer.take(10, 10_000, 5.0)
        got += consumer.take(10, 10_000, 0.5)
        assert [one.message.topic for one in got] == ["json/anything", "json/d1", "senml/d1", OWN, "json/made-up"]
        consumer.acknowledge(got)
    finally:
        consumer.stop()
    with post.engine.begin() as connection:
        take_key(connection, US, made.id)
    post.gatekeeper.step(post.engine)
    assert device.lost.wait(60), "a key that is revoked ends its connection"
    for client in (stranger, twin):
        client.leave()


def test_what_the_payload_says_reaches_no_further(post: Post) -> None:
    made, now = post.make_device(), datetime.now(UTC)
    bodies = {
        OWN: {"result": 1.0, "Datastream": {"@iot.id": "G2.stage"}},
        "senml/d1": [{"n": "G2.stage", "v": 1.0}],
        "application/1/device/d1/event/up": {"deviceInfo": {"devEui": "d2"}, "object": {"level": 1.0}},
        "json/d1": {"level": 1.5},
    }
    with post.engine.begin() as connection:
        mapping = {"readings": [{"datastream": "G2.stage", "path": "level"}]}
        upsert_device(connection, "d2", "json", mapping, thing_id=None, author="test")
        messages = [Message(topic, orjson.dumps(body), now) for topic, body in bodies.items()]
        receipt = store_messages(connection, messages, tolerance_s=300.0)
        count = connection.execute(
            text("select count(*) from sensing.observation o join sensing.datastream d on d.fid = o.datastream "
                 "where d.id = 'G2.stage'")
        ).scalar_one()  # fmt: skip
        take_key(connection, US, made.id)
    assert count == 0
    assert receipt.reasons.get("not-own", 0) >= 2
    assert receipt.stored + receipt.corrected == 2


def test_guarded_sensors_are_told_to_who_sees_them(post: Post) -> None:
    engineer, viewer = post.make_reader("engineer"), post.make_reader("viewer")
    post.gatekeeper.step(post.engine)
    port = post.broker.reader_port
    readers = [Knock(port), Knock(port, viewer), Knock(port, engineer)]
    assert Knock(port, engineer, password="wrong").said == ["Not authorized"]
    for reader in readers:
        reader.hear("#")
        reader.client.subscribe("restricted/#", qos=1)
        reader.client.subscribe("in/#", qos=1)
    stopped = threading.Event()
    announcer = Announcer(post.broker.socket, lambda: post.engine, "http://127.0.0.1/sta/v1.1")
    telling = threading.Thread(target=announcer.run, args=(stopped,))
    telling.start()
    try:
        number, now = 0, datetime.now(UTC).replace(microsecond=0)
        while not any(one.topic.startswith("restricted/") for one in readers[2].got):
            bodies = [
                {"phenomenonTime": (now - timedelta(seconds=number)).isoformat(), "result": 2.0,
                 "Datastream": {"@iot.id": name}} for name in ("G2.stage", "G3.stage")
            ]  # fmt: skip
            with post.engine.begin() as connection:
                message = Message("v1.1/Observations", orjson.dumps(bodies), datetime.now(UTC))
                assert store_messages(connection, [message], tolerance_s=300.0).stored == 2
            number += 1
            stopped.wait(0.3)
        wait_for(
            lambda: all(any("G3" in one.topic for one in reader.got) for reader in readers), "public is told to all"
        )
        restricted = {one.topic for one in readers[2].got if one.topic.startswith("restricted/")}
        assert "restricted/v1.1/Datastreams('G2.stage')/Observations" in restricted
        for reader in readers[:2]:
            assert all(one.topic.startswith("v1.1/") for one in reader.got)
            assert not any(b"G2" in one.payload or "G2" in one.topic for one in reader.got)
        assert not any("G2" in one.topic for one in readers[2].got if one.topic.startswith("v1.1/"))
    finally:
        stopped.set()
        telling.join()
        for reader in readers:
            reader.leave()
