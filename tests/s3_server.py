"""A real store that speaks S3, for tests: OpenStack Swift with its S3 gateway, four processes in one folder."""

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

from tests.ports import find_port

KEY, SECRET = "twin:tests", "not-a-secret"


@dataclass(frozen=True)
class Served:
    """A store with one empty bucket."""

    endpoint: str
    bucket: str
    environment: dict[str, str]


@contextmanager
def serving(folder: Path, bucket: str = "city") -> Iterator[Served]:
    """Serve a bucket out of ``folder``."""
    port = find_port()
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.s3_processes", str(folder), str(port)], stdout=log, stderr=log
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
