"""The example for MQTT over TLS, in a real Mosquitto beside the twin's own listeners."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.ports import find_port
from tests.twin.telemetry_plant import wait_for
from tests.twin.test_telemetry_broker import connect, knock, make_certificate, run
from twin.sensors.broker import await_broker, build_command, find_mosquitto, prepare_broker
from twin.sensors.consumer import Consumer, open_session

RUN = "/var/lib/city-twin/run/broker"


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="twin-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.skipif(
    find_mosquitto() is None or shutil.which("mosquitto_passwd") is None, reason="Mosquitto is not installed"
)
def test_devices_come_by_tls_with_a_password_and_speak_for_themselves(folder: Path) -> None:
    make_certificate(folder)
    port = find_port()
    own = folder / "broker"
    text = (ROOT / "deploy/proxy/mosquitto-tls.conf").read_text()
    for old, new in (
        ("listener 8883 ::", f"listener {port}"),
        ("/etc/ssl/city-twin/fullchain.pem", f"{folder}/broker.crt"),
        ("/etc/ssl/city-twin/privkey.pem", f"{folder}/broker.key"),
        (f"{RUN}/devices.password", f"{own}/devices.password"),
        (f"{RUN}/devices.acl", f"{own}/devices.acl"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    broker = prepare_broker(own, port + 1)
    (own / "conf.d" / "tls.conf").write_text(text)
    run("mosquitto_passwd", "-b", "-c", own / "devices.password", "G7", "secret of G7")
    (own / "devices.acl").write_text("pattern write in/json/%u\n")
    for path in (*folder.glob("broker.*"), own / "devices.password", own / "devices.acl"):
        path.chmod(0o644)
    server = subprocess.Popen(build_command(own))
    consumer = Consumer(broker)
    try:
        await_broker(broker, server)
        open_session(broker)
        device, _ = connect(port, "G7", account=("G7", "secret of G7"), authority=folder / "ca.crt")
        for topic in ("json/G8", "json/G7"):
            device.publish(topic, b"{}", qos=1).wait_for_publish(60)
        consumer.start()
        wait_for(lambda: consumer.is_connected, "the twin connects")
        assert [one.message.topic for one in consumer.take(1, 1000, 60.0)] == ["json/G7"]
        assert knock(port, account=("G7", "wrong"), authority=folder / "ca.crt") == "Not authorized"
        with suppress(ConnectionResetError), socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            plain.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
            assert plain.recv(4)[:1] != b"\x20", "a connection in the clear was acknowledged"
        device.disconnect()
        device.loop_stop()
    finally:
        consumer.stop()
        server.terminate()
        server.wait(10)
