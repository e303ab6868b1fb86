"""Subscribers are told what is new: SensorThings entities on ``v1.1/…`` of the readers' listener (OGC 18-088, 14.3)."""

import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import orjson
from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from layers.errors import TwinError
from layers.store.sensing.entities import ENTITIES
from twin.sensors.broker_rights import RESTRICTED
from twin.store_announced import Look, News, look_ahead, read_told, select_news, write_told

EVERY_S, RETRY_S, SAFE_WITHIN_S = 1.0, 5.0, 30.0
_SUBSCRIPTIONS = "$SYS/broker/subscriptions/count"
# The ingest's own and the one for the count itself.
_OWN = 2
_AT_ONCE = 1000
_PLAIN = "'"


class Announcer:
    """Looks once a second for what is new and publishes it with QoS 1, while anybody has subscribed."""

    def __init__(self, socket: str, connect: Callable[[], Engine | None], root: str) -> None:
        self._socket, self._connect, self._root = socket, connect, root
        self._listened = False
        self._last: Look | None = None
        self._seen: dict[tuple[str, str, str], int] = {}
        self._round = 0
        self._client = Client(CallbackAPIVersion.VERSION2, "twin-announcer", protocol=MQTTv5, transport="unix")
        self._client.max_inflight_messages_set(_AT_ONCE)
        self._client.on_connect = lambda client, *_given: client.subscribe(_SUBSCRIPTIONS)
        self._client.on_message = self._note

    def run(self, stopped: threading.Event) -> None:
        """Work until ``stopped``; a database or broker that is away is waited for."""
        self._client.connect_async(self._socket, keepalive=30)
        self._client.loop_start()
        engine: Engine | None = None
        while not stopped.wait(EVERY_S):
            try:
                engine = engine or self._connect()
                if engine is not None and self._client.is_connected():
                    self._step(engine)
            except (DBAPIError, TwinError) as error:
                sys.stderr.write(f"announcer: {str(error).splitlines()[0]}; trying again\n")
                if engine is not None:
                    engine.dispose()
                engine = None
                stopped.wait(RETRY_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _step(self, engine: Engine) -> None:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            last = self._last or read_told(connection)
            now = look_ahead(connection)
            if self._listened:
                news = [one for one in select_news(connection, last) if self._is_new(one)]
                if not self._publish(news):
                    return
            write_told(connection, now)
        self._last = now
        self._forget()

    def _is_new(self, one: News) -> bool:
        """Whether this version was not told; a look reaches back over the one before."""
        key = one.document if one.entity == "Observations" else one.key
        return self._seen.setdefault((one.entity, key, one.version), self._round) == self._round

    def _forget(self) -> None:
        """Forget what no further look can bring again: it reaches back a minute."""
        self._round += 1
        if self._round % 60 == 0:
            self._seen = {key: told for key, told in self._seen.items() if told > self._round - 120}

    def _publish(self, news: Iterable[News]) -> bool:
        """Publish and return whether the broker has all of it."""
        waiting: list[MQTTMessageInfo] = []
        for one in news:
            document, topics = self._write(one)
            payload = orjson.dumps(document)
            begin = f"{RESTRICTED}v1.1" if one.hidden else "v1.1"
            for topic in topics:
                waiting.append(self._client.publish(f"{begin}/{topic}", payload, qos=1))
            if len(waiting) >= _AT_ONCE:
                if not _await_all(waiting):
                    return False
                waiting = []
        return _await_all(waiting)

    def _write(self, one: News) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return an entity as SensorThings writes it, and the topics it is told on."""
        row = orjson.loads(one.document)
        entity = ENTITIES[one.entity]
        key = str(row.pop("@iot.id"))
        link_to = f"{self._root}/{one.entity}({quote(_quote(key), safe=_PLAIN)})"
        written = {"@iot.id": key, "@iot.selfLink": link_to}
        written |= {name: value for name, value in row.items() if value is not None or name == "result"}
        for link in entity.navigations:
            written[f"{link.name}@iot.navigationLink"] = f"{link_to}/{link.name}"
        if one.entity == "Observations":
            return written, ("Observations", f"Datastreams({_quote(one.key)})/Observations")
        return written, (one.entity, f"{one.entity}({_quote(key)})")

    def _note(self, _client: Client, _data: Any, got: MQTTMessage) -> None:
        self._listened = int(got.payload) > _OWN


def _quote(key: str) -> str:
    """Return an id as it stands in an address."""
    doubled = key.replace("'", "''")
    return f"'{doubled}'"


def _await_all(waiting: list[MQTTMessageInfo]) -> bool:
    deadline = time.monotonic() + SAFE_WITHIN_S
    for one in waiting:
        try:
            one.wait_for_publish(max(deadline - time.monotonic(), 0.0))
        except (RuntimeError, ValueError):
            return False
        if not one.is_published():
            return False
    return True
