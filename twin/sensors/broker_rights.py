"""Who may do what at the broker, from the keys: its password and access files, written anew when they change.

Devices publish below topics of their own, and everybody may until the first key of a device is made. What is public is
read by all; what is of guarded sensors lies below ``restricted/`` and is read with a key whose roles see it.
"""

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from layers.errors import TwinError
from twin.roles import find_reach
from twin.store_keys import BrokerUser, has_devices, list_broker_users, read_key_mark

# How often is looked for keys that changed, and for datastreams of devices whose keys did not [s].
EVERY_S, STREAMS_EVERY_S = 1.0, 60.0
RESTRICTED = "restricted/"
ACCOUNT = "twin"
DEVICES_MAY, READERS_MAY = "topic write in/#\n", "topic read v1.1/#\n"
# The twin itself publishes as devices do: those that are made up.
OWN_MAY = f"\nuser {ACCOUNT}\n{DEVICES_MAY}"
_LORAWAN = ("application/+/device/{}/event/up", "v3/+/devices/{}/up")
_UNSAFE = frozenset("+#\n\r\0")
_log = logging.getLogger("twin.ingest")


def write_devices(users: Sequence[BrokerUser], *, anybody: bool) -> tuple[str, str]:
    """Return passwords and access list of the listener devices publish to; ``anybody``: also without an account."""
    senders = [user for user in users if "device" in user.roles]
    lines = [DEVICES_MAY] if anybody else []
    lines.append(OWN_MAY)
    for user in senders:
        lines.append(f"user {user.id}\n")
        lines += [f"topic write in/{topic}\n" for topic in _list_topics(user)]
    return "".join(f"{user.id}:{user.mqtt}\n" for user in senders), "\n".join(lines)


def write_readers(users: Sequence[BrokerUser]) -> tuple[str, str]:
    """Return passwords and access list of the listener subscribers read from."""
    readers = [user for user in users if "device" not in user.roles]
    lines = [READERS_MAY]
    for user in readers:
        lines += [f"user {user.id}\n", READERS_MAY]
        if find_reach(frozenset(user.roles)).level == "restricted":
            lines.append(f"topic read {RESTRICTED}#\n")
    return "".join(f"{user.id}:{user.mqtt}\n" for user in readers), "\n".join(lines)


def _list_topics(user: BrokerUser) -> list[str]:
    """Return the topics a device may publish on, without ``in/``: those that name it or a datastream of its own."""
    if user.gateway:
        return ["#"]
    topics = []
    if user.device is not None and not _UNSAFE & set(user.device):
        names = dict.fromkeys((user.device, user.device.upper() if len(user.device) == 16 else user.device))
        for name in names:
            topics += [f"json/{name}", f"senml/{name}", *(pattern.format(name) for pattern in _LORAWAN)]
    for stream in user.streams:
        if not _UNSAFE & set(stream):
            quoted = stream.replace("'", "''")
            topics += [f"v1.{minor}/Datastreams('{quoted}')/Observations" for minor in (0, 1)]
    return topics


class Gatekeeper:
    """Brings the broker's files to what the keys say, within a second, and lets it read them again."""

    def __init__(self, folder: Path, connect: Callable[[], Engine | None]) -> None:
        self._folder, self._connect = folder.resolve(), connect
        self._engine: Engine | None = None
        self._mark, self._again_at = "", 0.0

    def run(self, stopped: threading.Event) -> None:
        """Work until ``stopped``; a database that is away is waited for: until then all stays as it is."""
        while not stopped.wait(EVERY_S):
            try:
                self._engine = self._engine or self._connect()
                if self._engine is not None:
                    self.step(self._engine)
            except (DBAPIError, TwinError, OSError) as error:
                _log.warning("the broker's accounts stay as they are: %s", str(error).splitlines()[0])
                if self._engine is not None:
                    self._engine.dispose()
                self._engine = None
        if self._engine is not None:
            self._engine.dispose()

    def step(self, engine: Engine) -> bool:
        """Look once; return whether something changed."""
        with engine.connect() as connection:
            mark = read_key_mark(connection)
            if mark == self._mark and time.monotonic() < self._again_at:
                return False
            users = list_broker_users(connection)
            anybody = not has_devices(connection)
        passwords, devices = write_devices(users, anybody=anybody)
        more, readers = write_readers(users)
        own = (self._folder / "twin.password").read_text()
        files = {
            "devices.password": own + passwords, "devices.acl": devices, "readers.password": more,
            "readers.acl": readers, "anybody": "true" if anybody else "false",
        }  # fmt: skip
        changed = [self._write(name, content) for name, content in files.items()]
        if any(changed):
            self._reload()
        self._mark, self._again_at = mark, time.monotonic() + STREAMS_EVERY_S
        return any(changed)

    def _write(self, name: str, content: str) -> bool:
        """Write a file as a whole, readable by the broker's account alone."""
        path = self._folder / name
        if path.exists() and path.read_text() == content:
            return False
        made = path.with_suffix(f"{path.suffix}.new")
        made.unlink(missing_ok=True)
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
            file.write(content)
        owner = self._folder.stat()
        os.chown(made, owner.st_uid, owner.st_gid)
        made.replace(path)
        return True

    def _reload(self) -> None:
        """Tell the broker; where it is not running it reads the files when it starts."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            number = int((self._folder / "broker.pid").read_text())
            if b"mosquitto" in Path(f"/proc/{number}/cmdline").read_bytes():
                os.kill(number, signal.SIGHUP)
