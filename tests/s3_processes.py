"""The servers of the store: rings and configuration of OpenStack Swift below a folder, and its four processes.

``python -m tests.s3_processes FOLDER PORT``. Apart from ``s3_server``: Swift brings green threads into its process.
"""

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

from swift.common.ring import RingBuilder

from tests.ports import find_port
from tests.s3_server import SECRET

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


def main(folder: Path, port: int) -> None:
    """Write rings and configuration below ``folder`` and run the four servers until ended."""
    user = os.environ.get("USER") or "root"
    (folder / "devices" / "one").mkdir(parents=True, exist_ok=True)
    (folder / "swift.conf").write_text(f"[swift-hash]\nswift_hash_path_suffix = {secrets.token_hex(8)}\n")
    written = [("proxy", _PROXY.format(folder=folder, port=port, user=user, secret=SECRET))]
    for kind in ("account", "container", "object"):
        own = find_port()
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
