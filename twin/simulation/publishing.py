"""Publishing over MQTT at least once (QoS 1): what is not acknowledged yet is bounded, and all of it is waited for."""

import os
import threading
import time
from types import TracebackType
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from layers.errors import SetupError
from twin.simulation.messages import Message

MOST_WAITING = 2000
CONNECT_WITHIN_S = 10.0
_TICK_S = 0.05


class Publisher:
    """One connection to a broker; counts of messages and observations sent and acknowledged."""

    def __init__(self, host: str, port: int, *, username: str | None = None, password: str | None = None) -> None:
        self._host, self._port = host, port
        self._free = threading.Semaphore(MOST_WAITING)
        self._lock = threading.Lock()
        self._waiting: dict[int, int] = {}
        self._early: set[int] = set()
        self.messages = self.sent = self.acknowledged = 0
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"twin-simulate-{os.getpid()}", clean_session=False
        )
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.max_inflight_messages_set(MOST_WAITING)
        self._client.reconnect_delay_set(1, 10)
        self._client.on_publish = self._note

    def __enter__(self) -> Self:
        try:
            self._client.connect(self._host, self._port, keepalive=60)
        except OSError as error:
            raise SetupError(
                f"no broker at {self._host}:{self._port}: {error}",
                hint="start one with: twin up; or name another with --host and --port",
            ) from error
        self._client.loop_start()
        deadline = time.monotonic() + CONNECT_WITHIN_S
        while not self._client.is_connected():
            if time.monotonic() > deadline:
                self._client.loop_stop()
                raise SetupError(
                    f"the broker at {self._host}:{self._port} refuses us", hint="are account and TLS right?"
                )
            time.sleep(_TICK_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, message: Message) -> None:
        """Send a message; waits while ``MOST_WAITING`` are not acknowledged. A lost connection is taken up again."""
        while not self._free.acquire(timeout=1.0):
            pass
        number = self._client.publish(message.topic, message.payload, qos=1).mid
        with self._lock:
            self.messages += 1
            self.sent += message.observations
            if number in self._early:
                self._early.discard(number)
                self.acknowledged += message.observations
            else:
                self._waiting[number] = message.observations

    def wait(self, timeout: float) -> bool:
        """Return whether all that was sent is acknowledged within ``timeout`` [s]."""
        deadline = time.monotonic() + timeout
        while self._waiting and time.monotonic() < deadline:
            time.sleep(_TICK_S)
        return not self._waiting

    def _note(self, client: mqtt.Client, data: object, number: int, reason: object, properties: object) -> None:
        """Count an acknowledgement; it may come before ``publish`` knows the message's number."""
        with self._lock:
            count = self._waiting.pop(number, None)
            if count is None:
                self._early.add(number)
            else:
                self.acknowledged += count
        self._free.release()
