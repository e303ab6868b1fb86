"""Hostile uploads: bombs, disguises, names that lead out, more than there is room for; what is kept runs nowhere."""

import struct
import zlib
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from layers.store import attachments
from tests.api.test_upkeep import ITEM, LOCAL, make_jpeg
from twin.settings import Settings

PDF = b"%PDF-1.4\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF"


@pytest.fixture(scope="module")
def crew(settings: Settings) -> Iterator[TestClient]:
    app = create_app(settings.model_copy(update={"attachment_mb": 1}))
    with TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 50000), headers=LOCAL) as opened:
        yield opened


def make_png_bomb(side: int) -> bytes:
    """Return a PNG of ``side`` × ``side`` pixels in a few hundred bytes of data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def send(crew: TestClient, content: bytes, kind: str, disposition: str = "") -> tuple[int, dict[str, object]]:
    answer = crew.post(
        f"{ITEM}/attachments", content=content, headers={"content-type": kind, "content-disposition": disposition}
    )
    return answer.status_code, answer.json()


def test_a_small_file_of_too_many_pixels_is_not_drawn(crew: TestClient) -> None:
    status, told = send(crew, make_png_bomb(30_000), "image/png")
    assert status == 413 and "pixels" in str(told["detail"])


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
        (b"<html><script>alert(1)</script>", "image/png"),
        (b"\xff\xd8\xff<script>alert(1)</script>\xff\xd9", "image/jpeg"),
        (b"GIF89a/*", "image/gif"),
        (b"MZ\x90\x00", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
    ],
)
def test_content_is_looked_at_not_believed(crew: TestClient, content: bytes, kind: str) -> None:
    assert send(crew, content, kind)[0] == 400


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\x.jpg", "/etc/cron.d/x", "a%0d%0aSet-Cookie: x=1.jpg", "%00.jpg"]
)
def test_names_stay_names(crew: TestClient, name: str) -> None:
    status, told = send(crew, make_jpeg(), "image/jpeg", f"attachment; filename*=UTF-8''{name}")
    assert status == 201
    kept = str(told["filename"])
    assert not set(kept) & set("/\\\r\n\x00")
    got = crew.get(f"/api/attachments/{told['id']}")
    assert got.status_code == 200 and "set-cookie" not in got.headers
    crew.delete(f"/api/attachments/{told['id']}")


def test_what_is_kept_runs_nowhere(crew: TestClient) -> None:
    for content, kind, shown in ((PDF, "application/pdf", "attachment"), (make_jpeg(), "image/jpeg", "inline")):
        status, told = send(crew, content, kind)
        assert status == 201, told
        headers = crew.get(f"/api/attachments/{told['id']}").headers
        assert headers["content-disposition"].startswith(shown)
        assert headers["x-content-type-options"] == "nosniff" and headers["content-type"] == kind
        assert "sandbox" in headers["content-security-policy"]
        crew.delete(f"/api/attachments/{told['id']}")


def test_an_item_has_so_many_files_and_no_more(crew: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_OF_ONE", 1)
    status, told = send(crew, make_jpeg(), "image/jpeg")
    assert status == 201
    status, refused = send(crew, make_jpeg(), "image/jpeg")
    assert status == 413 and "at most 1 are kept" in str(refused["detail"])
    crew.delete(f"/api/attachments/{told['id']}")
    status, told = send(crew, make_jpeg(), "image/jpeg")
    assert status == 201
    crew.delete(f"/api/attachments/{told['id']}")
