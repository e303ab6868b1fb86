"""A private Mosquitto: what devices send and what subscribers read never mix; the twin itself has a door of its own.

Devices publish to one listener, whose topics lie below ``in/`` inside the broker; subscribers read from another, where
they see ``v1.1/`` and nothing else (SensorThings 1.1 lets the two endpoints differ). The twin has doors of its own.
"""

import base64
import hashlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from layers.errors import SetupError
from twin.sensors.broker_rights import ACCOUNT, DEVICES_MAY, OWN_MAY, READERS_MAY

# Mosquitto 2.0.11 (Debian 12) does not take a mount point off what it delivers: subscribers have none.
INBOX = "in/"
LARGEST_MESSAGE = 1_000_000
MOST_IN_FLIGHT = 2000
READY_WITHIN_S = 60.0
_LONGEST_SOCKET = 100
_ROUNDS = 10_000
_CONFIG = """\
# Written at every start; put listeners of your own (TLS, accounts) into {folder}/conf.d/*.conf: see docs/sensors.md.
per_listener_settings true
{user}
persistence true
persistence_location {folder}/data/
autosave_interval 5
# What waits for the twin while it is stopped. Beyond these bounds the broker drops messages.
max_queued_messages 1000000
max_queued_bytes 500000000
queue_qos0_messages true
max_inflight_messages {in_flight}
max_packet_size {largest}
pid_file {folder}/broker.pid
sys_interval 2
log_dest stderr
log_type error
log_type warning

# Devices send here.
listener {device_port} 127.0.0.1
mount_point in/
allow_anonymous {anybody}
password_file {folder}/devices.password
acl_file {folder}/devices.acl

# Subscribers read here.
listener {reader_port} 127.0.0.1
allow_anonymous true
password_file {folder}/readers.password
acl_file {folder}/readers.acl

# The ingest. Of a session that began at a unix socket Mosquitto 2.0.11 does not remember after a restart where it came
# from, and keeps nothing for it; so the one session that must outlive a restart has a port and a password.
listener {twin_port} 127.0.0.1
allow_anonymous false
password_file {folder}/twin.password

# Tools of the twin, without a session that is to be kept.
listener 0 {socket}
allow_anonymous true

include_dir {folder}/conf.d
"""
# What the listeners allow before the keys are known; the gatekeeper writes them anew.
_AT_FIRST = {
    "devices.acl": f"{DEVICES_MAY}{OWN_MAY}", "readers.acl": READERS_MAY, "readers.password": "", "anybody": "true",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a private broker is reached: loopback ports for devices, subscribers and the ingest, a socket for tools."""

    device_port: int
    reader_port: int
    twin_port: int
    socket: str

    def read_secret(self) -> str:
        """Return the password of the ingest's account."""
        return _name_secret(Path(self.socket).parent).read_text()


def find_mosquitto() -> str | None:
    """Return the path of the Mosquitto server, or None. Debian keeps it where users have no path to."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def prepare_broker(folder: Path, port: int) -> Broker:
    """Write the configuration below ``folder`` and return where the broker will be.

    ``port`` is the first tried for devices; the first three free ones from there are taken. Raises SetupError where
    there are none or ``folder`` is too deep for a socket.
    """
    folder = folder.resolve()
    for name in ("data", "conf.d"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    path = str(folder / "twin.sock")
    if len(path) > _LONGEST_SOCKET:
        raise SetupError(
            f"the path {path} is too long for a socket ({len(path)} characters, at most {_LONGEST_SOCKET})",
            hint="set TWIN_RUN_DIR to a folder nearer to the root",
        )
    device_port = _find_port(port)
    reader_port = _find_port(device_port + 1)
    broker = Broker(device_port, reader_port, _find_port(reader_port + 1), path)
    _write_secret(folder)
    account = _find_account()
    own = (folder / "twin.password").read_text()
    for name, content in {**_AT_FIRST, "devices.password": own}.items():
        if not (folder / name).exists():
            (folder / name).touch(0o600)
            (folder / name).write_text(content)
    config = _CONFIG.format(
        folder=folder,
        anybody=(folder / "anybody").read_text(),
        user=f"user {account.pw_name}" if account else "",
        in_flight=MOST_IN_FLIGHT,
        largest=LARGEST_MESSAGE,
        **asdict(broker),
    )
    (folder / "mosquitto.conf").write_text(config)
    (folder / "broker.json").write_text(json.dumps(asdict(broker)))
    if account is not None:
        for one in (folder, *folder.rglob("*")):
            os.chown(one, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return broker


def read_broker(folder: Path) -> Broker | None:
    """Return where the broker of ``folder`` was last started, or None where it never was."""
    path = folder.resolve() / "broker.json"
    return Broker(**json.loads(path.read_text())) if path.exists() else None


def name_broker(state_dir: Path) -> Path:
    """Return the folder of the private broker of an installation."""
    return state_dir / "broker"


def build_command(folder: Path) -> list[str]:
    """Return the command that runs the broker of ``folder`` in the foreground; SetupError without Mosquitto."""
    program = find_mosquitto()
    if program is None:
        raise SetupError("Mosquitto is not installed", hint="type: apt-get install mosquitto")
    return [program, "-c", str(folder.resolve() / "mosquitto.conf")]


def await_broker(broker: Broker, process: "subprocess.Popen[bytes]") -> None:
    """Return when the broker listens for the twin and for devices; SetupError when it ended or takes over a minute."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SetupError(f"the broker ended with code {process.returncode}", hint="look into broker.log")
        if _answers(broker):
            return
        time.sleep(0.02)
    raise SetupError(f"the broker did not get ready within {READY_WITHIN_S:.0f} s", hint="look into broker.log")


def _name_secret(folder: Path) -> Path:
    return folder / "secret"


def _write_secret(folder: Path) -> None:
    """Give the ingest's account a password once, and write it down as Mosquitto reads it (PBKDF2, SHA-512)."""
    secret = _name_secret(folder)
    if not secret.exists():
        secret.touch(0o600)
        secret.write_text(os.urandom(24).hex())
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", secret.read_text().encode(), salt, _ROUNDS)
    written = "$".join(base64.b64encode(part).decode() for part in (salt, digest))
    passwords = folder / "twin.password"
    passwords.touch(0o600)
    passwords.write_text(f"{ACCOUNT}:$7${_ROUNDS}${written}\n")


def _answers(broker: Broker) -> bool:
    with socket.socket(socket.AF_UNIX) as own, socket.socket() as device:
        return own.connect_ex(broker.socket) == 0 and device.connect_ex(("127.0.0.1", broker.device_port)) == 0


def _find_port(first: int) -> int:
    for port in range(first, min(first + 200, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SetupError(f"no port is free from {first} on", hint="choose another: TWIN_MQTT_PORT=2883 make run")


def _find_account() -> pwd.struct_passwd | None:
    """Return the account a broker started by root runs as, or None when the caller is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("mosquitto", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise SetupError("there is no account 'mosquitto' or 'nobody' to run the broker")
