"""A real store that speaks S3, for tests: OpenStack Swift with its S3 gateway, four processes in one folder.

``python -m tests.s3_server FOLDER PORT`` serves until it is ended; ``serving`` does that and waits until it answers.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
from obstore.store import S3Store
from swift.common.ring import RingBuilder

KEY, SECRET = "twin:tests", "not-a-secret"
_PROXY = """[DEFAULT]
swift_dir = {folder}
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:s3api]
use = egg:swift#s3api
[filter:tempauth]
use = egg:swift#tempauth
user_twin_tests = {secret} .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
"""
_BACK = """[DEFAULT]
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""


@dataclass(frozen=True)
class Served:
    """A store with one empty bucket."""

    endpoint: str
    bucket: str
    environment: dict[str, str]


@contextmanager
def serving(folder: Path, bucket: str = "city") -> Iterator[Served]:
    """Serve a bucket out of ``folder``."""
    port = _find_port()
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.s3_server", str(folder), str(port)], stdout=log, stderr=log
        )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait(server, f"{endpoint}/healthcheck")
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}
        _make_bucket(endpoint, bucket)
        yield Served(endpoint, f"s3://{bucket}", keys)
    finally:
        server.terminate()
        server.wait(20)


def _make_bucket(endpoint: str, bucket: str) -> None:
    store = S3Store(
        bucket,
        endpoint=endpoint,
        access_key_id=KEY,
        secret_access_key=SECRET,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    httpx.put(obstore.sign(store, "PUT", "", timedelta(minutes=5)), timeout=30.0).raise_for_status()


def _wait(server: "subprocess.Popen[bytes]", address: str) -> None:
    end = time.monotonic() + 60.0
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("the S3 server does not answer")


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(folder: Path, port: int) -> None:
    """Write rings and configuration below ``folder`` and run the four servers until ended."""
    user = os.environ.get("USER") or "root"
    (folder / "devices" / "one").mkdir(parents=True, exist_ok=True)
    (folder / "swift.conf").write_text(f"[swift-hash]\nswift_hash_path_suffix = {secrets.token_hex(8)}\n")
    written = [("proxy", _PROXY.format(folder=folder, port=port, user=user, secret=SECRET))]
    for kind in ("account", "container", "object"):
        own = _find_port()
        ring = RingBuilder(2, 1, 0)
        ring.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": own, "device": "one", "weight": 1.0})
        ring.rebalance(seed=1)
        ring.get_ring().save(str(folder / f"{kind}.ring.gz"))
        written.append((kind, _BACK.format(folder=folder, port=own, user=user, kind=kind)))
    # Its servers ask for their folder here.
    environment = {**os.environ, "SWIFT_DIR": str(folder)}
    running = []
    for kind, text in written:
        path = folder / f"{kind}-server.conf"
        path.write_text(text)
        program = Path(sys.executable).parent / f"swift-{kind}-server"
        running.append(subprocess.Popen([str(program), str(path)], env=environment))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for each in running:
            each.wait()
    finally:
        for each in running:
            each.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
