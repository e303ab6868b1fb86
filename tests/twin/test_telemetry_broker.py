"""The broker's doors: devices write, subscribers read, neither does the other; accounts and TLS where asked for."""

import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from layers.errors import SetupError
from layers.store.sensing.writing import correct_observation
from tests.twin.telemetry_plant import Plant, wait_for
from twin.sensors.broker import await_broker, build_command, find_mosquitto, prepare_broker, read_broker
from twin.sensors.consumer import Consumer, Delivery, open_session
from twin.store_telemetry import list_rejected

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="Mosquitto is not installed")


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    made = Plant()
    made.start_ingest()
    yield made
    made.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the broker's unprivileged account can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="twin-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def connect(port: int, name: str, **options: object) -> tuple[mqtt.Client, list[mqtt.MQTTMessage]]:
    """Return a connected client that keeps what it gets."""
    got: list[mqtt.MQTTMessage] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5)
    client.on_message = lambda _client, _data, message: got.append(message)
    if "account" in options:
        client.username_pw_set(*options["account"])  # type: ignore[misc]
    if "authority" in options:
        client.tls_set(str(options["authority"]), cert_reqs=ssl.CERT_REQUIRED)
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait_for(client.is_connected, f"{name} connects")
    return client, got


def subscribe(client: mqtt.Client, topic: str) -> None:
    """Subscribe and return when the broker knows."""
    known = threading.Event()
    client.on_subscribe = lambda *_given: known.set()
    client.subscribe(topic, qos=1)
    assert known.wait(60)


@pytest.mark.conformance(
    "iot_sensing/1.1/req/create-observations-via-mqtt/observations-creation",
    "iot_sensing/1.1/req/receive-updates-via-mqtt/receive-updates",
)
def test_what_is_stored_is_told_to_subscribers(plant: Plant) -> None:
    reader, got = connect(plant.broker.reader_port, "reader")
    device, overheard = connect(plant.broker.device_port, "device")
    subscribe(reader, "v1.1/#")
    subscribe(device, "#")
    now = datetime.now(UTC).replace(microsecond=0)
    topic = "v1.1/Datastreams('G3.stage')/Observations"
    # The announcer begins to look when it hears of a subscription: until then readings are only stored.
    number = 0
    while not got and number < 600:
        at = (now - timedelta(seconds=number)).isoformat()
        device.publish(topic, json.dumps({"phenomenonTime": at, "result": 1.5}), qos=1).wait_for_publish(60)
        number += 1
        time.sleep(0.2)
    wait_for(lambda: {one.topic for one in got} == {topic, "v1.1/Observations"}, "readings are told on both topics")
    said = json.loads(next(one for one in got if one.topic == topic).payload)
    assert said["result"] == 1.5 and said["phenomenonTime"].endswith("Z")
    assert said["@iot.selfLink"].endswith(f"/sta/v1.1/Observations('{said['@iot.id']}')")
    assert said["Datastream@iot.navigationLink"] == said["@iot.selfLink"] + "/Datastream"
    time.sleep(2.5)
    told = [json.loads(one.payload)["@iot.id"] for one in got if one.topic == topic]
    assert len(told) == len(set(told)), "a reading is told once"
    with plant.engine.begin() as connection:
        correct_observation(connection, "G3.stage", now, 1.25, author="Lan", reason="boat")
    wait_for(lambda: json.loads(got[-1].payload)["result"] == 1.25, "a correction is told")
    assert overheard == []
    assert plant.count() == number
    reader.publish("v1.1/Observations", b"{}", qos=1).wait_for_publish(60)
    device.publish("nowhere", b"{}", qos=1).wait_for_publish(60)
    for client in (reader, device):
        client.disconnect()
        client.loop_stop()
    wait_for(lambda: read_refused(plant) == [("bad-topic", "nowhere")], "the device's mistake is kept, no reader's")


def read_refused(plant: Plant) -> list[tuple[str, str]]:
    with plant.engine.connect() as connection:
        return [(row.code, row.topic) for row in list_rejected(connection)]


def run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


def make_certificate(folder: Path) -> None:
    """Make an authority of our own and a certificate for 127.0.0.1, as docs/sensors.md shows."""
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=authority",
        "-keyout", folder / "ca.key", "-out", folder / "ca.crt")  # fmt: skip
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
        "-keyout", folder / "broker.key", "-out", folder / "broker.csr")  # fmt: skip
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    run("openssl", "x509", "-req", "-in", folder / "broker.csr", "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
        "-CAcreateserial", "-days", 2, "-extfile", folder / "names", "-out", folder / "broker.crt")  # fmt: skip


@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto_passwd is not installed")
def test_devices_with_accounts_over_tls(open_folder: Path) -> None:
    folder = open_folder
    make_certificate(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    run("mosquitto_passwd", "-b", "-c", folder / "accounts", "G7", "secret of G7")
    (folder / "accounts.acl").write_text("pattern write in/json/%u\n")
    for path in folder.iterdir():
        path.chmod(0o644)
    own = folder / "broker"
    (own / "conf.d").mkdir(parents=True)
    (own / "conf.d" / "tls.conf").write_text(
        f"listener {port}\nmount_point in/\nallow_anonymous false\ncafile {folder}/ca.crt\n"
        f"certfile {folder}/broker.crt\nkeyfile {folder}/broker.key\npassword_file {folder}/accounts\n"
        f"acl_file {folder}/accounts.acl\n"
    )
    broker = prepare_broker(own, port + 1)
    server = subprocess.Popen(build_command(own))
    consumer = Consumer(broker)
    try:
        await_broker(broker, server)
        assert read_broker(own) == broker
        open_session(broker)
        device, _ = connect(port, "G7", account=("G7", "secret of G7"), authority=folder / "ca.crt")
        for topic in ("json/G7", "json/G8", "v1.1/Observations"):
            device.publish(topic, b"{}", qos=1).wait_for_publish(60)
        consumer.start()
        wait_for(lambda: server.poll() is None and consumer.is_connected, "the twin connects")
        deliveries = consumer.take(1, 1000, 60.0) + consumer.take(10, 1000, 0.5)
        assert [one.message.topic for one in deliveries] == ["json/G7"]
        assert knock(port, account=("G7", "wrong"), authority=folder / "ca.crt") == "Not authorized"
        device.disconnect()
        device.loop_stop()
    finally:
        consumer.stop()
        server.terminate()
        server.wait(10)


def knock(port: int, *, account: tuple[str, str], authority: Path) -> str:
    """Return what the broker says to a client that wants in."""
    said: list[str] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "knocks", protocol=mqtt.MQTTv5)
    client.on_connect = lambda _client, _data, _flags, reason, _more: said.append(str(reason))
    client.username_pw_set(*account)
    client.tls_set(str(authority), cert_reqs=ssl.CERT_REQUIRED)
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait_for(lambda: bool(said), "the broker answers")
    client.disconnect()
    client.loop_stop()
    return said[0]


def test_no_more_is_under_way_than_was_asked_for(open_folder: Path) -> None:
    broker = prepare_broker(open_folder, 30_000)
    server = subprocess.Popen(build_command(open_folder))
    consumer = Consumer(broker, window=100)
    try:
        await_broker(broker, server)
        consumer.start()
        assert consumer.await_subscribed(60)
        device, _ = connect(broker.device_port, "many")
        waiting = [device.publish("json/many", str(number).encode(), qos=1) for number in range(500)]
        for one in waiting:
            one.wait_for_publish(60)
        first = consumer.take(500, 10**6, 2.0)
        assert len(first) == 100, "the broker keeps the rest"
        consumer.acknowledge(first)
        rest: list[Delivery] = []
        while len(rest) < 400:
            more = consumer.take(500, 10**6, 2.0)
            consumer.acknowledge(more)
            rest += more
        assert [int(one.message.payload) for one in (*first, *rest)] == list(range(500))
        device.disconnect()
        device.loop_stop()
    finally:
        consumer.stop()
        server.terminate()
        server.wait(10)


def test_the_next_free_ports_are_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        broker = prepare_broker(tmp_path, taken)
    assert taken < broker.device_port < broker.reader_port
    with pytest.raises(SetupError, match="too long for a socket"):
        prepare_broker(tmp_path / ("x" * 100), taken)
