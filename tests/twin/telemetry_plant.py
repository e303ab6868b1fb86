"""A plant to break: a broker, a database and the ingest as processes of their own, and devices that publish."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson
import paho.mqtt.client as mqtt
from sqlalchemy import Engine, text

from layers.store.cluster import Cluster, read_url, start_cluster, stop_cluster
from layers.store.engine import open_engine
from layers.store.migrate import migrate
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import ensure_partitions
from tests.commands import TwinProcess, start_twin
from tests.folders import make_folder
from twin.sensors.broker import Broker, await_broker, build_command, name_broker, prepare_broker
from twin.sensors.consumer import open_session

SERIES = 20
START = datetime(2026, 8, 1, tzinfo=UTC)
PATIENCE_S = 180.0


def wait_for(done: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return when ``done``; fail, saying ``what`` was waited for. A busy machine may take its time."""
    deadline = time.monotonic() + patience_s
    while not done():
        assert time.monotonic() < deadline, f"{what} within {patience_s:.0f} s"
        time.sleep(0.05)


def make_message(number: int, readings: int) -> tuple[str, bytes]:
    """Return topic and payload of message ``number`` with so many readings: no two of all messages are the same."""
    stream, first = number % SERIES, number // SERIES * readings
    body = [
        {"phenomenonTime": (START + timedelta(seconds=first + k)).isoformat(), "result": (number + k) % 1000 / 100}
        for k in range(readings)
    ]
    return f"v1.1/Datastreams('G{stream}.stage')/Observations", orjson.dumps(body[0] if readings == 1 else body)


class Devices:
    """A publisher of QoS 1 that counts what the broker acknowledged and comes back when the broker does."""

    def __init__(self, broker: Broker, name: str = "devices") -> None:
        self.acknowledged = 0
        self.sent = 0
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5)
        self._client.on_publish = self._count
        self._client.max_inflight_messages_set(1000)
        self._client.reconnect_delay_set(1, 1)
        properties = mqtt.Properties(mqtt.PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        self._client.connect("127.0.0.1", broker.device_port, clean_start=False, properties=properties)
        self._client.loop_start()

    def publish(self, first: int, count: int, readings: int) -> None:
        """Hand over ``count`` messages from number ``first``."""
        for number in range(first, first + count):
            # Packet identifiers have 16 bits: no client can have more under way.
            while self.sent - self.acknowledged >= 2000:
                time.sleep(0.005)
            topic, payload = make_message(number, readings)
            assert self._client.publish(topic, payload, qos=1).rc in (mqtt.MQTT_ERR_SUCCESS, mqtt.MQTT_ERR_NO_CONN)
            self.sent += 1

    def await_acknowledged(self) -> None:
        """Return when the broker has everything."""
        wait_for(lambda: self.acknowledged == self.sent, "all messages are acknowledged")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _count(self, *_given: object) -> None:
        self.acknowledged += 1


class Plant:
    """Everything between devices and tables, below a folder of its own."""

    def __init__(self, spill_mb: int = 64) -> None:
        self.folder = make_folder("twin-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.settings = {
            "TWIN_RUN_DIR": str(self.folder), "TWIN_DATA_DIR": str(self.folder / "data"),
            "TWIN_SPILL_MB": str(spill_mb), "TWIN_DATABASE_URL": "",
        }  # fmt: skip
        self.cluster = Cluster(self.folder / "postgres")
        self.engine: Engine = open_engine(start_cluster(self.cluster.folder))
        migrate(self.engine, "test", "EPSG:5897", {"id": "test", "crs": "EPSG:5897"})
        rows = [Datastream(f"G{k}.stage", f"G{k}", "stage", "m", "Mực nước", "Stage") for k in range(SERIES)]
        with self.engine.begin() as connection:
            upsert_datastreams(connection, rows, "test")
            ensure_partitions(connection, {(2026, 8), (2026, 9)})
        self._broker: subprocess.Popen[bytes] | None = None
        self._ingest: TwinProcess | None = None
        self.broker: Broker = prepare_broker(name_broker(self.folder), self.port)
        self.start_broker()
        open_session(self.broker)

    def start_broker(self) -> None:
        self._broker = subprocess.Popen(build_command(name_broker(self.folder)))
        await_broker(self.broker, self._broker)

    def stop_broker(self) -> None:
        assert self._broker is not None
        self._broker.terminate()
        self._broker.wait(20)

    def start_ingest(self, *, spill_mb: int | None = None) -> int:
        given = self.settings if spill_mb is None else {**self.settings, "TWIN_SPILL_MB": str(spill_mb)}
        environment = {key: value for key, value in {**os.environ, **given}.items() if value}
        self._ingest = start_twin("sensors", "ingest", settings=environment, log=self.folder / "ingest.log")
        return self._ingest.pid

    def end_ingest(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._ingest is not None:
            self._ingest.send_signal(number)
            self._ingest.wait(30)
            self._ingest = None

    def stop_database(self) -> None:
        self.engine.dispose()
        stop_cluster(self.cluster.folder)

    def start_database(self) -> None:
        """Start the cluster again; its port is another, as after a restart of the twin."""
        start_cluster(self.cluster.folder)
        self.engine = open_engine(read_url(self.cluster))

    def count(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(text("select count(*) from sensing.observation")).scalar_one())

    def read_spilled(self) -> int:
        """Return the bytes that wait on the disk."""
        return sum(path.stat().st_size for path in (self.folder / "spill").glob("*.spill"))

    def read_log(self) -> str:
        return (self.folder / "ingest.log").read_text()

    def clear(self) -> None:
        """Forget all readings and the account of them."""
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "truncate sensing.observation, sensing.correction, sensing.ledger, sensing.rejected, sensing.latest"
                )
            )

    def close(self) -> None:
        self.end_ingest(signal.SIGKILL)
        if self._broker is not None:
            self._broker.kill()
            self._broker.wait(10)
        self.engine.dispose()
        stop_cluster(self.cluster.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
