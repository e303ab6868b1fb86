"""Connections of bad clients: who says half a word is let go, who says too many is refused, who stalls is ended."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from api.limits import wire
from api.limits.wire import BoundedProtocol

HEAD = b"GET /healthz HTTP/1.1\r\nhost: x\r\n"


class Hasty(BoundedProtocol):
    """The same with less patience, so that tests need none."""

    head_within_s, body_stalled_s = 0.2, 0.2


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer whether the body has bytes, once it is whole; who leaves before is noted. ``/busy`` stops everything."""
    if scope["path"] == "/busy":
        time.sleep(3 * Hasty.head_within_s)
    count, message = 0, await receive()
    while message["type"] == "http.request":
        count += len(message.get("body", b""))
        if not message.get("more_body"):
            break
        message = await receive()
    if message["type"] == "http.disconnect":
        left.set()
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
    await send({"type": "http.response.body", "body": b"." if count else b"0"})


left = threading.Event()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server with this protocol."""
    config = uvicorn.Config(read_all, port=0, http=Hasty, ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    bound = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield bound.getsockname()[1]
    server.should_exit = True
    thread.join()


def send(port: int, *pieces: bytes) -> bytes:
    """Send bytes and return all that comes until the server closes."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60.0) as opened, contextlib.suppress(OSError):
        for piece in pieces:
            opened.sendall(piece)
        while piece := opened.recv(65_536):
            said += piece
    return said


def test_a_head_that_does_not_end_is_not_waited_for(port: int) -> None:
    assert send(port, HEAD + b"x-slow: ").startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    assert send(port) == b""


def test_a_second_head_that_does_not_end_is_not_waited_for_either(port: int) -> None:
    said = send(port, HEAD + b"\r\n", HEAD)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in said


def test_a_head_without_end_is_refused(port: int) -> None:
    # Who sends on may hear nothing but that the connection is gone.
    said = send(port, HEAD + b"x: " + b"y" * (4 * wire.HEAD_BYTES))
    assert not said or said.startswith(b"HTTP/1.1 431 ")


def test_a_long_address_is_refused_in_words(port: int) -> None:
    said = send(port, b"GET /?x=" + b"y" * wire.ADDRESS_BYTES + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 414 ")
    assert b"problem:too-long" in said


def test_what_is_no_http_is_refused(port: int) -> None:
    assert send(port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_a_body_that_stalls_is_ended_and_who_reads_it_hears_of_it(port: int) -> None:
    left.clear()
    assert send(port, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345") == b""
    assert left.wait(60.0)


def test_a_body_in_pieces_is_taken(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\n"
    assert send(port, head, b"12", b"34").endswith(b".")


def test_where_there_are_too_many_the_idlest_makes_room(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "count_connections", lambda: 2)
    with contextlib.ExitStack() as opened:
        idle = [opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60.0)) for _ in range(3)]
        for number, one in enumerate(idle):
            one.sendall(HEAD + b"\r\n") if number else None
        assert idle[0].recv(1) == b""
        assert idle[2].recv(12) == b"HTTP/1.1 200"


def test_a_busy_process_closes_nobody_whose_request_came_in_time(port: int) -> None:
    with contextlib.ExitStack() as opened:
        others = [opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60.0)) for _ in range(20)]
        busy = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60.0))
        busy.sendall(b"GET /busy HTTP/1.1\r\nhost: x\r\n\r\n")
        # It is busy for longer than it waits for a head: these lie unread when their time is over.
        for other in others:
            other.sendall(HEAD + b"\r\n")
        assert [one.recv(12) for one in (busy, *others)] == [b"HTTP/1.1 200"] * 21
