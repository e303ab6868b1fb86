"""The way out leads to public places: judged after the name is resolved, at each hop, and never longer than it may."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from layers.errors import AddressError
from layers.outbound import find_addresses, is_public, may_be_public, open_client

PRIVATE = (
    "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1",
    "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "::", "::1", "fd00:ec2::254", "fe80::1%eth0",
    "fec0::1", "ff02::1", "::ffff:10.0.0.1", "::7f00:1", "::ffff:0:7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
    "2002:a9fe:a9fe::", "2001::1",
)  # fmt: skip
PUBLIC = ("8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808")


class Drip(BaseHTTPRequestHandler):
    """Answers ``/``, sends ``/to?URL`` elsewhere, and lets ``/drip`` come a byte at a time without an end."""

    asked: list[str]
    ended: threading.Event

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['host'].partition(':')[0]}{self.path}")
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("location", self.path[4:])
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(b"hello")
            while self.path == "/drip" and not self.ended.wait(0.05):
                self.wfile.write(b".")

    def log_message(self, *_words: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[tuple[int, type[Drip]]]:
    handler = type("Own", (Drip,), {"asked": [], "ended": threading.Event()})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield running.server_address[1], handler
    handler.ended.set()
    running.shutdown()
    running.server_close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that lets a name resolve to the given addresses, one answer after the other."""
    answers: dict[str, list[tuple[str, ...]]] = {}
    resolve = socket.getaddrinfo

    def answer(host: str, port: int, *args: object, **named: object) -> object:
        if host not in answers:
            return resolve(host, port, *args, **named)  # type: ignore[arg-type]
        given = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in given]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return lambda host, *given: answers.update({host: list(given)})


def test_addresses_are_judged_also_inside_others() -> None:
    assert [one for one in PRIVATE if is_public(one)] == []
    assert [one for one in PUBLIC if not is_public(one)] == []
    assert [may_be_public(one) for one in ("localhost", "a.internal", "10.0.0.1", "city.vn")] == [False] * 3 + [True]
    with pytest.raises(AddressError, match="'localhost' leads to a private address"):
        find_addresses("localhost", 80, private=False)


def test_a_name_is_judged_by_all_its_addresses(names: Callable[..., None]) -> None:
    names("both.example", ("8.8.8.8", "10.0.0.1"))
    with pytest.raises(AddressError), open_client(total_s=5, read_s=1) as client:
        client.get("http://both.example/")


def test_the_connection_goes_to_the_address_that_was_judged(
    names: Callable[..., None], server: tuple[int, type[Drip]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rebinding name: public when it is judged, private whenever it is asked again."""
    port, handler = server
    names("rebound.example", ("8.8.8.8",), ("127.0.0.1",))
    reached: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_args: object, **_named: object) -> socket.socket:
        reached.append(address)
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(socket, "create_connection", connect)
        with pytest.raises(httpx.ConnectError), open_client(total_s=5, read_s=1) as client:
            client.get(f"http://rebound.example:{port}/")
    assert reached == [("8.8.8.8", port)]
    with pytest.raises(AddressError), open_client(total_s=5, read_s=1) as client:
        client.get(f"http://rebound.example:{port}/")
    assert handler.asked == []


def test_a_host_named_as_private_is_reached_by_its_name(
    names: Callable[..., None], server: tuple[int, type[Drip]]
) -> None:
    port, handler = server
    names("gis.internal", ("127.0.0.1",))
    with open_client(total_s=5, read_s=1, private_hosts=("gis.internal",)) as client:
        assert client.get(f"http://GIS.internal:{port}/").text == "hello"
    assert handler.asked == ["gis.internal/"]


@pytest.mark.parametrize(
    "target", ["http://127.0.0.2:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "file:///etc/passwd"]
)
def test_a_redirect_leads_nowhere_private(server: tuple[int, type[Drip]], target: str) -> None:
    port, handler = server
    with (
        pytest.raises((AddressError, httpx.UnsupportedProtocol)),
        open_client(total_s=5, read_s=1, redirects=3, private_hosts=("127.0.0.1",)) as client,
    ):
        client.get(f"http://127.0.0.1:{port}/to?{target.format(port=port)}")
    assert len(handler.asked) == 1


def test_an_exchange_that_drips_is_ended(server: tuple[int, type[Drip]]) -> None:
    port, handler = server
    with (
        pytest.raises(httpx.ReadTimeout),
        open_client(total_s=0.4, read_s=5, private_hosts=("127.0.0.1",)) as client,
    ):
        client.get(f"http://127.0.0.1:{port}/drip")
    assert handler.asked == ["127.0.0.1/drip"]
