"""Who may write over HTTP: this machine while there is no token, who holds the token once there is one."""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.writing import WriterOf
from tests.api.conftest import ADDRESS
from twin.settings import Settings

TOKEN = "sixteen letters and more"
router = APIRouter()


@router.post("/write")
def write(writer: WriterOf) -> dict[str, str]:
    """Say who writes and why."""
    return {"author": writer.author, "reason": writer.reason}


def build(settings: Settings) -> FastAPI:
    app = create_app(settings)
    app.router.routes.insert(0, *router.routes)
    return app


@pytest.fixture(scope="module")
def local(settings: Settings) -> Iterator[TestClient]:
    with TestClient(build(settings), ADDRESS, client=("127.0.0.1", 50_000)) as opened:
        yield opened


@pytest.fixture(scope="module")
def guarded(settings: Settings) -> Iterator[TestClient]:
    made = settings.model_copy(update={"write_token": Settings(write_token=TOKEN).write_token})
    with TestClient(build(made), "http://twin.example", client=("203.0.113.9", 50_000)) as opened:
        yield opened


def test_this_machine_writes_in_its_own_name(local: TestClient) -> None:
    assert local.post("/write").json() == {"author": "local", "reason": ""}


@pytest.mark.parametrize("name", ["Nguyễn Văn Ân", "Ann"])
def test_names_come_as_utf8_or_percent_encoded(local: TestClient, name: str) -> None:
    percent = "".join(f"%{byte:02X}" for byte in name.encode())
    for sent in (name.encode(), percent.encode()):
        answer = local.post("/write", headers=[(b"twin-author", sent), (b"twin-reason", "tăng 20 %".encode())])
        assert answer.json() == {"author": name, "reason": "tăng 20 %"}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"host": "evil.example"}, "no name of this machine"),
        ({"host": "127.0.0.1.evil.example"}, "no name of this machine"),
        ({"origin": "https://evil.example"}, "may not write here"),
        ({"origin": "http://127.0.0.1:3000"}, "may not write here"),
        ({"origin": "null"}, "may not write here"),
        ({"x-forwarded-for": "203.0.113.9"}, "passed on"),
    ],
)
def test_what_may_come_from_elsewhere_is_refused(local: TestClient, headers: dict[str, str], said: str) -> None:
    answer = local.post("/write", headers=headers)
    assert answer.status_code == 403
    assert said in answer.json()["detail"]


def test_the_viewer_of_this_server_may_write(local: TestClient) -> None:
    assert local.post("/write", headers={"origin": ADDRESS}).status_code == 200


def test_another_machine_or_a_proxy_needs_a_token(settings: Settings) -> None:
    with TestClient(build(settings), ADDRESS, client=("203.0.113.9", 50_000)) as far:
        assert far.post("/write").status_code == 403
    behind = settings.model_copy(update={"public_url": "https://twin.example"})
    with TestClient(build(behind), ADDRESS, client=("127.0.0.1", 50_000)) as near:
        assert "has no token" in near.post("/write").json()["detail"]


def test_the_token_opens_and_nothing_else_does(guarded: TestClient) -> None:
    assert guarded.post("/write", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    for wrong in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}):
        answer = guarded.post("/write", headers=wrong)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("name", "value"), [(b"twin-author", b"a" * 101), (b"twin-author", b"%FF"), (b"twin-reason", b"a%0Ab")]
)
def test_odd_names_are_named(local: TestClient, name: bytes, value: bytes) -> None:
    answer = local.post("/write", headers=[(name, value)])
    assert answer.status_code == 400
    assert name.decode() in answer.json()["detail"]
