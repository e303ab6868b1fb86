"""The audit over HTTP: no address that changes something leaves no entry, whatever comes of it."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.app import create_app
from api.auditing import ROUTINE, Sieve
from api.rights import RIGHTS
from layers.access import is_open
from layers.registry import VECTOR_LAYERS
from tests.api.conftest import ADDRESS
from tests.api.test_rights import fill
from twin.roles import Action
from twin.settings import Settings
from twin.store_audit import EntryQuery, list_entries

CHANGES = [one for one in RIGHTS if one[2] not in ("read", "ask")]
TOKEN = "token-of-sixteen-and-more"
POINT = {"type": "Point", "coordinates": [105.73, 10.02]}
_numbers = count()


@pytest.fixture
def read_entries(writer: Engine) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that gives the entries of a request by its id."""

    def read(request_id: str) -> list[dict[str, Any]]:
        with writer.connect() as connection:
            found = list_entries(connection, EntryQuery(), limit=200)
        return [one.as_dict() for one in found if one.request_id == request_id]

    return read


@pytest.fixture(scope="session")
def with_token(settings: Settings) -> Iterator[TestClient]:
    """Client of a server with a token, which it does not send by itself."""
    app = create_app(settings.model_copy(update={"write_token": Settings(write_token=TOKEN).write_token}))
    with TestClient(app, ADDRESS, client=("192.0.2.7", 50_000), raise_server_exceptions=False) as opened:
        yield opened


def send(client: TestClient, method: str, path: str, **more: Any) -> tuple[int, str]:
    request_id = f"audit-{next(_numbers)}"
    headers = {"x-request-id": request_id, **more.pop("headers", {})}
    return client.request(method, path, headers=headers, **more).status_code, request_id


def address(path: str) -> str:
    """Return an address of a pattern; SensorThings has its version and entities in it."""
    return fill(path).replace("/sta/one/a/b", "/sta/v1.1/Things(1)")


@pytest.mark.parametrize(("method", "path", "action"), CHANGES, ids=lambda one: str(one))
def test_every_change_leaves_an_entry(
    client: TestClient,
    read_entries: Callable[[str], list[dict[str, Any]]],
    method: str,
    path: str,
    action: Action,
) -> None:
    far = TestClient(client.app, ADDRESS, client=(f"192.0.2.{next(_numbers) % 250}", 1))
    status, request_id = send(far, method, address(path), json={})
    assert status in (401, 403)
    (found,) = read_entries(request_id)
    assert (found["outcome"], found["action"], found["subject"]) == ("refused", action, "public")
    assert found["client"].startswith("192.0.2.")
    status, request_id = send(client, method, address(path), json={})
    if status < 400 and ROUTINE.fullmatch(address(path)):
        return
    if not ROUTINE.fullmatch(address(path)):
        (found,) = read_entries(request_id)
        assert found["outcome"] in ("failed", "done", "unchanged")
        assert (found["subject"], found["via"], found["object"]) == ("local", "local", address(path)[:400])
        assert (status >= 400) == (found["outcome"] == "failed")


def test_a_change_is_recorded_with_it(client: TestClient, read_entries: Callable[[str], list[dict[str, Any]]]) -> None:
    address, feature = "/api/collections/stops/items", {"type": "Feature", "id": "seen", "geometry": POINT}
    feature |= {"properties": {"mode": "bus"}}
    status, request_id = send(client, "POST", address, json=feature)
    (found,) = read_entries(request_id)
    assert status == 201 and (found["outcome"], found["action"]) == ("done", "edit")
    assert found["detail"]["edit"] > 0
    status, request_id = send(client, "POST", address, json=feature)
    assert status == 409 and [one["outcome"] for one in read_entries(request_id)] == ["failed"]
    status, request_id = send(client, "POST", "/api/edits?check=true", json={"edits": []})
    assert [one["outcome"] for one in read_entries(request_id)] == ["failed" if status >= 400 else "unchanged"]
    status, request_id = send(client, "DELETE", f"{address}/seen", headers={"if-match": "*"})
    assert status < 300 and [one["outcome"] for one in read_entries(request_id)] == ["done"]


def test_an_export_of_what_is_not_for_everybody_is_recorded(
    client: TestClient, read_entries: Callable[[str], list[dict[str, Any]]]
) -> None:
    closed = next(layer for layer in VECTOR_LAYERS.values() if not is_open(layer.id))
    status, request_id = send(client, "GET", f"/api/collections/{closed.id}/items?f=csv")
    (found,) = read_entries(request_id)
    assert status == 200
    assert (found["action"], found["object"], found["outcome"]) == ("export", f"layer:{closed.id}", "done")
    assert found["detail"]["format"] == "csv"
    far = TestClient(client.app, ADDRESS, client=("192.0.2.9", 1))
    status, request_id = send(far, "GET", f"/api/collections/{closed.id}/items?f=csv")
    assert read_entries(request_id) == []
    opened = next(layer for layer in VECTOR_LAYERS.values() if is_open(layer.id))
    status, request_id = send(client, "GET", f"/api/collections/{opened.id}/items?f=csv")
    assert status == 200 and read_entries(request_id) == []


def test_a_run_that_is_begun_leaves_an_entry_and_an_answer_at_once_none(
    client: TestClient, read_entries: Callable[[str], list[dict[str, Any]]]
) -> None:
    status, request_id = send(
        client,
        "POST",
        "/api/processes/flood-forecast/execution",
        json={"inputs": {}},
        headers={"prefer": "respond-async"},
    )
    assert status in (200, 201)
    (found,) = read_entries(request_id)
    assert (found["action"], found["outcome"]) == ("run", "done")
    status, request_id = send(client, "POST", "/stac/search", json={})
    assert status == 200 and read_entries(request_id) == []
    status, request_id = send(client, "GET", "/api/collections")
    assert read_entries(request_id) == []


def test_wrong_credentials_are_recorded_also_of_who_only_reads(
    with_token: TestClient, read_entries: Callable[[str], list[dict[str, Any]]]
) -> None:
    status, request_id = send(with_token, "GET", "/api/collections", headers={"authorization": "Bearer guessed"})
    (found,) = read_entries(request_id)
    assert status == 401 and found["outcome"] == "refused"
    assert "guessed" not in str(found)
    status, request_id = send(with_token, "GET", "/api/work-orders")
    assert status == 401 and read_entries(request_id) == []


def test_the_audit_is_read_by_administrators_only(with_token: TestClient) -> None:
    assert with_token.get("/api/audit").status_code == 401
    assert with_token.get("/api/audit/mine").status_code == 401
    headers = {"authorization": f"Bearer {TOKEN}"}
    for _ in range(4):
        with_token.delete("/api/queries/none")
        with_token.delete("/api/queries/none", headers=headers)
    mine = with_token.get("/api/audit/mine", headers=headers, params={"limit": 5}).json()
    assert {one["subject"] for one in mine["entries"]} == {"token"}
    every = with_token.get("/api/audit", headers=headers, params={"outcome": "refused", "limit": 3}).json()
    assert len(every["entries"]) == 3
    assert {one["outcome"] for one in every["entries"]} == {"refused"}
    further = with_token.get(every["links"][0]["href"], headers=headers).json()
    assert further["entries"][0]["number"] < every["entries"][-1]["number"]
    found = with_token.get("/api/audit", headers=headers, params={"object": "/api/queries/", "subject": "token"}).json()
    assert {one["object"] for one in found["entries"]} >= {"/api/queries/none"}


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"before": "x"}, {"datetime": "never"}, {"outcome": "so so"}, {"who": "me"}]
)
def test_what_cannot_be_asked_is_refused(client: TestClient, query: dict[str, str]) -> None:
    assert client.get("/api/audit", params=query).status_code == 400


def test_a_sieve_lets_few_refusals_through_and_counts_the_rest() -> None:
    now = [0.0]
    sieve = Sieve(per_minute=2, addresses=2, clock=lambda: now[0])
    assert [sieve.pass_on("a") for _ in range(5)] == [0, 0, None, None, None]
    assert sieve.pass_on("b") == 0
    now[0] = 61.0
    assert sieve.pass_on("a") == 3
    assert sieve.pass_on("c") == 0
    assert sieve.pass_on("d") == 0
