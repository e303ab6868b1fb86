"""Files come over HTTP from a real server: kept, asked again only whether they changed, and refused in one line."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from layers.errors import AddressError, SourceError
from layers.ingest import fetch as module
from layers.ingest.fetch import is_url
from layers.ingest.readers import read_file

CSV = b"id,lon,lat\na,105.7,10\n"
fetch = partial(module.fetch, private_hosts=("127.0.0.1",))


class Handler(BaseHTTPRequestHandler):
    """Answers by path; ``served`` lists what was asked and answered."""

    served: list[tuple[str, int]]
    version = 1

    def do_GET(self) -> None:
        name = self.path.split("?")[0]
        etag = f'"v{type(self).version}"'
        if name == "/slow.csv":
            time.sleep(2.0)
        if name == "/loop.csv":
            return self._answer(302, b"", {"Location": "/loop.csv"})
        if name == "/inward.csv":
            return self._answer(302, b"", {"Location": "http://localhost:9/secret.csv"})
        if name == "/moved.csv":
            return self._answer(302, b"", {"Location": "/trees.csv"})
        if name == "/page.csv":
            return self._answer(200, b"<html>login</html>", {"Content-Type": "text/html; charset=utf-8"})
        if name == "/api":
            return self._answer(200, CSV, {"Content-Type": "text/csv; charset=utf-8"})
        if name == "/download":
            disposition = "attachment; filename*=UTF-8''c%C3%A2y%20xanh.csv"
            return self._answer(200, CSV, {"Content-Type": "application/x", "Content-Disposition": disposition})
        if name == "/what":
            return self._answer(200, b"?", {"Content-Type": "application/octet-stream"})
        if name == "/empty.csv":
            return self._answer(200, b"", {})
        if name == "/short.csv":
            return self._answer(200, CSV, {"Content-Length": str(len(CSV) + 100)})
        if name == "/trees.csv":
            if self.headers.get("If-None-Match") == etag:
                return self._answer(304, b"", {"ETag": etag})
            return self._answer(200, CSV * type(self).version, {"ETag": etag})
        return self._answer(404, b"no", {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.served.append((self.path, status))
        self.send_response(status)
        for key, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(key, value)
        self.end_headers()
        with suppress(BrokenPipeError):
            self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Stay quiet."""


@contextmanager
def serve() -> Iterator[tuple[str, type[Handler]]]:
    handler = type("Own", (Handler,), {"served": []})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}", handler
    finally:
        running.shutdown()
        running.server_close()


@pytest.fixture
def server() -> Iterator[tuple[str, type[Handler]]]:
    with serve() as running:
        yield running


def test_a_file_is_fetched_once_and_again_when_it_changed(tmp_path: Path, server: tuple[str, type[Handler]]) -> None:
    base, handler = server
    told: list[float] = []
    path = fetch(f"{base}/trees.csv", tmp_path, progress=lambda share, _words: told.append(share))
    assert path.name == "trees.csv"
    assert read_file(path).frame["id"].tolist() == ["a"]
    assert told[-1] == 1.0
    before = path.stat().st_mtime_ns
    assert fetch(f"{base}/trees.csv", tmp_path) == path
    assert path.stat().st_mtime_ns == before
    handler.version = 2
    assert fetch(f"{base}/trees.csv", tmp_path).read_bytes() == CSV * 2
    assert [status for _, status in handler.served] == [200, 304, 200]


@pytest.mark.parametrize(
    ("address", "name"),
    [("/moved.csv", "trees.csv"), ("/api?f=csv", "api.csv"), ("/download", "cây_xanh.csv")],
)
def test_names_come_from_address_header_or_type(
    tmp_path: Path, server: tuple[str, type[Handler]], address: str, name: str
) -> None:
    path = fetch(server[0] + address, tmp_path)
    assert (path.name, path.read_bytes()) == (name, CSV)


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("/gone.csv", "404 Not Found"),
        ("/page.csv", "answers with a web page, expected data"),
        ("/loop.csv", "more than 5 redirects"),
        ("/what", "does not say what kind of file it is"),
        ("/empty.csv", "answers with nothing"),
        ("/short.csv", "cannot be fetched"),
    ],
)
def test_what_cannot_be_fetched_is_named(
    tmp_path: Path, server: tuple[str, type[Handler]], address: str, named: str
) -> None:
    with pytest.raises(SourceError) as caught:
        fetch(server[0] + address, tmp_path)
    assert f"{server[0]}{address}" in str(caught.value)
    assert named in str(caught.value)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_a_slow_server_and_a_large_file_are_given_up(
    tmp_path: Path, server: tuple[str, type[Handler]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match="at most 0 MiB are fetched"):
        fetch(f"{server[0]}/trees.csv", tmp_path, most_bytes=10)
    monkeypatch.setattr(module, "_READ_S", 0.2)
    with pytest.raises(SourceError, match="did not answer in time"):
        fetch(f"{server[0]}/slow.csv", tmp_path)


def test_without_the_server_the_kept_file_is_used(tmp_path: Path) -> None:
    with serve() as (base, _):
        path = fetch(f"{base}/trees.csv", tmp_path)
    notes: list[str] = []
    assert fetch(f"{base}/trees.csv", tmp_path, notes=notes) == path
    assert notes == [f"{base}/trees.csv could not be reached; the file fetched before is used"]
    path.unlink()
    with pytest.raises(SourceError, match=r"cannot be fetched: .*refused"):
        fetch(f"{base}/trees.csv", tmp_path)


def test_private_places_are_not_asked_unless_named(tmp_path: Path, server: tuple[str, type[Handler]]) -> None:
    base, handler = server
    with pytest.raises(AddressError, match=r"host '127\.0\.0\.1' leads to a private address"):
        module.fetch(f"{base}/trees.csv", tmp_path)
    assert handler.served == []
    with pytest.raises(AddressError, match="host 'localhost' leads to a private address"):
        fetch(f"{base}/inward.csv", tmp_path)
    assert handler.served == [("/inward.csv", 302)]


def test_only_web_addresses_are_urls() -> None:
    assert is_url("https://example.org/x.gpkg") and is_url("HTTP://example.org/x")
    assert not is_url("/vsicurl/http://example.org/x") and not is_url("trees.csv") and not is_url("file:///x")
