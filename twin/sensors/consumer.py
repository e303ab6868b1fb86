"""The twin's own client of the broker: messages arrive unacknowledged, and are acknowledged when somebody says so."""

import queue
import threading
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from layers.errors import SetupError
from twin.sensors.broker import INBOX, MOST_IN_FLIGHT, READY_WITHIN_S, Broker
from twin.sensors.broker_rights import ACCOUNT
from twin.sensors.message import Message

CLIENT = "twin-ingest"
_FOR_EVER = 0xFFFFFFFF
_ONLY_NEW = SubscribeOptions.RETAIN_DO_NOT_SEND


class Delivery(NamedTuple):
    """A message and what is needed to acknowledge it on the connection it came by."""

    message: Message
    mid: int
    qos: int
    connection: int


class Consumer:
    """A persistent session of QoS 1: at most ``window`` messages are under way, the rest waits in the broker.

    Reconnects by itself. A message of an earlier connection is not acknowledged: it comes again.
    """

    def __init__(self, broker: Broker, *, window: int = MOST_IN_FLIGHT) -> None:
        self._port, self._window = broker.twin_port, window
        # Twice the window: what is under way fits, and a flood of QoS 0 is slowed by the socket instead of by memory.
        self._arrived: queue.Queue[Delivery] = queue.Queue(2 * window)
        self._connection, self._stopping = 0, False
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, CLIENT, protocol=MQTTv5, manual_ack=True)
        self._client.username_pw_set(ACCOUNT, broker.read_secret())
        self._client.on_connect = self._begin
        self._client.on_message = self._keep
        self._client.on_subscribe = lambda *_given: self._subscribed.set()
        self._client.reconnect_delay_set(1, 5)

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there."""
        return self._client.is_connected()

    def start(self) -> None:
        """Connect in the background, now or as soon as the broker answers."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _FOR_EVER
        properties.ReceiveMaximum = self._window
        self._client.connect_async("127.0.0.1", self._port, keepalive=30, clean_start=False, properties=properties)
        self._client.loop_start()

    def await_subscribed(self, patience_s: float) -> bool:
        """Return whether the broker keeps messages for this session within ``patience_s`` [s]."""
        return self._subscribed.wait(patience_s)

    def take(self, count: int, most_bytes: int, wait_s: float) -> list[Delivery]:
        """Return what arrived: ``count`` messages or ``most_bytes`` of payload, or what came within ``wait_s`` [s]."""
        found: list[Delivery] = []
        weight, until = 0, time.monotonic() + wait_s
        while len(found) < count and weight < most_bytes:
            try:
                left = until - time.monotonic()
                one = self._arrived.get(timeout=left) if left > 0 else self._arrived.get_nowait()
            except queue.Empty:
                break
            found.append(one)
            weight += len(one.message.payload)
        return found

    def acknowledge(self, deliveries: list[Delivery]) -> None:
        """Tell the broker that messages are safe."""
        for one in deliveries:
            if one.qos > 0 and one.connection == self._connection:
                self._client.ack(one.mid, one.qos)

    def stop(self) -> None:
        """Disconnect; the session stays and the broker keeps what comes."""
        self._stopping = True
        self._client.disconnect()
        self._client.loop_stop()

    def _begin(self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _more: Any) -> None:
        if reason.is_failure:
            return
        self._connection += 1
        client.subscribe(f"{INBOX}#", options=SubscribeOptions(qos=1, retainHandling=_ONLY_NEW))

    def _keep(self, _client: Client, _data: Any, got: MQTTMessage) -> None:
        message = Message(got.topic.removeprefix(INBOX), bytes(got.payload), datetime.now(UTC))
        delivery = Delivery(message, got.mid, got.qos, self._connection)
        while not self._stopping:
            try:
                self._arrived.put(delivery, timeout=1.0)
            except queue.Full:
                continue
            return


def open_session(broker: Broker, *, patience_s: float = READY_WITHIN_S) -> None:
    """Let the broker know the twin's session, so that it keeps what devices send before the ingest is there.

    Raises SetupError where the broker does not answer within ``patience_s`` [s].
    """
    consumer = Consumer(broker, window=1)
    consumer.start()
    try:
        if not consumer.await_subscribed(patience_s):
            raise SetupError(f"the broker took no subscription within {patience_s:.0f} s", hint="look into broker.log")
    finally:
        consumer.stop()
